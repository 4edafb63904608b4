//! A dead letter of a pipeline.

use crate::source::Row;
use krishiv_api::{OperatorCause, OperatorError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that came to nothing on its way through a pipeline: what, why, and the row that it comes from.
///
/// As JSON it has the fields that it knows something of.
///
/// ```
#[doc = include_str!("example.txt")]
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("numbers.jsonl");
/// std::fs::write(&path, "7\nseven\n")?;
/// let rejects = MemorySink::new();
/// Pipeline::new(backend)
///     .source(JsonLinesSource::open(&path)?)
///     .operator(Distinct)
///     .sink(MemorySink::new())
///     .dead_letters_to(rejects.clone())
///     .run()?;
/// let reject = &rejects.items()[0];
/// assert_eq!((reject.at.as_str(), reject.line, reject.raw.as_deref()), ("input 0", Some(2), Some("seven")));
/// assert_eq!(reject.reason, "expected value, at column 1");
/// # Ok::<(), BoxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reject {
    /// Where it came to nothing: `input 0`, `operator visits`, `output sink`.
    pub at: String,
    /// Why.
    pub reason: String,
    /// The file that it comes from; `None` for a timer, and where the source has no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its line in the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The row as it is stored; what is not UTF-8 of it as `U+FFFD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Its bytes in hexadecimal, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_hex: Option<String>,
    /// The key that was processed, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Reject {
    pub(super) fn new(at: String, reason: String) -> Self {
        Self { at, reason, file: None, line: None, raw: None, raw_hex: None, key: None }
    }

    /// What an operator has failed at.
    pub(super) fn of_operator(error: &OperatorError) -> Self {
        // Operator and key stand beside it.
        let (input, cause): (_, &OperatorCause) = (error.input(), error.cause());
        let reject = Self::new(format!("operator {}", error.operator()), format!("{input}: {cause}"));
        Self { key: error.key().map(str::to_owned), ..reject }
    }

    /// The same with the place of the row that it comes from, if that is known.
    pub(super) fn of_row(self, row: Option<Row<'_>>) -> Self {
        let Some(Row { file, line, .. }) = row else { return self };
        Self { file: Some(file.to_string_lossy().into_owned()), line: Some(line), ..self }
    }

    /// The same with the row itself.
    pub(super) fn with_bytes(self, row: Option<Row<'_>>) -> Self {
        let Some(Row { bytes, .. }) = row else { return self };
        let raw_hex = std::str::from_utf8(bytes).is_err().then(|| hex(bytes));
        Self { raw: Some(String::from_utf8_lossy(bytes).into_owned()), raw_hex, ..self.of_row(row) }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)?;
        if let (Some(file), Some(line)) = (&self.file, self.line) {
            write!(f, ": {file}:{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", key `{key}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}
