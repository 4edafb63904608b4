//! What the user wrote leads an editor to where it is written.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::DeriveInput;

const SOURCE: &str = "
#[state(key = TheKey)]
struct Aircraft {
    alpha: ValueState<TheValue>,
    #[state(ttl = \"7d\", reduce = the_function)]
    beta: ReducingState<TheReduced>,
    #[state(skip)]
    gamma: TheSkipped,
}";

fn expand(source: &str) -> TokenStream {
    let input: DeriveInput = syn::parse_str(source).expect("it is a struct");
    crate::derive::derive(&input)
}

/// Where each identifier called `name` in `tokens` was written.
fn origins(tokens: TokenStream, name: &str) -> Vec<LineColumn> {
    let of_token = |token| match token {
        TokenTree::Ident(ident) if ident == name => vec![ident.span().start()],
        TokenTree::Group(group) => origins(group.stream(), name),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    };
    tokens.into_iter().flat_map(of_token).collect()
}

#[test]
fn what_the_user_wrote_leads_to_where_it_is_written() {
    let source: TokenStream = SOURCE.parse().expect("it is Rust");
    let expansion = expand(SOURCE);
    for name in ["alpha", "beta", "gamma", "Aircraft", "TheKey", "TheValue", "TheReduced", "TheSkipped", "the_function"]
    {
        let written: BTreeSet<LineColumn> = origins(source.clone(), name).into_iter().collect();
        let found: BTreeSet<LineColumn> = origins(expansion.clone(), name).into_iter().collect();
        assert_eq!(found, written, "{name}: hovering over it, or going to its definition, would miss");
    }
}
