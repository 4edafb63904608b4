//! A lock on the types of state: a file beside the program that says what is stored, so that a test notices every change.

mod error;
mod file;

use crate::keyed::locking::lock;
use crate::keyed::{KeyedState, Plan};
use file::LockFile;
use std::path::Path;

pub use error::SchemaError;

/// The variable of the environment that lets [`check`] write the file.
const UPDATE: &str = "KRISHIV_UPDATE_LOCK";

/// Compares the types of an operator with those that the lock file has; for a test of yours. The file belongs beside the source, and
/// several operators share one.
///
/// A type that is changed so that its stored values can be read is an error that says so, until the file is updated: by running the
/// test once with `KRISHIV_UPDATE_LOCK=1`, and looking at what has changed in the file. One that needs a migration, or can never be
/// read, is an error with the text of its [`Plan`], and the file stays as it is.
///
/// ```no_run
/// use krishiv_api::{KeyedState, ValueState};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// // In a `#[test]`:
/// krishiv_api::schema::check::<Visits>("state.lock.json").unwrap();
/// ```
///
/// # Errors
///
/// If the types are not those of the file, or the file cannot be read, or is not as it was written.
pub fn check<S: KeyedState>(path: impl AsRef<Path>) -> Result<(), SchemaError> {
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        return update::<S>(path);
    }
    let path = path.as_ref();
    let file = LockFile::open(path)?;
    let (plan, next) = next::<S>(&file, path)?;
    match next {
        Next::Same => Ok(()),
        Next::Other(_) => Err(SchemaError::Outdated { path: path.to_owned(), plan: plan.to_string() }),
    }
}

/// Writes the types of an operator to the lock file, as [`check`] does with `KRISHIV_UPDATE_LOCK=1`.
///
/// ```
/// use krishiv_api::{KeyedState, ValueState, schema};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let path = std::env::temp_dir().join(format!("krishiv-{}.lock.json", std::process::id()));
/// schema::update::<Visits>(&path)?;
/// schema::check::<Visits>(&path)?;
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), schema::SchemaError>(())
/// ```
///
/// # Errors
///
/// If what the file has can never be what the program declares, or needs a migration, or the file cannot be read or written, or is not as
/// it was written.
pub fn update<S: KeyedState>(path: impl AsRef<Path>) -> Result<(), SchemaError> {
    let path = path.as_ref();
    let mut file = LockFile::create(path)?;
    match next::<S>(&file, path)?.1 {
        Next::Same => Ok(()),
        Next::Other(change) => file.write(change),
    }
}

/// What a lock file comes to be.
enum Next {
    Same,
    /// The operator of the first name, if any, gives way to the second one.
    Other(file::Change),
}

fn next<S: KeyedState>(file: &LockFile, path: &Path) -> Result<(Plan, Next), SchemaError> {
    let found = file.find(S::OPERATOR, S::RENAMED_FROM)?;
    let old = found.as_ref().map(|(name, _)| name.clone());
    let state = |source| SchemaError::State { path: path.to_owned(), source };
    let (plan, locked) = lock::<S>(found.map(|(_, record)| record)).map_err(state)?;
    let Some(new) = locked else {
        return Err(SchemaError::Incompatible { path: path.to_owned(), plan: plan.to_string() });
    };
    if file.has(S::OPERATOR, &new) {
        return Ok((plan, Next::Same));
    }
    let name = S::OPERATOR.to_owned();
    Ok((plan, Next::Other(file::Change { old, name, new })))
}
