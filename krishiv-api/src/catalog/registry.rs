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
