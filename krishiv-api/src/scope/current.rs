//! The store being processed on this thread, for handles that know only a name.

use crate::error::{Cause, StateError};
use crate::scope::any_handle::{AnyHandle, Bound};
use crate::scope::shared::Shared;
use crate::scope::timers::OfKey;
use scoped_tls_hkt::scoped_thread_local;
use std::any::TypeId;
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
    fn declared(&self, name: &str) -> Option<Bound<'_>>;

    /// The handle that the store got to know under `name`.
    fn dynamic(&self, name: &str) -> Option<Bound<'_>>;

    /// The timers of the key being processed, and whether that is all that its row has of them.
    fn timers(&self) -> (Option<&OfKey>, bool);

    /// Tells the slow paths of the store where the row being processed lies.
    fn locate(&self) -> Result<(), StateError>;

    /// Takes in a handle of this type that is new to the store, and enters it into the row being processed.
    fn join(&self, name: &str, of: TypeId, handle: Box<dyn AnyHandle>);
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

/// Runs `f` on the store being processed, if there is one.
pub(crate) fn with(f: &mut dyn FnMut(&dyn Current)) {
    if STORE.is_set() {
        STORE.with(|current| f(current));
    }
}
