//! The store of one operator instance.

mod batch;
mod binder;
mod broadcast;
mod builder;
mod commit;
mod count;
mod dynamic;
mod event;
mod flush;
mod keeps;
mod kept;
mod keyed_state;
mod keys;
pub(crate) mod locking;
mod plan;
mod report;
mod row;
mod rows;
mod store;
mod sweep;
mod timed;
pub(crate) mod timers;
mod visitors;

pub use batch::EventResult;
pub use binder::Binder;
pub use builder::KeyedBuilder;
pub use count::Counted;
pub use dynamic::Dynamic;
pub use keeps::Keeps;
pub use keyed_state::KeyedState;
pub use plan::Plan;
pub use store::{Keyed, UndeclaredState};
