//! The program on our states.

use crate::program::types::{declarations, for_each};

/// Without RocksDB, which would be the same in both.
pub(crate) const DEPENDENCIES: &str = concat!(
    "serde = { version = \"1\", features = [\"derive\"] }\n",
    "krishiv-api = { path = \"",
    env!("CARGO_MANIFEST_DIR"),
    "/../krishiv-api\", default-features = false }"
);

const HEAD: &str = "\
use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ValueState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
";

const MAIN: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut store = Keyed::<All>::open(Arc::new(InMemoryStateBackend::new()))?;
    for line in std::io::stdin().lines() {
        println!("{}", store.with_key(&line?, event)?);
    }
    store.commit("")?;
    Ok(())
}
"#;

pub(crate) fn source() -> String {
    [HEAD, &declarations(), &state(), &event(), MAIN].concat()
}

fn state() -> String {
    let fields = for_each(|n| {
        format!("    v{n}: ValueState<T{n}>,\n    l{n}: ListState<T{n}>,\n    m{n}: MapState<String, T{n}>,\n")
    });
    format!("#[derive(KeyedState)]\n#[state(key = String)]\npub struct All {{\n{fields}}}\n")
}

fn event() -> String {
    let steps = for_each(|n| {
        format!(
            r#"    let t = s.v{n}.get().unwrap_or_default();
    s.v{n}.set(t.clone());
    s.l{n}.add(t.clone());
    n += s.l{n}.get().len();
    s.m{n}.put(t.name.clone(), t);
    n += usize::from(s.m{n}.get("a").is_some());
"#
        )
    });
    format!("\nfn event(s: &All) -> usize {{\n    let mut n = 0;\n{steps}    n\n}}\n")
}
