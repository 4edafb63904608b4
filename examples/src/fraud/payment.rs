//! What comes in and goes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A row of either file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) card: String,
    pub(crate) cents: i64,
    pub(crate) items: u32,
    /// Whoever has written it gave it that number.
    pub(crate) reference: String,
    #[serde(default)]
    pub(crate) at: String,
}

impl Payment {
    /// Its time in milliseconds.
    ///
    /// # Errors
    ///
    /// If it has none, or that is no time.
    pub(crate) fn millis(&self) -> Result<i64, String> {
        let time: Timestamp = self.at.parse().map_err(|error| format!("`at` is {:?}: {error}", self.at))?;
        Ok(time.as_millisecond())
    }
}

/// A card that has spent too much within an hour.
#[derive(Debug, Serialize)]
pub(crate) struct Alert {
    pub(crate) card: String,
    pub(crate) at: String,
    pub(crate) reference: String,
    pub(crate) within_the_hour: i64,
    /// Cents for each item of the last payment.
    pub(crate) cents_an_item: f64,
}
