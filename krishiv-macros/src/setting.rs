//! What a key of `#[state(…)]` was given.

use proc_macro2::Ident;
use syn::{ExprPath, LitStr, Type};

/// A key that was given, and its value unless a mistake in it was reported already.
pub(crate) struct Given<T> {
    pub(crate) key: Ident,
    pub(crate) value: Option<T>,
}

/// What a key of an attribute says.
pub(crate) type Setting<T> = Option<Given<T>>;

/// The key of a setting that was given.
pub(crate) fn key<T>(setting: &Setting<T>) -> Option<&Ident> {
    setting.as_ref().map(|given| &given.key)
}

/// The value of a setting that was given without a mistake.
pub(crate) fn value<T>(setting: &Setting<T>) -> Option<&T> {
    setting.as_ref()?.value.as_ref()
}

/// Names that something had before, or that are given up.
pub(crate) type Names = Vec<LitStr>;

/// How values of an older type come to be of today's.
pub(crate) struct Migrate {
    pub(crate) from: Type,
    pub(crate) with: ExprPath,
}

/// The clock of a time to live.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    Event,
    Processing,
}

/// What starts a time to live anew.
#[derive(Clone, Copy)]
pub(crate) enum Update {
    CreateAndWrite,
    ReadAndWrite,
}
