//! One event: all of it happens, or nothing.

use crate::StateError;
use crate::codec::keys::RowKey;
use crate::error::{BatchError, Cause};
use crate::keyed::dynamic::{DynamicHandles, Extra};
use crate::keyed::rows::{Row, Status};
use crate::keyed::shared::Shared;
use crate::keyed::{Keyed, KeyedState};
use crate::state::BroadcastScope;
use crate::state::current::{self, AnyHandle, Current, Taken};
use crate::state::handle::{Calls, Core, Handle, Visitor};
use hashbrown::hash_table::Entry;
use std::any::Any;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

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
        S::Key: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = S::Key> + ?Sized,
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
        S::Key: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = S::Key> + ?Sized,
        E: From<StateError>,
    {
        self.event(key, event, Result::is_ok)?
    }

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
    /// # Errors
    ///
    /// Which event failed, and with what. Those before it are applied; those after it were not tried.
    pub fn for_each_event<E, Q, R>(
        &mut self,
        batch: impl IntoIterator<Item = E>,
        key_of: impl Fn(&E) -> &Q,
        mut event: impl FnMut(&S, E) -> R,
    ) -> Result<(), BatchError<R::Error>>
    where
        S::Key: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = S::Key> + ?Sized,
        R: EventResult,
    {
        for (index, item) in batch.into_iter().enumerate() {
            // The key is part of the item, which the event consumes.
            let key = key_of(&item).to_owned();
            let result = self.try_with_key(key.borrow(), |state| event(state, item).into_result());
            result.map_err(|error| BatchError::new(index, error))?;
        }
        Ok(())
    }

    /// Changes broadcast state, for all keys and all parallel instances; all or nothing, like an event.
    ///
    /// The other instances see it from their next event on. It is written by the next commit of any of
    /// them, so that nothing computed from it is ever durable before it.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Flights { rules: BroadcastState<String, i32> }
    /// let mut flights = Keyed::<Flights>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// flights.broadcast(|state, scope| state.rules.put(scope, "EV".to_owned(), 30))?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first failure of a handle; [`Cause::BroadcastLimit`] when a state would grow past the limit.
    pub fn broadcast<R>(&mut self, update: impl FnOnce(&S, &mut BroadcastScope) -> R) -> Result<R, StateError> {
        self.begin().map_err(|error| self.blame(error))?;
        let mut scope = BroadcastScope { shared: Arc::clone(&self.shared), changes: Vec::new() };
        let (mut cells, mut extra) = (S::Row::default(), None);
        let Self { state, dynamic, shared, max_parallelism, .. } = self;
        let frame = Frame::<S> { state, dynamic, shared, key: None, max_parallelism: *max_parallelism };
        let open = Broadcasting { state, cells: &mut cells, dynamic, extra: &mut extra, shared };
        let result = current::enter(&frame, || update(state, &mut scope));
        let published = match shared.take_failure() {
            Some(error) => Err(error),
            None if scope.changes.is_empty() => Ok(()),
            None => {
                let mut tables = shared.hub.tables();
                let published = tables.publish(scope.changes, shared.broadcast_limit);
                shared.hub.announce(&tables);
                published
            }
        };
        if let Err(error) = published {
            drop(open);
            return Err(self.blame(error));
        }
        open.keep();
        // Takes in, in their order, what other instances have published in between.
        self.begin().map_err(|error| self.blame(error))?;
        Ok(result)
    }

    /// Gets ready for the next event: the time it sees, and the broadcast state it sees.
    #[inline]
    fn begin(&mut self) -> Result<(), StateError> {
        self.shared.begin();
        if self.shared.hub.tables_version() == self.shared.tables_seen() { Ok(()) } else { self.catch_up() }
    }

    #[cold]
    fn catch_up(&mut self) -> Result<(), StateError> {
        let tables = self.shared.hub.tables();
        let mut refresh = Refresh { tables: &tables, seen: self.shared.tables_seen(), result: Ok(()) };
        self.state.visit(&mut S::Row::default(), &mut refresh);
        let mut result = refresh.result;
        self.dynamic.for_each(|handle| {
            if result.is_ok() {
                result = handle.refresh(&tables, self.shared.tables_seen());
            }
        });
        result?;
        self.shared.set_tables_seen(tables.version());
        Ok(())
    }

    #[inline]
    fn event<Q, R>(
        &mut self,
        key: &Q,
        event: impl FnOnce(&S) -> R,
        keep: impl FnOnce(&R) -> bool,
    ) -> Result<R, StateError>
    where
        S::Key: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = S::Key> + ?Sized,
    {
        self.begin().map_err(|error| self.blame(error))?;
        let hash = self.rows.hash(key);
        let Self { state, rows, dynamic, shared, row_key, range, max_parallelism, .. } = self;
        let hasher = &rows.hasher;
        let entry = rows.table.entry(hash, |row| row.key.borrow() == key, |row| hasher.hash_one(&row.key));
        let row = match entry {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(place) => {
                let key = key.to_owned();
                let located = locate::<S>(&key, shared, *max_parallelism, row_key).and_then(|group| {
                    if range.contains(&group) {
                        return Ok(());
                    }
                    Err(Cause::ForeignKey { group, owned: range.clone() }.into())
                });
                located.map_err(|error| error.at_operator(&shared.operator).at_key(|| show(&key)))?;
                rows.weight.all += Row::<S>::WEIGHT;
                place.insert(Row::new(key)).into_mut()
            }
        };
        let Row { key, cells, extra, status } = row;
        if !status.complete || !dynamic.is_empty() {
            locate::<S>(key, shared, *max_parallelism, row_key)
                .map_err(|error| error.at_operator(&shared.operator).at_key(|| show(key)))?;
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
struct Frame<'a, S: KeyedState> {
    state: &'a S,
    dynamic: &'a DynamicHandles,
    shared: &'a Arc<Shared>,
    key: Option<&'a S::Key>,
    max_parallelism: u16,
}

impl<S: KeyedState> Current for Frame<'_, S> {
    fn shared(&self) -> &Arc<Shared> {
        self.shared
    }

    fn declared(&self, name: &str) -> Option<&dyn Any> {
        let index = S::DESCRIPTORS.iter().position(|descriptor| descriptor.name() == name)?;
        self.state.handle(index)
    }

    fn take(&self, name: &str) -> Taken {
        self.dynamic.take(name)
    }

    fn put_back(&self, name: &str, handle: Box<dyn AnyHandle>) {
        self.dynamic.put_back(name, handle);
    }

    fn join(&self, name: &str, handle: &dyn AnyHandle) -> Result<(), StateError> {
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
    settled: bool,
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
        state.visit(cells, &mut Swap);
        dynamic.visit(extra, |handle, cell| handle.swap(cell));
        Self { state, cells, dynamic, extra, shared, settled: false }
    }

    /// Ends the event, with what it did or without; returns what is now known of the row.
    #[inline]
    fn end(mut self, keep: bool, before: Status) -> Status {
        if !keep {
            self.undo();
        }
        let adopt = self.shared.has_prefetched();
        let mut settle = Settle { adopt, wrote: false, complete: true, weight: Row::<S>::WEIGHT };
        self.state.visit(self.cells, &mut settle);
        self.dynamic.for_each(|handle| {
            if adopt {
                handle.adopt();
            }
            settle.wrote |= handle.settle();
            settle.weight += handle.weight();
        });
        self.shared.forget_prefetched();
        self.settled = true;
        let Settle { wrote, complete, weight, .. } = settle;
        Status { weight, complete, recent: true, dirty: before.dirty || wrote }
    }
}

