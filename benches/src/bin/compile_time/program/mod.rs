//! The program that a user builds: on our states, and by hand.

pub(crate) mod hand;
pub(crate) mod ours;
pub(crate) mod types;
