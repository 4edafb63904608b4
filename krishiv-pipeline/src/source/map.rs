//! A source with each item made into another.

/// What [`Source::map`](crate::Source::map) returns.
///
/// ```
/// use krishiv_pipeline::{IterSource, Source};
///
/// let mut source = IterSource::new(["1", "2"]).map(str::len);
/// source.seek(2)?; // the position is that of the source below
/// assert_eq!(source.position(), 2);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Map<S, F> {
    pub(super) source: S,
    pub(super) f: F,
}

impl<S, F> Map<S, F> {
    pub(super) fn new(source: S, f: F) -> Self {
        Self { source, f }
    }
}
