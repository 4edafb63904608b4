//! A backend that dies at some call.

use krishiv_api::{Op, Scan, StateBackend, StateError, WriteBatch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// When it dies.
#[derive(Clone, Copy, Debug)]
pub enum Death {
    /// Instead of the n-th write, and of all calls from there on.
    Before(u64),
    /// Behind the n-th write, of which nobody hears.
    Behind(u64),
    /// Instead of the n-th call of any kind.
    Call(u64),
    Never,
}

/// Another backend, until it dies.
pub struct Mortal<B> {
    inner: Arc<B>,
    death: Death,
    writes: AtomicU64,
    calls: AtomicU64,
}

impl<B: StateBackend> Mortal<B> {
    pub fn new(inner: &Arc<B>, death: Death) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), death, writes: AtomicU64::new(0), calls: AtomicU64::new(0) })
    }

    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn call(&self) -> Result<(), StateError> {
        let (calls, writes) = (self.calls.fetch_add(1, Ordering::Relaxed) + 1, self.writes());
        let is_dead = match self.death {
            Death::Before(at) | Death::Behind(at) => writes >= at,
            Death::Call(at) => calls >= at,
            Death::Never => false,
        };
        if is_dead { Err(dead()) } else { Ok(()) }
    }
}

fn dead() -> StateError {
    StateError::backend(std::io::Error::other("the process was killed"))
}

impl<B: StateBackend> StateBackend for Mortal<B> {
    type Survival = B::Survival;
    const MERGES: bool = B::MERGES;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.call()?;
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        let mut records = self.inner.scan(prefix);
        Box::new(std::iter::from_fn(move || match self.call() {
            Ok(()) => records.next(),
            Err(error) => Some(Err(error)),
        }))
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.call()?;
        let writes = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(self.death, Death::Before(at) if writes == at) {
            return Err(dead());
        }
        let mut copy = WriteBatch::default();
        batch.iter().for_each(|step: Op<'_>| copy.push(step));
        self.inner.write(copy)?;
        if matches!(self.death, Death::Behind(at) if writes == at) { Err(dead()) } else { Ok(()) }
    }
}
