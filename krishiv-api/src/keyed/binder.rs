//! Binding handles to the states that the catalog has for them.

use crate::catalog::draft::Draft;
use crate::descriptor::StateDescriptor;
use crate::error::{Cause, StateError};
use crate::scope::shared::Shared;
use crate::state::handle::Handle;
use std::sync::Arc;

/// Binds the handles of a struct to their states; only the derive uses it.
pub struct Binder<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) draft: Draft<'a>,
    pub(super) descriptors: &'static [StateDescriptor],
}

impl Binder<'_> {
    /// The handle of the state that is declared at `index`.
    #[doc(hidden)]
    pub fn bind<H: Handle>(&mut self, index: usize) -> Result<H, StateError> {
        let Some(descriptor) = self.descriptors.get(index) else {
            return Err(Cause::Setting { reason: format!("the struct declares no state {index}") }.into());
        };
        self.draft.bind_declared(self.shared, descriptor)
    }
}
