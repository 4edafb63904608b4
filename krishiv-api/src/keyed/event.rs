//! One event: all of it happens, or nothing.

use crate::catalog::expiry::too_early;
use crate::codec::keys::show_key;
use crate::codec::keys::{RowKey, check_key, check_same};
use crate::codec::{self, weigh};
use crate::error::{Cause, StateError};
use crate::keyed::dynamic::{DynamicHandles, Extra};
use crate::keyed::row::Row;
use crate::keyed::rows::{Rows, Seat};
use crate::keyed::store::Instance;
use crate::keyed::visitors::{Adopt, Enter, Leave, Rest, Sweep, Undo, Waste};
use crate::keyed::{Keyed, KeyedState};
use crate::quiet::{drop_quietly, quietly};
use crate::scope::any_handle::{AnyHandle, Bound};
use crate::scope::current::{self, Current};
use crate::scope::left::Left;
use crate::scope::shared::Shared;
use crate::scope::timers::OfKey;
use crate::time::TimerKind;
use crate::value::AsKey;
use std::any::TypeId;
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
        self.one(key, event, |_| true)
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
        self.one(key, event, Result::is_ok)?
    }

    /// Takes in what other instances have broadcast.
    #[inline]
    pub(super) fn keep_up(&mut self) -> Result<(), StateError> {
        let shared = &*self.instance.shared;
        if shared.hub.tables_version() == shared.tables_seen() { Ok(()) } else { self.catch_up() }
    }

    /// Takes the time that the next event sees; `event_time` is the one that it has of its own, and `timer` says whether it is one.
    #[inline]
    pub(super) fn begin(&mut self, event_time: Option<i64>, timer: Option<TimerKind>) -> Result<(), StateError> {
        if self.instance.shared.is_timed() {
            if self.instance.shared.time.is_unsure() {
                self.make_sure()?;
            }
            self.instance.shared.begin(event_time, timer);
        }
        Ok(())
    }

    /// Finds out what is not known of the time, where state can expire.
    #[cold]
    fn make_sure(&mut self) -> Result<(), StateError> {
        let shared = &self.instance.shared;
        if shared.expires() && shared.time.has_unknown_timers() {
            self.find_next_timers()?;
        }
        if self.instance.shared.is_too_early() {
            return Err(self.blame(too_early()));
        }
        Ok(())
    }

    /// One event by itself.
    #[inline]
    fn one<Q, R>(
        &mut self,
        key: &Q,
        event: impl FnOnce(&S) -> R,
        keep: impl FnOnce(&R) -> bool,
    ) -> Result<R, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        self.begin(None, None)?;
        // What is found by its bytes is encoded, and hashed, when it is looked for.
        let hash = if self.rows.hasher.exact { self.rows.hash(key) } else { 0 };
        let result = self.event(hash, key, |key| *key, |state, _| event(state), keep);
        self.rows.evict();
        result
    }

    /// One event of an `item`, whose key hashes to `hash`; `keep` says by its result whether it stays. Evicts nothing.
    #[inline]
    pub(super) fn event<E, Q, R>(
        &mut self,
        hash: u64,
        item: E,
        key_of: impl Fn(&E) -> &Q,
        event: impl FnOnce(&S, E) -> R,
        keep: impl FnOnce(&R) -> bool,
    ) -> Result<R, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        self.keep_up().map_err(|error| self.blame(error))?;
        let Self { instance, rows, row_key, .. } = self;
        let mut seat = instance.seat(rows, hash, key_of(&item), row_key)?;
        instance.run(&mut seat, row_key, |state| event(state, item), keep)
    }
}

impl<S: KeyedState> Instance<S> {
    /// Runs one event on the row of a seat.
    #[inline]
    pub(super) fn run<R>(
        &mut self,
        seat: &mut Seat<'_, S>,
        row_key: &RowKey,
        event: impl FnOnce(&S) -> R,
        keep: impl FnOnce(&R) -> bool,
    ) -> Result<R, StateError> {
        let settled = seat.row.status.is_settled() && self.dynamic.is_empty();
        if seat.new {
            self.shared.locate(row_key);
        }
        let entered = Entered::enter(self, seat.row);
        let result = current::enter(&entered.frame(), || event(&entered.instance.state));
        let untouched = settled && entered.instance.shared.is_untouched();
        let failure = if untouched { None } else { entered.instance.shared.take_failure() };
        let keep = failure.is_none() && keep(&result);
        if untouched && keep {
            entered.rest();
            return Ok(result);
        }
        let left = entered.end(keep);
        let key = seat.leave(&left);
        failure.map_or(Ok(result), |error| Err(self.blame(error, key)))
    }

