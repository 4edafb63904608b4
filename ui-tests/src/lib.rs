//! Programs that must compile, and programs that must not: see `tests/`.

/// trybuild does not run clippy; as a module of this crate the program is linted with everything else.
#[path = "../tests/pass/strict_lints.rs"]
pub mod strict_lints;

pub mod reopened;
pub mod runtime;

/// The programs of the page are doc tests.
#[doc = include_str!("../../docs/derive.md")]
#[cfg(doctest)]
pub mod derive_page {}

/// The same of the page on threads.
#[doc = include_str!("../../docs/async.md")]
#[cfg(doctest)]
pub mod async_page {}

/// And of the page on types that change.
#[doc = include_str!("../../docs/evolution.md")]
#[cfg(doctest)]
pub mod evolution_page {}
