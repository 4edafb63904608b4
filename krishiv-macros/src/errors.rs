//! All mistakes of a struct, to be reported at once.

use proc_macro2::Span;
use quote::ToTokens;
use std::fmt::Display;
use syn::Error;

/// What [`gather`] collects into.
///
/// Only [`gather`] makes one and only [`gather`] takes it apart, so that no mistake is ever lost: whoever
/// has a collector cannot drop what it holds.
pub(crate) struct Errors {
    found: Option<Error>,
}

/// Does `work`, and returns its result with every mistake that it reported.
pub(crate) fn gather<T>(work: impl FnOnce(&mut Errors) -> T) -> (T, Option<Error>) {
    let mut errors = Errors { found: None };
    let result = work(&mut errors);
    (result, errors.found)
}

impl Errors {
    /// Reports a mistake at the whole of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// Reports a mistake at `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    fn push(&mut self, error: Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            none => *none = Some(error),
        }
    }
}
