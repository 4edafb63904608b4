//! What the cases are fed with: the same in every run of the program and on every machine.

use crate::error::Error;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use std::sync::Arc;

const SEED: u64 = 0x6b72_6973_6869_7631;

fn generator() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(SEED)
}

/// An endless sequence of keys out of `0..keys`; a clone goes on with the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    random: Xoshiro256PlusPlus,
    spread: Spread,
}

#[derive(Clone, Debug)]
enum Spread {
    Uniform { keys: u64 },
    Zipf { ranks: Zipf<f64>, key_of_rank: Arc<[u64]> },
}

impl Keys {
    /// Each key is as likely as any other.
    pub(crate) fn uniform(keys: u64) -> Self {
        Self { random: generator(), spread: Spread::Uniform { keys: keys.max(1) } }
    }

    /// The n-th most frequent key comes as often as 1/n: Zipf with exponent 1.0.
    ///
    /// Which key is how frequent is drawn too, so that frequent keys are no neighbours on disk.
    pub(crate) fn zipf(keys: u64) -> Result<Self, Error> {
        let ranks = Zipf::new(keys as f64, 1.0)?;
        let key_of_rank = permutation(keys).into();
        Ok(Self { random: generator(), spread: Spread::Zipf { ranks, key_of_rank } })
    }

    /// The next `events` keys.
    pub(crate) fn draw(&mut self, events: usize) -> Vec<u64> {
        let Self { random, spread } = self;
        match spread {
            Spread::Uniform { keys } => (0..events).map(|_| random.random_range(0..*keys)).collect(),
            Spread::Zipf { ranks, key_of_rank } => {
                // Ranks are whole numbers from 1 to the number of keys.
                let key = |rank: f64| key_of_rank.get(rank as usize - 1).copied().unwrap_or(0);
                (0..events).map(|_| key(ranks.sample(random))).collect()
            }
        }
    }
}

/// `0..keys` in random order.
pub(crate) fn permutation(keys: u64) -> Vec<u64> {
    let mut all: Vec<u64> = (0..keys).collect();
    all.shuffle(&mut generator());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_is_zipf() {
        let (keys, events) = (1_000, 1_000_000);
        let mut counts = vec![0_u32; keys];
        for key in Keys::zipf(keys as u64).unwrap().draw(events) {
            counts[usize::try_from(key).unwrap()] += 1;
        }
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let harmonic: f64 = (1..=keys).map(|rank| 1.0 / rank as f64).sum();
        for rank in [1, 2, 5, 10, 50] {
            let want = events as f64 / harmonic / rank as f64;
            let got = f64::from(counts[rank - 1]);
            assert!((got / want - 1.0).abs() < 0.05, "rank {rank}: {got} events, and Zipf has {want}");
        }
    }

    #[test]
    fn frequent_keys_are_no_neighbours() {
        let keys = Keys::zipf(1_000_000).unwrap().draw(10_000);
        assert!(keys.iter().filter(|key| **key < 500_000).count().abs_diff(5_000) < 2_000);
    }

    #[test]
    fn uniform_reaches_every_key_about_as_often() {
        let mut counts = [0_u32; 10];
        for key in Keys::uniform(10).draw(100_000) {
            counts[usize::try_from(key).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 500), "{counts:?}");
    }

    #[test]
    fn both_sides_draw_the_same_and_every_run_something_else() {
        let mut ours = Keys::uniform(1_000_000);
        let mut peer = ours.clone();
        let first = ours.draw(4);
        assert_eq!(first, peer.draw(4));
        assert_ne!(first, ours.draw(4));
    }

    #[test]
    fn a_permutation_has_every_key_once() {
        let mut all = permutation(1_000);
        assert_ne!(all, (0..1_000).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..1_000).collect::<Vec<_>>());
    }
}
