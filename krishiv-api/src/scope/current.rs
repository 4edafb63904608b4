//! The store being processed on this thread, for handles that know only a name.

use crate::StateError;
use crate::backend::WriteBatch;
use crate::catalog::hub::Draft;
use crate::catalog::records::check_name;
use crate::catalog::tables::Tables;
use crate::codec::keys::RowKey;
use crate::error::Cause;
use crate::names;
use crate::scope::shared::Shared;
use crate::state::handle::{Calls, Core, Handle, Left};
use scoped_tls_hkt::scoped_thread_local;
use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

scoped_thread_local!(
    #[allow(dead_code)]
    static CURRENT: for<'a> &'a dyn Current
);

thread_local! {
    static PLACE: Cell<Option<&'static dyn Current>> = const { Cell::new(None) };
}

/// Where it is, as a constant: generic code in other crates would have to ask the static that the macro makes, by two
/// indirect calls an event.
const STORE: &CURRENT<'static> = &CURRENT { inner: &PLACE };

/// A store with an event under way.
pub(crate) trait Current {
    fn shared(&self) -> &Arc<Shared>;

    /// The handle that the struct declares under `name`.
    fn declared(&self, name: &str) -> Option<&dyn Any>;

    /// The handle that the store got to know under `name`.
    fn dynamic(&self, name: &str) -> Option<&dyn AnyHandle>;

    /// Tells the slow paths of the store where the row being processed lies.
    fn locate(&self) -> Result<(), StateError>;

    /// Takes in a handle that is new to the store, and enters it into the row being processed.
    fn join(&self, name: &str, handle: Box<dyn AnyHandle>);
}

/// Runs `f` with `current` as the store being processed.
#[inline]
pub(crate) fn enter<R>(current: &dyn Current, f: impl FnOnce() -> R) -> R {
    if PLACE.get().is_some() {
        step_back();
    }
    STORE.set(current, f)
}

/// Has the store being processed find its row while it can still be asked for it: inside its event comes one of another store.
#[cold]
fn step_back() {
    STORE.with(|current| {
        if !current.shared().is_located()
            && let Err(error) = current.locate()
            // A broadcast has no row.
            && !matches!(error.cause(), Cause::OutsideEvent)
        {
            current.shared().latch(error);
        }
    });
}

/// Tells the slow paths of `store` where the row being processed lies.
pub(crate) fn locate(store: &Shared) -> Result<(), StateError> {
    if is(store) { STORE.with(|current| current.locate()) } else { Err(Cause::OutsideEvent.into()) }
}

/// Runs `f` on the handle called `name` of the store being processed, which is bound on its first use.
pub(crate) fn with_handle<H: Handle, R>(name: &str, f: impl FnOnce(&H) -> R) -> Result<R, StateError> {
    // A handle that is already there under such a name is the library's, and would be found.
    if names::is_reserved(name) {
        check_name("a state", name, true).map_err(|error| error.at_state(name))?;
    }
    with_handle_or(name, |draft, shared| draft.bind_by_name(shared, name), f)
}

/// The same for a state of the library's own.
pub(crate) fn with_own_handle<H: Handle, R>(name: &str, f: impl FnOnce(&H) -> R) -> Result<R, StateError> {
    with_handle_or(name, |draft, shared| draft.bind_own(shared, name), f)
}

