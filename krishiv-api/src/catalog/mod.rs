//! What the stores of one process share of a backend: the records of its catalog, when state ends, and who may write.

pub(crate) mod backend;
pub(crate) mod clocks;
mod cover;
pub(crate) mod draft;
pub(crate) mod expiry;
pub(crate) mod joint;
pub(crate) mod operator;
mod owner;
pub(crate) mod positions;
pub(crate) mod records;
mod registry;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod stored;
pub(crate) mod tables;
pub(crate) mod untraced;

pub use stored::{StoredOperator, stored_operators};
