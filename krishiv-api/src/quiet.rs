//! Drops what a user's type may refuse to be dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops `value`, and goes on if that panics: what is dropped here is of no use any more, and what it was part of is done.
///
/// The panic hook has said what happened by then. Without this, the caller would take for failed what has succeeded, and a
/// panic that meets another on its way ends the process.
#[inline]
pub(crate) fn drop_quietly<T>(value: T) {
    if std::mem::needs_drop::<T>() {
        let mut value = Some(value);
        catch(&mut || drop(value.take()));
    }
}

#[inline(never)]
fn catch(drop: &mut dyn FnMut()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(drop)) {
        // What a panic carries may panic when it is dropped, too.
        std::mem::forget(panic);
        tracing::error!("a `Drop` has panicked; the state is not touched by it");
    }
}

/// Runs `f`, which reads ahead for others; what panics there does so again for whoever needs it.
pub(crate) fn quietly(f: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(f)) {
        std::mem::forget(panic);
    }
}
