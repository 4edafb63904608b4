//! What is open in this process: each thing once, for as long as somebody has it.

use crate::lock::lock;
use std::sync::{Arc, Mutex, Weak};

/// What is open, by what it is found by.
///
/// Found by its key, and not by asking each: to hold a thing even for a moment is to keep what it has open for somebody else.
pub(super) struct Registry<K, T>(Mutex<Vec<(K, Weak<T>)>>);

impl<K: PartialEq, T> Registry<K, T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What is open under `key`.
    pub(super) fn find(&self, key: &K) -> Option<Arc<T>> {
        found(&lock(&self.0), key)
    }

    /// What is open under a key that `may_be` names, and is what `is_it` says.
    pub(super) fn find_by(&self, may_be: impl Fn(&K) -> bool, is_it: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let open = lock(&self.0);
        let mut found = open.iter().filter(|(key, _)| may_be(key)).filter_map(|(_, thing)| thing.upgrade());
        found.find(|thing| is_it(thing))
    }

    /// Lets others find `new`, unless there is one under `key` by now; returns the one that there is.
    pub(super) fn add(&self, key: K, new: Arc<T>) -> Arc<T> {
        let mut open = lock(&self.0);
        open.retain(|(_, thing)| thing.strong_count() > 0);
        if let Some(there) = found(&open, &key) {
            return there;
        }
        open.push((key, Arc::downgrade(&new)));
        new
    }
}

fn found<K: PartialEq, T>(open: &[(K, Weak<T>)], key: &K) -> Option<Arc<T>> {
    open.iter().filter(|(other, _)| other == key).find_map(|(_, thing)| thing.upgrade())
}
