//! What a backend has stored, for those who have no struct for it.

use crate::backend::{AnyBackend, StateBackend};
use crate::catalog::positions::{in_force, stored_positions};
use crate::catalog::records::{self, OperatorRecord};
use crate::error::{Cause, StateError};

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

/// The record of the operator called `name`, if there is one.
///
/// By a scan: a `get` may read the filter of a whole file of rows first, which takes longer than all else that opening does.
pub(super) fn find(backend: &dyn AnyBackend, name: &str) -> Result<Option<OperatorRecord>, StateError> {
    let key = records::operator_key(name);
    // Other names may begin with this one; its record comes first.
    let first = backend.scan(&key).next().transpose()?;
    let found = first.filter(|(found, _)| *found == key).map(|(_, bytes)| OperatorRecord::read(&bytes));
    found.transpose()
}

/// All operators that the catalog has.
fn all(backend: &dyn AnyBackend) -> impl Iterator<Item = Result<OperatorRecord, StateError>> {
    backend.scan(&records::operators_prefix()).map(|record| OperatorRecord::read(&record?.1))
}

/// The record of an operator that is called `name`, or was called one of `former` when it was last stored.
///
/// # Errors
///
/// If several of these are stored, or the operator was renamed by a later program.
pub(crate) fn find_renamed(
    backend: &dyn AnyBackend,
    name: &str,
    former: &[&str],
) -> Result<Option<OperatorRecord>, StateError> {
    if former.contains(&name) {
        let reason = format!("an operator cannot be renamed from `{name}`, which is the name that it has");
        return Err(Cause::Setting { reason }.into());
    }
    let mut found: Option<OperatorRecord> = None;
    for name in std::iter::once(&name).chain(former) {
        let Some(other) = find(backend, name)? else { continue };
        if let Some(found) = found.filter(|found| found.id != other.id) {
            let (one, other) = (found.name, other.name);
            let reason = format!(
                "the backend has an operator `{one}` and an operator `{other}`, and one cannot be both; take the former name out of `renamed_from`, or give the new one another name"
            );
            return Err(Cause::Setting { reason }.into());
        }
        found = Some(other);
    }
    if found.is_none() {
        for other in all(backend) {
            let other = other?;
            if other.former_names.iter().any(|former| former == name) {
                let now = other.name;
                let reason = format!(
                    "what was stored as `{name}` has been renamed to `{now}`; go on with it by `renamed_from = \"{now}\"`, or give another operator another name"
                );
                return Err(Cause::Setting { reason }.into());
            }
        }
    }
    Ok(found)
}

/// The same of a backend of any type.
pub(crate) fn on(backend: &dyn AnyBackend) -> Result<Vec<StoredOperator>, StateError> {
    let stored = all(backend).map(|record| {
        let record = record?;
        let positions = stored_positions(backend, record.id)?;
        let newest = in_force(&positions).0.into_iter().next();
        Ok(StoredOperator { name: record.name, position: newest.map(|record| record.position) })
    });
    stored.collect()
}
