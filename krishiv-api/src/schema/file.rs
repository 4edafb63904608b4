//! The lock file: JSON, sorted by names.

use super::error::SchemaError;
use crate::catalog::locked::LockedOperator;
use crate::catalog::records::OperatorRecord;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The format of the file.
const FORMAT: u32 = 1;

/// Longest file that is read, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    operators: BTreeMap<String, LockedOperator>,
}

/// A lock file that is open; nobody else writes it meanwhile.
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
    content: Content,
}

/// One operator in place of another.
pub(super) struct Change {
    pub(super) old: Option<String>,
    pub(super) name: String,
    pub(super) new: LockedOperator,
}

impl LockFile {
    /// Opens a file that is there.
    pub(super) fn open(path: &Path) -> Result<Self, SchemaError> {
        let open = || {
            let file = File::open(path)?;
            file.lock_shared()?;
            Ok(file)
        };
        Self::read(path, open())
    }

    /// Opens a file, or begins one.
    pub(super) fn create(path: &Path) -> Result<Self, SchemaError> {
        let open = || {
            let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
            // Tests of several operators may run at the same time.
            file.lock()?;
            Ok(file)
        };
        Self::read(path, open())
    }

    fn read(path: &Path, file: std::io::Result<File>) -> Result<Self, SchemaError> {
        let path = path.to_owned();
        let mut text = String::new();
        let read = file.and_then(|file| {
            (&file).take(MOST_BYTES).read_to_string(&mut text)?;
            Ok(file)
        });
        let file = match read {
            Ok(file) => file,
            Err(source) => return Err(SchemaError::Io { path, source }),
        };
        let content = match serde_json::from_str(&text) {
            Ok(content) => content,
            Err(_) if text.is_empty() => Content { format: FORMAT, ..Content::default() },
            Err(error) => return Err(SchemaError::Damaged { path, reason: error.to_string() }),
        };
        let file = Self { path, file, content };
        match file.content.format {
            FORMAT => Ok(file),
            other => Err(file.damaged(format!("it is of format {other}, and this program knows {FORMAT}"))),
        }
    }

    /// What it has of an operator, under its name or a former one, and that name.
    pub(super) fn find(&self, name: &str, former: &[&str]) -> Result<Option<(String, OperatorRecord)>, SchemaError> {
        let mut found =
            std::iter::once(&name).chain(former).filter_map(|name| self.content.operators.get_key_value(*name));
        let Some((name, locked)) = found.next() else { return Ok(None) };
        if let Some((other, _)) = found.next() {
            return Err(
                self.damaged(format!("it has an operator `{name}` and an operator `{other}`, and one cannot be both"))
            );
        }
        let record = locked.record(name).map_err(|reason| self.damaged(format!("operator `{name}`: {reason}")))?;
        Ok(Some((name.clone(), record)))
    }

    /// Whether this is what it has of the operator.
    pub(super) fn has(&self, name: &str, operator: &LockedOperator) -> bool {
        self.content.operators.get(name) == Some(operator)
    }

    /// Writes it with a change.
    pub(super) fn write(&mut self, Change { old, name, new }: Change) -> Result<(), SchemaError> {
        if let Some(old) = old {
            self.content.operators.remove(&old);
        }
        self.content.operators.insert(name, new);
        let text = serde_json::to_string_pretty(&self.content).map_err(|error| self.damaged(error.to_string()))?;
        let mut write = || {
            self.file.rewind()?;
            self.file.set_len(0)?;
            self.file.write_all(text.as_bytes())?;
            self.file.write_all(b"\n")
        };
        write().map_err(|source| SchemaError::Io { path: self.path.clone(), source })
    }

    fn damaged(&self, reason: String) -> SchemaError {
        SchemaError::Damaged { path: self.path.clone(), reason }
    }
}
