//! What comes in.

use serde::Serialize;

/// A user looks at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PageView {
    pub(crate) user: u32,
    /// When, in milliseconds since 1970-01-01T00:00 UTC.
    pub(crate) time: i64,
    pub(crate) page: u32,
}
