//! What was probably meant.

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
    use super::{closest, distance};

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
