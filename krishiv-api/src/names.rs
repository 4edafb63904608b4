//! What the name of an operator or a state may be; the derive keeps the same rule.

/// Longest name, in bytes.
pub(crate) const MAX_BYTES: usize = 255;

/// How the names begin that the library keeps for itself.
pub(crate) const RESERVED: &str = "__krishiv";

/// Name of the state that holds the timers of a key.
pub(crate) const TIMERS: &str = "__krishiv_timers";

/// Why `name` cannot be the name of `what`, if it cannot.
pub(crate) fn refuse(name: &str, what: &str) -> Option<String> {
    if name.is_empty() || name.len() > MAX_BYTES {
        return Some(format!("the name of {what} is 1 to {MAX_BYTES} bytes long, and this one is {}", name.len()));
    }
    if let Some(wrong) = name.chars().find(|c| !is_allowed(*c)) {
        return Some(format!("the name of {what} has letters, digits, `_`, `-` and `.`, and `{name}` has {wrong:?}"));
    }
    name.starts_with(RESERVED).then(|| {
        format!("names that begin with `{RESERVED}` are the library's own, so `{name}` cannot be the name of {what}")
    })
}

fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Whether a constant can rule `name` out by a character: those past ASCII have to wait for [`refuse`].
pub(crate) const fn has_wrong_ascii(name: &str) -> bool {
    let mut rest = name.as_bytes();
    while let [byte, after @ ..] = rest {
        if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-' | b'.') {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether two names are the same.
pub(crate) const fn is(name: &str, other: &str) -> bool {
    name.len() == other.len() && begins_with(name, other)
}

/// Whether `name` begins as the library's own do.
pub(crate) const fn is_reserved(name: &str) -> bool {
    begins_with(name, RESERVED)
}

const fn begins_with(name: &str, start: &str) -> bool {
    let (mut name, mut start) = (name.as_bytes(), start.as_bytes());
    while let ([a, name_after @ ..], [b, start_after @ ..]) = (name, start) {
        if *a != *b {
            return false;
        }
        (name, start) = (name_after, start_after);
    }
    start.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{RESERVED, has_wrong_ascii, is_reserved, refuse};

    #[test]
    fn letters_and_digits_of_any_script_are_allowed() {
        for name in ["a", "late_streak", "7", "a-b.c_d", "Verspätung", "遅延", "задержка", "_krishiv", "krishiv__"]
        {
            assert_eq!(refuse(name, "a state"), None);
            assert!(!has_wrong_ascii(name) && !is_reserved(name), "{name}");
        }
    }

    #[test]
    fn what_a_constant_refuses_is_refused_at_run_time_too() {
        for byte in 0_u8..128 {
            let name = format!("a{}", char::from(byte));
            assert_eq!(has_wrong_ascii(&name), refuse(&name, "a state").is_some(), "{name:?}");
        }
        for name in [RESERVED, "__krishiv_timers"] {
            assert!(is_reserved(name) && refuse(name, "a state").is_some());
        }
    }

    #[test]
    fn what_no_constant_can_tell_is_refused_at_run_time() {
        for name in ["a\u{200b}", "→", "😀"] {
            assert!(!has_wrong_ascii(name) && refuse(name, "a state").is_some(), "{name}");
        }
    }
}
