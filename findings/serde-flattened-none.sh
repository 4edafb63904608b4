#!/bin/sh
# serde 1.0.229 with serde_json 1.0.154 and rmp-serde 1.3.1: a flattened `None` reads back as `Some` where all fields of what is inside may be
# missing, and stays `None` where one may not. Both are written alike, as nothing.
# For us: such a value fails its event (docs/derive.md, "Types of values").
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = "=1.0.154"
rmp-serde = "=1.3.1"
TOML
cat > "$folder/src/main.rs" <<'RUST'
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Loose {
    gate: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Strict {
    gate: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flight<T> {
    number: u32,
    #[serde(flatten)]
    inside: Option<T>,
}

fn main() {
    let json = serde_json::to_string(&Flight::<Loose> { number: 1, inside: None }).unwrap();
    assert_eq!(json, r#"{"number":1}"#);
    let loose: Flight<Loose> = serde_json::from_str(&json).unwrap();
    let strict: Flight<Strict> = serde_json::from_str(&json).unwrap();
    println!("JSON: {loose:?}, {strict:?}");
    assert_eq!((loose.inside, strict.inside), (Some(Loose { gate: None }), None));
    let packed = rmp_serde::to_vec_named(&Flight::<Loose> { number: 1, inside: None }).unwrap();
    let loose: Flight<Loose> = rmp_serde::from_slice(&packed).unwrap();
    println!("MessagePack: {loose:?}");
    assert_eq!(loose.inside, Some(Loose { gate: None }));
}
RUST
cd "$folder" && cargo run --quiet
