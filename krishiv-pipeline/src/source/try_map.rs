//! A source with each item made into another, where that can fail.

/// What [`Source::try_map`](crate::Source::try_map) returns.
///
/// ```
/// use krishiv_pipeline::{IterSource, Source};
///
/// let mut source = IterSource::new(["1", "x"]).try_map(str::parse::<i32>);
/// source.seek(2)?; // the position is that of the source below
/// assert_eq!(source.position(), 2);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TryMap<S, F> {
    pub(super) source: S,
    pub(super) f: F,
}

impl<S, F> TryMap<S, F> {
    pub(super) fn new(source: S, f: F) -> Self {
        Self { source, f }
    }
}
