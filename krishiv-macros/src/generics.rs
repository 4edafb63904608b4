//! Type parameters, and the bounds that the expansion needs.

use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics};

/// Whether `tokens` mention one of the parameters.
pub(crate) fn mentions(tokens: impl ToTokens, generics: &Generics) -> bool {
    let names = generics.params.iter().map(|param| match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    });
    let params: Vec<&Ident> = names.collect();
    !params.is_empty() && any_ident(tokens.to_token_stream(), &|ident| params.contains(&ident))
}

fn any_ident(tokens: TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> bool {
    // `a::T` names something else than the parameter `T`.
    let mut after_colon = false;
    for token in tokens {
        let found = match &token {
            TokenTree::Ident(ident) => !after_colon && wanted(ident),
            TokenTree::Group(group) => any_ident(group.stream(), wanted),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        };
        if found {
            return true;
        }
        after_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
    }
    false
}

/// `tokens` with `Self` spelled out as `this`, for use outside the struct.
pub(crate) fn without_self(tokens: impl ToTokens, this: &TokenStream) -> TokenStream {
    let mut tokens = tokens.to_token_stream().into_iter().peekable();
    let mut result = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => match tokens.peek() {
                // `Self::SIZE` needs the brackets, and `Vec<Self>` cannot have them.
                Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint => {
                    result.extend(quote!(<#this>));
                }
                _ => result.extend(this.clone()),
            },
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_self(group.stream(), this));
                inner.set_span(group.span());
                result.extend([TokenTree::Group(inner)]);
            }
            token => result.extend([token]),
        }
    }
    result
}

/// The type and constant parameters, as the tuple of a marker that owns nothing: it stays `Send` and
/// `'static` whatever they are.
pub(crate) fn marker(generics: &Generics) -> Option<TokenStream> {
    let mut types = generics.type_params().map(|param| &param.ident).peekable();
    types.peek()?;
    Some(quote!(::core::marker::PhantomData<fn() -> (#(::core::marker::PhantomData<#types>,)*)>))
}

/// The where clause with more `bounds`.
pub(crate) fn where_clause(generics: &Generics, bounds: &[TokenStream]) -> TokenStream {
    let given = generics.where_clause.iter().flat_map(|clause| &clause.predicates).map(ToTokens::to_token_stream);
    let all: Vec<TokenStream> = given.chain(bounds.iter().cloned()).collect();
    if all.is_empty() { TokenStream::new() } else { quote!(where #(#all,)*) }
}
