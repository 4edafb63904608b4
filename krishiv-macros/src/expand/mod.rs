//! The code for a struct that keeps every rule.

mod row;
mod runtime;
mod sound;
mod state;

use crate::ast::{Field, Tree};
use crate::{generics, names, setting};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use state::State;
use syn::spanned::Spanned;
use syn::{Attribute, Data};

pub(crate) use runtime::{import, runtime};
pub(crate) use sound::Sound;

/// The row of the struct and its implementation of `KeyedState`.
pub(crate) fn expand(tree: &Tree<'_>) -> TokenStream {
    let input = tree.input;
    let ident = &input.ident;
    let (impl_generics, type_generics, _) = input.generics.split_for_impl();
    let this = quote!(#ident #type_generics);
    let (import, runtime) = (import(tree), runtime(Span::call_site()));

    let sound = Sound::new(tree, &this, &tree.fields);
    let typed = || tree.fields.iter().zip(&sound.fields);
    let states = typed().filter(|(field, _)| field.attrs.skip.is_none()).enumerate();
    let states: Vec<State<'_>> = states.map(|(index, (field, ty))| State::new(index, field, ty)).collect();
    let (types, row) = (sound.items(), row::row(tree, &sound, &states, &this));
    let bounds: Vec<_> = sound.bounds.iter().cloned().chain(sound.bounds_of_any()).collect();
    let where_clause = generics::where_clause(&input.generics, &bounds);
    // A constant of `Self` in a bound of its own implementation would depend on itself.
    let where_clause = generics::without_self(where_clause, &this);

    let operator = match setting::value(&tree.attrs.name) {
        Some(name) => name.to_token_stream(),
        None => Literal::string(&names::snake_case(&ident.to_string())).to_token_stream(),
    };
    let descriptors = states.iter().map(State::descriptor);
    let given_names = [("RENAMED_FROM", &tree.attrs.renamed_from), ("DROPPED", &tree.attrs.dropped)];
    let given_names = given_names.into_iter().filter_map(|(constant, names)| {
        let (constant, names) = (Ident::new(constant, Span::call_site()), setting::value(names)?);
        Some(quote!(const #constant: &'static [&'static ::core::primitive::str] = &[#(#names),*];))
    });
    let needs = if tree.attrs.durable.is_some() { quote!(Durable) } else { quote!(Volatile) };
    let attached = states.iter().map(|state| {
        let (ident, handle) = (state.field.ident, state.attached());
        quote!(#ident: #handle,)
    });
    let skipped = typed().filter(|(field, _)| field.attrs.skip.is_some()).map(|(field, ty)| {
        let Field { ident, ty: written, .. } = field;
        quote_spanned!(written.span()=> #ident: <#ty as ::core::default::Default>::default(),)
    });
    let visited = states.iter().map(State::visited);
    let handles = states.iter().map(|state| {
        let State { field: Field { ident, .. }, index, ty, .. } = state;
        quote!(#index => #runtime::Bound::of::<#ty>(&self.#ident),)
    });
    let key = &sound.key;
    let allow = deprecated(tree).then(|| quote!(#[allow(deprecated)]));

    quote! {
        #allow
        const _: () = {
            #import

            #types

            #row

            #[automatically_derived]
            impl #impl_generics #runtime::KeyedState for #this #where_clause {
                type Key = #key;
                type Needs = #runtime::#needs;
                type Row = __KrishivRow #type_generics;
                const OPERATOR: &'static ::core::primitive::str = #operator;
                const DESCRIPTORS: &'static [#runtime::StateDescriptor] = &[#(#descriptors),*];
                #(#given_names)*

                fn attach(
                    krishiv_binder: &mut #runtime::Binder<'_>,
                ) -> ::core::result::Result<Self, #runtime::StateError> {
                    ::core::result::Result::Ok(Self { #(#attached)* #(#skipped)* })
                }

                #[inline]
                fn visit<__KrishivVisitor: #runtime::Visitor>(
                    &mut self,
                    krishiv_row: &mut Self::Row,
                    krishiv_visitor: &mut __KrishivVisitor,
                ) {
                    #(#visited)*
                }

                fn handle(
                    &self,
                    krishiv_index: ::core::primitive::usize,
                ) -> ::core::option::Option<#runtime::Bound<'_>> {
                    match krishiv_index {
                        #(#handles)*
                        _ => ::core::option::Option::None,
                    }
                }
            }
        };
    }
}

/// Whether the struct or a field of it is deprecated: its own derive does not warn of that.
fn deprecated(tree: &Tree<'_>) -> bool {
    let deprecated = |attrs: &[Attribute]| attrs.iter().any(|attr| attr.path().is_ident("deprecated"));
    let fields = match &tree.input.data {
        Data::Struct(data) => data.fields.iter().any(|field| deprecated(&field.attrs)),
        Data::Enum(_) | Data::Union(_) => false,
    };
    fields || deprecated(&tree.input.attrs)
}
