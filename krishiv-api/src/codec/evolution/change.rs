//! What becomes of stored values, as it is told.

use std::fmt;

/// What becomes of values that were written by a type of one shape, and are read by one of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// The shapes are of one type.
    Same,
    /// Values can be read; those of what is [checked](Change::checked) as far as they fit.
    Readable { changes: Vec<Change> },
    /// No value can be read, or not without losing something.
    Unreadable { changes: Vec<Change>, reason: String },
}

/// One difference of two shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Fields and variants on the way, with dots between; empty for the whole.
    pub(crate) path: String,
    /// What is another there, in words.
    pub(crate) what: String,
    /// Whether a value may be refused because of it when it is read.
    pub(crate) checked: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, what, .. } = self;
        if path.is_empty() { f.write_str(what) } else { write!(f, "`{path}` {what}") }
    }
}
