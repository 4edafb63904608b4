//! What the store does with a handle, whatever its kind.

use crate::catalog::declared::KeyRecord;
use crate::catalog::tables::Tables;
use crate::catalog::today::Today;
use crate::catalog::untraced::TypeRole;
use crate::codec::row::Parts;
use crate::codec::{Codec, Plan, Shape, Traced, trace};
use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::scope::any_handle::Bound;
use crate::scope::left::Left;
use crate::scope::row_commit::RowCommit;
use crate::scope::slot::Slot;
use crate::value::StateValue;
use std::any::TypeId;

/// A field that can stand in a `#[derive(KeyedState)]` struct: one of the five handles, or an alias of one.
///
/// There is nothing in it to call; the handles have their own methods.
///
/// ```
/// use krishiv_api::{Handle, StateKind, ValueState};
/// type Counter = ValueState<u64>;
/// assert_eq!(Counter::KIND, StateKind::Value);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state handle",
    label = "not a state handle",
    note = "a field of a `KeyedState` is a ValueState<T>, ListState<T>, MapState<K, V>, ReducingState<T> or BroadcastState<K, V>, whose types serde reads and writes",
    note = "mark a field that is no state with `#[state(skip)]`"
)]
pub trait Handle: Sized + Send + 'static {
    /// A value of it: of a list an element, of a map that of an entry.
    type Value: StateValue;

    /// What a row holds for this state.
    type Cell: Default + Send + 'static;

    /// The kind of the state.
    const KIND: StateKind;

    #[doc(hidden)]
    type Core: Core<Cell = Self::Cell>;

    #[doc(hidden)]
    fn shapes() -> Shapes;

    #[doc(hidden)]
    fn core(slot: Slot) -> Result<Self::Core, StateError>;

    #[doc(hidden)]
    fn with_binding(binding: Binding<Self::Core>) -> Self;

    #[doc(hidden)]
    fn binding(&self) -> &Binding<Self::Core>;

    #[doc(hidden)]
    fn binding_mut(&mut self) -> &mut Binding<Self::Core>;
}

/// What a type looks like to serde: of a value, and for maps of the key in front of it.
pub struct Shapes {
    pub(crate) value: Today,
    pub(crate) map_key: Option<KeyRecord>,
    /// What a value takes in memory.
    pub(crate) plan: Plan,
    /// What the shapes do not show.
    pub(crate) untraced: Vec<(TypeRole, String)>,
}

impl Shapes {
    pub(crate) fn of<T: StateValue>() -> Self {
        Self::of_traced(trace::<T>(), Today::of::<T>)
    }

    pub(crate) fn of_map<K: StateValue, V: StateValue>() -> Self {
        Self::of::<V>().with_map_key(KeyRecord::of::<K>())
    }

    fn of_traced(traced: Traced, today: fn(Shape, Codec) -> Today) -> Self {
        let untraced = traced.untraced.into_iter().map(|what| (TypeRole::Value, what)).collect();
        let plan = Plan::of(&traced.shape);
        Self { plan, value: today(traced.shape, traced.codec), map_key: None, untraced }
    }

    fn with_map_key(mut self, (key, untraced): (KeyRecord, Vec<String>)) -> Self {
        self.map_key = Some(key);
        self.untraced.extend(untraced.into_iter().map(|what| (TypeRole::MapKey, what)));
        self
    }
}

/// A handle is part of a store, or only a name so far.
pub enum Binding<C> {
    Bound(C),
    Named(String),
}

impl<'a> Bound<'a> {
    /// That of a handle that has one; only the derive asks for it.
    #[doc(hidden)]
    pub fn of<H: Handle>(handle: &'a H) -> Option<Self> {
        match handle.binding() {
            Binding::Bound(core) => Some(Self { of: TypeId::of::<H>(), core }),
            Binding::Named(_) => None,
        }
    }
}

/// The part of a handle that belongs to a store.
///
/// It rests empty. Entering a key moves the key's cell into it, leaving moves it back.
pub trait Core: Send + 'static {
    type Cell: Default + Send + 'static;

    fn slot(&self) -> &Slot;

    /// Takes the cell of the key that is entered, and leaves its own there.
    fn enter(&mut self, cell: &mut Self::Cell);

    /// Goes back to before the event. Drops nothing of the user's: see [`sweep`](Self::sweep).
    fn undo(&mut self);

    /// Gives the cell back at the end of an event, and says what has become of it. Drops nothing of the user's.
    fn leave(&mut self, cell: &mut Self::Cell) -> Left;

    /// The same after an event that has [touched](crate::scope::shared::Shared::touch) nothing, of whose cells nothing new
    /// is to be said.
    #[inline]
    fn rest(&mut self, cell: &mut Self::Cell) {
        self.leave(cell);
    }

    /// Whether the last event has left something to be dropped.
    fn has_waste(&mut self) -> bool {
        false
    }

    /// Drops what the last event has left behind, which may panic without harm: all cells are back by then.
    fn sweep(&mut self) {}

    /// Keeps what was read of this cell together with others: `stored` has the values of the row.
    fn adopt(&mut self, stored: &mut Parts) {
        let _ = stored;
    }

    /// Whether [`preload`](Self::preload) would have something to do.
    fn wants_preload(&self, cell: &Self::Cell) -> bool {
        let _ = cell;
        false
    }

    /// Takes what was read for a row ahead of its event: `stored` has the values of the row.
    fn preload(&self, cell: &mut Self::Cell, stored: &mut Parts) {
        let _ = (cell, stored);
    }

    /// Of what lies in the record of its row: whether the cell has something to write there.
    fn changes_row(&self, cell: &Self::Cell) -> Option<bool> {
        let _ = cell;
        None
    }

    /// Adds what the cell has to write to a commit; can be repeated until [`committed`](Self::committed).
    fn flush(&self, cell: &mut Self::Cell, to: &mut RowCommit<'_>) -> Result<(), StateError>;

    /// What the cell had to write is durable.
    fn committed(&self, cell: &mut Self::Cell);

    /// Whether the key has anything in this state, given its live `stored` records (slot and suffix).
    fn holds(&self, cell: &Self::Cell, stored: &[(u16, &[u8])]) -> bool;

    /// Catches up with the broadcast tables from version `seen` on.
    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError> {
        let _ = (tables, seen);
        Ok(())
    }
}

/// Something that goes over all handles of a struct, each with its cell.
#[doc(hidden)]
pub trait Visitor {
    fn visit<H: Handle>(&mut self, handle: &mut H, cell: &mut H::Cell);
}
