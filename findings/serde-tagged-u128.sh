#!/bin/sh
# serde 1.0.229 with serde_json 1.0.154 and rmp-serde 1.3.1: a `u128` in an internally tagged enum is written by both, and read back by
# neither, however small it is: "u128 is not supported". In a plain struct the same number reads. What a tag needs is a buffer that
# holds any value, and that has no 128 bits: serde asks it for them before it looks at what is there.
# For us: such a value fails its event, and no other (docs/derive.md, "Types of values").
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
struct Plain {
    reference: u128,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by")]
enum Tagged {
    Transfer { reference: u128 },
}

fn main() {
    for reference in [5, 1 << 64] {
        let (plain, tagged) = (Plain { reference }, Tagged::Transfer { reference });
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!(serde_json::from_str::<Plain>(&text).unwrap(), plain);
        let packed = rmp_serde::to_vec_named(&plain).unwrap();
        assert_eq!(rmp_serde::from_slice::<Plain>(&packed).unwrap(), plain);

        let text = serde_json::to_string(&tagged).unwrap();
        let json = serde_json::from_str::<Tagged>(&text).unwrap_err().to_string();
        let packed = rmp_serde::to_vec_named(&tagged).unwrap();
        let message_pack = rmp_serde::from_slice::<Tagged>(&packed).unwrap_err().to_string();
        println!("{text}: {json}; the same as MessagePack, {} bytes: {message_pack}", packed.len());
        assert_eq!((json.as_str(), message_pack.as_str()), ("u128 is not supported", "u128 is not supported"));
    }
}
RUST
cd "$folder" && cargo run --quiet
