//! What a key of `#[state(…)]` was given.

use proc_macro2::Ident;

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
