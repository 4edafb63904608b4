//! What is written for each field that is a state.

use super::runtime::{functions, runtime};
use crate::ast::Field;
use crate::attr::FieldAttrs;
use crate::setting::{self, Clock, Given, Migrate, Update};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

/// A field that is a state.
pub(super) struct State<'a> {
    pub(super) field: &'a Field<'a>,
    /// Place of its descriptor.
    pub(super) index: Literal,
    /// Field of the row.
    pub(super) cell: Ident,
    /// The type, by the name that it has here.
    pub(super) ty: &'a TokenStream,
}

impl<'a> State<'a> {
    pub(super) fn new(index: usize, field: &'a Field<'a>, ty: &'a TokenStream) -> Self {
        Self { field, index: Literal::usize_unsuffixed(index), cell: format_ident!("f{index}"), ty }
    }

    /// `<Type as Handle>`
    pub(super) fn handle(&self) -> TokenStream {
        let Self { field, ty, .. } = self;
        let runtime = runtime(field.ty.span());
        quote_spanned!(field.ty.span()=> <#ty as #runtime::Handle>)
    }

    /// Its descriptor, a constant.
    pub(super) fn descriptor(&self) -> TokenStream {
        let Self { field, .. } = self;
        let name = match setting::value(&field.attrs.name) {
            Some(name) => name.to_token_stream(),
            None => Literal::string(&field.name()).to_token_stream(),
        };
        let (runtime, handle) = (runtime(Span::call_site()), self.handle());
        let descriptor = quote!(#runtime::StateDescriptor::new(#name, #handle::KIND));
        let descriptor = match &field.attrs.renamed_from {
            Some(Given { key, value: Some(names) }) => {
                let functions = functions(key.span());
                quote_spanned!(key.span()=> #functions::StateDescriptor::with_former_names(#descriptor, &[#(#names),*]))
            }
            _ => descriptor,
        };
        match &field.attrs.ttl {
            Some(Given { key, value: Some(ms) }) => with_ttl(&descriptor, key.span(), *ms, &field.attrs),
            _ => descriptor,
        }
    }

    /// The handle in a new struct.
    pub(super) fn attached(&self) -> TokenStream {
        let Self { field, index, ty, .. } = self;
        let handle = {
            let span = field.ty.span();
            // The argument's name as it is declared, whatever macro the field comes through.
            let (runtime, binder) = (runtime(span), Ident::new("krishiv_binder", Span::call_site().located_at(span)));
            let migrations = field.attrs.migrations().map(|Migrate { from, with }| {
                let functions = functions(with.span());
                quote_spanned!(with.span()=> #functions::migration::<#ty, #from, _, _>(#with))
            });
            match field.attrs.migrate.is_empty() {
                true => quote_spanned!(span=> #runtime::Binder::bind::<#ty>(#binder, #index)),
                false => {
                    quote_spanned!(span=> #runtime::Binder::bind_migrating::<#ty>(#binder, #index, &[#(#migrations),*]))
                }
            }
        };
        match setting::value(&field.attrs.reduce) {
            Some(reducer) => {
                let functions = functions(reducer.span());
                quote_spanned!(reducer.span()=> #functions::reducing(#handle, #reducer).by(#reducer))
            }
            None => handle,
        }
    }

    /// Shows the handle and its cell to the visitor.
    pub(super) fn visited(&self) -> TokenStream {
        let Self { field: Field { ident, .. }, cell, ty, .. } = self;
        let runtime = runtime(Span::call_site());
        quote!(#runtime::Visitor::visit::<#ty>(krishiv_visitor, &mut self.#ident, &mut krishiv_row.#cell);)
    }
}

/// A descriptor with a time to live, where one that cannot have it is reported at `span`.
fn with_ttl(descriptor: &TokenStream, span: Span, ms: u64, attrs: &FieldAttrs) -> TokenStream {
    let clock = match setting::value(&attrs.clock) {
        Some(Clock::Event) => quote!(Event),
        Some(Clock::Processing) | None => quote!(Processing),
    };
    let update = match setting::value(&attrs.ttl_update) {
        Some(Update::ReadAndWrite) => quote!(ReadAndWrite),
        Some(Update::CreateAndWrite) | None => quote!(CreateAndWrite),
    };
    let ms = Literal::u64_unsuffixed(ms);
    let (runtime, functions) = (runtime(span), functions(span));
    // Of its segments one is from here: to lints, the path is not the user's.
    let type_ = Ident::new("StateDescriptor", Span::mixed_site().located_at(span));
    quote_spanned! {span=>
        #functions::#type_::with_ttl(
            #descriptor,
            #runtime::TtlDescriptor::new(#ms, #runtime::TtlClock::#clock, #runtime::TtlUpdate::#update)
        )
    }
}
