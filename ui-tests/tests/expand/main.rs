//! The derive as a function: what it writes, where the pieces come from, and how many there are.
//!
//! A crate of a procedural macro exports nothing but the macro, so these are its sources once more.

#![allow(missing_docs, clippy::expect_used)]

mod size;
mod snapshots;
mod spans;

#[path = "../../../krishiv-macros/src/ast.rs"]
mod ast;
#[path = "../../../krishiv-macros/src/attr.rs"]
mod attr;
#[path = "../../../krishiv-macros/src/check.rs"]
mod check;
#[path = "../../../krishiv-macros/src/derive.rs"]
mod derive;
#[path = "../../../krishiv-macros/src/duration.rs"]
mod duration;
#[path = "../../../krishiv-macros/src/entry.rs"]
mod entry;
#[path = "../../../krishiv-macros/src/errors.rs"]
mod errors;
#[path = "../../../krishiv-macros/src/expand/mod.rs"]
mod expand;
#[path = "../../../krishiv-macros/src/fallback.rs"]
mod fallback;
#[path = "../../../krishiv-macros/src/generics.rs"]
mod generics;
#[path = "../../../krishiv-macros/src/guess.rs"]
mod guess;
#[path = "../../../krishiv-macros/src/hint.rs"]
mod hint;
#[path = "../../../krishiv-macros/src/keys.rs"]
mod keys;
#[path = "../../../krishiv-macros/src/migrate.rs"]
mod migrate;
#[path = "../../../krishiv-macros/src/names.rs"]
mod names;
#[path = "../../../krishiv-macros/src/scan.rs"]
mod scan;
#[path = "../../../krishiv-macros/src/setting.rs"]
mod setting;
#[path = "../../../krishiv-macros/src/tokens.rs"]
mod tokens;
#[path = "../../../krishiv-macros/src/value.rs"]
mod value;
