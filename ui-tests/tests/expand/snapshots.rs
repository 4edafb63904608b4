//! What the derive writes for the main shapes, as files that are compiled and run, too: see `tests/expansions.rs`.
//!
//! After a change, look at every difference that this test prints, and then accept it with
//! `INSTA_UPDATE=always cargo test -p krishiv-ui-tests --test expand`.

use quote::ToTokens;
use syn::{Attribute, DeriveInput, Field, Fields, File, Item, ItemStruct};

/// The file with each `#[derive(KeyedState)]` replaced by what it expands to.
fn expanded(source: &str) -> String {
    let file: File = syn::parse_str(source).expect("it is Rust");
    let items = file.items.into_iter().flat_map(|item| match item {
        Item::Struct(item) if item.attrs.iter().any(|attr| attr.path().is_ident("derive")) => derived(item),
        other => vec![other],
    });
    prettyplease::unparse(&File { items: items.collect(), ..file })
}

fn derived(mut item: ItemStruct) -> Vec<Item> {
    let input: DeriveInput = syn::parse2(item.to_token_stream()).expect("it is a struct");
    let expansion: File = syn::parse2(crate::derive::derive(&input)).expect("it expands to items");
    without_derive(&mut item.attrs);
    if let Fields::Named(fields) = &mut item.fields {
        fields.named.iter_mut().for_each(|Field { attrs, .. }| without_derive(attrs));
    }
    [Item::Struct(item)].into_iter().chain(expansion.items).collect()
}

/// Nobody reads these once the derive is gone.
fn without_derive(attrs: &mut Vec<Attribute>) {
    attrs.retain(|attr| !attr.path().is_ident("derive") && !attr.path().is_ident("state"));
}

macro_rules! snapshots {
    ($($shape:ident),*) => {$(
        #[test]
        fn $shape() {
            let mut settings = insta::Settings::new();
            settings.set_snapshot_path("../expansions");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.bind(|| {
                let source = include_str!(concat!("../expansions/", stringify!($shape), ".rs"));
                insta::assert_binary_snapshot!(concat!(stringify!($shape), ".rs"), expanded(source).into_bytes());
            });
        }
    )*};
}

snapshots!(plain, generic, skipped, renamed, mistaken);
