//! What is asked of the types in a struct, in one place, so that one mistake is one message.
//!
//! A type that mentions no parameter is asked in the length of an array, and everything else names it through that
//! array. If the answer is no, both are errors that the compiler has told of, and it stays silent about whatever
//! they touch: the rest of the expansion, and every use of the struct. A type that mentions a parameter cannot stand
//! there; what is asked of it is a bound of the implementation.

use super::runtime::{functions, runtime};
use crate::ast::{Field, Tree};
use crate::attr::FieldAttrs;
use crate::setting;
use crate::{generics, hint};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

/// The types of a struct, and what is asked of them.
#[derive(Default)]
pub(crate) struct Sound {
    questions: Vec<TokenStream>,
    names: Vec<TokenStream>,
    /// What is asked of fields whose type mentions a parameter, as bounds.
    pub(crate) bounds: Vec<TokenStream>,
    /// The same of the key.
    key_bound: Option<TokenStream>,
    pub(crate) key: TokenStream,
    /// The name of each field's type.
    pub(crate) fields: Vec<TokenStream>,
}

/// What a type is there for.
#[derive(Clone, Copy)]
enum Role {
    Key,
    State,
    /// A state with a reducer.
    Merging,
    Skipped,
}

impl Role {
    fn of(field: &Field<'_>) -> Self {
        match &field.attrs {
            FieldAttrs { skip: Some(_), .. } => Self::Skipped,
            FieldAttrs { reduce: Some(_), .. } => Self::Merging,
            _ => Self::State,
        }
    }
}

impl Sound {
    /// Asks for the key and the `fields` of a struct that is `this`.
    pub(crate) fn new<'a>(
        tree: &Tree<'_>,
        this: &TokenStream,
        fields: impl IntoIterator<Item = &'a Field<'a>>,
    ) -> Self {
        let mut sound = Self::default();
        if let Some(key) = setting::value(&tree.attrs.key) {
            sound.key = sound.ask(tree, this, Role::Key, key, format_ident!("__KrishivKey"));
        }
        for (index, field) in fields.into_iter().enumerate() {
            let name = sound.ask(tree, this, Role::of(field), field.ty, format_ident!("__KrishivField{index}"));
            sound.fields.push(name);
        }
        sound
    }

    /// Asks whether `ty` can have the role, and returns what to call it: `alias`, where it is a name.
    fn ask(&mut self, tree: &Tree<'_>, this: &TokenStream, role: Role, ty: &Type, alias: Ident) -> TokenStream {
        let outside = generics::without_self(ty, this);
        if generics::mentions(&outside, &tree.input.generics) {
            match role {
                Role::Key => self.key_bound = Some(bound(role, ty)),
                Role::State | Role::Merging | Role::Skipped => self.bounds.push(bound(role, ty)),
            }
            return ty.to_token_stream();
        }
        let span = ty.span();
        let (runtime, functions) = (runtime(span), functions(span));
        self.questions.push(match role {
            Role::Key => {
                let parts = parts(ty).into_iter().map(|part| generics::without_self(part, this));
                quote_spanned!(span=> #(#functions::key::<#parts>();)*)
            }
            // Of all ways to ask, the one with the shortest message.
            Role::State => quote_spanned!(span=> let _ = <#outside as #runtime::Handle>::KIND;),
            Role::Merging => quote_spanned!(span=> #functions::merging::<#outside>();),
            Role::Skipped => quote_spanned!(span=> #functions::skipped::<#outside>();),
        });
        self.names.push(quote!(type #alias = <__KrishivSound as #runtime::Sound<#outside>>::Type;));
        let alias = Ident::new(&alias.to_string(), span);
        quote!(#alias)
    }

    /// The bounds that any implementation needs, whatever it does with the fields.
    ///
    /// The lifetime has no use but to keep the compiler from testing the bound here: what a field lacks to be sent
    /// was asked already.
    pub(crate) fn bounds_of_any(&self) -> impl Iterator<Item = TokenStream> {
        let sent = quote!(for<'krishiv> Self: ::core::marker::Send + 'static);
        self.key_bound.iter().cloned().chain([sent])
    }

    /// The array, and the names that go through it.
    pub(crate) fn items(&self) -> TokenStream {
        let Self { questions, names, .. } = self;
        if questions.is_empty() {
            return TokenStream::new();
        }
        quote! {
            type __KrishivSound = [(); {
                #(#questions)*
                0
            }];
            #(#names)*
        }
    }
}

/// The parts of a tuple, which is a key if they are; a longer one than traits are implemented for stays whole.
fn parts(ty: &Type) -> Vec<&Type> {
    match hint::bare(ty) {
        Type::Tuple(tuple) if (1..=12).contains(&tuple.elems.len()) => tuple.elems.iter().flat_map(parts).collect(),
        _ => vec![ty],
    }
}

/// The same as a bound of the implementation.
fn bound(role: Role, ty: &Type) -> TokenStream {
    // A failure underlines all of the type.
    let mut spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let runtime = runtime(first);
    let trait_ = match role {
        Role::Key => "StateKey",
        Role::State | Role::Merging => "Handle",
        Role::Skipped => "Skipped",
    };
    let trait_ = Ident::new(trait_, last);
    quote_spanned!(first=> #ty: #runtime::#trait_)
}
