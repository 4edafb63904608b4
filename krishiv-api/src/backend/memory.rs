//! State that lives as long as the process.

use super::{Op, Record, Scan, StateBackend, Volatile, WriteBatch};
use crate::codec::row::merged;
use crate::error::StateError;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Records that a scan takes under one lock.
const PAGE: usize = 256;

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// A [`StateBackend`] in memory, for tests and development; nothing of it outlives the process.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, StateBackend, WriteBatch};
///
/// let backend = InMemoryStateBackend::new();
/// let mut batch = WriteBatch::default();
/// batch.put(b"k", b"v");
/// backend.write(batch)?;
/// assert_eq!(backend.get(b"k")?, Some(b"v".to_vec()));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Default)]
pub struct InMemoryStateBackend {
    map: RwLock<Map>,
}

impl InMemoryStateBackend {
    /// An empty backend.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, StateBackend};
    /// assert_eq!(InMemoryStateBackend::new().scan(b"").count(), 0);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    // No step below can leave the map half changed by a panic, so a poisoned lock still guards a whole map.
    fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> RwLockWriteGuard<'_, Map> {
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, prefix: &[u8], from: Bound<&[u8]>) -> Vec<Record> {
        self.read()
            .range::<[u8], _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(PAGE)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl fmt::Debug for InMemoryStateBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryStateBackend").field("records", &self.read().len()).finish()
    }
}

impl StateBackend for InMemoryStateBackend {
    type Survival = Volatile;
    const EXCLUSIVE: bool = true;
    const MERGES: bool = true;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.read().get(key).cloned())
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let map = self.read();
        Ok(keys.iter().map(|key| map.get(*key).cloned()).collect())
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.scan_from(prefix, prefix)
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        Box::new(Pages {
            backend: self,
            prefix: prefix.to_vec(),
            page: self.page(prefix, Bound::Included(prefix.max(from))).into_iter(),
            last: None,
        })
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        let mut map = self.changed();
        // Neighbours are found next to each other, and what is there keeps its key.
        batch.for_each_in_key_order(|op| match op {
            Op::Put(key, value) => match map.get_mut(key) {
                Some(known) => value.clone_into(known),
                None => drop(map.insert(key.to_vec(), value.to_vec())),
            },
            Op::Delete(key) => drop(map.remove(key)),
            Op::Merge(key, changes) => {
                let row = merged(map.get(key).map(Vec::as_slice), changes);
                if row.is_empty() { drop(map.remove(key)) } else { drop(map.insert(key.to_vec(), row)) }
            }
        });
        Ok(())
    }
}

/// Goes through a prefix page by page and holds no lock in between, so that the caller may write meanwhile.
struct Pages<'a> {
    backend: &'a InMemoryStateBackend,
    prefix: Vec<u8>,
    page: std::vec::IntoIter<Record>,
    last: Option<Vec<u8>>,
}

impl Iterator for Pages<'_> {
    type Item = Result<Record, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 {
            let last = self.last.take()?;
            self.page = self.backend.page(&self.prefix, Bound::Excluded(&last)).into_iter();
        }
        let record = self.page.next()?;
        // The last of a page is where the next one starts.
        if self.page.len() == 0 {
            self.last = Some(record.0.clone());
        }
        Some(Ok(record))
    }
}
