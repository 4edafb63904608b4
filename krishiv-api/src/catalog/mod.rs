//! What the stores of one process share of a backend: the records of its catalog, when state ends, and who may write.

pub(crate) mod backend;
pub(crate) mod clocks;
mod cover;
pub(crate) mod declared;
pub(crate) mod draft;
pub(crate) mod expiry;
mod ids;
pub(crate) mod joint;
pub(crate) mod judge;
pub(crate) mod leftover;
pub(crate) mod locked;
pub(crate) mod migration;
pub(crate) mod operator;
mod owner;
pub(crate) mod positions;
pub(crate) mod records;
mod registry;
mod rekey;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod state;
pub(crate) mod stored;
pub(crate) mod tables;
pub(crate) mod today;
pub(crate) mod untraced;
pub(crate) mod verdict;

pub use stored::{StoredOperator, stored_operators};
pub use verdict::{StatePlan, TypeChange, Verdict};
