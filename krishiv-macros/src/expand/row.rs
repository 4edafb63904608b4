//! The struct of decoded cells that one key has.

use super::sound::Sound;
use super::state::State;
use crate::ast::Tree;
use crate::generics;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(super) fn row(tree: &Tree<'_>, sound: &Sound, states: &[State<'_>], this: &TokenStream) -> TokenStream {
    let generics = &tree.input.generics;
    let vis = &tree.input.vis;
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let impl_generics = generics::without_self(impl_generics, this);
    let where_clause = generics::without_self(generics::where_clause(generics, &sound.bounds), this);
    let cells = states.iter().map(|state| {
        let (cell, handle) = (&state.cell, generics::without_self(state.handle(), this));
        quote!(#cell: #handle::Cell)
    });
    let marker = generics::marker(generics).map(|marker| quote!(marker: #marker,));
    let names = states.iter().map(|state| state.cell.clone()).chain(marker.as_ref().map(|_| format_ident!("marker")));
    quote! {
        #[doc(hidden)]
        #vis struct __KrishivRow #impl_generics #where_clause {
            #(#cells,)*
            #marker
        }

        #[automatically_derived]
        impl #impl_generics ::core::default::Default for __KrishivRow #type_generics #where_clause {
            fn default() -> Self {
                Self { #(#names: ::core::default::Default::default(),)* }
            }
        }
    }
}
