//! The derive without the compiler around it.

use crate::{ast, check, errors, expand, fallback};
use proc_macro2::TokenStream;
use syn::DeriveInput;

/// What the struct expands to, or its mistakes and an implementation that does nothing.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let (tree, mistakes) = errors::gather(|errors| {
        let tree = ast::Tree::parse(input, errors);
        check::check(&tree, errors);
        tree
    });
    match mistakes {
        None => expand::expand(&tree),
        Some(mistakes) => fallback::expand(&tree, mistakes),
    }
}
