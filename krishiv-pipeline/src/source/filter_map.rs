//! A source without the items that the operators do not need.

/// What [`Source::filter_map`](crate::Source::filter_map) returns.
///
/// ```
/// use krishiv_pipeline::{IterSource, Polled, Source};
/// use std::time::Duration;
///
/// let mut source = IterSource::new(["on time", "12", "7"]).filter_map(|text| text.parse::<u32>().ok());
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Skipped);
/// assert_eq!(source.poll(Duration::ZERO)?, Polled::Item(12));
/// assert_eq!(source.position(), 2); // that of the source below
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FilterMap<S, F> {
    pub(super) source: S,
    pub(super) f: F,
}

impl<S, F> FilterMap<S, F> {
    pub(super) fn new(source: S, f: F) -> Self {
        Self { source, f }
    }
}
