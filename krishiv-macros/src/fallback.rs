//! What a struct with mistakes gets, so that one mistake is one message.

use crate::ast::{Field, Tree};
use crate::expand::{Sound, import, runtime};
use crate::{generics, hint, setting};
use proc_macro2::{Span, TokenStream};
use quote::quote;

/// The mistakes, and an implementation that does nothing.
///
/// With it, the rest of the program still type-checks, and so do the types of the struct that are not mistaken yet.
pub(crate) fn expand(tree: &Tree<'_>, mistakes: syn::Error) -> TokenStream {
    if tree.attrs.runtime.as_ref().is_some_and(|given| given.value.is_none()) {
        // Nobody knows where the trait is.
        return mistakes.to_compile_error();
    }
    let ident = &tree.input.ident;
    let generics = &tree.input.generics;
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let this = quote!(#ident #type_generics);
    let (import, runtime) = (import(tree), runtime(Span::call_site()));

    let sound = Sound::new(tree, &this, tree.fields.iter().filter(|field| is_still_right(field)));
    let types = sound.items();
    let lifetimes = generics.lifetimes().map(|param| {
        let lifetime = &param.lifetime;
        quote!(#lifetime: 'static)
    });
    let bounds: Vec<_> = sound.bounds_of_any().chain(lifetimes).collect();
    let where_clause = generics::without_self(generics::where_clause(generics, &bounds), &this);

    let mut mistakes: Vec<TokenStream> = mistakes.into_iter().map(|mistake| mistake.to_compile_error()).collect();
    let key = match setting::value(&tree.attrs.key) {
        Some(_) => sound.key,
        // A type that the compiler takes for a mistake it has reported, so that it says nothing of its uses.
        None => {
            let mistake = mistakes.pop();
            quote!([(); #mistake])
        }
    };
    quote! {
        #(#mistakes)*

        const _: () = {
            #import

            #types

            #[automatically_derived]
            impl #impl_generics #runtime::KeyedState for #this #where_clause {
                type Key = #key;
                type Needs = #runtime::Volatile;
                type Row = ();
                const OPERATOR: &'static ::core::primitive::str = "unfinished";
                const DESCRIPTORS: &'static [#runtime::StateDescriptor] = &[];

                fn attach(_: &mut #runtime::Binder<'_>) -> ::core::result::Result<Self, #runtime::StateError> {
                    ::core::unreachable!()
                }

                fn visit<__KrishivVisitor: #runtime::Visitor>(&mut self, _: &mut (), _: &mut __KrishivVisitor) {}

                fn handle(&self, _: ::core::primitive::usize) -> ::core::option::Option<#runtime::Bound<'_>> {
                    ::core::option::Option::None
                }
            }
        };
    }
}

/// Whether nothing was said of the field's type, nor of whether it is a state.
fn is_still_right(field: &Field<'_>) -> bool {
    let Field { ty, attrs, .. } = field;
    if let Some(skip) = &attrs.skip {
        return skip.value.is_some() && attrs.beside_skip().next().is_none() && hint::handle(ty).is_none();
    }
    let merges = attrs.reduce.is_none() || matches!(hint::handle(ty), None | Some("ReducingState"));
    merges && hint::known_as(ty).is_none() && hint::borrowed(ty).is_empty()
}