    pub(super) fn blame(&self, error: StateError, key: &S::Key) -> StateError {
        error.at_operator(&self.shared.operator).at_key(|| show_key(key))
    }

    /// The row of `key` for an event; `hash` is that of an exact key.
    #[inline]
    pub(super) fn seat<'r, Q>(
        &self,
        rows: &'r mut Rows<S>,
        hash: u64,
        key: &Q,
        row_key: &mut RowKey,
    ) -> Result<Seat<'r, S>, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        if rows.hasher.exact {
            return rows.seat(hash, key, |key| self.admit(key, row_key));
        }
        self.seat_by_bytes(rows, key, row_key)
    }

    #[inline(never)]
    fn seat_by_bytes<'r, Q>(
        &self,
        rows: &'r mut Rows<S>,
        key: &Q,
        row_key: &mut RowKey,
    ) -> Result<Seat<'r, S>, StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        let owned = key.to_owned();
        self.encode(&owned, row_key)?;
        let encoded = row_key.key();
        // Not moved into the row at once: what was there keeps its own.
        let mut owned = Some(owned);
        let seat = rows.seat_by_bytes(encoded, || {
            let Some(key) = owned.take() else { return Err(Cause::OutsideEvent.into()) };
            self.admit_by_bytes(key, row_key)
        })?;
        let Some(owned) = owned else { return Ok(seat) };
        let same = check_same(&seat.row.key, Q::borrowed(&seat.row.key), key, || codec::show(&owned));
        let same = same.map_err(|error| self.blame(error, &owned));
        drop_quietly(owned);
        same.map(|()| seat)
    }

    /// The same for a key that is only borrowed.
    pub(super) fn encode_borrowed<Q>(&self, key: &Q, row_key: &mut RowKey) -> Result<(), StateError>
    where
        Q: AsKey<S::Key> + ?Sized,
    {
        let owned = key.to_owned();
        let encoded = self.encode(&owned, row_key);
        drop_quietly(owned);
        encoded
    }

    /// Makes `row_key` say where the row of `key` lies.
    #[cold]
    pub(super) fn encode(&self, key: &S::Key, row_key: &mut RowKey) -> Result<(), StateError> {
        let encoded = row_key.set(self.shared.id, self.max_parallelism, (key, self.shared.key_codec));
        let encoded = encoded.and_then(|()| self.shared.check_length("the key", row_key.key().len()));
        encoded.map_err(|error| self.blame(error, key))
    }

    /// A row for a key that has none in memory, if the key is one of this instance; `row_key` says where it lies.
    #[cold]
    pub(super) fn admit(&self, key: S::Key, row_key: &mut RowKey) -> Result<Row<S>, StateError> {
        self.encode(&key, row_key)?;
        self.own(&key, row_key)?;
        let outside = weigh(&key, &self.key_plan);
        Ok(Row::new(key, outside))
    }

    /// The same for one that is found by its bytes, which `row_key` has.
    #[cold]
    fn admit_by_bytes(&self, key: S::Key, row_key: &RowKey) -> Result<Row<S>, StateError> {
        self.own(&key, row_key)?;
        let checked = check_key(&key, self.shared.key_codec, row_key.key());
        checked.map_err(|error| self.blame(error, &key))?;
        let outside = weigh(&key, &self.key_plan);
        Ok(Row::by_bytes(key, outside, row_key.key()))
    }

    /// Refuses a key of another instance.
    fn own(&self, key: &S::Key, row_key: &RowKey) -> Result<(), StateError> {
        let group = row_key.group();
        if self.range.contains(&group) {
            self.shared.meter.misses.add(1);
            return Ok(());
        }
        let foreign = Cause::ForeignKey { group, owned: self.range.clone() };
        Err(self.blame(foreign.into(), key))
    }
}

/// The store as handles made by name see it during an event or a broadcast.
pub(super) struct Frame<'a, S: KeyedState> {
    pub(super) instance: &'a Instance<S>,
    /// A broadcast has none.
    pub(super) row: Option<&'a Row<S>>,
}

impl<S: KeyedState> Current for Frame<'_, S> {
    fn shared(&self) -> &Arc<Shared> {
        &self.instance.shared
    }

    fn declared(&self, name: &str) -> Option<Bound<'_>> {
        let index = S::DESCRIPTORS.iter().position(|descriptor| descriptor.name() == name)?;
        self.instance.state.handle(index)
    }

    fn dynamic(&self, name: &str) -> Option<Bound<'_>> {
        self.instance.dynamic.get(name)
    }

    fn timers(&self) -> (Option<&OfKey>, bool) {
        self.row.map_or((None, true), |row| (row.timers(), row.status.is_known()))
    }

    fn locate(&self) -> Result<(), StateError> {
        let row = self.row.ok_or(Cause::OutsideEvent)?;
        self.instance.shared.locate_by(|row_key| self.instance.encode(&row.key, row_key))
    }

    fn join(&self, name: &str, of: TypeId, handle: Box<dyn AnyHandle>) {
        self.instance.dynamic.join(name, (of, handle), self.row.is_some());
        self.instance.shared.touch();
    }
}

