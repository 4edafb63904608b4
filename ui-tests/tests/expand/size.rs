//! How much the derive writes.

use proc_macro2::{TokenStream, TokenTree};
use syn::DeriveInput;

fn count(tokens: TokenStream) -> usize {
    let of_token = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
    };
    tokens.into_iter().map(of_token).sum()
}

/// Editors expand a derive on every key stroke, and everyone who builds compiles it. What the runtime needs of a
/// field takes about 160 tokens: its type is asked for, named and stored, and there is its descriptor, its binding, its
/// visit and its place in `handle`. The rest is what all the settings together add.
const MOST_TOKENS_A_FIELD: usize = 230;

#[test]
fn each_field_costs_the_same_and_little() {
    let of = |fields: usize, attribute: &str| {
        let fields: String = (0..fields).map(|n| format!("{attribute} f{n}: ReducingState<u32>,")).collect();
        let input: DeriveInput =
            syn::parse_str(&format!("#[state(key = u64)] struct S {{ {fields} }}")).expect("it is a struct");
        count(crate::derive::derive(&input))
    };
    for attribute in
        ["", "#[state(ttl = \"7d\", clock = \"event\", ttl_update = \"read_and_write\", reduce = u32::max)]"]
    {
        let a_field = of(2, attribute) - of(1, attribute);
        assert_eq!(of(101, attribute) - of(1, attribute), 100 * a_field, "not linear");
        assert!(a_field <= MOST_TOKENS_A_FIELD, "{a_field} tokens a field");
    }
}
