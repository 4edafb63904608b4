//! How the methods of a handle reach its store.

use crate::error::{Cause, StateError};
use crate::scope::current;
use crate::scope::slot::Slot;
use crate::state::handle::{Binding, Core, Handle};
use crate::state::named;

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
        let (mut f, mut result) = (Some(f), None);
        named::with_core::<Self>(name, &mut |core| result = f.take().map(|f| f(core)))?;
        result.unwrap_or_else(|| Err(Cause::OutsideEvent.into()))
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
        match self.binding() {
            Binding::Bound(core) => fail(Some(core.slot()), error),
            Binding::Named(_) => fail(None, error),
        }
    }
}

#[cold]
#[inline(never)]
fn fail(slot: Option<&Slot>, error: StateError) {
    // A call outside any event has nobody to report to: like a second `borrow_mut` of a `RefCell`, it
    // is a bug in the caller, and going on would lose what was written.
    #[allow(clippy::panic)]
    if matches!(error.cause(), Cause::OutsideEvent) {
        panic!("{error}");
    }
    match slot {
        Some(slot) => slot.shared.latch(error),
        None => current::latch(error),
    }
}

impl<H: Handle> Calls for H {}
