//! One event: all of it happens, or nothing.

use crate::StateError;
use crate::codec::keys::RowKey;
use crate::error::Cause;
use crate::keyed::dynamic::{DynamicHandles, Extra};
use crate::keyed::rows::{Row, Status};
use crate::keyed::shared::Shared;
use crate::keyed::visitors::{Adopt, Enter, Leave, Undo};
use crate::keyed::{Keyed, KeyedState};
use crate::state::current::{self, AnyHandle, Current};
use crate::state::handle::Left;
use crate::value::AsKey;
use hashbrown::hash_table::Entry;
use std::any::Any;
use std::hash::BuildHasher;
use std::sync::Arc;

impl<S: KeyedState> Keyed<S> {
    /// Processes one event of `key`: runs `event` on handles that show the state of that key.
    ///
    /// All or nothing: what `event` did is undone when a handle could not read or write, and when it panics
    /// (the panic goes on afterwards, and the store stays usable). Nothing is written before
    /// [`commit`](Self::commit).
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Visits { seen: ValueState<u64> }
    /// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// visits.with_key("ann", |state| state.seen.set(1))?;
    /// assert_eq!(visits.with_key("ann", |state| state.seen.get())?, Some(1));
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first failure of a handle; [`Cause::ForeignKey`] when another instance owns the key.
    #[inline]
    pub fn with_key<Q, R>(&mut self, key: &Q, event: impl FnOnce(&S) -> R) -> Result<R, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        self.event(key, event, |_| true)
    }

    /// [`with_key`](Self::with_key) for closures that can fail: an `Err` undoes the event.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Visits { seen: ValueState<u64> }
    /// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// let failed = visits.try_with_key("ann", |state| {
    ///     state.seen.set(1);
    ///     Err::<(), _>(StateError::backend("no such user"))
    /// });
    /// assert!(failed.is_err());
    /// assert_eq!(visits.with_key("ann", |state| state.seen.get())?, None);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first failure of a handle, or else what the closure returned.
    #[inline]
    pub fn try_with_key<Q, R, E>(&mut self, key: &Q, event: impl FnOnce(&S) -> Result<R, E>) -> Result<R, E>
    where
        Q: AsKey<S::Key> + ?Sized,
        E: From<StateError>,
    {
        self.event(key, event, Result::is_ok)?
    }

    /// Gets ready for the next event: the time it sees, and the broadcast state it sees.
    #[inline]
    pub(super) fn begin(&mut self) -> Result<(), StateError> {
        self.shared.begin();
        if self.shared.hub.tables_version() == self.shared.tables_seen() { Ok(()) } else { self.catch_up() }
    }

    #[inline]
    fn event<Q, R>(
        &mut self,
        key: &Q,
        event: impl FnOnce(&S) -> R,
        keep: impl FnOnce(&R) -> bool,
    ) -> Result<R, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        self.begin().map_err(|error| self.blame(error))?;
        let hash = self.rows.hash(key);
        let Self { state, rows, dynamic, shared, row_key, range, max_parallelism, .. } = self;
        let hasher = &rows.hasher;
        let entry = rows.table.entry(hash, |row| Q::borrowed(&row.key) == key, |row| hasher.hash_one(&row.key));
        let mut located = false;
        let row = match entry {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(place) => {
                located = true;
                let key = key.to_owned();
                let owned = locate::<S>(&key, shared, *max_parallelism, row_key).and_then(|group| {
                    if range.contains(&group) {
                        return Ok(());
                    }
                    Err(Cause::ForeignKey { group, owned: range.clone() }.into())
                });
                owned.map_err(|error| error.at_operator(&shared.operator).at_key(|| show(&key)))?;
                let row = Row::new(key, row_key.prefix().len());
                rows.weight.all += row.status.weight;
                place.insert(row).into_mut()
            }
        };
        let Row { key, cells, extra, status } = row;
        if !status.complete || !dynamic.is_empty() {
            if !located {
                locate::<S>(key, shared, *max_parallelism, row_key)
                    .map_err(|error| error.at_operator(&shared.operator).at_key(|| show(key)))?;
            }
            shared.enter(row_key);
        }
        let frame = Frame::<S> { state, dynamic, shared, key: Some(key), max_parallelism: *max_parallelism };
        let entered = Entered::enter(state, cells, dynamic, extra, shared);
        let result = current::enter(&frame, || event(state));
        let failure = shared.take_failure();
        let before = *status;
        *status = entered.end(failure.is_none() && keep(&result), before);
        let failure = failure.map(|error| error.at_operator(&shared.operator).at_key(|| show(key)));
        if status.dirty && !before.dirty {
            rows.dirty.push(hash);
        }
        rows.weight.update(before, *status);
        rows.evict();
        failure.map_or(Ok(result), Err)
    }
}

