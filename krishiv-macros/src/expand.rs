//! The code for a struct that keeps every rule.

use crate::ast::{Field, Tree};
use crate::attr::{self, Clock, FieldAttrs, Given, Update};
use crate::{generics, names};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, Type};

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

/// The row of the struct and its implementation of `KeyedState`.
pub(crate) fn expand(tree: &Tree<'_>) -> TokenStream {
    let Some(key) = attr::value(&tree.attrs.key) else {
        return TokenStream::new();
    };
    let input = tree.input;
    let ident = &input.ident;
    let (import, private) = (import(tree), private(Span::call_site()));
    let states: Vec<State<'_>> = tree.states().enumerate().map(|(index, field)| State::new(index, field)).collect();
    let operator = match attr::value(&tree.attrs.name) {
        Some(name) => name.to_token_stream(),
        None => Literal::string(&names::snake_case(&ident.to_string())).to_token_stream(),
    };

    let (impl_generics, type_generics, _) = input.generics.split_for_impl();
    let this = quote!(#ident #type_generics);
    let row = row(tree, &states, &this);
    let where_clause = generics::where_clause(&input.generics, &bounds(tree, key));
    // A constant of `Self` in a bound of its own implementation would depend on itself.
    let where_clause = generics::without_self(where_clause, &this);

    let descriptors = states.iter().map(|state| state.descriptor());
    let durable = tree.attrs.durable.as_ref().map(|_| {
        quote!(
            const DURABLE: ::core::primitive::bool = true;
        )
    });
    let made = tree.fields.iter().map(|field| made(field, &states));
    let visits = states.iter().map(|state| {
        let State { field: Field { ident, .. }, cell, .. } = state;
        quote!(#private::Visitor::visit(krishiv_visitor, &mut self.#ident, &mut krishiv_row.#cell);)
    });
    let handles = states.iter().map(|state| {
        let State { field: Field { ident, .. }, index, .. } = state;
        quote!(#index => ::core::option::Option::Some(&self.#ident),)
    });
    let allow = deprecated(tree).then(|| quote!(#[allow(deprecated)]));

    quote! {
        #allow
        const _: () = {
            #import

            #row

            #[allow(trivial_bounds)]
            #[automatically_derived]
            impl #impl_generics __krishiv::KeyedState for #this #where_clause {
                type Key = #key;
                type Row = __KrishivRow #type_generics;
                const OPERATOR: &'static ::core::primitive::str = #operator;
                const DESCRIPTORS: &'static [#private::StateDescriptor] = &[#(#descriptors),*];
                #durable

                fn attach(
                    krishiv_binder: &mut #private::Binder<'_>,
                ) -> ::core::result::Result<Self, #private::StateError> {
                    ::core::result::Result::Ok(Self { #(#made,)* })
                }

                #[inline]
                fn visit<__KrishivVisitor: #private::Visitor>(
                    &mut self,
                    krishiv_row: &mut Self::Row,
                    krishiv_visitor: &mut __KrishivVisitor,
                ) {
                    #(#visits)*
                }

                fn handle(
                    &self,
                    krishiv_index: ::core::primitive::usize,
                ) -> ::core::option::Option<&dyn ::core::any::Any> {
                    match krishiv_index {
                        #(#handles)*
                        _ => ::core::option::Option::None,
                    }
                }
            }
        };
    }
}

/// A field that is a state.
struct State<'a> {
    field: &'a Field<'a>,
    /// Place of its descriptor.
    index: Literal,
    /// Field of the row.
    cell: Ident,
    /// `<Type as Handle>`
    handle: TokenStream,
}

impl<'a> State<'a> {
    fn new(index: usize, field: &'a Field<'a>) -> Self {
        let ty = field.ty;
        let private = private(ty.span());
        Self {
            field,
            index: Literal::usize_unsuffixed(index),
            cell: format_ident!("f{index}"),
            handle: quote_spanned!(ty.span()=> <#ty as #private::Handle>),
        }
    }

    fn descriptor(&self) -> TokenStream {
        let Self { field, handle, .. } = self;
        let name = match attr::value(&field.attrs.name) {
            Some(name) => name.to_token_stream(),
            None => Literal::string(&field.name()).to_token_stream(),
        };
        let private = private(Span::call_site());
        let descriptor = quote!(#private::StateDescriptor::new(#name, #handle::KIND));
        match &field.attrs.ttl {
            Some(Given { key, value: Some(ms) }) => with_ttl(&descriptor, key.span(), *ms, &field.attrs),
            _ => descriptor,
        }
    }
}

/// A descriptor with a time to live, where one that cannot have it is reported at `span`.
fn with_ttl(descriptor: &TokenStream, span: Span, ms: u64, attrs: &FieldAttrs) -> TokenStream {
    let clock = match attr::value(&attrs.clock) {
        Some(Clock::Event) => quote!(Event),
        Some(Clock::Processing) | None => quote!(Processing),
    };
    let update = match attr::value(&attrs.ttl_update) {
        Some(Update::ReadAndWrite) => quote!(ReadAndWrite),
        Some(Update::CreateAndWrite) | None => quote!(CreateAndWrite),
    };
    let ms = Literal::u64_unsuffixed(ms);
    let private = private(span);
    quote_spanned! {span=>
        #private::StateDescriptor::with_ttl(
            #descriptor,
            #private::TtlDescriptor::new(#ms, #private::TtlClock::#clock, #private::TtlUpdate::#update)
        )
    }
}

/// `field: its value` in a new struct.
fn made(field: &Field<'_>, states: &[State<'_>]) -> TokenStream {
    let Field { ident, ty, attrs } = field;
    let Some(State { index, .. }) = states.iter().find(|state| state.field.ident == *ident) else {
        return quote_spanned!(ty.span()=> #ident: <#ty as ::core::default::Default>::default());
    };
    let handle = {
        let private = private(ty.span());
        quote_spanned!(ty.span()=> #private::Binder::bind(krishiv_binder, #index))
    };
    match attr::value(&attrs.reduce) {
        Some(reducer) => {
            let private = private(reducer.span());
            let ask = quote!(?);
            quote_spanned!(reducer.span()=> #ident: #private::ReducingState::reduced_by(#handle #ask, #reducer))
        }
        None => quote!(#ident: #handle?),
    }
}

/// The struct of decoded cells that one key has.
fn row(tree: &Tree<'_>, states: &[State<'_>], this: &TokenStream) -> TokenStream {
    let generics = &tree.input.generics;
    let vis = &tree.input.vis;
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let impl_generics = generics::without_self(impl_generics, this);
    let where_clause = generics::without_self(generics::where_clause(generics, &handle_bounds(tree)), this);
    let cells = states.iter().map(|State { cell, handle, .. }| {
        let handle = generics::without_self(handle, this);
        quote!(#cell: #handle::Cell)
    });
    let marker = generics::marker(generics).map(|marker| quote!(marker: #marker,));
    let names = states.iter().map(|state| state.cell.clone()).chain(marker.as_ref().map(|_| format_ident!("marker")));
    quote! {
        #[doc(hidden)]
        #[allow(trivial_bounds)]
        #vis struct __KrishivRow #impl_generics #where_clause {
            #(#cells,)*
            #marker
        }

        #[allow(trivial_bounds)]
        #[automatically_derived]
        impl #impl_generics ::core::default::Default for __KrishivRow #type_generics #where_clause {
            fn default() -> Self {
                Self { #(#names: ::core::default::Default::default(),)* }
            }
        }
    }
}

/// The bounds of the implementation.
///
/// Most of them hold whatever the parameters are. They are there because a bound that fails is one message at
/// the type, and within the implementation it counts as kept; without it, every use of the type would be a
/// message of its own.
fn bounds(tree: &Tree<'_>, key: &Type) -> Vec<TokenStream> {
    let mut bounds = handle_bounds(tree);
    for Field { ty, .. } in tree.fields.iter().filter(|field| field.attrs.skip.is_some()) {
        let span = ty.span();
        bounds.push(quote_spanned!(span=> #ty: ::core::default::Default + ::core::marker::Send + 'static));
    }
    // A bound that says nothing new would hide the one of `type Key`, which says what it is for.
    if generics::mentions(key, &tree.input.generics) {
        let span = key.span();
        let runtime = Ident::new("__krishiv", Span::mixed_site().located_at(span));
        bounds.push(quote_spanned!(span=> #key: #runtime::StateKey));
    }
    bounds
}

fn handle_bounds(tree: &Tree<'_>) -> Vec<TokenStream> {
    tree.states().map(|field| handle_bound(field.ty)).collect()
}

/// `Type: Handle`, where a failure underlines all of the type.
fn handle_bound(ty: &Type) -> TokenStream {
    let mut spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let private = private(first);
    let handle = Ident::new("Handle", last);
    quote_spanned!(first=> #ty: #private::#handle)
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
