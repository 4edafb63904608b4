//! How the expansion reaches the runtime.

use crate::ast::Tree;
use crate::setting;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// Brings the part of the runtime that is for generated code into the scope of the expansion: from where the struct
/// says that the runtime is, or from the crate of its name.
///
/// Everything else goes through this one name, so that a wrong path is one message, at the path.
pub(crate) fn import(tree: &Tree<'_>) -> TokenStream {
    match setting::value(&tree.attrs.runtime) {
        Some(path) => quote_spanned!(path.span()=> use #path::__private as __krishiv;),
        None => quote!(
            use ::krishiv_api::__private as __krishiv;
        ),
    }
}

/// The name that was imported, where what fails on it is reported at `span`.
pub(crate) fn runtime(span: Span) -> Ident {
    // From here, whatever it is reported at: to lints, the path is not the user's.
    Ident::new("__krishiv", Span::mixed_site().located_at(span))
}

/// The same in front of a name that no user has in scope, of a function: lints have nothing to say of such a path, and
/// of one that is all at `span` messages say less of the derive.
pub(crate) fn functions(span: Span) -> Ident {
    Ident::new("__krishiv", span)
}
