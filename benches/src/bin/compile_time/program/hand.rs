//! The program by hand: every field is saved and loaded by postcard.

use crate::program::types::{declarations, for_each};

pub(crate) const DEPENDENCIES: &str = "\
serde = { version = \"1\", features = [\"derive\"] }
postcard = { version = \"1.1\", default-features = false, features = [\"use-std\"] }";

const HEAD: &str = "\
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
";

const MAIN: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut store: HashMap<String, Row> = HashMap::new();
    let mut disk: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        if !store.contains_key(&line) {
            let row = disk.get(&line).map(|b| load(b)).transpose()?.unwrap_or_default();
            store.insert(line.clone(), row);
        }
        println!("{}", event(store.entry(line).or_default()));
    }
    for (key, row) in &store {
        disk.insert(key.clone(), save(row)?);
    }
    println!("{}", disk.len());
    Ok(())
}
"#;

pub(crate) fn source() -> String {
    [HEAD, &declarations(), &row(), &event(), &save(), &load(), MAIN].concat()
}

fn row() -> String {
    let fields =
        for_each(|n| format!("    v{n}: Option<T{n}>,\n    l{n}: Vec<T{n}>,\n    m{n}: HashMap<String, T{n}>,\n"));
    format!("#[derive(Default)]\npub struct Row {{\n{fields}}}\n")
}

fn event() -> String {
    let steps = for_each(|n| {
        format!(
            r#"    let t = s.v{n}.clone().unwrap_or_default();
    s.v{n} = Some(t.clone());
    s.l{n}.push(t.clone());
    n += s.l{n}.len();
    s.m{n}.insert(t.name.clone(), t);
    n += usize::from(s.m{n}.get("a").is_some());
"#
        )
    });
    format!("\nfn event(s: &mut Row) -> usize {{\n    let mut n = 0;\n{steps}    n\n}}\n")
}

fn save() -> String {
    let fields = for_each(|n| {
        format!(
            "        postcard::to_allocvec(&s.v{n})?,
        postcard::to_allocvec(&s.l{n})?,
        postcard::to_allocvec(&s.m{n})?,
"
        )
    });
    format!("\nfn save(s: &Row) -> postcard::Result<Vec<Vec<u8>>> {{\n    Ok(vec![\n{fields}    ])\n}}\n")
}

fn load() -> String {
    let fields = for_each(|n| {
        let [value, list, map] = [3 * n, 3 * n + 1, 3 * n + 2];
        format!(
            "        v{n}: postcard::from_bytes(&b[{value}])?,
        l{n}: postcard::from_bytes(&b[{list}])?,
        m{n}: postcard::from_bytes(&b[{map}])?,
"
        )
    });
    format!("\nfn load(b: &[Vec<u8>]) -> postcard::Result<Row> {{\n    Ok(Row {{\n{fields}    }})\n}}\n")
}
