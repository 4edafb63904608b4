//! What a program makes of its part of a lock file.

use crate::catalog::declared::KeyRecord;
use crate::catalog::locked::LockedOperator;
use crate::catalog::records::OperatorRecord;
use crate::error::StateError;
use crate::keyed::binder::{Binder, To};
use crate::keyed::{KeyedState, Plan};

/// What becomes of what is `locked` of the operator of `S`, and what a lock file is to have of it then.
pub(crate) fn lock<S: KeyedState>(
    locked: Option<OperatorRecord>,
) -> Result<(Plan, Option<LockedOperator>), StateError> {
    let (plan, _) = Plan::by::<S>(S::OPERATOR, locked.as_ref())?;
    if !plan.opens() {
        return Ok((plan, None));
    }
    let (key, _) = KeyRecord::of::<S::Key>();
    let mut record = locked.unwrap_or_else(|| OperatorRecord::unlocked(S::OPERATOR, key.clone()));
    record.take_over(S::OPERATOR, &key, S::DROPPED)?;
    declare::<S>(&mut record)?;
    let is_declared = |name: &str| S::DESCRIPTORS.iter().any(|field| field.name() == name);
    Ok((plan, Some(LockedOperator::of(&record, is_declared))))
}

/// Makes of `record` what `S` declares.
fn declare<S: KeyedState>(record: &mut OperatorRecord) -> Result<(), StateError> {
    let mut binder = Binder { to: To::Record(record), descriptors: S::DESCRIPTORS, failure: None };
    S::attach(&mut binder)?;
    binder.failure.map_or(Ok(()), Err)
}
