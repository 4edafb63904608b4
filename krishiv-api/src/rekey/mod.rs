//! Keys of another type: all of an operator's state under new keys, or new map keys, at one stroke.

mod copying;
mod entry;
mod function;
mod merge;
mod migrate;
mod progress;
mod run;
mod setting;
mod shared;
mod target;

pub use migrate::migrate;
pub use progress::Migrated;
pub use setting::KeyMigration;
