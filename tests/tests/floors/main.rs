//! The house: imports run down its floors, and never in a circle.

mod house;

use house::{House, Module};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The floors of the library, bottom to top: a room imports from those below it, and files of its own. The picture is in
/// `docs/architecture.md`.
const FLOORS: &[&[&str]] = &[
    &["error", "lock", "names", "quiet", "time"],
    &["descriptor", "value"],
    &["codec"],
    &["backend"],
    &["catalog"],
    &["scope"],
    &["state"],
    &["keyed"],
    &["derived", "operator", "rekey", "schema"],
];

/// The crates, by their roots, the library first.
const ROOTS: [&str; 5] = [
    "krishiv-api/src/lib.rs",
    "krishiv-macros/src/lib.rs",
    "krishiv-pipeline/src/lib.rs",
    "benches/src/main.rs",
    "benches/src/bin/compile_time/main.rs",
];

fn crates() -> impl Iterator<Item = House> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    ROOTS.iter().map(move |root| House::read(&workspace.join(root)))
}

fn library() -> House {
    crates().next().expect("the library is the first")
}

/// The floor of each room.
fn floors<'f>(floors: &[&[&'f str]]) -> BTreeMap<&'f str, usize> {
    let numbered = floors.iter().enumerate();
    numbered.flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor))).collect()
}

/// Imports of a room on the same floor or above.
fn running_up(house: &House, floors: &BTreeMap<&str, usize>) -> Vec<String> {
    let room = |module: &Module| module.first().cloned().unwrap_or_default();
    let runs_up = |from: &Module, to: &Module| {
        let (from, to) = (room(from), room(to));
        from != to && floors.get(from.as_str()) <= floors.get(to.as_str())
    };
    let imports = house.imports().into_iter().filter(|(from, to)| runs_up(from, to));
    imports.map(|(from, to)| format!("{} imports {}", from.join("::"), to.join("::"))).collect()
}

/// Files that import each other, directly or through others: a circle is what one of them reaches and reaches it.
fn circles(house: &House) -> Vec<String> {
    let imports = house.imports();
    let reached = |start: &Module| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(from) = open.pop() {
            let next = imports.iter().filter(|(other, _)| *other == from).map(|(_, to)| to.clone());
            open.extend(next.filter(|to| reached.insert(to.clone())));
        }
        reached
    };
    let reached: BTreeMap<Module, BTreeSet<Module>> =
        house.modules().map(|module| (module.clone(), reached(module))).collect();
    let circle = |module: &Module| -> BTreeSet<String> {
        let others = reached.get(module).into_iter().flatten();
        let back = others.filter(|other| reached.get(*other).is_some_and(|reached| reached.contains(module)));
        back.map(|other| other.join("::")).collect()
    };
    let circles: BTreeSet<_> = house.modules().map(circle).filter(|circle| !circle.is_empty()).collect();
    circles.into_iter().map(|circle| circle.into_iter().collect::<Vec<_>>().join(", ")).collect()
}

#[test]
fn every_room_has_a_floor() {
    let floors = floors(FLOORS);
    let rooms: BTreeSet<String> = library().modules().filter_map(|module| module.first().cloned()).collect();
    let known: BTreeSet<String> = floors.keys().map(|room| (*room).to_owned()).collect();
    assert_eq!(rooms, known);
}

#[test]
fn imports_run_down() {
    assert_eq!(running_up(&library(), &floors(FLOORS)), [""; 0]);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for house in crates() {
        assert!(house.imports().len() >= 10, "nothing was read");
        assert_eq!(circles(&house), [""; 0]);
    }
}

#[test]
fn nothing_inside_imports_through_the_face() {
    for house in crates() {
        assert_eq!(house.through_the_face(), []);
    }
}

/// A crate of these files.
fn house(files: &[(&str, &str)]) -> House {
    let folder = tempfile::tempdir().expect("a folder for a test");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder for a file");
        fs::write(path, text).expect("a file for a test");
    }
    House::read(&folder.path().join("lib.rs"))
}

#[test]
fn what_runs_up_or_in_a_circle_or_through_the_face_is_found() {
    let house = house(&[
        ("lib.rs", "mod ground;\nmod roof;\npub use roof::Tile;"),
        ("ground.rs", "//! use crate::roof::Nothing;\nfn f() { let _ = crate::roof::lie::Flat; }\n"),
        (
            "roof/mod.rs",
            "mod lie;\nmod slate;\nmod tile;\npub use slate::Slate;\npub(crate) use tile::{self as t, Tile};\n\
             pub trait Roof { fn slate() -> Slate; fn f(&self) { self.Tile() } }",
        ),
        ("roof/lie.rs", "use crate::{ground::{self, Earth}, Tile};\npub struct Flat;"),
        (
            "roof/tile.rs",
            "use super::lie::Flat;\n#[cfg(test)]\nmod tests { use crate::roof::slate::Any; }\npub struct Tile;",
        ),
        ("roof/slate.rs", "macro_rules! m { () => { $crate::roof::Roof } }\npub struct Slate;"),
    ]);
    let floors = floors(&[&["ground"], &["roof"]]);
    assert_eq!(running_up(&house, &floors), ["ground imports roof::lie"]);
    assert_eq!(circles(&house), ["ground, roof::lie, roof::tile", "roof, roof::slate"]);
    let through: Vec<_> = house.through_the_face().into_iter().map(|(from, name)| (from.join("::"), name)).collect();
    assert_eq!(through, [("roof::lie".to_owned(), "crate::Tile".to_owned())]);
}
