//! Runs functions of the user on an item, and makes a reason of a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `f` returns, or that it panicked, and with what message.
///
/// What a panic leaves half done is the function's own affair: nothing of ours is in its hands.
#[inline]
pub(crate) fn attempt<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        format!("a function panicked on it: {}", text.unwrap_or("without a message"))
    })
}
