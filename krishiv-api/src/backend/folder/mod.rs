//! What the backends that keep state in a folder share.

pub(super) mod fault;
pub(super) mod ledger;

use crate::error::{Cause, StateError};
use std::fs;
use std::path::Path;

/// Whose files lie in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fjall,
    RocksDb,
}

impl Kind {
    /// Name of the ledger, which is the first file of a folder.
    pub(super) const fn ledger(self) -> &'static str {
        match self {
            Self::Fjall => "KRISHIV-FJALL",
            // It is older than the other one.
            Self::RocksDb => "KRISHIV-COMMITS",
        }
    }

    const fn backend(self) -> &'static str {
        match self {
            Self::Fjall => "`FjallStateBackend` (feature `fjall`)",
            Self::RocksDb => "`RocksDbStateBackend` (feature `rocksdb`)",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Fjall => Self::RocksDb,
            Self::RocksDb => Self::Fjall,
        }
    }

    /// Whether `folder` was made by this backend, or by what is below it.
    fn owns(self, folder: &Path) -> bool {
        let has = |name: &str| folder.join(name).exists();
        has(self.ledger())
            || match self {
                Self::Fjall => has("version") && has("keyspaces"),
                Self::RocksDb => has("CURRENT"),
            }
    }
}

/// Makes the folder if it is not there, and refuses one of the other kind.
pub(super) fn enter(folder: &Path, kind: Kind) -> Result<(), StateError> {
    if folder.exists() && !folder.is_dir() {
        let reason = format!("`{}` is not a folder; give the path of one, or of one to be made", folder.display());
        return Err(Cause::Setting { reason }.into());
    }
    let other = kind.other();
    if other.owns(folder) && !kind.owns(folder) {
        let reason = format!(
            "`{}` holds the state of another backend; open it by {}, or give the path of another folder",
            folder.display(),
            other.backend()
        );
        return Err(Cause::Setting { reason }.into());
    }
    fs::create_dir_all(folder).map_err(|error| fault::io(folder, &error))
}
