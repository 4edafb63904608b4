//! Where the pieces of the expansion come from, and how many there are.

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
    crate::derive(&input)
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

fn count(tokens: TokenStream) -> usize {
    let of_token = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
    };
    tokens.into_iter().map(of_token).sum()
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

/// Editors expand a derive on every key stroke, and everyone who builds compiles it. What the runtime needs of a
/// field takes about 160 tokens: its type is asked for, named and stored, and there is its descriptor, its binding, its
/// visit and its place in `handle`. The rest is what all the settings together add.
const MOST_TOKENS_A_FIELD: usize = 230;

#[test]
fn each_field_costs_the_same_and_little() {
    let of = |fields: usize, attribute: &str| {
        let fields: String = (0..fields).map(|n| format!("{attribute} f{n}: ReducingState<u32>,")).collect();
        count(expand(&format!("#[state(key = u64)] struct S {{ {fields} }}")))
    };
    for attribute in
        ["", "#[state(ttl = \"7d\", clock = \"event\", ttl_update = \"read_and_write\", reduce = u32::max)]"]
    {
        let a_field = of(2, attribute) - of(1, attribute);
        assert_eq!(of(101, attribute) - of(1, attribute), 100 * a_field, "not linear");
        assert!(a_field <= MOST_TOKENS_A_FIELD, "{a_field} tokens a field");
    }
}