/// A row that is in the handles. Dropped, by a panic, it undoes what the event did.
struct Entered<'a, S: KeyedState> {
    instance: &'a mut Instance<S>,
    row: &'a mut Row<S>,
}

impl<'a, S: KeyedState> Entered<'a, S> {
    #[inline]
    fn enter(instance: &'a mut Instance<S>, row: &'a mut Row<S>) -> Self {
        instance.state.visit(&mut row.cells, &mut Enter);
        instance.dynamic.visit(&mut row.extra, |handle, cell| handle.enter(cell));
        Self { instance, row }
    }

    #[inline]
    fn frame(&self) -> Frame<'_, S> {
        Frame { instance: self.instance, row: Some(self.row) }
    }

    /// Ends an event that was kept, and that has touched nothing of what is known of the row.
    #[inline(always)]
    fn rest(self) {
        self.instance.events += 1;
        self.instance.shared.rest();
        self.instance.state.visit(&mut self.row.cells, &mut Rest);
        let mut waste = Waste(false);
        self.instance.state.visit(&mut self.row.cells, &mut waste);
        if waste.0 {
            sweep(self.instance, self.row);
        }
        std::mem::forget(self);
    }

    /// Ends the event, with what it did or without; returns what has become of the cells.
    fn end(mut self, keep: bool) -> Left {
        if !keep {
            self.undo();
        }
        if self.instance.shared.has_prefetched() {
            adopt(self.instance, self.row);
        }
        let left = self.leave();
        let Self { instance, row } = &mut self;
        let mut waste = Waste(false);
        instance.state.visit(&mut row.cells, &mut waste);
        if !instance.dynamic.is_empty() {
            instance.dynamic.for_each(|handle| waste.0 |= handle.has_waste());
        }
        if waste.0 {
            sweep(instance, row);
        }
        std::mem::forget(self);
        left
    }

    #[cold]
    fn undo(&mut self) {
        self.instance.shared.meter.undone.add(1);
        self.instance.state.visit(&mut self.row.cells, &mut Undo);
        self.instance.dynamic.for_each(|handle| handle.undo());
    }

    fn leave(&mut self) -> Left {
        let Instance { state, dynamic, shared, events, .. } = &mut *self.instance;
        *events += 1;
        let mut leave = Leave(Left { entries: shared.settle(), ..Left::NOTHING });
        state.visit(&mut self.row.cells, &mut leave);
        if self.row.extra.is_none() && dynamic.is_empty() {
            leave.0
        } else {
            leave.0.and(&leave_extra(dynamic, &mut self.row.extra))
        }
    }
}

/// Drops what an event has left behind, when all cells are back.
#[inline(never)]
fn sweep<S: KeyedState>(instance: &mut Instance<S>, row: &mut Row<S>) {
    instance.state.visit(&mut row.cells, &mut Sweep);
    instance.dynamic.for_each(|handle| handle.sweep());
}

#[cold]
fn leave_extra(dynamic: &mut DynamicHandles, extra: &mut Extra) -> Left {
    dynamic.hand_over(extra);
    let mut all = Left { weight: extra.as_ref().map_or(0, |extra| extra.weight()), ..Left::NOTHING };
    dynamic.visit(extra, |handle, cell| all = all.and(&handle.leave(cell)));
    all
}

#[cold]
fn adopt<S: KeyedState>(instance: &mut Instance<S>, row: &mut Row<S>) {
    let mut stored = instance.shared.take_prefetched();
    instance.state.visit(&mut row.cells, &mut Adopt(&mut stored.parts));
    instance.dynamic.for_each(|handle| quietly(|| handle.adopt(&mut stored.parts)));
    row.know(&mut stored);
}

impl<S: KeyedState> Drop for Entered<'_, S> {
    #[cold]
    fn drop(&mut self) {
        // On the way of a panic: nothing here may panic, so no code of the user runs but that of `Drop`, which is caught.
        self.undo();
        self.leave();
        drop(self.instance.shared.take_prefetched());
        sweep(self.instance, self.row);
        // A panic may come after a failure, which must not be blamed on the next event.
        drop(self.instance.shared.take_failure());
    }
}
