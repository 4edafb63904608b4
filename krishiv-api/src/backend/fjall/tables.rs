//! Looks at fjall's tables, before fjall does.
//!
//! A tree is its tables and a list of them, a file `v` and a number. Which one counts, and its checksum, is in the file
//! `current`: `[number u64][xxh3 u128][0]`, little-endian. fjall does not look at that checksum, and deletes what is not in the list.

use super::{fault, keys};
use crate::backend::folder::fault::{damaged, io};
use crate::error::StateError;
use lsm_tree::{AbstractTree, AnyTree, Config, SeqNo};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_128;

/// Name of the keyspace with all records.
pub(super) const RECORDS: &str = "krishiv";

/// fjall's numbers of its keyspace of keyspaces, and of the first of those.
const META_ID: u64 = 0;
const RECORDS_ID: u64 = 1;

/// What is in the tables.
pub(super) struct Tables {
    /// The last commit.
    pub(super) number: u64,
    /// By which fjall orders it; `None` if there are no tables.
    pub(super) sequence: Option<u64>,
}

impl Tables {
    pub(super) fn read(folder: &Path) -> Result<Self, StateError> {
        let meta = open(folder, META_ID)?;
        let name = [b"n".as_slice(), &RECORDS_ID.to_be_bytes()].concat();
        let name = meta.get(name, SeqNo::MAX).map_err(|error| fault::tree(folder, error))?;
        if name.as_deref() != Some(RECORDS.as_bytes()) {
            // fjall deletes what has no name.
            return Err(damaged(folder, format_args!("it has no keyspace `{RECORDS}`")));
        }
        let records = open(folder, RECORDS_ID)?;
        let number = number(&records).map_err(|error| fault::tree(folder, error))?;
        Ok(Self { number, sequence: records.get_highest_persisted_seqno() })
    }
}

/// The last commit that `records` holds; 0 if it holds none.
pub(super) fn number(records: &AnyTree) -> lsm_tree::Result<u64> {
    let stored = records.get(keys::NUMBER, SeqNo::MAX)?;
    match stored.as_deref().map(TryFrom::try_from) {
        None => Ok(0),
        Some(Ok(bytes)) => Ok(u64::from_le_bytes(bytes)),
        Some(Err(_)) => Err(lsm_tree::Error::InvalidHeader("the number of the last commit")),
    }
}

fn open(folder: &Path, id: u64) -> Result<AnyTree, StateError> {
    let path = folder.join("keyspaces").join(id.to_string());
    check_list(folder, &path)?;
    let config = Config::new(path, Default::default(), Default::default());
    config.open().map_err(|error| fault::tree(folder, error))
}

fn check_list(folder: &Path, tree: &Path) -> Result<(), StateError> {
    let current = read(folder, tree.join("current"))?;
    let Some((number, check)) = current.split_first_chunk::<8>() else {
        return Err(damaged(folder, format_args!("`{}/current` is cut off", tree.display())));
    };
    let list = tree.join(format!("v{}", u64::from_le_bytes(*number)));
    let bytes = read(folder, list.clone())?;
    // In front of the kind of checksum, of which there is one.
    if check.strip_suffix(&[0]) != Some(&XxHash3_128::oneshot(&bytes).to_le_bytes()) {
        return Err(damaged(folder, format_args!("`{}` has another checksum than `current` says", list.display())));
    }
    Ok(())
}

fn read(folder: &Path, path: PathBuf) -> Result<Vec<u8>, StateError> {
    fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => damaged(folder, format_args!("`{}` is missing", path.display())),
        _ => io(&path, &error),
    })
}
