//! `docs/evolution.md` shows what plans and lock files say.

#![allow(missing_docs, dead_code, clippy::unwrap_used)]

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, StateValue, ValueState, schema};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const PAGE: &str = include_str!("../../docs/evolution.md");

/// The operator of the page, in any version.
#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft<Last: StateValue, Delay: StateValue> {
    last: ValueState<Last>,
    delays: ListState<Delay>,
}

mod short {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub struct Flight {
        carrier: String,
        delay: i32,
    }
}

mod long {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub struct Flight {
        carrier: String,
        delay: i64,
    }
}

#[derive(Serialize, Deserialize)]
struct Flight {
    carrier: String,
    delay: i32,
    gate: Option<String>,
}

#[derive(KeyedState)]
#[state(key = String, name = "aircraft")]
struct Stored {
    last: ValueState<long::Flight>,
    seen: ValueState<u64>,
    delays: ListState<i32>,
}

#[derive(KeyedState)]
#[state(key = String, name = "aircraft")]
struct Planned {
    last: ValueState<Flight>,
    seen: ValueState<u64>,
    delays: ListState<String>,
    worst: ValueState<i32>,
}

#[test]
fn the_plan_says_what_the_page_says() {
    let backend = Arc::new(InMemoryStateBackend::new());
    Keyed::<Stored>::open(Arc::clone(&backend)).unwrap().commit("").unwrap();
    let plan = Keyed::<Planned>::builder().plan(&backend).unwrap();
    assert!(PAGE.contains(&format!("```text\n{plan}```\n")), "{plan}");
}

#[test]
fn the_lock_says_what_the_page_says_and_keeps_out_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.lock.json");
    let fresh = schema::check::<Aircraft<short::Flight, i32>>(&path).unwrap_err().to_string();
    assert!(fresh.contains("run this once with KRISHIV_UPDATE_LOCK=1"), "{fresh}");
    schema::update::<Aircraft<short::Flight, i32>>(&path).unwrap();
    schema::check::<Aircraft<short::Flight, i32>>(&path).unwrap();

    let outdated = schema::check::<Aircraft<long::Flight, i32>>(&path).unwrap_err().to_string();
    let outdated = outdated.replace(&path.display().to_string(), "state.lock.json");
    assert!(PAGE.contains(&format!("```text\n{outdated}\n```\n")), "{outdated}");
    let broken = schema::check::<Aircraft<long::Flight, String>>(&path).unwrap_err().to_string();
    assert!(broken.contains("needs a migration") && broken.contains("The file stays as it is"), "{broken}");
    assert!(schema::update::<Aircraft<long::Flight, String>>(&path).is_err());

    schema::update::<Aircraft<long::Flight, i32>>(&path).unwrap();
    // Both are known by then.
    schema::check::<Aircraft<long::Flight, i32>>(&path).unwrap();
    schema::check::<Aircraft<short::Flight, i32>>(&path).unwrap();
}
