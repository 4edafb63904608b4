//! Handles that are only a name: the store being processed has the state, or gets to know it.

use crate::catalog::draft::Draft;
use crate::catalog::records::{check_name, describe};
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use crate::names;
use crate::scope::any_handle::AnyHandle;
use crate::scope::current::{self, Current};
use crate::scope::shared::Shared;
use crate::state::handle::{Handle, Shapes};
use std::any::{Any, type_name};
use std::sync::Arc;

/// How a handle is bound to a state that the store does not know yet.
type Bind = fn(&mut Draft<'_>, &Arc<Shared>, &str) -> Result<Box<dyn AnyHandle>, StateError>;

/// What a message says of the type of a handle.
#[derive(Clone, Copy)]
struct Type {
    kind: StateKind,
    shapes: fn() -> Shapes,
    name: fn() -> &'static str,
}

impl Type {
    const fn of<H: Handle>() -> Self {
        Self { kind: H::KIND, shapes: H::shapes, name: type_name::<H> }
    }
}

/// Runs `f` on the handle called `name` of the store being processed, which is bound on its first use.
pub(crate) fn with_handle<H: Handle, R>(name: &str, f: impl FnOnce(&H) -> R) -> Result<R, StateError> {
    // A handle that is already there under such a name is the library's, and would be found.
    if names::is_reserved(name) {
        check_name("a state", name, true).map_err(|error| error.at_state(name))?;
    }
    with_handle_or(name, |draft, shared, name| Ok(Box::new(draft.bind_by_name::<H>(shared, name)?)), f)
}

/// The same for a state of the library's own.
pub(crate) fn with_own_handle<H: Handle, R>(name: &str, f: impl FnOnce(&H) -> R) -> Result<R, StateError> {
    with_handle_or(name, |draft, shared, name| Ok(Box::new(draft.bind_own::<H>(shared, name)?)), f)
}

fn with_handle_or<H: Handle, R>(name: &str, bind: Bind, f: impl FnOnce(&H) -> R) -> Result<R, StateError> {
    let (mut f, mut result) = (Some(f), None);
    let found = with_any(name, bind, Type::of::<H>(), &mut |handle| {
        let Some(handle) = handle.downcast_ref::<H>() else { return false };
        result = f.take().map(|f| f(handle));
        true
    });
    found.and_then(|()| result.ok_or_else(|| Cause::OutsideEvent.into()))
}

/// Hands the handle called `name` to `f`, which says whether it is of the right type. Not generic: what every state of a program
/// needs of this is a call.
fn with_any(name: &str, bind: Bind, ty: Type, f: &mut dyn FnMut(&dyn Any) -> bool) -> Result<(), StateError> {
    let mut result = Err(StateError::from(Cause::OutsideEvent).at_state(name));
    current::with(&mut |current| result = find(current, name, bind, ty, f));
    result
}

fn find(
    current: &dyn Current,
    name: &str,
    bind: Bind,
    ty: Type,
    f: &mut dyn FnMut(&dyn Any) -> bool,
) -> Result<(), StateError> {
    let shared = current.shared();
    if let Some(declared) = current.declared(name) {
        return if f(declared) { Ok(()) } else { Err(other_type(shared, name, ty)) };
    }
    if current.dynamic(name).is_none() {
        let mut draft = shared.hub.draft();
        let handle = bind(&mut draft, shared, name)?;
        draft.publish();
        current.join(name, handle);
    }
    let is_right = current.dynamic(name).is_some_and(|handle| f(handle.as_any()));
    if is_right { Ok(()) } else { Err(other_type(shared, name, ty)) }
}

#[cold]
fn other_type(shared: &Shared, name: &str, ty: Type) -> StateError {
    let held = shared.hub.describe(name).unwrap_or_else(|| "another type".to_owned());
    let shapes = (ty.shapes)();
    let mut asked = describe(ty.kind, shapes.map_key.as_ref().map(|key| &key.shape), &shapes.value);
    if asked == held {
        // Types that look the same to serde.
        asked = format!("{asked} by another type, {}", (ty.name)());
    }
    StateError::from(Cause::HandleType { asked, held }).at_operator(&shared.operator).at_state(name)
}
