//! Which backends will do for which state.

use crate::backend::{Covers, StateBackend};
use crate::keyed::KeyedState;

/// A backend that leaves of `S` in a crash what `S` needs: any, or, for a struct with `#[state(durable)]`, a durable one.
///
/// What opens states that it does not know on backends that it does not know asks for it; nobody implements it.
///
/// ```
/// use krishiv_api::{Dynamic, InMemoryStateBackend, Keeps, Keyed, KeyedState, StateBackend, StateError};
/// use std::sync::Arc;
///
/// fn has_data<S: KeyedState, B: StateBackend + Keeps<S>>(backend: Arc<B>) -> Result<bool, StateError> {
///     Ok(Keyed::<S>::open(backend)?.position().is_some())
/// }
///
/// assert!(!has_data::<Dynamic<String>, _>(Arc::new(InMemoryStateBackend::new()))?);
/// # Ok::<(), StateError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{S}` must survive a crash, and `{Self}` does not",
    label = "what is in this backend is gone after a crash",
    note = "`#[state(durable)]` state needs a backend that survives a crash, such as `RocksDbStateBackend`"
)]
pub trait Keeps<S>: StateBackend {}

#[diagnostic::do_not_recommend]
impl<B: StateBackend, S: KeyedState> Keeps<S> for B where B::Survival: Covers<S::Needs> {}
