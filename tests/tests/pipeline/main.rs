//! A pipeline that stops anywhere and is run again ends as one that was never disturbed, and does what it does when it says.

mod broadcasts;
mod commits;
mod drain;
mod exactly_once;
mod model;
mod outputs;
mod own_time;
mod pending;
mod processes;
mod refusals;
mod restarts;
mod watermarks;
mod world;
