//! What is held in memory of one key.

use crate::catalog::rows::StoredRow;
use crate::codec::row::{Parts, TIMERS};
use crate::error::StateError;
use crate::keyed::KeyedState;
use crate::keyed::dynamic::{Extra, Rest};
use crate::quiet::drop_quietly;
use crate::scope::left::Left;
use crate::scope::timers::{self, OfKey};

/// What is held in memory of one key.
pub(super) struct Row<S: KeyedState> {
    pub(super) key: S::Key,
    pub(super) cells: S::Row,
    /// Cells of states that the struct does not declare, in the order the store got to know them.
    pub(super) extra: Extra,
    pub(super) status: Status,
}

/// What the store knows of a row, in one word: an event compares it with that of before, and mostly finds it the same.
///
/// From the top: 32 bits memory of the cells outside the row, 16 bits that of the key, both in bytes; the flags below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(u64);

impl Status {
    /// It has what no commit has written.
    const DIRTY: u64 = 1;
    /// It was used since the sweep last passed.
    const RECENT: u64 = 2;
    /// No event has been on it yet. The first does not mark it as used: a walk over keys that are needed once leaves the
    /// rows that are needed again where they are.
    const NEW: u64 = 4;
    /// A commit has been over it since the last event, and may have made it smaller.
    const COMMITTED: u64 = 8;
    /// Cells and [`kept`](Rest::kept) have all that is stored of its values.
    const KNOWN: u64 = 16;
    /// Its record is part of the commit that is being made, as a whole.
    const FLUSHED: u64 = 32;

    /// A list or a map was looked at since its last commit.
    const ENTRIES: u64 = 64;

    /// What is known of the row of a key that takes `key` bytes of memory.
    fn new(key: usize) -> Self {
        Self(u64::from(packed(key)) << 16 | Self::NEW)
    }

    /// Memory outside the row, in bytes, roughly.
    pub(super) fn outside(self) -> usize {
        (self.0 >> 32) as usize + unpacked((self.0 >> 16) as u16)
    }

    pub(super) fn is_dirty(self) -> bool {
        self.0 & Self::DIRTY != 0
    }

    /// Whether an event that touches nothing of what is known leaves it as it is.
    #[inline]
    pub(super) fn is_settled(self) -> bool {
        self.0 & (Self::RECENT | Self::NEW | Self::COMMITTED) == Self::RECENT
    }

    /// What is known of it after an event.
    #[inline(always)]
    pub(super) fn after(self, left: &Left) -> Self {
        let cells = u64::from(u32::try_from(left.weight).unwrap_or(u32::MAX));
        let kept = self.0 & (0xffff_0000 | Self::DIRTY | Self::KNOWN | Self::FLUSHED | Self::ENTRIES);
        let entries = if left.entries { Self::ENTRIES } else { 0 };
        let recent = if self.0 & Self::NEW == 0 { Self::RECENT } else { 0 };
        Self(cells << 32 | kept | u64::from(left.wrote) | recent | entries)
    }

    /// What is known of it while a commit is being made.
    fn flushed(self, whole: bool) -> Self {
        Self(self.0 & !Self::FLUSHED | if whole { Self::FLUSHED } else { 0 })
    }

    /// What is known of it when part of what it holds outside has changed, by an event.
    fn changed(self, before: usize, after: usize) -> Self {
        let cells = ((self.0 >> 32) as usize + after).saturating_sub(before);
        Self(u64::from(u32::try_from(cells).unwrap_or(u32::MAX)) << 32 | self.0 & 0xffff_ffff | Self::DIRTY)
    }

    pub(super) fn committed(self) -> Self {
        let known = if self.0 & Self::FLUSHED == 0 { 0 } else { Self::KNOWN };
        Self(self.0 & !(Self::DIRTY | Self::FLUSHED | Self::ENTRIES) | known | Self::COMMITTED)
    }

    /// Whether all that is stored of its values is known.
    pub(super) fn is_known(self) -> bool {
        self.0 & Self::KNOWN != 0
    }

    /// Whether lists or maps may have something to write.
    pub(super) fn has_entries(self) -> bool {
        self.0 & Self::ENTRIES != 0
    }

    /// Takes the mark of recent use away, and says whether it was there.
    pub(super) fn take_recent(&mut self) -> bool {
        let recent = self.0 & Self::RECENT != 0;
        self.0 &= !Self::RECENT;
        recent
    }
}

/// In sixteen bits: the bytes of a key, or else pages of it, rounded up.
const PAGES: u16 = 0x8000;
const PAGE: usize = 4_096;

