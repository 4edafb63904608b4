//! A record that a sink cannot write, though it can write others.

/// A record that a [`Sink`](crate::Sink) cannot write, though it can write others.
///
/// A sink returns it from [`write`](crate::Sink::write), and has left nothing of the record behind. A pipeline stops, or puts it aside:
/// see [`Complete::dead_letters_to`](crate::Complete::dead_letters_to).
///
/// ```
/// use krishiv_pipeline::{BadRecord, BoxError};
///
/// fn write(text: &str) -> Result<(), BoxError> {
///     if text.contains('\n') {
///         return Err(BadRecord::new("the text has several lines").into());
///     }
///     Ok(())
/// }
///
/// assert_eq!(write("a\nb").unwrap_err().to_string(), "the text has several lines");
/// ```
#[derive(thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct BadRecord {
    /// What is wrong with it.
    pub reason: String,
}

impl BadRecord {
    /// Says what is wrong with a record.
    ///
    /// ```
    /// let error = krishiv_pipeline::BadRecord::new("it has no name");
    /// assert_eq!(error.reason, "it has no name");
    /// ```
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl std::fmt::Debug for BadRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
