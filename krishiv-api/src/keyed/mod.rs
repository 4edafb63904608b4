//! The store of one operator instance.

pub(crate) mod batch;
mod binder;
mod broadcast;
mod builder;
mod commit;
mod dynamic;
pub(crate) mod event;
mod keys;
mod report;
mod rows;
pub(crate) mod timers;
mod visitors;

use crate::backend::StateBackend;
use crate::codec::Plan;
use crate::codec::keys::RowKey;
use crate::descriptor::{StateDescriptor, StateKind};
use crate::scope::shared::Shared;
use crate::state::handle::Visitor;
use crate::{AsKey, StateError, StateKey};
use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

pub use crate::catalog::untraced::{TypeRole, Untraced};
pub use batch::EventResult;
pub use binder::Binder;
pub use builder::KeyedBuilder;
pub use dynamic::Dynamic;

/// A struct of state handles; `#[derive(KeyedState)]` implements it.
///
/// ```
/// use krishiv_api::{KeyedState, ValueState};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// assert_eq!(Visits::OPERATOR, "visits");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare keyed state",
    label = "no `#[derive(KeyedState)]` on this type",
    note = "derive it on a struct of handles, and name its key: `#[derive(KeyedState)] #[state(key = String)]`"
)]
pub trait KeyedState: Sized + Send + 'static {
    /// What the state is kept per.
    type Key: StateKey;

    /// What is held in memory of one key.
    #[doc(hidden)]
    type Row: Default + Send + 'static;

    /// Name of the operator in the catalog.
    const OPERATOR: &'static str;

    /// The declared states, in the order of the fields.
    const DESCRIPTORS: &'static [StateDescriptor];

    /// Whether the state must survive a crash, so that only a durable backend will do.
    const DURABLE: bool = false;

    #[doc(hidden)]
    fn attach(binder: &mut Binder<'_>) -> Result<Self, StateError>;

    #[doc(hidden)]
    fn visit<V: Visitor>(&mut self, row: &mut Self::Row, visitor: &mut V);

    #[doc(hidden)]
    fn handle(&self, index: usize) -> Option<&dyn Any>;
}

/// A state in the catalog that the program does not declare: renamed, or no longer used.
///
/// ```
/// # use krishiv_api::*;
/// # use std::sync::Arc;
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let mut store = Keyed::<Dynamic<String>>::open(backend.clone())?;
/// store.with_key("ann", |_| ValueState::<u64>::new("seen").set(1))?;
/// store.commit("")?;
/// drop(store);
///
/// let store = Keyed::<Dynamic<String>>::open(backend)?;
/// assert_eq!(store.undeclared()[0].name(), "seen");
/// # Ok::<(), StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndeclaredState {
    name: String,
    kind: StateKind,
}

impl UndeclaredState {
    /// The name in the catalog.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// fn report(state: &UndeclaredState) { eprintln!("nobody uses `{}` any more", state.name()); }
    /// # let _ = report;
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind in the catalog.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// fn report(state: &UndeclaredState) { eprintln!("a {} nobody uses", state.kind()); }
    /// # let _ = report;
    /// ```
    pub fn kind(&self) -> StateKind {
        self.kind
    }
}

/// The store of one operator instance: typed state per key, atomic per event, written by [`commit`](Self::commit).
///
/// Between commits everything is in memory; a crash, or dropping the store, goes back to the last commit.
/// A store is used by one thread at a time and can move between threads. Stores of the same operator with
/// disjoint key groups on one backend are its parallel instances.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let mut visits = Keyed::<Visits>::open(backend.clone())?;
/// for name in ["ann", "bob", "ann"] {
///     visits.with_key(name, |state| state.seen.update(|seen| *seen.get_or_insert(0) += 1))?;
/// }
/// visits.commit("offset 3")?;
/// drop(visits);
///
/// let mut visits = Keyed::<Visits>::open(backend)?;
/// assert_eq!(visits.position(), Some(&b"offset 3"[..]));
/// assert_eq!(visits.with_key("ann", |state| state.seen.get())?, Some(2));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct Keyed<S: KeyedState> {
    instance: Instance<S>,
    rows: rows::Rows<S>,
    timers: timers::Timers,
    position: Option<Vec<u8>>,
    /// Scratch: the encoded key of the event.
    row_key: RowKey,
    undeclared: Vec<UndeclaredState>,
    report: report::Report,
}

