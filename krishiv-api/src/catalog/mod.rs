//! What the stores of one process share of a backend: the records of its catalog, when state ends, and who may write.

pub(crate) mod clocks;
mod cover;
pub(crate) mod expiry;
pub(crate) mod hub;
pub(crate) mod joint;
mod owner;
pub(crate) mod records;
pub(crate) mod retention;
pub(crate) mod tables;
pub(crate) mod untraced;
