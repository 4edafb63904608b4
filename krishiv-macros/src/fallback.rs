//! What a struct with mistakes gets, so that one mistake is one message.

use crate::ast::Tree;
use crate::expand::{import, private};
use crate::{attr, generics};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::GenericParam;

/// The mistakes, and an implementation that does nothing.
///
/// With it, the rest of the program still type-checks.
pub(crate) fn expand(tree: &Tree<'_>, mistakes: &syn::Error) -> TokenStream {
    let mistakes = mistakes.to_compile_error();
    if tree.attrs.runtime.as_ref().is_some_and(|given| given.value.is_none()) {
        // Nobody knows where the trait is.
        return mistakes;
    }
    let ident = &tree.input.ident;
    let generics = &tree.input.generics;
    let (import, private) = (import(tree), private(Span::call_site()));
    let key = match attr::value(&tree.attrs.key) {
        Some(key) => key.to_token_stream(),
        None => quote!(()),
    };
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    // The lifetime has no use but to keep the compiler from testing the bound here: what a field that is no
    // handle lacks is not another mistake.
    let mut bounds = vec![quote!(for<'krishiv> Self: ::core::marker::Send + 'static)];
    for param in &generics.params {
        if let GenericParam::Lifetime(param) = param {
            let lifetime = &param.lifetime;
            bounds.push(quote!(#lifetime: 'static));
        }
    }
    if generics::mentions(&key, generics) {
        bounds.push(quote!(#key: __krishiv::StateKey));
    }
    let where_clause = generics::where_clause(generics, &bounds);
    quote! {
        #mistakes

        const _: () = {
            #import

            #[automatically_derived]
            impl #impl_generics __krishiv::KeyedState for #ident #type_generics #where_clause {
                type Key = #key;
                type Row = ();
                const OPERATOR: &'static ::core::primitive::str = "unfinished";
                const DESCRIPTORS: &'static [#private::StateDescriptor] = &[];

                fn attach(_: &mut #private::Binder<'_>) -> ::core::result::Result<Self, #private::StateError> {
                    ::core::unreachable!()
                }

                fn visit<__KrishivVisitor: #private::Visitor>(&mut self, _: &mut (), _: &mut __KrishivVisitor) {}

                fn handle(&self, _: ::core::primitive::usize) -> ::core::option::Option<&dyn ::core::any::Any> {
                    ::core::option::Option::None
                }
            }
        };
    }
}
