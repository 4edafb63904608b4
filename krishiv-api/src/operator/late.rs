//! Events that come after the watermark had said that no more such would.

/// Where late events go: those whose time is before the watermark.
///
/// ```
/// assert_eq!(krishiv_api::LateEvents::default(), krishiv_api::LateEvents::Process);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LateEvents {
    /// To the operator, like all others; it can ask [`is_late`](crate::EventContext::is_late).
    #[default]
    Process,
    /// Nowhere; they are counted.
    Drop,
    /// To an output of their own, as they came in.
    Collect,
}
