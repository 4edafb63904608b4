//! Handles that are only a name: the store being processed has the state, or gets to know it.

use crate::catalog::declared::{check_name, describe};
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use crate::names;
use crate::scope::any_handle::AnyHandle;
use crate::scope::current::{self, Current};
use crate::scope::shared::Shared;
use crate::scope::slot::Slot;
use crate::state::bind::By;
use crate::state::handle::{Handle, Shapes};
use std::any::{Any, TypeId, type_name};

/// A type of handles, as what is done by name needs to know it.
struct Type {
    id: fn() -> TypeId,
    name: fn() -> &'static str,
    kind: StateKind,
    shapes: fn() -> Shapes,
    core: fn(Slot) -> Result<Box<dyn AnyHandle>, StateError>,
}

impl Type {
    const fn of<H: Handle>() -> Self {
        Self {
            id: TypeId::of::<H>,
            name: type_name::<H>,
            kind: H::KIND,
            shapes: H::shapes,
            core: |slot| Ok(Box::new(H::core(slot)?)),
        }
    }
}

/// Runs `f` on what the store being processed has of the handles called `name`.
pub(crate) fn with_core<H: Handle>(name: &str, f: &mut dyn FnMut(&H::Core)) -> Result<(), StateError> {
    // A handle that is already there under such a name is the library's, and would be found.
    if names::is_reserved(name) {
        check_name("a state", name, true).map_err(|error| error.at_state(name))?;
    }
    with::<H>(By::Name(name), name, f)
}

fn with<H: Handle>(by: By<'_>, name: &str, f: &mut dyn FnMut(&H::Core)) -> Result<(), StateError> {
    with_any(by, name, &const { Type::of::<H>() }, &mut |core| {
        if let Some(core) = core.downcast_ref() {
            f(core);
        }
    })
}

fn with_any(by: By<'_>, name: &str, ty: &Type, f: &mut dyn FnMut(&dyn Any)) -> Result<(), StateError> {
    let mut result = Err(StateError::from(Cause::OutsideEvent).at_state(name));
    current::with(&mut |current| result = find(current, by, (name, ty), f));
    result
}

fn find(
    current: &dyn Current,
    by: By<'_>,
    (name, ty): (&str, &Type),
    f: &mut dyn FnMut(&dyn Any),
) -> Result<(), StateError> {
    let shared = current.shared();
    if current.declared(name).is_none() && current.dynamic(name).is_none() {
        let mut draft = shared.hub.draft();
        let core = (ty.core)(draft.slot(shared, by, (ty.kind, ty.shapes))?)?;
        draft.publish();
        current.join(name, (ty.id)(), core);
    }
    match current.declared(name).or_else(|| current.dynamic(name)) {
        Some(found) if found.of == (ty.id)() => {
            f(found.core);
            Ok(())
        }
        _ => Err(other_type(shared, name, ty)),
    }
}

#[cold]
fn other_type(shared: &Shared, name: &str, ty: &Type) -> StateError {
    let held = shared.hub.describe(name).unwrap_or_else(|| "another type".to_owned());
    let shapes = (ty.shapes)();
    let mut asked = describe(ty.kind, shapes.map_key.as_ref().map(|key| &key.shape), &shapes.value.shape);
    if asked == held {
        // Types that look the same to serde.
        asked = format!("{asked} by another type, {}", (ty.name)());
    }
    StateError::from(Cause::HandleType { asked, held }).at_operator(&shared.operator).at_state(name)
}
