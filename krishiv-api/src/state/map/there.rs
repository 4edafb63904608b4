//! Going over a map.

use super::table::Entry;
use std::slice::Iter;

/// The entries that are there, in the order of their encoded keys.
pub(crate) struct There<'a, K, V> {
    pub(super) entries: Iter<'a, Entry<K, V>>,
    pub(super) left: usize,
}

impl<'a, K, V> Iterator for There<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Entry { key, value, .. } = self.entries.next()?;
            if let Some(value) = value {
                self.left = self.left.saturating_sub(1);
                return Some((key, value));
            }
        }
    }

    fn fold<A, F: FnMut(A, Self::Item) -> A>(self, start: A, mut f: F) -> A {
        let mut all = start;
        for Entry { key, value, .. } in self.entries {
            if let Some(value) = value {
                all = f(all, (key, value));
            }
        }
        all
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for There<'_, K, V> {}

impl<K, V> Default for There<'_, K, V> {
    fn default() -> Self {
        Self { entries: Iter::default(), left: 0 }
    }
}
