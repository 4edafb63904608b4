//! What a handle needs of its store while an event runs.

pub(crate) mod any_handle;
pub(crate) mod current;
pub(crate) mod left;
pub(crate) mod meter;
pub(crate) mod one_thread;
mod reads;
pub(crate) mod row_commit;
pub(crate) mod shared;
pub(crate) mod slot;
pub(crate) mod timers;
pub(crate) mod types;
