//! Keys as fjall takes them: none is empty, and one is left for the number of the last commit.
//!
//! A key of nothing but zeros, and so the empty one, is stored with two zeros more; any other is stored as it is. The
//! order stays: zeros come before everything else, and fewer of them before more.

use std::borrow::Cow;

/// The key that is left over, the first of all.
pub(super) const NUMBER: &[u8] = &[0];

/// Longer keys are refused by fjall's journal, which has two bytes for the length.
pub(super) const LONGEST: usize = 65_533;

/// How `key` is stored.
pub(super) fn stored(key: &[u8]) -> Cow<'_, [u8]> {
    if is_zeros(key) { Cow::Owned(vec![0; key.len().saturating_add(2)]) } else { Cow::Borrowed(key) }
}

/// What is stored as `key`; `None` for the one that is left over.
pub(super) fn shown(key: &[u8]) -> Option<&[u8]> {
    if is_zeros(key) { key.get(2..) } else { Some(key) }
}

fn is_zeros(key: &[u8]) -> bool {
    key.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_place_of_its_own_in_the_same_order() {
        let mut keys: Vec<Vec<u8>> = vec![vec![]];
        for length in 1..6_u32 {
            keys.extend((0..3_u32.pow(length)).map(|number| {
                (0..length).map(|at| [0, 1, 255][number as usize / 3_usize.pow(at) % 3]).collect::<Vec<u8>>()
            }));
        }
        keys.sort();
        let places: Vec<_> = keys.iter().map(|key| stored(key)).collect();
        assert!(places.is_sorted_by(|a, b| a < b));
        for (key, place) in keys.iter().zip(&places) {
            assert_eq!(shown(place), Some(key.as_slice()));
            assert!(!place.is_empty() && place.as_ref() > NUMBER);
        }
        assert_eq!(shown(NUMBER), None);
    }
}
