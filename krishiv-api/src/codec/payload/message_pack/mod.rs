//! MessagePack, for the types that must be told what comes next: every value says what it is.
//!
//! The crate reads and writes markers, lengths and numbers. What is inside of a struct is written by its name.

mod read;
mod write;

pub(in crate::codec) use read::Reader;
pub(super) use read::read;
pub(super) use write::write;