/// Encodes `key` into `row_key`; returns its key group.
fn locate<S: KeyedState>(
    key: &S::Key,
    shared: &Shared,
    max_parallelism: u16,
    row_key: &mut RowKey,
) -> Result<u16, StateError> {
    row_key.set(shared.id, max_parallelism, (key, shared.key_codec))?;
    Ok(row_key.group())
}

/// A key as messages show it.
pub(super) fn show<K: serde::Serialize>(key: &K) -> String {
    serde_json::to_string(key).unwrap_or_else(|_| "a key that is no JSON".to_owned())
}

/// The store as handles made by name see it during an event or a broadcast.
pub(super) struct Frame<'a, S: KeyedState> {
    pub(super) state: &'a S,
    pub(super) dynamic: &'a DynamicHandles,
    pub(super) shared: &'a Arc<Shared>,
    pub(super) key: Option<&'a S::Key>,
    pub(super) max_parallelism: u16,
}

impl<S: KeyedState> Current for Frame<'_, S> {
    fn shared(&self) -> &Arc<Shared> {
        self.shared
    }

    fn declared(&self, name: &str) -> Option<&dyn Any> {
        let index = S::DESCRIPTORS.iter().position(|descriptor| descriptor.name() == name)?;
        self.state.handle(index)
    }

    fn dynamic(&self, name: &str) -> Option<&dyn AnyHandle> {
        self.dynamic.get(name)
    }

    fn join(&self, name: &str, handle: Box<dyn AnyHandle>) -> Result<(), StateError> {
        if let Some(key) = self.key {
            // A row that was complete so far has not told the slow paths where it lies.
            let mut row_key = RowKey::default();
            locate::<S>(key, self.shared, self.max_parallelism, &mut row_key)?;
            self.shared.enter(&row_key);
        }
        self.dynamic.join(name, handle, self.key.is_some());
        Ok(())
    }
}

/// A row that is in the handles. Dropped, also by a panic, it undoes what the event did.
struct Entered<'a, S: KeyedState> {
    state: &'a S,
    cells: &'a mut S::Row,
    dynamic: &'a DynamicHandles,
    extra: &'a mut Extra,
    shared: &'a Shared,
    left: bool,
}

impl<'a, S: KeyedState> Entered<'a, S> {
    #[inline]
    fn enter(
        state: &'a S,
        cells: &'a mut S::Row,
        dynamic: &'a DynamicHandles,
        extra: &'a mut Extra,
        shared: &'a Shared,
    ) -> Self {
        state.visit(cells, &mut Enter);
        dynamic.visit(extra, |handle, cell| handle.enter(cell));
        Self { state, cells, dynamic, extra, shared, left: false }
    }

    /// Ends the event, with what it did or without; returns what is now known of the row.
    #[inline]
    fn end(mut self, keep: bool, before: Status) -> Status {
        if !keep {
            self.undo();
        }
        let left = self.leave();
        let weight = Row::<S>::WEIGHT + before.key as usize + left.weight;
        let (complete, dirty) = (left.complete, before.dirty || left.wrote);
        Status { weight, complete, dirty, recent: true, ..before }
    }

    #[cold]
    fn undo(&mut self) {
        self.state.visit(self.cells, &mut Undo);
        self.dynamic.for_each(|handle| handle.undo());
    }

    #[inline]
    fn leave(&mut self) -> Left {
        if self.shared.has_prefetched() {
            self.adopt();
        }
        let mut leave = Leave(Left { wrote: false, complete: true, weight: 0 });
        self.state.visit(self.cells, &mut leave);
        if !self.dynamic.is_empty() {
            self.dynamic.hand_over(self.extra);
            self.dynamic.visit(self.extra, |handle, cell| leave.add(handle.leave(cell)));
        }
        self.left = true;
        leave.0
    }

    #[cold]
    fn adopt(&mut self) {
        self.state.visit(self.cells, &mut Adopt);
        self.dynamic.for_each(|handle| handle.adopt());
        self.shared.forget_prefetched();
    }
}

impl<S: KeyedState> Drop for Entered<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if !self.left {
            self.undo();
            self.leave();
            // A panic may come after a failure, which must not be blamed on the next event.
            drop(self.shared.take_failure());
        }
    }
}
