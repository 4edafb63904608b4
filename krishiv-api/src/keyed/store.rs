//! The store of one operator instance: what it is made of, and what can be asked of it between events.

use crate::catalog::stored::{self, StoredOperator};
use crate::catalog::untraced::Untraced;
use crate::codec::Plan;
use crate::codec::keys::RowKey;
use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::keyed::dynamic::DynamicHandles;
use crate::keyed::keyed_state::KeyedState;
use crate::keyed::report::{Report, Size};
use crate::keyed::row::Row;
use crate::keyed::rows::Rows;
use crate::keyed::timers::Timers;
use crate::scope::shared::Shared;
use crate::value::AsKey;
use std::ops::Range;
use std::sync::Arc;

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
    pub(super) name: String,
    pub(super) kind: StateKind,
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
/// A store is used by one thread at a time and can move between threads; how several use it says
/// [`OneThreadAtATime`](crate::OneThreadAtATime). Stores of the same operator with disjoint key groups on one backend are its
/// parallel instances.
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
    pub(super) instance: Instance<S>,
    pub(super) rows: Rows<S>,
    pub(super) timers: Timers,
    pub(super) position: Option<Vec<u8>>,
    /// Scratch: the encoded key of the event.
    pub(super) row_key: RowKey,
    pub(super) undeclared: Vec<UndeclaredState>,
    pub(super) report: Report,
}

/// The handles of a store, and where its rows lie: all that an event needs but its row.
pub(super) struct Instance<S> {
    pub(super) state: S,
    pub(super) dynamic: DynamicHandles,
    pub(super) shared: Arc<Shared>,
    /// Events that ran, undone ones included: the one thing that every event counts.
    pub(super) events: u64,
    pub(super) range: Range<u16>,
    pub(super) max_parallelism: u16,
    /// What a key takes in memory.
    pub(super) key_plan: Plan,
}

impl<S: KeyedState> Keyed<S> {
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

    /// The names that the operator had before, the last one last.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// Keyed::<Dynamic<String>>::builder().operator("hits").open(backend.clone())?.commit("")?;
    /// let clicks = Keyed::<Dynamic<String>>::builder().operator("clicks").renamed_from("hits").open(backend)?;
    /// assert_eq!(clicks.former_names(), ["hits"]);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn former_names(&self) -> Vec<String> {
        self.instance.shared.hub.former_names()
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
    /// A renamed field is a new state, unless it says by `renamed_from` what it was; the old one stays, and is named here.
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

    /// All operators whose state is on the backend, this one included, in the order of their names.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// assert_eq!(store.stored_operators()?.len(), 0);
    /// store.commit("")?;
    /// assert_eq!(store.stored_operators()?[0].name(), "dynamic");
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the backend cannot be read, or its catalog is damaged.
    pub fn stored_operators(&self) -> Result<Vec<StoredOperator>, StateError> {
        stored::on(self.instance.shared.hub.backend().as_ref())
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

    pub(super) fn blame(&self, error: StateError) -> StateError {
        error.at_operator(&self.instance.shared.operator)
    }
}

impl<S: KeyedState> Drop for Keyed<S> {
    /// Gives the key groups back and hands over the last counts; writes nothing, since what is not committed must be as if it never was.
    fn drop(&mut self) {
        self.instance.shared.hub.release(&self.instance.range);
        self.report(&Size::default(), None);
        self.report.forget_ended();
        // One by one, and whatever one of them does: a store may be dropped on the way of a panic.
        self.rows.table.drain().for_each(Row::drop_quietly);
    }
}
