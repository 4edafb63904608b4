//! What the readers of binary formats fail with.

use serde::de;
use std::fmt;

/// Boxed twice over, so that a result is no bigger than a pair of registers: it is passed up from every element.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.0)]
pub(super) struct Unreadable(Box<Reason>);

#[derive(Debug)]
struct Reason(String);

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(Reason(message.to_string())))
    }
}

pub(super) type Result<T> = std::result::Result<T, Unreadable>;

#[cold]
pub(super) fn unreadable<T>(message: impl Into<String>) -> Result<T> {
    Err(Unreadable(Box::new(Reason(message.into()))))
}