fn packed(bytes: usize) -> u16 {
    match u16::try_from(bytes) {
        Ok(bytes) if bytes < PAGES => bytes,
        _ => PAGES | u16::try_from(bytes.div_ceil(PAGE)).unwrap_or(PAGES - 1).min(PAGES - 1),
    }
}

fn unpacked(packed: u16) -> usize {
    if packed < PAGES { packed.into() } else { usize::from(packed ^ PAGES) * PAGE }
}

impl<S: KeyedState> Row<S> {
    /// Memory that the table takes for a row, in bytes, at most: a byte of its own comes with each place, and when it has
    /// just grown there are 16 places for 7 rows.
    pub(super) const SIZE: usize = ((size_of::<Self>() + 1) * 16).div_ceil(7);

    /// A row of nothing yet, for a key that takes so many bytes outside itself.
    pub(super) fn new(key: S::Key, outside: usize) -> Self {
        Self { key, cells: S::Row::default(), extra: None, status: Status::new(outside) }
    }

    /// One that is found by its encoded key.
    pub(super) fn by_bytes(key: S::Key, outside: usize, encoded: &[u8]) -> Self {
        let rest = Rest { encoded: encoded.into(), ..Rest::default() };
        let row = Self::new(key, outside + size_of::<Rest>() + encoded.len());
        Self { extra: Some(Box::new(rest)), ..row }
    }

    /// The encoded key of one that is found by it.
    pub(super) fn encoded(&self) -> &[u8] {
        self.extra.as_ref().map_or(&[], |extra| &extra.encoded)
    }

    /// Drops it piece by piece: one panic in the `Drop` of a user's type is caught, and a second on its way would not be.
    pub(super) fn drop_quietly(self) {
        let Self { key, cells, extra, .. } = self;
        drop_quietly(key);
        drop_quietly(cells);
        drop_quietly(extra);
    }

    /// Takes note of what is `stored` of its values, once its cells have been shown it.
    pub(super) fn know(&mut self, stored: &mut StoredRow) {
        // Those of an older format are read again by the commit that puts them into one record. Damage is for whoever asks for the
        // timers.
        if !stored.older && self.learn_timers(&mut stored.parts).is_ok() {
            self.status.0 |= Status::KNOWN;
            let kept = stored.parts.write_kept();
            if self.extra.is_some() || !kept.is_empty() {
                self.extra.get_or_insert_default().kept.learn(kept);
            }
        }
    }

    /// The timers of its key, as far as they are known.
    pub(super) fn timers(&self) -> Option<&OfKey> {
        self.extra.as_ref().map(|extra| &extra.timers)
    }

    /// Takes in what is stored of its timers, and takes it out there.
    pub(super) fn learn_timers(&mut self, stored: &mut Parts) -> Result<(), StateError> {
        let found = timers::stored(stored);
        // What is known already may have changed since: what is stored is older.
        if !self.status.is_known() && (found.is_some() || self.extra.is_some()) {
            self.extra.get_or_insert_default().timers.learn(found)?;
        }
        stored.take(TIMERS);
        Ok(())
    }

    /// Changes its timers by `f`, which makes the row dirty.
    pub(super) fn change_timers(&mut self, f: impl FnOnce(&mut OfKey)) {
        let extra = self.extra.get_or_insert_default();
        let before = extra.weight();
        f(&mut extra.timers);
        self.status = self.status.changed(before, extra.weight());
    }

    /// What is stored of its values and no cell has, as far as that is known.
    pub(super) fn kept(&self) -> Parts {
        self.extra.as_ref().map(|extra| extra.kept.parts()).unwrap_or_default()
    }

    /// Takes note that the commit that is being made has its record, `whole` or its changes, and that no cell has `kept` of it.
    pub(super) fn flushed(&mut self, whole: bool, kept: Box<[u8]>) {
        self.status = self.status.flushed(whole);
        if self.extra.is_some() || !kept.is_empty() {
            self.extra.get_or_insert_default().kept.flushed(kept);
        }
    }

    /// That commit has been written.
    pub(super) fn settle(&mut self) {
        self.status = self.status.committed();
        if let Some(extra) = &mut self.extra {
            extra.kept.settle();
            extra.timers.committed();
        }
        // Most rows do without again once their timers have fired.
        self.extra.take_if(|extra| extra.is_bare());
    }

    /// Memory that it takes, in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        Self::SIZE + self.status.outside()
    }
}
