#!/bin/sh
# serde 1.0.229 with rmp-serde 1.3.1 and ciborium 0.2.2: the derived reader of a struct takes a map whose keys are numbers for the
# fields in their order, though nothing ever writes such a map. A map of numbers that reaches the wrong type is read without an error.
# For us: samples with such keys show the names of fields that are left out when they are empty (docs/derive.md, what is traced).
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
rmp-serde = "=1.3.1"
ciborium = "=0.2.2"
TOML
cat > "$folder/src/main.rs" <<'RUST'
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Deserialize)]
struct Point {
    x: i32,
    y: i32,
}

fn main() {
    let numbers = BTreeMap::from([(0_u8, 7), (1, 8)]);
    let packed = rmp_serde::to_vec(&numbers).unwrap();
    let by_pack: Result<Point, _> = rmp_serde::from_slice(&packed);
    println!("MessagePack: {by_pack:?}");
    assert_eq!(by_pack.unwrap(), Point { x: 7, y: 8 });
    // CBOR's reader asks for a text where a field is named, and refuses.
    let mut bytes = Vec::new();
    ciborium::into_writer(&numbers, &mut bytes).unwrap();
    let by_cbor: Result<Point, _> = ciborium::from_reader(bytes.as_slice());
    println!("CBOR: {by_cbor:?}");
    assert!(by_cbor.is_err());
}
RUST
cd "$folder" && cargo run --quiet
