//! Opening a store: settings, checks, and the binding of handles to their states.

use crate::backend::{Rows as BackendRows, StateBackend, TtlTime};
use crate::catalog::backend::BackendHub;
use crate::catalog::clocks::{Reached, StoreTime};
use crate::catalog::declared::KeyRecord;
use crate::catalog::operator::OperatorHub;
use crate::catalog::positions::in_force_for;
use crate::catalog::records::PositionRecord;
use crate::catalog::untraced::{TypeRole, Untraced};
use crate::codec::Plan;
use crate::codec::keys::MAX_GROUPS;
use crate::codec::keys::RowKey;
use crate::error::{Cause, StateError};
use crate::keyed::binder::{Binder, To};
use crate::keyed::report::Report;
use crate::keyed::rows::Rows;
use crate::keyed::store::Instance;
use crate::keyed::timers::Timers;
use crate::keyed::{Keeps, Keyed, KeyedState, UndeclaredState};
use crate::names::TIMERS;
use crate::scope::shared::Shared;
use crate::time::{Clock, SystemClock};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use tracing::field::{Empty, debug};
use tracing::{Span, info_span};

/// Memory that rows may take unless the builder says otherwise: 256 MiB.
const MEMORY_BUDGET: usize = 256 << 20;

/// Size of a broadcast state that is refused unless the builder says otherwise: the 10 MB of the specification.
const BROADCAST_LIMIT: usize = 10_000_000;

impl<S: KeyedState> Keyed<S> {
    /// Opens the operator's state on `backend` for all key groups, with default settings.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(store.position(), None);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the stored state does not fit the declared one (both sides are named, and nothing is written),
    /// another store owns the same key groups, or the backend fails.
    pub fn open<B: StateBackend + Keeps<S>>(backend: Arc<B>) -> Result<Self, StateError> {
        Self::builder().open(backend)
    }

    /// Settings for a store that is not like the default.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::builder()
    ///     .memory_budget(64 << 20)
    ///     .key_groups(0..64)
    ///     .open(Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn builder() -> KeyedBuilder<S> {
        KeyedBuilder::new()
    }
}

/// Settings of a store that is about to be opened.
///
/// ```
/// # use krishiv_api::*;
/// # use std::sync::Arc;
/// let store = Keyed::<Dynamic<String>>::builder()
///     .memory_budget(64 << 20)
///     .max_parallelism(256)
///     .key_groups(0..128)
///     .clock(Arc::new(ManualClock::new(0)))
///     .open(Arc::new(InMemoryStateBackend::new()))?;
/// assert_eq!(store.key_groups(), 0..128);
/// # Ok::<(), StateError>(())
/// ```
#[must_use = "a builder opens nothing until `open` is called"]
pub struct KeyedBuilder<S> {
    operator: Option<String>,
    renamed_from: Vec<String>,
    memory_budget: usize,
    clock: Option<Arc<dyn Clock>>,
    max_parallelism: Option<u16>,
    key_groups: Option<Range<u16>>,
    broadcast_limit: usize,
    ttl_from_event_time: bool,
    state: PhantomData<fn() -> S>,
}

impl<S> Clone for KeyedBuilder<S> {
    fn clone(&self) -> Self {
        let Self {
            operator,
            renamed_from,
            memory_budget,
            clock,
            max_parallelism,
            key_groups,
            broadcast_limit,
            ttl_from_event_time,
            state,
        } = self;
        Self {
            operator: operator.clone(),
            renamed_from: renamed_from.clone(),
            memory_budget: *memory_budget,
            clock: clock.clone(),
            max_parallelism: *max_parallelism,
            key_groups: key_groups.clone(),
            broadcast_limit: *broadcast_limit,
            ttl_from_event_time: *ttl_from_event_time,
            state: *state,
        }
    }
}

impl<S: KeyedState> KeyedBuilder<S> {
    pub(super) fn new() -> Self {
        Self {
            operator: None,
            renamed_from: Vec::new(),
            memory_budget: MEMORY_BUDGET,
            clock: None,
            max_parallelism: None,
            key_groups: None,
            broadcast_limit: BROADCAST_LIMIT,
            ttl_from_event_time: false,
            state: PhantomData,
        }
    }

