//! State that lives as long as the process.

mod round;

use super::rules::Rules;
use super::{Op, Record, Retention, Scan, StateBackend, Volatile, WriteBatch};
use crate::codec::row::merged;
use crate::error::StateError;
use round::{Map, Round};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Records that a scan takes under one lock.
const PAGE: usize = 256;

/// A [`StateBackend`] in memory, for tests and development; nothing of it outlives the process.
///
/// Each write also looks at a few records, one after the other, and drops what has ended: of what nobody comes back to there is
/// never more than of what lives, or than the next writes drop.
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
    records: RwLock<Records>,
    rules: Rules,
}

#[derive(Default)]
struct Records {
    map: Map,
    round: Round,
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
    fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> RwLockWriteGuard<'_, Records> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, prefix: &[u8], from: Bound<&[u8]>) -> Vec<Record> {
        self.read()
            .map
            .range::<[u8], _>((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(PAGE)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl fmt::Debug for InMemoryStateBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryStateBackend").field("records", &self.read().map.len()).finish()
    }
}

impl StateBackend for InMemoryStateBackend {
    type Survival = Volatile;
    const EXCLUSIVE: bool = true;
    const MERGES: bool = true;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.read().map.get(key).cloned())
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let records = self.read();
        Ok(keys.iter().map(|key| records.map.get(*key).cloned()).collect())
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
        let rules = self.rules.busy();
        let Records { map, round } = &mut *self.changed();
        let before = map.len();
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
        if !rules.is_empty() {
            let new = map.len().saturating_sub(before);
            round.go_on(map, &rules, batch.len(), new);
        }
        Ok(())
    }

    fn add_retention(&self, rule: Arc<dyn Retention>) {
        self.rules.add(rule);
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
