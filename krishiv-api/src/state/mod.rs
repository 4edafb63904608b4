//! The five handles, and what they have in common.

mod any;
pub(crate) mod bind;
mod broadcast;
pub(crate) mod calls;
pub(crate) mod handle;
mod horizon;
mod list;
mod live;
pub(crate) mod map;
mod misnamed;
pub(crate) mod named;
mod reducing;
mod sought;
mod value;

pub use broadcast::{BroadcastScope, BroadcastState, BroadcastStateDescriptor};
pub use list::ListState;
pub use map::MapState;
pub use reducing::ReducingState;
pub use value::ValueState;
