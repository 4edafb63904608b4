//! Measurements in pairs: one run of ours, one of the peer, and what they say together.

use crate::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// One run of one side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    time: Duration,
    checksum: u64,
}

impl Sample {
    /// A run that took so long by another clock.
    pub(crate) fn of(time: Duration, checksum: u64) -> Self {
        Self { time, checksum }
    }

    /// The same run with another checksum, for what can only be checked after the clock has stopped.
    pub(crate) fn checked(self, checksum: u64) -> Self {
        Self { checksum: self.checksum ^ checksum, ..self }
    }

    /// How long it took.
    pub(crate) fn seconds(self) -> f64 {
        self.time.as_secs_f64()
    }

    /// What it computed.
    pub(crate) fn checksum(self) -> u64 {
        self.checksum
    }

    /// The run and another part of it, as one.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { time: self.time + other.time, checksum: self.checksum.wrapping_add(other.checksum) }
    }
}

/// Runs `work`, which returns a checksum of all that it computed.
pub(crate) fn timed(work: impl FnOnce() -> Result<u64, Error>) -> Result<Sample, Error> {
    let start = Instant::now();
    let checksum = black_box(work()?);
    Ok(Sample { time: start.elapsed(), checksum })
}

/// What the two sides took, run by run, in seconds or bytes for one unit of work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) ours: Vec<f64>,
    pub(crate) peer: Vec<f64>,
}

impl Pairs {
    /// Adds a run of each side, of so many `units` of work.
    pub(crate) fn add(&mut self, ours: Sample, peer: Sample, units: usize) -> Result<(), Error> {
        if ours.checksum != peer.checksum {
            return Err(Error::Differs { ours: ours.checksum, peer: peer.checksum });
        }
        let per_unit = |sample: Sample| sample.seconds() / units.max(1) as f64;
        self.push(per_unit(ours), per_unit(peer));
        Ok(())
    }

    /// Adds a measurement of each side.
    pub(crate) fn push(&mut self, ours: f64, peer: f64) {
        self.ours.push(ours);
        self.peer.push(peer);
    }

    /// The ratios of ours to the peer, pair by pair.
    pub(crate) fn ratios(&self) -> Spread {
        Spread::of(self.ours.iter().zip(&self.peer).map(|(ours, peer)| ours / peer.max(f64::MIN_POSITIVE)))
    }

    /// Of two comparisons with the same peer, ours of this one against ours of `base`.
    pub(crate) fn against(&self, base: &Self) -> Self {
        Self { ours: self.ours.clone(), peer: base.ours.clone() }
    }
}

/// The median of some figures, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        let (low, high) = (figures.len().saturating_sub(1) / 2, figures.len() / 2);
        Self { least: at(0), median: f64::midpoint(at(low), at(high)), most: at(figures.len().saturating_sub(1)) }
    }

    /// The same figures the other way round, as for a throughput made of times.
    pub(crate) fn inverted(self) -> Self {
        Self { least: 1.0 / self.most, median: 1.0 / self.median, most: 1.0 / self.least }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: u64, checksum: u64) -> Sample {
        Sample { time: Duration::from_secs(seconds), checksum }
    }

    #[test]
    fn the_median_is_the_median() {
        assert_eq!(Spread::of([5.0, 1.0, 3.0]), Spread { least: 1.0, median: 3.0, most: 5.0 });
        assert_eq!(Spread::of([4.0, 1.0, 3.0, 2.0]).median, 2.5);
        assert_eq!(Spread::of([7.0]), Spread { least: 7.0, median: 7.0, most: 7.0 });
        assert_eq!(Spread::of([1.0, 2.0, 4.0]).inverted(), Spread { least: 0.25, median: 0.5, most: 1.0 });
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        let mut pairs = Pairs::default();
        for (ours, peer) in [(10, 10), (40, 20), (120, 30)] {
            pairs.add(sample(ours, 1), sample(peer, 1), 10).unwrap();
        }
        assert_eq!(pairs.ratios(), Spread { least: 1.0, median: 2.0, most: 4.0 });
        assert_eq!(Spread::of(pairs.ours).median, 4.0);
    }

    #[test]
    fn sides_that_computed_something_else_are_refused() {
        let refused = Pairs::default().add(sample(1, 2), sample(1, 3), 1);
        assert!(matches!(refused, Err(Error::Differs { ours: 2, peer: 3 })));
    }
}
