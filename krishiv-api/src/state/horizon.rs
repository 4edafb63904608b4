//! When the first of many stamps ends.

use crate::codec::record::{NEVER, PENDING_END, Stamp};
use crate::scope::slot::Slot;
use crate::time::TtlClock;

/// A time before which none of the stamps that it was told of has ended: with it at hand, what has not ended need not be gone over.
#[derive(Clone, Copy)]
pub(super) struct Horizon {
    processing: i64,
    event: i64,
    /// A stamp that is not a time yet is among them, and may end at any.
    is_open: bool,
}

impl Default for Horizon {
    fn default() -> Self {
        Self { processing: NEVER, event: NEVER, is_open: false }
    }
}

impl Horizon {
    #[inline]
    pub(super) fn add(&mut self, stamp: Stamp) {
        let first = match stamp.clock {
            TtlClock::Processing => &mut self.processing,
            TtlClock::Event => &mut self.event,
        };
        *first = stamp.expires_at.min(*first);
        self.is_open |= stamp.expires_at < PENDING_END;
    }

    pub(super) fn of(stamps: impl Iterator<Item = Stamp>) -> Self {
        let mut horizon = Self::default();
        stamps.for_each(|stamp| horizon.add(stamp));
        horizon
    }

    /// Whether none of them has ended.
    pub(super) fn is_ahead(&self, slot: &Slot) -> bool {
        let has_ended = |expires_at, clock| expires_at != NEVER && slot.is_expired(Stamp { expires_at, clock });
        !slot.can_expire()
            || !(self.is_open
                || has_ended(self.processing, TtlClock::Processing)
                || has_ended(self.event, TtlClock::Event))
    }
}
