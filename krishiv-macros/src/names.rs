//! Names: the default of an operator, and what may be one.
//!
//! The runtime keeps the same rule, for names that it gets while it runs.

/// Longest name of an operator or state, in bytes.
const MAX_BYTES: usize = 255;

/// How the names begin that the library keeps for itself.
const RESERVED: &str = "__krishiv";

/// `HTTPServer` as `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before: Option<char> = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_uppercase() {
            let new_word = match before {
                None | Some('_') => false,
                // The last capital of a run begins the next word: `HTTPServer`.
                Some(b) if b.is_uppercase() => rest.peek().is_some_and(|next| next.is_lowercase()),
                Some(_) => true,
            };
            if new_word {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else {
            snake.push(c);
        }
        before = Some(c);
    }
    snake
}

/// Why a name cannot be one, and which could.
pub(crate) struct Refused {
    reason: String,
    instead: Option<String>,
}

impl Refused {
    /// The message, where `write` tells how to write another name.
    pub(crate) fn message(&self, write: impl FnOnce(&str) -> String) -> String {
        let Self { reason, instead } = self;
        instead.as_ref().map_or_else(|| reason.clone(), |instead| format!("{reason}; write {}", write(instead)))
    }
}

/// Why `name` cannot be the name of `what`, if it cannot; `example` is one that could.
pub(crate) fn refuse(name: &str, what: &str, example: &str) -> Option<Refused> {
    let example = || Some(example.to_owned());
    if name.is_empty() || name.len() > MAX_BYTES {
        let reason = format!("the name of {what} is 1 to {MAX_BYTES} bytes long, and this one is {}", name.len());
        return Some(Refused { reason, instead: example().filter(|_| name.is_empty()) });
    }
    if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
        let reason = format!("the name of {what} has letters, digits, `_`, `-` and `.`, and this one has {wrong:?}");
        return Some(Refused { reason, instead: legal(name).or_else(example) });
    }
    let own = name.strip_prefix(RESERVED)?;
    let reason = format!("names that begin with `{RESERVED}` are the library's own");
    Some(Refused { reason, instead: legal(own.trim_matches('_')).or_else(example) })
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The name that keeps the rule and looks most like `name`, if that leaves anything to read.
fn legal(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(|c| !is_allowed(c)).filter(|word| !word.is_empty()).collect();
    let legal = words.join("_");
    (legal.contains(char::is_alphanumeric) && !legal.starts_with(RESERVED)).then_some(legal)
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, refuse, snake_case};

    fn reason(name: &str) -> Option<String> {
        refuse(name, "a state", "late_streak").map(|refused| refused.message(str::to_owned))
    }

    #[test]
    fn names_are_1_to_255_bytes() {
        assert!(reason("").is_some());
        assert!(reason("a").is_none());
        assert!(reason(&"a".repeat(255)).is_none());
        assert!(reason(&"a".repeat(256)).is_some());
        assert!(reason(&"\u{e4}".repeat(128)).is_some(), "bytes count, not characters");
    }

    #[test]
    fn letters_and_digits_of_any_script_are_allowed() {
        for name in ["late_streak", "7", "a-b.c_d", "Versp\u{e4}tung", "\u{9045}\u{5ef6}", "_krishiv", "krishiv__"] {
            assert_eq!(reason(name), None);
        }
    }

    #[test]
    fn another_character_is_shown_with_a_name_that_is_right() {
        for (name, wrong, instead) in [
            ("worst delay", "' '", "worst_delay"),
            ("/a//b/", "'/'", "a_b"),
            ("a\u{200b}", "'\\u{200b}'", "a"),
            ("a\n", "'\\n'", "a"),
            ("??", "'?'", "late_streak"),
            ("_ _", "' '", "late_streak"),
            (" __krishiv", "' '", "late_streak"),
        ] {
            let text = reason(name);
            let ending = format!("and this one has {wrong}; write {instead}");
            assert!(text.as_ref().is_some_and(|text| text.ends_with(&ending)), "{name:?}: {text:?}");
        }
    }

    #[test]
    fn names_of_the_library_are_reserved() {
        for (name, instead) in [(RESERVED, "late_streak"), ("__krishiv_timers", "timers"), ("__krishivs", "s")] {
            assert!(reason(name).is_some_and(|text| text.ends_with(&format!("; write {instead}"))), "{name}");
        }
    }

    #[test]
    fn operators_are_named_in_snake_case() {
        for (name, snake) in [
            ("Aircraft", "aircraft"),
            ("LateFlights", "late_flights"),
            ("HTTPServer", "http_server"),
            ("MyHTTP", "my_http"),
            ("A", "a"),
            ("AB", "ab"),
            ("Jfk2Lax", "jfk2_lax"),
            ("Boeing747", "boeing747"),
            ("aircraft", "aircraft"),
            ("My_Struct", "my_struct"),
            ("_Hidden", "_hidden"),
            ("r#Type", "type"),
            ("\u{c4}rger\u{c4}rger", "\u{e4}rger_\u{e4}rger"),
        ] {
            assert_eq!(snake_case(name), snake, "{name}");
        }
    }
}
