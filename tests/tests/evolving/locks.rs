//! The lock file: it notices every change, and says what becomes of it.

use crate::{LaterPlanes, Planes};
use krishiv_api::schema::{SchemaError, check, update};
use krishiv_api::{BroadcastState, Keyed, KeyedState, ListState, MapState, ValueState};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.lock.json");
    (folder, path)
}

#[derive(KeyedState)]
#[state(key = String)]
struct Airports {
    runways: MapState<String, (u16, f32)>,
}

#[derive(KeyedState)]
#[state(key = u32, name = "planes")]
#[allow(dead_code)]
struct Misfits {
    last: ListState<u8>,
}

#[test]
fn a_change_that_fits_is_said_until_the_file_is_updated() {
    let (_folder, path) = folder();
    let error = check::<Planes>(&path).unwrap_err();
    assert!(matches!(error, SchemaError::Io { .. }), "{error}");
    update::<Planes>(&path).unwrap();
    update::<Airports>(&path).unwrap();
    check::<Planes>(&path).unwrap();
    check::<Airports>(&path).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    let error = check::<LaterPlanes>(&path).unwrap_err();
    assert!(matches!(error, SchemaError::Outdated { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("state `last`: readable") && text.contains("KRISHIV_UPDATE_LOCK=1"), "{text}");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    update::<LaterPlanes>(&path).unwrap();
    check::<LaterPlanes>(&path).unwrap();
    check::<Airports>(&path).unwrap();
    // The program of before finds its own version, as it would in the catalog.
    check::<Planes>(&path).unwrap();
    let after = fs::read_to_string(&path).unwrap();
    update::<LaterPlanes>(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), after, "nothing to update");
}

#[test]
fn a_change_that_does_not_fit_fails_with_the_text_of_the_plan() {
    let (_folder, path) = folder();
    update::<Planes>(&path).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    for error in [check::<Misfits>(&path).unwrap_err(), update::<Misfits>(&path).unwrap_err()] {
        let SchemaError::Incompatible { plan, .. } = &error else { panic!("{error}") };
        assert!(plan.contains("state `last`: impossible"), "{plan}");
        assert!(error.to_string().contains(plan.as_str()));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    let backend = std::sync::Arc::new(krishiv_api::InMemoryStateBackend::new());
    Keyed::<Planes>::open(std::sync::Arc::clone(&backend)).unwrap().commit("").unwrap();
    let plan = Keyed::<Misfits>::builder().plan(&backend).unwrap().to_string();
    assert!(check::<Misfits>(&path).unwrap_err().to_string().contains(&plan), "the plan is that of a store: {plan}");
}

#[derive(KeyedState)]
#[state(key = u32, name = "aircraft", renamed_from = "planes", dropped("all", "rules"))]
struct Renamed {
    #[state(renamed_from = "last")]
    latest: ValueState<crate::Flight>,
    by_gate: MapState<u8, crate::Flight>,
    new: BroadcastState<u8, bool>,
}

#[test]
fn names_are_followed_and_what_is_no_longer_declared_stays_locked() {
    let (_folder, path) = folder();
    update::<Planes>(&path).unwrap();
    let error = check::<Renamed>(&path).unwrap_err().to_string();
    assert!(error.contains("operator `aircraft`, renamed from `planes`"), "{error}");
    update::<Renamed>(&path).unwrap();
    check::<Renamed>(&path).unwrap();
    let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let operators = file["operators"].as_object().unwrap();
    assert_eq!(operators.keys().collect::<Vec<_>>(), ["aircraft"]);
    let states = file["operators"]["aircraft"]["states"].as_object().unwrap();
    let names: Vec<_> = states.iter().map(|(name, state)| (name.as_str(), state["undeclared"] == true)).collect();
    assert_eq!(names, [("by_gate", false), ("count", true), ("latest", false), ("new", false), ("worst", true)]);
    assert_eq!(states["latest"]["former_names"], serde_json::json!(["last"]));
}

#[test]
fn several_operators_are_written_to_one_file_at_the_same_time() {
    let (_folder, path) = folder();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| update::<Planes>(&path).unwrap());
            scope.spawn(|| update::<Airports>(&path).unwrap());
        }
    });
    check::<Planes>(&path).unwrap();
    check::<Airports>(&path).unwrap();
}

#[test]
fn a_file_that_was_damaged_or_edited_by_hand_is_an_error_that_says_where() {
    let (_folder, path) = folder();
    update::<Planes>(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    for (from, to, says) in [
        ("{", "", "expected"),
        ("\"format\": 1", "\"format\": 2", "format 2"),
        ("\"format\"", "\"from\"", "unknown field"),
        ("ValueState", "ListState", ""),
        ("\"u32\",\n      ", "\"u64\",\n      ", "has the shape of"),
        ("\"kind\": \"value\"", "\"kind\": \"valve\"", "unknown variant"),
    ] {
        if !good.contains(from) {
            assert_eq!(says, "", "the file has no {from}: {good}");
            continue;
        }
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let error = check::<Planes>(&path).unwrap_err();
        assert!(matches!(error, SchemaError::Damaged { .. }), "{from}: {error}");
        assert!(error.to_string().contains(says), "{from}: {error}");
        let edited = fs::read_to_string(&path).unwrap();
        assert!(update::<Planes>(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), edited, "nothing is lost");
    }
    for end in (1..good.len() - 2).step_by(97) {
        fs::write(&path, &good[..end]).unwrap();
        assert!(matches!(check::<Planes>(&path), Err(SchemaError::Damaged { .. })), "{end}");
    }
}
