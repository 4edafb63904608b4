//! Key groups that ranges have covered, one after the other.

use std::ops::Range;

/// Adds `range` to ranges that lie apart and in order; whether some of it was in none of them.
pub(super) fn cover(covered: &mut Vec<Range<u16>>, range: Range<u16>) -> bool {
    // Those that overlap or touch it become one with it.
    let first = covered.partition_point(|other| other.end < range.start);
    let last = covered.partition_point(|other| other.start <= range.end);
    let touched = covered.get(first..last).unwrap_or_default();
    if range.is_empty() || touched.iter().any(|other| other.start <= range.start && range.end <= other.end) {
        return false;
    }
    let start = touched.first().map_or(range.start, |other| other.start.min(range.start));
    let end = touched.last().map_or(range.end, |other| other.end.max(range.end));
    covered.splice(first..last, std::iter::once(start..end));
    true
}

#[cfg(test)]
mod tests {
    use super::cover;
    use std::collections::BTreeSet;

    #[test]
    fn a_range_is_news_where_none_has_been() {
        // A small generator with a fixed seed: the same ranges in every run.
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |limit: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            u16::try_from((seed >> 32) % limit).unwrap_or_default()
        };
        for _ in 0..2_000 {
            let (mut covered, mut groups) = (Vec::new(), BTreeSet::new());
            for _ in 0..below(20) {
                let start = below(40);
                let range = start..start + below(12);
                let before = groups.len();
                groups.extend(range.clone());
                assert_eq!(cover(&mut covered, range.clone()), groups.len() > before, "{range:?}");
                assert!(covered.iter().cloned().flatten().eq(groups.iter().copied()), "{covered:?}");
                assert!(covered.is_sorted_by(|a, b| a.end < b.start), "{covered:?}");
            }
        }
    }
}