    /// Name of the operator in the catalog, in place of the struct's: for two operators of one struct. The rule of
    /// names is that of [`StateDescriptor::new`](crate::StateDescriptor::new).
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let clicks = Keyed::<Dynamic<String>>::builder().operator("clicks").open(backend.clone())?;
    /// let orders = Keyed::<Dynamic<String>>::builder().operator("orders").open(backend)?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn operator(mut self, name: impl Into<String>) -> Self {
        self.operator = Some(name.into());
        self
    }

    /// A name that the operator had before, beside those that its struct knows: what is stored by it goes on under the name of now.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// Keyed::<Dynamic<String>>::builder().operator("hits").open(backend.clone())?.commit("line 7")?;
    /// let clicks = Keyed::<Dynamic<String>>::builder().operator("clicks").renamed_from("hits").open(backend)?;
    /// assert_eq!(clicks.position(), Some(&b"line 7"[..]));
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn renamed_from(mut self, name: impl Into<String>) -> Self {
        self.renamed_from.push(name.into());
        self
    }

    /// The name of the operator, and those that it had before.
    pub(super) fn names(&self) -> (&str, Vec<&str>) {
        // The former names of the struct are of the name that it gives.
        let (name, former) = match &self.operator {
            Some(name) => (name.as_str(), &[][..]),
            None => (S::OPERATOR, S::RENAMED_FROM),
        };
        (name, former.iter().copied().chain(self.renamed_from.iter().map(String::as_str)).collect())
    }

    /// Memory that rows may take, in bytes, roughly; 256 MiB unless set.
    ///
    /// Clean rows beyond it are evicted. Uncommitted ones never are; when they fill half of it,
    /// [`Keyed::needs_commit`] says so.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let store = Keyed::<Dynamic<String>>::builder().memory_budget(1 << 20).open(backend)?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.memory_budget = bytes;
        self
    }

    /// The clock of processing time; the machine's unless set.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let clock = Arc::new(ManualClock::new(0));
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let store = Keyed::<Dynamic<String>>::builder().clock(clock.clone()).open(backend)?;
    /// clock.advance(1_000);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn clock(mut self, clock: Arc<impl Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Number of key groups, and so the most parallel instances there can ever be: 1 to 32,768.
    ///
    /// Stored with the operator at its first commit and never changed: 128 unless set then, and what is
    /// stored unless set later.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let store = Keyed::<Dynamic<String>>::builder().max_parallelism(256).open(backend)?;
    /// assert_eq!(store.key_groups(), 0..256);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn max_parallelism(mut self, groups: u16) -> Self {
        self.max_parallelism = Some(groups);
        self
    }

    /// The key groups of this instance; all unless set.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let left = Keyed::<Dynamic<String>>::builder().key_groups(0..64).open(backend.clone())?;
    /// let right = Keyed::<Dynamic<String>>::builder().key_groups(64..128).open(backend)?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn key_groups(mut self, range: Range<u16>) -> Self {
        self.key_groups = Some(range);
        self
    }

    /// All key groups, whatever was set.
    pub(crate) fn all_key_groups(mut self) -> Self {
        self.key_groups = None;
        self
    }

    /// Encoded size in bytes past which a broadcast state does not grow; 10,000,000 unless set.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut store = Keyed::<Dynamic<String>>::builder().broadcast_limit(10).open(backend)?;
    /// let rules = BroadcastState::<String, String>::new("rules");
    /// let error = store.broadcast(|_, scope| rules.put(scope, "EV".into(), "far too long".into()));
    /// assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn broadcast_limit(mut self, bytes: usize) -> Self {
        self.broadcast_limit = bytes;
        self
    }

    /// Lets the life of what an event with a time writes begin at that time, wherever the watermark is, in states whose TTL goes by
    /// event time. What a late event writes ends sooner by it, also where an earlier write would have lived longer; what reading renews
    /// never does.
    ///
    /// Without this it begins at the watermark, once there is one, which is behind the newest events and ahead of late ones.
    ///
    /// ```
    /// use krishiv_api::{BoxError, EventContext, Harness, Keyed, KeyedState, Operator, ValueState};
    ///
    /// #[derive(KeyedState)]
    /// #[state(key = u8)]
    /// struct Seen {
    ///     #[state(ttl = "60s", clock = "event")]
    ///     times: ValueState<u32>,
    /// }
    ///
    /// struct Count;
    ///
    /// impl Operator for Count {
    ///     type State = Seen;
    ///     type In = u8;
    ///     type Out = ();
    ///     fn key(&self, key: &u8) -> u8 { *key }
    ///     fn on_event(&mut self, seen: &Seen, _: u8, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
    ///         seen.times.set(1);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut harness = Harness::builder(|| Count).store(Keyed::builder().ttl_from_event_time()).open()?;
    /// harness.watermark(20_000)?;
    /// harness.event_at(7, 25_000)?;
    /// harness.watermark(84_999)?;
    /// assert_eq!(harness.state(&7, |seen| seen.times.get())?, Some(1));
    /// harness.watermark(85_000)?; // 60 s after the event, not after the watermark that it met
    /// assert_eq!(harness.state(&7, |seen| seen.times.get())?, None);
    /// # Ok::<(), BoxError>(())
    /// ```
    pub fn ttl_from_event_time(mut self) -> Self {
        self.ttl_from_event_time = true;
        self
    }

    /// Opens the operator's state on `backend`; writes nothing.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let store = Keyed::<Dynamic<String>>::builder().open(backend)?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the stored state does not fit the declared one (both sides are named), a setting is out of
    /// bounds, another store owns some of the key groups, or the backend fails.
    pub fn open<B: StateBackend + Keeps<S>>(self, backend: Arc<B>) -> Result<Keyed<S>, StateError> {
        self.open_on_any(backend)
    }

    /// The same, whatever a crash leaves of the backend.
    pub(crate) fn open_on_any<B: StateBackend>(self, backend: Arc<B>) -> Result<Keyed<S>, StateError> {
        let operator = self.names().0.to_owned();
        let name = operator.clone();
        let span = info_span!("open", operator, key_groups = Empty).entered();
        backend.rows().and_then(|rows| self.open_on(rows, operator, &span)).map_err(|error| error.at_operator(&name))
    }

    fn open_on(self, rows: BackendRows, operator: String, span: &Span) -> Result<Keyed<S>, StateError> {
        if let Some(groups) = self.max_parallelism
            && (groups == 0 || groups > MAX_GROUPS)
        {
            return setting(format!("the max parallelism is 1 to {MAX_GROUPS}, and this one is {groups}"));
        }
        let (key, untraced) = KeyRecord::of::<S::Key>();
        let key_plan = Plan::of(&key.shape);
        let hub = BackendHub::of(&rows.backend)?.operator(self.names(), &key, self.max_parallelism)?;
        let max_parallelism = hub.max_parallelism();
        let range = self.key_groups.unwrap_or(0..max_parallelism);
        if range.is_empty() || range.end > max_parallelism {
            return setting(format!("the key groups {range:?} are no part of 0..{max_parallelism}"));
        }
        span.record("key_groups", debug(&range));
        hub.claim(&range)?;
        let claim = Claim { hub: &hub, range: Some(range.clone()) };
        let past = Past::of(&hub.positions()?, &range);
        let clock = self.clock.or_else(|| rows.ttl.as_ref().map(|ttl| Arc::clone(&ttl.time) as Arc<dyn Clock>));
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock));
        let timers_id = hub.state(TIMERS);
        let stored = timers_id.is_some();
        let time = StoreTime::new(clock, rows.ttl, past.reached, stored, self.ttl_from_event_time);
        let shared = Arc::new(Shared::new(operator, Arc::clone(&hub), time, self.broadcast_limit, past.next_position));
        if let Some(id) = timers_id {
            shared.know_timers(id);
        }
        for what in untraced {
            shared.note_untraced(Untraced::new(None, TypeRole::Key, what));
        }
        let state = {
            let mut draft = hub.draft();
            draft.drop_states(S::DROPPED)?;
            let to = To::Store { shared: &shared, draft: Box::new(draft) };
            let mut binder = Binder { to, descriptors: S::DESCRIPTORS, failure: None };
            let state = S::attach(&mut binder)?;
            if let Some(failure) = binder.failure {
                return Err(failure);
            }
            if let To::Store { draft, .. } = binder.to {
                draft.publish();
            }
            hub.use_time(&shared.time);
            state
        };
        let names: Vec<_> = S::DESCRIPTORS.iter().map(|descriptor| descriptor.name()).collect();
        if hub.has_ttl_except(&names) {
            shared.expect_expiry();
        }
        let undeclared = hub.states_except(&names).into_iter();
        let undeclared =
            undeclared.map(|state| UndeclaredState { name: state.name.clone(), kind: state.kind }).collect();
        claim.keep();
        let report = Report::new(&shared.operator, &range);
        let timers = Timers::new(shared.id, &range, max_parallelism, stored, self.memory_budget);
        Ok(Keyed {
            timers,
            instance: Instance {
                state,
                dynamic: Default::default(),
                shared,
                events: 0,
                range,
                max_parallelism,
                key_plan,
            },
            rows: Rows::new(self.memory_budget),
            position: past.position,
            row_key: RowKey::default(),
            undeclared,
            report,
        })
    }
}

