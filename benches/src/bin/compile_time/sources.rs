//! The two libraries of structs.

use std::fmt::Write;

pub(crate) const STRUCTS: usize = 50;
pub(crate) const FIELDS: usize = 10;

/// Without RocksDB, which no derive mentions.
pub(crate) const OUR_DEPENDENCIES: &str =
    concat!("krishiv-api = { path = \"", env!("CARGO_MANIFEST_DIR"), "/../krishiv-api\", default-features = false }");

pub(crate) const PEER_DEPENDENCIES: &str = "serde = { version = \"1\", features = [\"derive\"] }";

/// A field of ours, and one of serde's that holds the same.
const KINDS: [(&str, &str); 5] = [
    ("ValueState<u32>", "u32"),
    ("#[state(ttl = \"7d\", clock = \"event\")] ListState<i32>", "Vec<i32>"),
    ("MapState<String, u32>", "HashMap<String, u32>"),
    ("#[state(reduce = i64::max)] ReducingState<i64>", "i64"),
    ("BroadcastState<String, i32>", "HashMap<String, i32>"),
];

pub(crate) fn ours() -> String {
    let head = "use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ReducingState, ValueState};\n";
    structs(head, "#[derive(KeyedState)]\n#[state(key = String)]\n", |(ours, _)| ours)
}

pub(crate) fn peer() -> String {
    let head = "use serde::{Deserialize, Serialize};\nuse std::collections::HashMap;\n";
    structs(head, "#[derive(Serialize, Deserialize)]\n", |(_, peer)| peer)
}

fn structs(head: &str, derive: &str, ty: fn((&'static str, &'static str)) -> &'static str) -> String {
    let mut source = head.to_owned();
    for number in 0..STRUCTS {
        // Writing to a `String` cannot fail.
        let _ = writeln!(source, "{derive}pub struct S{number} {{");
        for (field, kind) in KINDS.into_iter().cycle().take(FIELDS).enumerate() {
            // The attribute stands in front of the name.
            let (attribute, ty) = ty(kind).rsplit_once("] ").map_or(("", ty(kind)), |(before, ty)| (before, ty));
            let close = if attribute.is_empty() { "" } else { "] " };
            let _ = writeln!(source, "    {attribute}{close}pub f{field}: {ty},");
        }
        source.push_str("}\n");
    }
    source
}
