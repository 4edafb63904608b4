//! The folder of the state: recognised before anything in it is touched, and used by one run at a time.

use crate::error::Error;
use crate::outputs::Outputs;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The file that makes a folder one of this job, and what it says.
const LABEL_FILE: &str = "FLIGHTS-STATE";
const LABEL: &str = "state of the krishiv example `flights`, format 1\n";

/// The backends, as `--backend` names them, and the folders of their databases.
const BACKENDS: [&str; 2] = ["fjall", "rocksdb"];

/// The folder of one state, locked until this is dropped.
///
/// It holds the label, the database in `fjall` or `rocksdb`, the outputs if no other place is named, and while a
/// `--fresh` is under way the old database in `discarded`.
#[derive(Debug)]
pub(crate) struct StateFolder {
    path: PathBuf,
    backend: &'static str,
    _lock: File,
}

impl StateFolder {
    /// Opens the folder, which may be missing or empty, and ends what a killed `--fresh` began.
    ///
    /// # Errors
    ///
    /// If the folder holds something else, or is in use.
    pub(crate) fn open(path: &Path, backend: &'static str, outputs: &Outputs) -> Result<Self, Error> {
        let label_path = path.join(LABEL_FILE);
        if !label_path.exists() && holds_anything(path)? {
            return Err(Error::refused(
                path,
                "this folder is not empty and holds no state of this job, so it stays as it is; name another with --state",
            ));
        }
        fs::create_dir_all(path).map_err(Error::io(path, "cannot create the folder of the state"))?;

        let failed = |error| Error::io(&label_path, "cannot label the folder of the state")(error);
        let mut label = OpenOptions::new().read(true).append(true).create(true).open(&label_path).map_err(failed)?;
        match label.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::refused(path, "another run is using this state"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut found = Vec::new();
        label.read_to_end(&mut found).map_err(failed)?;
        // A crash may have left less than all of it.
        let Some(missing) = LABEL.as_bytes().strip_prefix(found.as_slice()) else {
            return Err(Error::refused(
                path,
                "this is a state of another version of this job; name another with --state",
            ));
        };
        label.write_all(missing).and_then(|()| label.sync_all()).map_err(failed)?;

        let folder = Self { path: path.to_owned(), backend, _lock: label };
        if folder.discarded().exists() {
            folder.delete_discarded(outputs)?;
        }
        Ok(folder)
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(self.backend)
    }

    /// Refuses a state that another backend keeps: the outputs are those of its run.
    pub(crate) fn check_backend(&self) -> Result<(), Error> {
        match BACKENDS.into_iter().find(|other| *other != self.backend && self.path.join(other).exists()) {
            None => Ok(()),
            Some(other) => Err(Error::refused(
                &self.path,
                format!("this state was begun with --backend {other}: go on with that, or start over with --fresh"),
            )),
        }
    }

    /// Deletes the state and the outputs of earlier runs, all or nothing also when killed half way.
    pub(crate) fn discard(&self, outputs: &Outputs) -> Result<(), Error> {
        for database in BACKENDS.map(|backend| self.path.join(backend)) {
            match fs::rename(&database, self.discarded()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => {
                    renamed.map_err(Error::io(&database, "cannot discard the state"))?;
                    self.delete_discarded(outputs)?;
                }
            }
        }
        self.delete_discarded(outputs)
    }

    fn delete_discarded(&self, outputs: &Outputs) -> Result<(), Error> {
        // The outputs first: as long as the old database is there, the next start comes back here.
        outputs.delete()?;
        let discarded = self.discarded();
        match fs::remove_dir_all(&discarded) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(&discarded, "cannot delete the discarded state")(error))
            }
            _ => Ok(()),
        }
    }

    fn discarded(&self) -> PathBuf {
        self.path.join("discarded")
    }
}

fn holds_anything(path: &Path) -> Result<bool, Error> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        entries => Ok(entries.map_err(Error::io(path, "cannot read the folder of the state"))?.next().is_some()),
    }
}