/// The handles of a store, and where its rows lie: all that an event needs but its row.
struct Instance<S> {
    state: S,
    dynamic: dynamic::DynamicHandles,
    shared: Arc<Shared>,
    /// Events that ran, undone ones included: the one thing that every event counts.
    events: u64,
    range: Range<u16>,
    max_parallelism: u16,
    /// What a key takes in memory.
    key_plan: Plan,
}

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
    pub fn open<B: StateBackend>(backend: Arc<B>) -> Result<Self, StateError> {
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

    /// Name of the operator in the catalog.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(store.operator(), "dynamic");
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn operator(&self) -> &str {
        &self.instance.shared.operator
    }

    /// The position of the last commit, also after a reopen; `None` before the first, and when these key
    /// groups were last committed under other ranges.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// store.commit("line 7")?;
    /// assert_eq!(store.position(), Some(&b"line 7"[..]));
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn position(&self) -> Option<&[u8]> {
        self.position.as_deref()
    }

    /// What was last committed under which key groups, newest first; ranges that newer commits cover wholly
    /// are left out. After a commit that failed, and may have been written, it is read from the backend; as long as that
    /// cannot be read, it is what was known before.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// store.commit("line 7")?;
    /// assert_eq!(store.positions(), [(0..128, b"line 7".to_vec())]);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn positions(&self) -> Vec<(Range<u16>, Vec<u8>)> {
        let positions = self.instance.shared.hub.known_positions();
        positions.into_iter().map(|position| (position.range(), position.position)).collect()
    }

    /// Moves event time to `ms` milliseconds; a watermark never goes back, and `i64::MIN` is none yet.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// store.set_watermark(1_000);
    /// store.set_watermark(500);
    /// assert_eq!(store.watermark(), Some(1_000));
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn set_watermark(&mut self, ms: i64) {
        self.instance.shared.time.set_watermark(ms);
    }

    /// The watermark, in milliseconds; `None` before the first.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(store.watermark(), None);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn watermark(&self) -> Option<i64> {
        self.instance.shared.time.watermark()
    }

    /// The key groups that this instance owns.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(store.key_groups(), 0..128);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn key_groups(&self) -> Range<u16> {
        self.instance.range.clone()
    }

    /// The key group of `key`, by which to find the parallel instance that owns it.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert!(store.key_groups().contains(&store.key_group("ann")?));
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the key does not encode.
    pub fn key_group<Q: AsKey<S::Key> + ?Sized>(&self, key: &Q) -> Result<u16, StateError> {
        let mut row_key = RowKey::default();
        self.instance.encode_borrowed(key, &mut row_key)?;
        Ok(row_key.group())
    }

    /// What the store shares with its handles.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.instance.shared)
    }

    /// The states that the catalog has of this operator and the struct does not declare.
    ///
    /// A renamed field is a new state; the old one stays, and is named here.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert!(store.undeclared().is_empty());
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn undeclared(&self) -> &[UndeclaredState] {
        &self.undeclared
    }

    /// The parts of types that could not be traced: a change there is not noticed when the store opens.
    ///
    /// Those of the key, of the declared states, and of handles made by name from their first use on. Each is also a warning, when
    /// the store opens or the handle is used. `docs/derive.md` lists what cannot be traced.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert!(store.untraced().is_empty());
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn untraced(&self) -> Vec<Untraced> {
        self.instance.shared.untraced()
    }

    /// Whether uncommitted rows fill half the memory budget, so that a commit is due.
    ///
    /// Going on is allowed: nothing uncommitted is ever evicted, so memory grows instead.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut store = Keyed::<Dynamic<String>>::builder().memory_budget(1).open(backend)?;
    /// assert!(!store.needs_commit());
    /// store.with_key("ann", |_| ValueState::<u64>::new("seen").set(1))?;
    /// assert!(store.needs_commit());
    /// store.commit("")?;
    /// assert!(!store.needs_commit());
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn needs_commit(&self) -> bool {
        self.rows.needs_commit()
    }

    /// Whether a commit has state or timers to write.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert!(!store.has_uncommitted());
    /// store.with_key("ann", |_| ValueState::<u64>::new("seen").set(1))?;
    /// assert!(store.has_uncommitted());
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn has_uncommitted(&self) -> bool {
        !self.rows.dirty.is_empty() || self.rows.weight.dirty_timers > 0
    }

    fn blame(&self, error: StateError) -> StateError {
        error.at_operator(&self.instance.shared.operator)
    }
}

impl<S: KeyedState> Drop for Keyed<S> {
    /// Gives the key groups back and hands over the last counts; writes nothing, since what is not committed must be as if it never was.
    fn drop(&mut self) {
        self.instance.shared.hub.release(&self.instance.range);
        self.report(&report::Size::default(), None);
        // One by one, and whatever one of them does: a store may be dropped on the way of a panic.
        self.rows.table.drain().for_each(rows::Row::drop_quietly);
    }
}
