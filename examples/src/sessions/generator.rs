//! Page views out of nothing, the same ones for the same arguments.

use crate::view::PageView;
use krishiv_pipeline::{BoxError, Polled, Source};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The views come at most so many milliseconds out of order, except for the late ones.
pub(crate) const DISORDER_MS: u64 = 5 * 60_000;

/// One view of so many may be late, by up to `LATEST_MS`.
const LATE_ONE_OF: u64 = 1_000;
const LATEST_MS: u64 = 2 * 60 * 60_000;

/// 2026-01-01T00:00 UTC.
const START_MS: i64 = 1_767_225_600_000;

/// Milliseconds between two views of a user, on average.
const PACE_MS: u64 = 20 * 60_000;

const PAGES: u64 = 200;

/// What the views depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) users: u32,
    pub(crate) views: u64,
    pub(crate) seed: u64,
}

/// Gives the views of a stream in the order in which they arrive.
pub(crate) struct Generator {
    stream: Stream,
    next: u64,
}

/// A view depends on its number alone, so the number of the next one is all that it takes to go on.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position {
    stream: Stream,
    next: u64,
}

impl Generator {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, next: 0 }
    }
}

impl Source for Generator {
    type Item = PageView;
    type Position = Position;

    fn poll(&mut self, _wait: Duration) -> Result<Polled<PageView>, BoxError> {
        if self.next >= self.stream.views {
            return Ok(Polled::End);
        }
        let view = self.stream.view(self.next);
        self.next += 1;
        Ok(Polled::Item(view))
    }

    fn position(&self) -> Position {
        Position { stream: self.stream, next: self.next }
    }

    fn seek(&mut self, position: Position) -> Result<(), BoxError> {
        if position.stream != self.stream {
            let Stream { users, views, seed } = position.stream;
            return Err(format!(
                "the state was made with --users {users} --views {views} --seed {seed}; \
                 give the same, or another folder"
            )
            .into());
        }
        self.next = position.next;
        Ok(())
    }
}

impl Stream {
    fn view(self, number: u64) -> PageView {
        let mut random = Random::of(self.seed, number);
        // Squared, so that some users come often and others hardly ever.
        let share = random.next() >> 32;
        let square = (share * share) >> 32;
        let user = (square * u64::from(self.users)) >> 32;
        let delay = if random.below(LATE_ONE_OF) == 0 { random.below(LATEST_MS) } else { random.below(DISORDER_MS) };
        let arrival = START_MS.saturating_add_unsigned(number.saturating_mul(PACE_MS) / u64::from(self.users));
        PageView { user: user as u32, time: arrival.saturating_sub_unsigned(delay), page: random.below(PAGES) as u32 }
    }
}

/// SplitMix64: a counter, well mixed, so that it can begin anywhere.
struct Random(u64);

impl Random {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    /// Random numbers that a view has for itself.
    const PER_VIEW: u64 = 4;

    fn of(seed: u64, view: u64) -> Self {
        Self(seed.wrapping_add(view.wrapping_mul(Self::PER_VIEW).wrapping_mul(Self::STEP)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
