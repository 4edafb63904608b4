//! A migration of keys gives everything new keys, or changes nothing, whenever it is killed.

mod crash;
mod formats;
mod keys;
mod kills;
mod merging;
mod program;
mod refusals;
