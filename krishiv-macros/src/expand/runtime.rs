//! How the expansion reaches the runtime.

use crate::ast::Tree;
use crate::attr;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// Brings the runtime into the scope of the expansion: where the struct says it is, or under its own name.
///
/// Everything else goes through this one name, so that a wrong path is one message, at the path.
pub(crate) fn import(tree: &Tree<'_>) -> TokenStream {
    match attr::value(&tree.attrs.runtime) {
        Some(path) => quote_spanned!(path.span()=> use #path as __krishiv;),
        None => quote!(
            use ::krishiv_api as __krishiv;
        ),
    }
}

/// The part of the runtime that is for generated code, where what fails on it is reported at `span`.
pub(crate) fn private(span: Span) -> TokenStream {
    // Of its segments one is from here: to lints, the path is not the user's.
    let private = Ident::new("__private", Span::mixed_site());
    quote_spanned!(span=> __krishiv::#private)
}
