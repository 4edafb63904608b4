//! Random batches, applied to a backend and to a plain map.

use super::calls::{get, scan, write};
use crate::backend::{StateBackend, WriteBatch};
use std::collections::BTreeMap;

/// A program that is the same for the same seed, and the state it should have led to.
pub(super) struct Program {
    seed: u64,
    random: u64,
    model: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Program {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, random: seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15), model: BTreeMap::new() }
    }

    /// One random batch, and a few random reads.
    pub(super) fn step(&mut self, backend: &impl StateBackend) {
        let mut batch = WriteBatch::default();
        for _ in 0..self.below(8) {
            let key = self.key();
            if self.below(3) == 0 {
                batch.delete(&key);
                self.model.remove(&key);
            } else {
                let value: Vec<u8> = (0..self.below(40)).map(|_| self.below(256) as u8).collect();
                batch.put(&key, &value);
                self.model.insert(key, value);
            }
        }
        write(backend, batch);
        let key = self.key();
        assert_eq!(get(backend, &key).as_ref(), self.model.get(&key), "model, seed {}: get", self.seed);
        let prefix = self.key();
        let expected = self.model.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let found = scan(backend, &prefix);
        assert!(found.iter().map(|(key, value)| (key, value)).eq(expected), "model, seed {}: scan", self.seed);
    }

    /// Everything must be as in the model.
    pub(super) fn compare(&self, backend: &impl StateBackend) {
        let found: BTreeMap<_, _> = scan(backend, b"").into_iter().collect();
        assert_eq!(found, self.model, "model, seed {}: the whole state", self.seed);
        let keys: Vec<&[u8]> = self.model.keys().map(Vec::as_slice).collect();
        let values = backend.multi_get(&keys).expect("multi_get: a healthy backend answers");
        let same = values.iter().map(Option::as_ref).eq(self.model.values().map(Some));
        assert!(same, "model, seed {}: multi_get of all keys", self.seed);
    }

    /// Few different bytes, so that keys meet again and are prefixes of each other.
    fn key(&mut self) -> Vec<u8> {
        let mut key: Vec<u8> = (0..self.below(5)).map(|_| [0, 1, 0x61, 0xfe, 0xff][self.below(5)]).collect();
        if key.starts_with(&[0, 0]) {
            key[0] = 1;
        }
        key
    }

    fn below(&mut self, limit: usize) -> usize {
        // xorshift64: good enough to choose by, and the same everywhere.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 33) as usize % limit
    }
}
