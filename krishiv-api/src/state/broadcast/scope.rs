//! Writing broadcast state.

use crate::catalog::tables::Change;
use crate::scope::shared::Shared;
use std::sync::Arc;

/// The permission to write broadcast state, and what was written with it.
///
/// ```
/// use krishiv_api::{BroadcastScope, BroadcastState};
///
/// fn forget(rules: &BroadcastState<String, i32>, scope: &mut BroadcastScope) {
///     rules.remove(scope, "EV");
/// }
/// # let _ = forget;
/// ```
pub struct BroadcastScope {
    pub(crate) shared: Arc<Shared>,
    pub(crate) changes: Vec<Change>,
}