fn with_handle_or<H: Handle, R>(
    name: &str,
    bind: impl FnOnce(&mut Draft<'_>, &Arc<Shared>) -> Result<H, StateError>,
    f: impl FnOnce(&H) -> R,
) -> Result<R, StateError> {
    if !STORE.is_set() {
        return Err(StateError::from(Cause::OutsideEvent).at_state(name));
    }
    STORE.with(|current| {
        let shared = current.shared();
        if let Some(declared) = current.declared(name) {
            let handle = declared.downcast_ref::<H>();
            return handle.map(f).ok_or_else(|| other_type::<H>(shared, name));
        }
        if current.dynamic(name).is_none() {
            let mut draft = shared.hub.draft();
            let handle = bind(&mut draft, shared)?;
            draft.publish();
            current.join(name, Box::new(handle));
        }
        let handle = current.dynamic(name).and_then(|handle| handle.as_any().downcast_ref::<H>());
        handle.map(f).ok_or_else(|| other_type::<H>(shared, name))
    })
}

/// Whether `store` is the one being processed.
pub(crate) fn is(store: &Shared) -> bool {
    STORE.is_set() && STORE.with(|current| std::ptr::eq(&**current.shared(), store))
}

/// Latches `error` in the store being processed.
pub(crate) fn latch(error: StateError) {
    if STORE.is_set() {
        STORE.with(|current| current.shared().latch(error));
    }
}

fn other_type<H: Handle>(shared: &Shared, name: &str) -> StateError {
    let held = shared.hub.describe(name).unwrap_or_else(|| "another type".to_owned());
    let shapes = H::shapes();
    let mut asked = describe(H::KIND, shapes.map_key.as_ref().map(|key| &key.shape), &shapes.value);
    if asked == held {
        // Types that look the same to serde.
        asked = format!("{asked} by another type, {}", std::any::type_name::<H>());
    }
    StateError::from(Cause::HandleType { asked, held }).at_operator(&shared.operator).at_state(name)
}

/// A state's type, as messages name it.
pub(crate) fn describe(
    kind: crate::StateKind,
    map_key: Option<&crate::codec::Shape>,
    value: &crate::codec::Shape,
) -> String {
    match map_key {
        Some(key) => format!("{kind}<{key}, {value}>"),
        None => format!("{kind}<{value}>"),
    }
}

/// A [`Handle`] behind a pointer, for states that no struct declares.
pub(crate) trait AnyHandle: Send {
    fn as_any(&self) -> &dyn Any;
    fn new_cell(&self) -> Box<dyn Any + Send>;
    fn enter(&mut self, cell: &mut (dyn Any + Send));
    fn undo(&mut self);
    fn adopt(&mut self);
    fn has_waste(&mut self) -> bool;
    fn sweep(&mut self);
    fn leave(&mut self, cell: &mut (dyn Any + Send)) -> Left;
    fn wants_preload(&self, cell: &(dyn Any + Send)) -> bool;
    fn preload(&self, cell: &mut (dyn Any + Send), found: &[Option<Vec<u8>>]);
    fn flush(&self, cell: &mut (dyn Any + Send), row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError>;
    fn committed(&self, cell: &mut (dyn Any + Send));
    fn holds(&self, cell: &(dyn Any + Send), stored: &[(u16, &[u8])]) -> bool;
    fn slot(&self) -> Option<u16>;
    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError>;
}

impl<H: Handle> AnyHandle for H {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn new_cell(&self) -> Box<dyn Any + Send> {
        Box::new(H::Cell::default())
    }
    fn enter(&mut self, cell: &mut (dyn Any + Send)) {
        if let (Some(core), Some(cell)) = (self.core_mut(), cell.downcast_mut()) {
            core.enter(cell);
        }
    }
    fn undo(&mut self) {
        self.core_mut().into_iter().for_each(Core::undo);
    }
    fn adopt(&mut self) {
        self.core_mut().into_iter().for_each(Core::adopt);
    }

    fn has_waste(&mut self) -> bool {
        self.core_mut().is_some_and(Core::has_waste)
    }

    fn sweep(&mut self) {
        self.core_mut().into_iter().for_each(Core::sweep);
    }
    fn leave(&mut self, cell: &mut (dyn Any + Send)) -> Left {
        match (self.core_mut(), cell.downcast_mut()) {
            (Some(core), Some(cell)) => {
                let left = core.leave(cell);
                Left { weight: left.weight + size_of::<H::Cell>(), ..left }
            }
            _ => Left::NOTHING,
        }
    }
    fn wants_preload(&self, cell: &(dyn Any + Send)) -> bool {
        match (self.core(), cell.downcast_ref()) {
            (Some(core), Some(cell)) => core.wants_preload(cell),
            _ => false,
        }
    }
    fn preload(&self, cell: &mut (dyn Any + Send), found: &[Option<Vec<u8>>]) {
        if let (Some(core), Some(cell)) = (self.core(), cell.downcast_mut()) {
            core.preload(cell, found);
        }
    }
    fn flush(&self, cell: &mut (dyn Any + Send), row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError> {
        match (self.core(), cell.downcast_mut()) {
            (Some(core), Some(cell)) => core.flush(cell, row, batch),
            _ => Ok(()),
        }
    }
    fn committed(&self, cell: &mut (dyn Any + Send)) {
        if let (Some(core), Some(cell)) = (self.core(), cell.downcast_mut()) {
            core.committed(cell);
        }
    }
    fn holds(&self, cell: &(dyn Any + Send), stored: &[(u16, &[u8])]) -> bool {
        match (self.core(), cell.downcast_ref()) {
            (Some(core), Some(cell)) => core.holds(cell, stored),
            _ => false,
        }
    }
    fn slot(&self) -> Option<u16> {
        self.core().map(|core| core.slot().id())
    }
    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError> {
        self.core().map_or(Ok(()), |core| core.refresh(tables, seen))
    }
}
