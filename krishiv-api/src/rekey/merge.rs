//! The program's functions that make one of two values which come to lie in one place, whatever their type.

use crate::catalog::draft::Draft;
use crate::catalog::state::StateRecord;
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use crate::scope::shared::Shared;
use crate::state::bind::By;
use crate::state::handle::Shapes;
use crate::value::StateValue;
use std::sync::Arc;

/// A record, and its slot, with the bit that says whether it has a stamp.
pub(super) type Stored<'a> = (u16, &'a [u8]);

type Both = Box<dyn Fn(Stored<'_>, Stored<'_>) -> Result<(u16, Vec<u8>), StateError>>;
type Bind = Box<dyn FnOnce(&mut Draft<'_>, &Arc<Shared>, &StateRecord) -> Result<Both, StateError>>;

/// What the program says of a state that two keys have.
pub(super) enum Asked {
    /// The elements of one list come behind those of the other.
    Append,
    /// A function makes one value of two.
    By(Bind),
}

/// The same, once the state is known.
pub(super) enum Merge {
    Append,
    By(Both),
}

impl Asked {
    pub(super) fn by<T: StateValue>(function: impl Fn(T, T) -> T + 'static) -> Self {
        Self::By(Box::new(move |draft, shared, state| {
            // Declared by its name, so that its TTL stays.
            let slot = draft.slot(shared, By::Name(&state.name), (state.kind, Shapes::of::<T>))?;
            Ok(Box::new(move |one, other| slot.merge(one, other, &function)))
        }))
    }

    /// Makes it ready for the state that is stored.
    pub(super) fn bind(
        self,
        draft: &mut Draft<'_>,
        shared: &Arc<Shared>,
        state: &StateRecord,
    ) -> Result<Merge, StateError> {
        let reason = match (self, state.kind) {
            (Self::Append, StateKind::List) => return Ok(Merge::Append),
            (Self::By(bind), kind) if kind != StateKind::List => return Ok(Merge::By(bind(draft, shared, state)?)),
            (Self::Append, kind) => {
                format!("only lists are appended to each other, and the state is a {kind}; use `merge`")
            }
            (Self::By(_), _) => "two lists become one by `append`, and not by `merge`".to_owned(),
        };
        Err(StateError::from(Cause::Setting { reason }).at_state(&state.name))
    }
}
