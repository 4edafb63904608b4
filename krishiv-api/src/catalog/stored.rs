//! What a backend has stored, for those who have no struct for it.

use crate::backend::{AnyBackend, StateBackend};
use crate::catalog::positions::{in_force, stored_positions};
use crate::catalog::records::{self, OperatorRecord};
use crate::error::StateError;

/// An operator whose state is on a backend.
///
/// ```
/// use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, stored_operators};
/// use std::sync::Arc;
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let mut store = Keyed::<Dynamic<String>>::builder().operator("visits").open(backend.clone())?;
/// store.commit("offset 7")?;
/// let stored = stored_operators(&*backend)?;
/// assert_eq!((stored[0].name(), stored[0].position()), ("visits", Some(&b"offset 7"[..])));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOperator {
    name: String,
    position: Option<Vec<u8>>,
}

impl StoredOperator {
    /// Its name.
    ///
    /// ```
    /// # fn example(operator: &krishiv_api::StoredOperator) {
    /// println!("{}", operator.name());
    /// # }
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The position of its last commit; of several instances that of the one that committed last.
    ///
    /// ```
    /// # fn example(operator: &krishiv_api::StoredOperator) {
    /// println!("{:?}", operator.position());
    /// # }
    /// ```
    pub fn position(&self) -> Option<&[u8]> {
        self.position.as_deref()
    }
}

/// The operators whose state is on a backend, in the order of their names.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, stored_operators};
/// assert_eq!(stored_operators(&InMemoryStateBackend::new())?, []);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
///
/// # Errors
///
/// If the backend cannot be read, or its catalog is damaged.
pub fn stored_operators(backend: &impl StateBackend) -> Result<Vec<StoredOperator>, StateError> {
    on(backend)
}

/// The same of a backend of any type.
pub(crate) fn on(backend: &dyn AnyBackend) -> Result<Vec<StoredOperator>, StateError> {
    let stored = backend.scan(&records::operators_prefix()).map(|record| {
        let record: OperatorRecord = records::read("operator record", &record?.1)?;
        let positions = stored_positions(backend, record.id)?;
        let newest = in_force(&positions).0.into_iter().next();
        Ok(StoredOperator { name: record.name, position: newest.map(|record| record.position) })
    });
    stored.collect()
}
