//! Names: the default of an operator, what may be one, and what was probably meant.

/// Longest name of an operator or state, in bytes.
const MAX_BYTES: usize = 255;

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

/// Why `name` cannot be the name of `what`, if it cannot.
pub(crate) fn refuse(name: &str, what: &str) -> Option<String> {
    if name.is_empty() {
        return Some(format!("the name of {what} is empty; give it 1 to {MAX_BYTES} bytes"));
    }
    if name.len() > MAX_BYTES {
        return Some(format!("the name of {what} is {} bytes long; give it 1 to {MAX_BYTES} bytes", name.len()));
    }
    None
}

/// The candidate that `wrong` was probably meant to be.
pub(crate) fn closest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&wrong, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // Row `i` of the table of distances between the first `i` of `a` and the first `j` of `b`, and the one before.
    let mut last: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut before = None;
    for (i, c) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for (j, d) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (left + 1).min(at(&row, j + 1) + 1).min(at(&row, j) + usize::from(c != *d));
            let swapped = j.checked_sub(1).filter(|k| before == Some(*d) && b.get(*k) == Some(&c));
            if let Some(k) = swapped {
                best = best.min(at(&last, k) + 1);
            }
            next.push(best);
            left = best;
        }
        last = std::mem::replace(&mut row, next);
        before = Some(c);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{closest, distance, refuse, snake_case};

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

    #[test]
    fn names_are_1_to_255_bytes() {
        assert!(refuse("", "x").is_some());
        assert!(refuse("a", "x").is_none());
        assert!(refuse(&"a".repeat(255), "x").is_none());
        assert!(refuse(&"a".repeat(256), "x").is_some());
        assert!(refuse(&"\u{e4}".repeat(128), "x").is_some(), "bytes count, not characters");
    }

    #[test]
    fn a_swap_is_one_edit() {
        assert_eq!(distance("clock", "clock"), 0);
        assert_eq!(distance("lcock", "clock"), 1);
        assert_eq!(distance("", "ttl"), 3);
        assert_eq!(distance("ttl", ""), 3);
        assert_eq!(distance("reducer", "reduce"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        let keys = ["name", "ttl", "clock", "ttl_update", "reduce", "skip"];
        assert_eq!(closest("ttll", keys), Some("ttl"));
        assert_eq!(closest("TTL", keys), Some("ttl"));
        assert_eq!(closest("redcue", keys), Some("reduce"));
        assert_eq!(closest("ttl_updates", keys), Some("ttl_update"));
        assert_eq!(closest("serde", keys), None);
        assert_eq!(closest("", keys), None);
    }
}
