//! The files that the job writes: recognised before one is deleted.

use crate::error::Error;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

/// How every line begins.
const BEGINNING: &[u8] = b"{\"tailnum\":";

/// No line is longer, in bytes.
const LINE: u64 = 1 << 20;

/// Both files.
#[derive(Debug)]
pub(crate) struct Outputs {
    pub(crate) alerts: Output,
    pub(crate) idle: Output,
}

/// A file of JSON lines.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) path: PathBuf,
    /// What it holds, in a word.
    pub(crate) holds: &'static str,
    /// What only its lines have.
    pub(crate) field: &'static str,
    /// The argument that names another file.
    pub(crate) option: &'static str,
}

impl Outputs {
    /// Refuses files that hold something else.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.alerts.path == self.idle.path {
            let reason = "alerts and idle aircraft need a file each; name another with --alerts or --idle";
            return Err(Error::refused(&self.idle.path, reason));
        }
        self.alerts.check()?;
        self.idle.check()
    }

    /// Deletes what earlier runs wrote.
    ///
    /// # Errors
    ///
    /// If a file holds something else, or cannot be deleted.
    pub(crate) fn delete(&self) -> Result<(), Error> {
        self.alerts.delete()?;
        self.idle.delete()
    }
}

impl Output {
    fn check(&self) -> Result<(), Error> {
        let mut line = Vec::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.and_then(|file| BufReader::new(file.take(LINE)).read_until(b'\n', &mut line)),
        }
        .map_err(Error::io(&self.path, "cannot read the output"))?;
        if self.is_ours(&line) {
            return Ok(());
        }
        let Self { holds, option, .. } = self;
        let reason = format!("this file holds no {holds}, so it stays as it is; name another with {option}");
        Err(Error::refused(&self.path, reason))
    }

    fn is_ours(&self, line: &[u8]) -> bool {
        match line.strip_suffix(b"\n") {
            Some(line) => serde_json::from_slice::<Map<String, Value>>(line)
                .is_ok_and(|line| line.contains_key("tailnum") && line.contains_key(self.field)),
            // A crash may have left less than one line, or nothing.
            None => line.starts_with(BEGINNING) || BEGINNING.starts_with(line),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        self.check()?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(&self.path, "cannot delete the output")(error))
            }
            _ => Ok(()),
        }
    }
}
