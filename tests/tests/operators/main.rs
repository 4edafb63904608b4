//! An operator's state, timers and output come and go together, and timers fire once, in order, whatever happens between.

mod atomicity;
mod backends;
mod big;
mod commits;
mod failures;
mod harness;
mod joint;
mod key_types;
mod many_timers;
mod model;
mod nested;
mod owners;
mod panics;
mod prepared;
mod script;
mod timers;
mod world;
