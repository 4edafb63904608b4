//! Broadcasts: how one instance changes what all of them see, and how the others catch up.

use crate::catalog::tables::Tables;
use crate::error::StateError;
use crate::keyed::event::Frame;
use crate::keyed::store::Instance;
use crate::keyed::visitors::{Sweep, Undo};
use crate::keyed::{Keyed, KeyedState};
use crate::scope::current;
use crate::state::BroadcastScope;
use crate::state::calls::Calls;
use crate::state::handle::{Core, Handle, Visitor};
use std::sync::Arc;

impl<S: KeyedState> Keyed<S> {
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
    /// The first failure of a handle; [`Cause::BroadcastLimit`](crate::Cause::BroadcastLimit) when a state would
    /// grow past the limit.
    pub fn broadcast<R>(&mut self, update: impl FnOnce(&S, &mut BroadcastScope) -> R) -> Result<R, StateError> {
        self.publish(update, |_| true)
    }

    /// [`broadcast`](Self::broadcast) for closures that can fail: an `Err` undoes what was changed.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Flights { rules: BroadcastState<String, i32> }
    /// let mut flights = Keyed::<Flights>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// let failed = flights.try_broadcast(|state, scope| {
    ///     state.rules.put(scope, "EV".to_owned(), 30);
    ///     Err::<(), _>(StateError::backend("the other rules cannot be read"))
    /// });
    /// assert!(failed.is_err());
    /// assert_eq!(flights.with_key("N14228", |state| state.rules.length())?, 0);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`broadcast`](Self::broadcast), or else what the closure returned.
    pub fn try_broadcast<R, E>(&mut self, update: impl FnOnce(&S, &mut BroadcastScope) -> Result<R, E>) -> Result<R, E>
    where
        E: From<StateError>,
    {
        self.publish(update, Result::is_ok)?
    }

    fn publish<R>(
        &mut self,
        update: impl FnOnce(&S, &mut BroadcastScope) -> R,
        keep: impl FnOnce(&R) -> bool,
    ) -> Result<R, StateError> {
        self.begin(None, None)?;
        self.keep_up().map_err(|error| self.blame(error))?;
        let shared = Arc::clone(&self.instance.shared);
        let mut scope = BroadcastScope { shared: Arc::clone(&shared), changes: Vec::new() };
        let mut open = Broadcasting { instance: &mut self.instance, published: false };
        let result = {
            let instance = &*open.instance;
            current::enter(&Frame { instance, row: None }, || update(&instance.state, &mut scope))
        };
        if let Some(error) = shared.take_failure() {
            return Err(error.at_operator(&shared.operator));
        }
        if keep(&result) && !scope.changes.is_empty() {
            let mut tables = shared.hub.tables();
            let published = tables.publish(scope.changes, shared.broadcast_limit);
            published.map_err(|error| error.at_operator(&shared.operator))?;
            shared.hub.announce(&tables);
            // The next event takes in, in their order, what others have published in between, and this.
            open.published = true;
        }
        Ok(result)
    }

    #[cold]
    pub(super) fn catch_up(&mut self) -> Result<(), StateError> {
        let hub = Arc::clone(&self.instance.shared.hub);
        let tables = hub.tables();
        let mut refresh = Refresh { tables: &tables, seen: self.instance.shared.tables_seen(), result: Ok(()) };
        self.instance.state.visit(&mut S::Row::default(), &mut refresh);
        let mut result = refresh.result;
        let Instance { dynamic, shared, .. } = &mut self.instance;
        dynamic.for_each(|handle| {
            if result.is_ok() {
                result = handle.refresh(&tables, shared.tables_seen());
            }
        });
        result?;
        self.instance.shared.set_tables_seen(tables.version());
        self.instance.shared.meter.catch_ups.add(1);
        Ok(())
    }
}

/// A broadcast under way. Dropped, also by a panic, it undoes what was changed.
struct Broadcasting<'a, S: KeyedState> {
    instance: &'a mut Instance<S>,
    published: bool,
}

impl<S: KeyedState> Drop for Broadcasting<'_, S> {
    fn drop(&mut self) {
        if !self.published {
            let Instance { state, dynamic, shared, .. } = &mut *self.instance;
            let mut none = S::Row::default();
            state.visit(&mut none, &mut Undo);
            dynamic.for_each(|handle| handle.undo());
            state.visit(&mut none, &mut Sweep);
            dynamic.for_each(|handle| handle.sweep());
            drop(shared.take_failure());
        }
    }
}

/// Takes in what other instances have published.
struct Refresh<'a> {
    tables: &'a Tables,
    seen: u64,
    result: Result<(), StateError>,
}

impl Visitor for Refresh<'_> {
    fn visit<H: Handle>(&mut self, handle: &mut H, _: &mut H::Cell) {
        if let (Some(core), Ok(())) = (handle.core(), &self.result) {
            self.result = core.refresh(self.tables, self.seen);
        }
    }
}
