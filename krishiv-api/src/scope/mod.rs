//! What a handle needs of its store while an event runs.

pub(crate) mod current;
pub(crate) mod meter;
pub(crate) mod shared;
pub(crate) mod slot;
