//! What the store does with a handle, whatever its kind.

use crate::StateError;
use crate::backend::WriteBatch;
use crate::catalog::records::KeyRecord;
use crate::catalog::tables::Tables;
use crate::catalog::untraced::TypeRole;
use crate::codec::keys::RowKey;
use crate::codec::{Codec, Plan, Shape, trace};
use crate::descriptor::StateKind;
use crate::error::Cause;
use crate::scope::current;
use crate::scope::slot::Slot;
use crate::value::StateValue;

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
    /// What a row holds for this state.
    type Cell: Default + Send + 'static;

    /// The kind of the state.
    const KIND: StateKind;

    #[doc(hidden)]
    type Core: Core<Cell = Self::Cell>;

    #[doc(hidden)]
    fn shapes() -> Shapes;

    #[doc(hidden)]
    fn attach(slot: Slot) -> Result<Self, StateError>;

    #[doc(hidden)]
    fn binding(&self) -> &Binding<Self::Core>;

    #[doc(hidden)]
    fn binding_mut(&mut self) -> &mut Binding<Self::Core>;
}

/// What a type looks like to serde: of a value, and for maps of the key in front of it.
pub struct Shapes {
    pub(crate) value: Shape,
    pub(crate) map_key: Option<KeyRecord>,
    pub(crate) codec: Codec,
    /// What a value takes in memory.
    pub(crate) plan: Plan,
    /// What the shapes do not show.
    pub(crate) untraced: Vec<(TypeRole, String)>,
}

impl Shapes {
    pub(crate) fn of<T: StateValue>() -> Self {
        let traced = trace::<T>();
        let untraced = traced.untraced.into_iter().map(|what| (TypeRole::Value, what)).collect();
        Self { plan: Plan::of(&traced.shape), value: traced.shape, map_key: None, codec: traced.codec, untraced }
    }

    pub(crate) fn of_map<K: StateValue, V: StateValue>() -> Self {
        let (key, untraced) = KeyRecord::of::<K>();
        let mut shapes = Self { map_key: Some(key), ..Self::of::<V>() };
        shapes.untraced.extend(untraced.into_iter().map(|what| (TypeRole::MapKey, what)));
        shapes
    }
}

/// A handle is part of a store, or only a name so far.
pub enum Binding<C> {
    Bound(C),
    Named(String),
}

/// What has become of a cell in an event.
pub struct Left {
    /// The event has written to it.
    pub(crate) wrote: bool,
    /// Memory that it holds outside the row, in bytes, roughly.
    pub(crate) weight: usize,
}

impl Left {
    /// What has become of no cell at all.
    pub(crate) const NOTHING: Self = Self { wrote: false, weight: 0 };

    /// What has become of these cells and those.
    #[inline(always)]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self { wrote: self.wrote | other.wrote, weight: self.weight + other.weight }
    }
}

/// The part of a handle that belongs to a store.
///
/// It rests empty. Entering a key moves the key's cell into it, leaving moves it back.
pub trait Core: Send + 'static {
    type Cell;

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

    /// Keeps what was read of this cell together with others.
    fn adopt(&mut self) {}

    /// Whether [`preload`](Self::preload) would have something to do.
    fn wants_preload(&self, cell: &Self::Cell) -> bool {
        let _ = cell;
        false
    }

    /// Takes what was read for a row ahead of its event: `found` has the records of all plain cells.
    fn preload(&self, cell: &mut Self::Cell, found: &[Option<Vec<u8>>]) {
        let _ = (cell, found);
    }

    /// Adds what the cell has to write to `batch`; can be repeated until [`committed`](Self::committed).
    fn flush(&self, cell: &mut Self::Cell, row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError>;

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

/// What a closure that changes state has returned, and whether the state could take what it made.
pub(crate) type Ran<R> = (R, Result<(), StateError>);

/// How the methods of a handle reach its store.
pub(crate) trait Calls: Handle {
    /// The part that belongs to a store; every handle in a store has it.
    #[inline(always)]
    fn core(&self) -> Option<&Self::Core> {
        match self.binding() {
            Binding::Bound(core) => Some(core),
            Binding::Named(_) => None,
        }
    }

    /// The same between events, when nobody else looks at it.
    #[inline(always)]
    fn core_mut(&mut self) -> Option<&mut Self::Core> {
        match self.binding_mut() {
            Binding::Bound(core) => Some(core),
            Binding::Named(_) => None,
        }
    }

    /// Runs `f` on the bound handle: this one, or the one of that name in the store being processed.
    #[inline(always)]
    fn try_run<R>(&self, f: impl FnOnce(&Self::Core) -> Result<R, StateError>) -> Result<R, StateError> {
        match self.binding() {
            Binding::Bound(core) => f(core),
            Binding::Named(name) => Self::run_named(name, f),
        }
    }

    #[cold]
    #[inline(never)]
    fn run_named<R>(name: &str, f: impl FnOnce(&Self::Core) -> Result<R, StateError>) -> Result<R, StateError> {
        current::with_handle(name, |handle: &Self| match handle.core() {
            Some(core) => f(core),
            None => Err(Cause::OutsideEvent.into()),
        })?
    }

    /// The same for calls that cannot fail to the eye: a failure undoes the event, and reads as absent.
    #[inline(always)]
    fn run<R>(&self, f: impl FnOnce(&Self::Core) -> Result<R, StateError>, absent: impl FnOnce() -> R) -> R {
        match self.try_run(f) {
            Ok(result) => result,
            Err(error) => {
                self.fail(error);
                absent()
            }
        }
    }

    /// The same for calls with a closure `f`, which gets what `absent` makes of nothing when `ready` fails.
    fn run_closure<F, R>(
        &self,
        f: F,
        ready: impl FnOnce(&Self::Core) -> Result<(), StateError>,
        run: impl FnOnce(&Self::Core, F) -> Result<R, StateError>,
        absent: impl FnOnce(F) -> R,
    ) -> R {
        let mut f = Some(f);
        let result = self.try_run(|core| {
            ready(core)?;
            f.take().map(|f| run(core, f)).transpose()
        });
        match (result, f) {
            (Ok(Some(result)), _) => result,
            (Err(error), Some(f)) => {
                self.fail(error);
                absent(f)
            }
            // `ready` has made sure that `run` cannot fail, and nothing but `run` takes `f`.
            _ => unreachable!("a state that was ready to read failed to read"),
        }
    }

    /// What the closure has returned; latches that the state could not take what it made.
    #[inline]
    fn finish<R>(&self, (result, done): Ran<R>) -> R {
        done.unwrap_or_else(|error| self.fail(error));
        result
    }

    /// Latches `error` in the store that it belongs to.
    #[cold]
    fn fail(&self, error: StateError) {
        // A call outside any event has nobody to report to: like a second `borrow_mut` of a `RefCell`, it
        // is a bug in the caller, and going on would lose what was written.
        #[allow(clippy::panic)]
        if matches!(error.cause(), Cause::OutsideEvent) {
            panic!("{error}");
        }
        match self.core() {
            Some(core) => core.slot().shared.latch(error),
            None => current::latch(error),
        }
    }
}

impl<H: Handle> Calls for H {}