impl<S: KeyedState> Entered<'_, S> {
    #[cold]
    fn undo(&mut self) {
        self.state.visit(self.cells, &mut Undo);
        self.dynamic.for_each(|handle| handle.undo());
    }
}

impl<S: KeyedState> Drop for Entered<'_, S> {
    #[inline]
    fn drop(&mut self) {
        if !self.settled {
            self.undo();
            self.shared.forget_prefetched();
            // A panic may come after a failure, which must not be blamed on the next event.
            drop(self.shared.take_failure());
        }
        self.state.visit(self.cells, &mut Swap);
        self.dynamic.leave(self.extra);
    }
}

/// A broadcast under way. Dropped, also by a panic, it undoes what was changed.
struct Broadcasting<'a, S: KeyedState> {
    state: &'a S,
    cells: &'a mut S::Row,
    dynamic: &'a DynamicHandles,
    extra: &'a mut Extra,
    shared: &'a Shared,
}

impl<S: KeyedState> Broadcasting<'_, S> {
    fn keep(self) {
        self.state.visit(self.cells, &mut Settle { adopt: false, wrote: false, complete: true, weight: 0 });
        self.dynamic.visit(self.extra, |handle, _| {
            handle.settle();
        });
    }
}

impl<S: KeyedState> Drop for Broadcasting<'_, S> {
    fn drop(&mut self) {
        // After `keep` there is nothing left to undo.
        self.state.visit(self.cells, &mut Undo);
        self.dynamic.for_each(|handle| handle.undo());
        drop(self.shared.take_failure());
    }
}

struct Swap;

impl Visitor for Swap {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &H, cell: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.swap(cell);
        }
    }
}

struct Settle {
    adopt: bool,
    wrote: bool,
    complete: bool,
    weight: usize,
}

impl Visitor for Settle {
    #[inline]
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let Some(core) = handle.core() {
            if self.adopt {
                core.adopt();
            }
            self.wrote |= core.settle();
            self.complete &= core.is_complete();
            self.weight += core.weight();
        }
    }
}

struct Undo;

impl Visitor for Undo {
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let Some(core) = handle.core() {
            core.undo();
        }
    }
}

struct Refresh<'a> {
    tables: &'a crate::keyed::tables::Tables,
    seen: u64,
    result: Result<(), StateError>,
}

impl Visitor for Refresh<'_> {
    fn visit<H: Handle>(&mut self, handle: &H, _: &mut H::Cell) {
        if let (Some(core), Ok(())) = (handle.core(), &self.result) {
            self.result = core.refresh(self.tables, self.seen);
        }
    }
}
