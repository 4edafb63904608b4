//! A batch of events, each atomic by itself.

use crate::codec::keys::RowKey;
use crate::error::{BatchError, StateError};
use crate::keyed::row::Row;
use crate::keyed::rows::Rows;
use crate::keyed::store::Instance;
use crate::keyed::visitors::{Preload, Wanting};
use crate::keyed::{Keyed, KeyedState};
use crate::quiet::quietly;
use crate::value::AsKey;

/// Events whose rows are looked up together: enough to overlap the waiting, few enough to stay in the cache.
const GROUP: usize = 256;

/// What the closure of [`Keyed::for_each_event`] may return: nothing, or a `Result` whose error undoes the event.
///
/// ```
/// use krishiv_api::EventResult;
/// assert!(().into_result().is_ok());
/// assert!(Err::<(), _>(krishiv_api::StateError::damaged("torn")).into_result().is_err());
/// ```
pub trait EventResult {
    /// What an event fails with.
    type Error: From<StateError>;

    /// The result.
    ///
    /// ```
    /// use krishiv_api::EventResult;
    /// assert!(().into_result().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// When the event is to be undone.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl EventResult for () {
    type Error = StateError;
    fn into_result(self) -> Result<(), StateError> {
        Ok(())
    }
}

impl<E: From<StateError>> EventResult for Result<(), E> {
    type Error = E;
    fn into_result(self) -> Self {
        self
    }
}

impl<S: KeyedState> Keyed<S> {
    /// Processes a batch of events in order, each atomic by itself, until one fails.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Visits { seen: ValueState<u64> }
    /// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// let batch = [("ann".to_owned(), 3), ("bob".to_owned(), 4)];
    /// visits.for_each_event(batch, |(name, _)| name, |state, (_, count)| state.seen.set(count))?;
    /// assert_eq!(visits.with_key("bob", |state| state.seen.get())?, Some(4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Events are taken from the iterator in groups of up to 256, and the rows of a group are looked up and read from
    /// the backend together, before its first event: that is several times faster than one at a time where rows are
    /// not in the processor's cache or not in memory. The results are the same, but that the events of a group see one
    /// time of the clock.
    ///
    /// # Errors
    ///
    /// Which event failed, and with what. Those before it are applied; those after it were not tried, though some of
    /// them have been taken from the iterator.
    pub fn for_each_event<E, Q, R>(
        &mut self,
        batch: impl IntoIterator<Item = E>,
        key_of: impl Fn(&E) -> &Q,
        mut event: impl FnMut(&S, E) -> R,
    ) -> Result<(), BatchError<R::Error>>
    where
        Q: AsKey<S::Key> + ?Sized,
        R: EventResult,
    {
        let mut batch = batch.into_iter();
        let mut group = Vec::with_capacity(batch.size_hint().0.min(GROUP));
        let mut hashes = Vec::with_capacity(group.capacity());
        let mut first = 0;
        loop {
            group.extend(batch.by_ref().take(GROUP));
            if group.is_empty() {
                return Ok(());
            }
            hashes.clear();
            hashes.extend(group.iter().map(|item| self.hash(key_of(item))));
            self.look_ahead(&hashes, |index| group.get(index).map(&key_of));
            // One look at the clock, which costs more than the rest of an event.
            self.begin(None, None).map_err(|error| BatchError::new(first, error.into()))?;
            for (index, (item, hash)) in group.drain(..).zip(&hashes).enumerate() {
                let event = |state: &S, item| event(state, item).into_result();
                let result = self.event(*hash, item, &key_of, event, Result::is_ok);
                result.map_err(R::Error::from).flatten().map_err(|error| BatchError::new(first + index, error))?;
            }
            first += hashes.len();
            // Not on the way: rows that were read ahead would go before their events came.
            self.evict_after(hashes.len());
        }
    }

    /// The hash that the row of `key` is found by.
    #[inline]
    pub(crate) fn hash<Q: AsKey<S::Key> + ?Sized>(&self, key: &Q) -> u64 {
        if self.rows.hasher.exact { self.rows.hash(key) } else { self.hash_by_bytes(key) }
    }

