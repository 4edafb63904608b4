//! Values of a stored shape, to try whether a type can read them: small ones, and together of each variant, with and without what
//! may be absent.

mod aspects;
mod choice;
mod depths;
mod make;

pub(super) use aspects::{Aspect, Shows, aspects, join};
pub(super) use choice::Choice;
pub(super) use depths::Depths;
pub(super) use make::make;
