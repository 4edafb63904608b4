//! What an event leaves behind of a row.

/// What has become of a cell in an event.
pub struct Left {
    /// The event has written to it.
    pub(crate) wrote: bool,
    /// Memory that it holds outside the row, in bytes, roughly.
    pub(crate) weight: usize,
    /// A list or a map was looked at, of which a commit may have something to write.
    pub(crate) entries: bool,
}

impl Left {
    /// What has become of no cell at all.
    pub(crate) const NOTHING: Self = Self { wrote: false, weight: 0, entries: false };

    /// What has become of these cells and those.
    #[inline(always)]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            wrote: self.wrote | other.wrote,
            weight: self.weight + other.weight,
            entries: self.entries | other.entries,
        }
    }
}
