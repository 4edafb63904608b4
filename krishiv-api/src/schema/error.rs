//! What a lock file has to say.

use crate::error::StateError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the types of a program are not those of its lock file.
///
/// `Debug` writes what `Display` does, so that `unwrap` in a test shows a text to be read.
///
/// ```
/// use krishiv_api::{KeyedState, ValueState, schema};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let error = schema::check::<Visits>("no/such/state.lock.json").unwrap_err();
/// assert!(error.to_string().contains("KRISHIV_UPDATE_LOCK=1"));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The types have changed, or are new, and what is stored can be read.
    #[error(
        "{} is not up to date, and the change is one that a store can open with:\n\n{plan}\nRun this once with KRISHIV_UPDATE_LOCK=1, and commit the file with the change", .path.display()
    )]
    #[non_exhaustive]
    Outdated {
        /// The lock file.
        path: PathBuf,
        /// What becomes of each state.
        plan: String,
    },
    /// What is stored by the types of the file cannot be read by those of the program.
    #[error(
        "the types of the program do not fit those of {}:\n\n{plan}\nThe file stays as it is; make the types fit, or take what was never stored out of the file", .path.display()
    )]
    #[non_exhaustive]
    Incompatible {
        /// The lock file.
        path: PathBuf,
        /// What becomes of each state.
        plan: String,
    },
    /// The file is not as it was written.
    #[error(
        "{} is not as it was written: {reason}; take the version of before from your version control", .path.display()
    )]
    #[non_exhaustive]
    Damaged {
        /// The lock file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}; if there is no such file yet, run this once with KRISHIV_UPDATE_LOCK=1", .path.display())]
    #[non_exhaustive]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The program's own declarations do not work out.
    #[error("{}: {source}", .path.display())]
    #[non_exhaustive]
    State {
        /// The lock file.
        path: PathBuf,
        /// What a store would say.
        #[source]
        source: StateError,
    },
}

impl fmt::Debug for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
