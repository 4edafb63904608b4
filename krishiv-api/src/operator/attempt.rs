//! Runs code of the user, and makes an error of a panic.

use crate::operator::{BoxError, OperatorCause};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what an operator, an event or a key does, and makes an error of a panic.
#[inline]
pub(super) fn attempt<T>(f: impl FnOnce() -> Result<T, BoxError>) -> Result<T, OperatorCause> {
    // What a panic may leave half done is undone by the store; only fields of the operator itself are its own affair.
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => Err(OperatorCause::Panicked(message(&*panic))),
    }
}

#[cold]
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