fn setting<T>(reason: String) -> Result<T, StateError> {
    Err(Cause::Setting { reason }.into())
}

impl Clock for TtlTime {
    fn now_ms(&self) -> i64 {
        Self::now_ms(self)
    }
}

/// Key groups that a store is about to own; given back if it does not open.
struct Claim<'a> {
    hub: &'a OperatorHub,
    range: Option<Range<u16>>,
}

impl Claim<'_> {
    fn keep(mut self) {
        self.range = None;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(range) = &self.range {
            self.hub.release(range);
        }
    }
}

/// What a store goes on from.
struct Past {
    position: Option<Vec<u8>>,
    reached: Reached,
    next_position: u64,
}

impl Past {
    /// Of the `positions`, what a store of `range` takes over.
    fn of(positions: &[PositionRecord], range: &Range<u16>) -> Self {
        let (past, _) = in_force_for(positions, range);
        let firsts: Option<Vec<_>> = past.iter().map(|position| position.first_watermark).collect();
        let newest = past.first().filter(|newest| newest.range() == *range);
        Self {
            position: newest.map(|newest| newest.position.clone()),
            reached: Reached {
                watermark: past.iter().map(|position| position.watermark).min().flatten(),
                event_clock: past.iter().map(PositionRecord::event_clock).min().flatten(),
                // What was judged by any of them holds.
                processing_clock: past.iter().filter_map(|position| position.processing_clock).max(),
                // Without one of them the ranges together have none; of several the latest keeps longest.
                first: firsts.into_iter().flatten().max_by_key(|first| first.watermark),
            },
            next_position: past.iter().map(|position| position.next_position).max().unwrap_or(1),
        }
    }
}
