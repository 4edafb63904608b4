//! What has ended and is still stored: how much that is, and how to be rid of it now.

use crate::backend::WriteBatch;
use crate::catalog::retention::Remains;
use crate::error::StateError;
use crate::keyed::{Keyed, KeyedState};
use std::sync::Arc;

/// Records of one write: each is a sync of its own.
const BATCH: usize = 4096;

impl<S: KeyedState> Keyed<S> {
    /// Drops from the backend what has ended of this store, and returns how many values, list records and map entries that were.
    ///
    /// No reader can tell whether it was run: what has ended is absent in any case, and goes by itself when RocksDB compacts its
    /// files, or as memory is written to. This is for those who want the room now, and for backends that drop nothing by themselves.
    ///
    /// It goes by time as it is committed, by all instances of the operator: what a crash could bring back stays. What is in memory and
    /// not committed stays there. It reads all of the store's key groups once and writes as it goes, so that a sweep that was
    /// cut short has dropped a part. What the backend drops by itself meanwhile is not counted. State without a TTL, timers and states that the program does not declare are left alone.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Visits {
    /// #     #[state(ttl = "1h", clock = "event")]
    /// #     last_page: ValueState<String>,
    /// # }
    /// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// visits.set_watermark(0);
    /// visits.with_key("ann", |state| state.last_page.set("/".to_owned()))?;
    /// visits.commit("1")?;
    /// visits.set_watermark(3_600_000);
    /// assert_eq!(visits.sweep()?, 0);
    /// visits.commit("2")?;
    /// assert_eq!(visits.sweep()?, 1);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend fails, and [`Cause::Fenced`](crate::Cause::Fenced) when another backend object over the same storage has
    /// committed. What was dropped by then stays gone; another sweep goes on.
    pub fn sweep(&mut self) -> Result<u64, StateError> {
        let hub = Arc::clone(&self.instance.shared.hub);
        let mut batch = WriteBatch::default();
        let ended = self.for_each_ended(&mut |key, remains| {
            match remains {
                Some(row) => batch.put(key, row),
                None => batch.delete(key),
            }
            if batch.len() < BATCH { Ok(()) } else { hub.write_aside(std::mem::take(&mut batch)) }
        })?;
        if !batch.is_empty() {
            hub.write_aside(batch).map_err(|error| self.blame(error))?;
        }
        self.report.ended(0);
        Ok(ended)
    }

    /// Counts what [`sweep`](Self::sweep) would drop now, and drops nothing.
    ///
    /// Reads all of the store's key groups once. The metric `krishiv_ended_records` shows what was found last.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(store.ended()?, 0);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend fails.
    pub fn ended(&mut self) -> Result<u64, StateError> {
        let ended = self.for_each_ended(&mut |_, _| Ok(()))?;
        self.report.ended(ended);
        Ok(ended)
    }

    /// Hands each record of which something has ended to `each`, with what remains if that is anything; returns how much has ended.
    fn for_each_ended(&self, each: &mut EachEnded<'_>) -> Result<u64, StateError> {
        let hub = &self.instance.shared.hub;
        let mut ended = 0;
        for prefix in self.prefixes() {
            for record in hub.backend().scan(&prefix) {
                let found = record.and_then(|(key, value)| match hub.remains(&key, &value) {
                    Remains::All => Ok(0),
                    Remains::Nothing(ended) => each(&key, None).map(|()| ended),
                    Remains::Less(row, ended) => each(&key, Some(&row)).map(|()| ended),
                });
                ended += found.map_err(|error| self.blame(error))?;
            }
        }
        Ok(ended)
    }
}

/// What is done with the key of a record and what remains of it.
type EachEnded<'a> = dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), StateError> + 'a;