    #[inline(never)]
    fn hash_by_bytes<Q: AsKey<S::Key> + ?Sized>(&self, key: &Q) -> u64 {
        let mut row_key = RowKey::default();
        // What does not encode is found out again, and reported, when its row is looked for.
        let encoded = self.instance.encode_borrowed(key, &mut row_key);
        if encoded.is_ok() { self.rows.hash(row_key.key()) } else { 0 }
    }

    /// Whether keys are looked up as they are, and no code of the user runs for that.
    pub(crate) fn has_exact_keys(&self) -> bool {
        self.rows.hasher.exact
    }

    /// Memory of all rows, in bytes, roughly.
    pub(crate) fn memory(&self) -> usize {
        self.rows.weight.all
    }

    /// Makes room for so many rows as `events` may have brought in.
    #[inline]
    pub(crate) fn evict_after(&mut self, events: usize) {
        (0..events).for_each(|_| self.rows.evict());
    }

    /// Looks at the rows of a group of events, so that the processor waits for all of them at once, and reads together
    /// what is not in memory.
    ///
    /// What fails here fails again in the event that needs it, and is reported there.
    pub(crate) fn look_ahead<'k, Q>(&mut self, hashes: &[u64], key_at: impl Fn(usize) -> Option<&'k Q>)
    where
        Q: AsKey<S::Key> + ?Sized + 'k,
    {
        let Self { instance, rows, row_key, .. } = self;
        let mut wanting = Vec::new();
        for (index, hash) in hashes.iter().enumerate() {
            let Some(key) = key_at(index) else { continue };
            let row = instance.find(rows, *hash, key, row_key);
            let Instance { state, dynamic, .. } = &mut *instance;
            // Every cell is looked at, also of a row that is read: a row lies on two lines of the cache.
            let wants = row.is_none_or(|row| {
                let mut cells = Wanting(false);
                state.visit(&mut row.cells, &mut cells);
                dynamic.visit(&mut row.extra, |handle, cell| cells.0 |= handle.wants_preload(cell));
                // One whose values are known has others apart, for whoever asks.
                cells.0 && !row.status.is_known()
            });
            if wants {
                wanting.push((*hash, index));
            }
        }
        if !wanting.is_empty() {
            // A row is read once, however many events of the group are its own.
            wanting.sort_unstable();
            wanting.dedup_by_key(|(hash, _)| *hash);
            self.read_ahead(&wanting, key_at);
        }
    }

    #[cold]
    fn read_ahead<'k, Q>(&mut self, wanting: &[(u64, usize)], key_at: impl Fn(usize) -> Option<&'k Q>)
    where
        Q: AsKey<S::Key> + ?Sized + 'k,
    {
        if !self.instance.shared.has_values() {
            return;
        }
        let Self { instance, rows, row_key, .. } = self;
        let mut prefixes = Vec::with_capacity(wanting.len());
        let mut wanted = Vec::with_capacity(wanting.len());
        for (hash, index) in wanting {
            let Some(key) = key_at(*index) else { continue };
            let Ok(seat) = instance.seat(rows, *hash, key, row_key) else { continue };
            if seat.new || instance.encode(&seat.row.key, row_key).is_ok() {
                prefixes.push(row_key.prefix().to_vec());
                wanted.push((*hash, key));
            }
        }
        instance.shared.meter.loads.add(wanted.len());
        let Ok(found) = instance.shared.hub.read_rows(&prefixes) else { return };
        for ((hash, key), found) in wanted.into_iter().zip(found) {
            let (Some(row), Ok(mut stored)) = (instance.find(rows, hash, key, row_key), found) else { continue };
            let Instance { state, dynamic, .. } = &mut *instance;
            state.visit(&mut row.cells, &mut Preload(&mut stored.parts));
            dynamic.visit(&mut row.extra, |handle, cell| quietly(|| handle.preload(cell, &mut stored.parts)));
            row.know(&mut stored);
        }
    }
}

impl<S: KeyedState> Instance<S> {
    /// The row of `key`, if it is in memory.
    pub(super) fn find<'r, Q>(
        &self,
        rows: &'r mut Rows<S>,
        hash: u64,
        key: &Q,
        row_key: &mut RowKey,
    ) -> Option<&'r mut Row<S>>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        if rows.hasher.exact {
            return rows.table.find_mut(hash, |row| Q::borrowed(&row.key) == key);
        }
        self.encode_borrowed(key, row_key).ok()?;
        rows.table.find_mut(hash, |row| row.encoded() == row_key.key())
    }
}
