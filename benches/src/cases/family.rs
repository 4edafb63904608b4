//! A family of cases: what each of its files lists.

use crate::bench::Bench;
use crate::error::Error;
use crate::table::Row;

/// The names of a family's cases, and what runs them.
pub(super) type Cases = &'static [(&'static str, Run)];

/// Runs the case of that name.
pub(super) type Run = fn(&'static str, &Bench) -> Result<Vec<Row>, Error>;
