//! Backends that count what is asked of them, or fail.

use krishiv_api::{Retention, Scan, StateBackend, StateError, WriteBatch};
use krishiv_tests::Place;
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// When a write fails: before it has written, or although it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fail {
    Before,
    After,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    /// The call after so many others, of any sort.
    Call(usize),
    /// The write after so many others.
    Write(usize, Fail),
}

/// A backend of which one call fails, once.
pub struct Failing<B> {
    inner: Arc<B>,
    plan: Mutex<Option<Plan>>,
    reads: AtomicU64,
    records: AtomicU64,
}

impl<B> Failing<B> {
    pub fn new(inner: Arc<B>) -> Arc<Self> {
        Arc::new(Self { inner, plan: Mutex::new(None), reads: AtomicU64::new(0), records: AtomicU64::new(0) })
    }

    fn plan(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the call after `calls` others fail: a read, a record or the end of a scan, a write.
    pub fn fail(&self, calls: usize) {
        *self.plan() = Some(Plan::Call(calls));
    }

    /// Lets the write after `writes` others fail.
    pub fn fail_writes(&self, writes: usize, how: Fail) {
        *self.plan() = Some(Plan::Write(writes, how));
    }

    /// Lets nothing fail any more; says whether something has.
    pub fn heal(&self) -> bool {
        self.plan().take().is_none()
    }

    /// Reads, scans and records of scans since the last time, without those of the catalog: every commit looks who owns it.
    pub fn take_reads(&self) -> (u64, u64) {
        (self.reads.swap(0, Relaxed), self.records.swap(0, Relaxed))
    }

    fn call(&self) -> Result<(), StateError> {
        let mut plan = self.plan();
        match &mut *plan {
            Some(Plan::Call(0)) => {
                *plan = None;
                Err(StateError::backend("on purpose"))
            }
            Some(Plan::Call(left)) => {
                *left -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// 1 for what is read of rows, 0 of the catalog.
fn counts(key: &[u8]) -> u64 {
    u64::from(!key.starts_with(&[0, 0]))
}

impl<B: StateBackend> StateBackend for Failing<B> {
    type Survival = B::Survival;
    const MERGES: bool = B::MERGES;
    const LONGEST_KEY: usize = B::LONGEST_KEY;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.reads.fetch_add(counts(key), Relaxed);
        self.call()?;
        self.inner.get(key)
    }

    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.reads.fetch_add(1, Relaxed);
        self.call()?;
        self.inner.multi_get(keys)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.scan_from(prefix, prefix)
    }

    fn scan_from<'a>(&'a self, prefix: &[u8], from: &[u8]) -> Scan<'a> {
        self.reads.fetch_add(counts(prefix), Relaxed);
        let mut records = self.inner.scan_from(prefix, from);
        let counts = counts(prefix);
        Box::new(std::iter::from_fn(move || match self.call() {
            Ok(()) => {
                let record = records.next();
                self.records.fetch_add(u64::from(record.is_some()) * counts, Relaxed);
                record
            }
            Err(error) => Some(Err(error)),
        }))
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        let catalog: Vec<_> = batch.iter().map(|step| step.key()).filter(|key| counts(key) == 0).collect();
        let once: BTreeSet<_> = catalog.iter().collect();
        assert_eq!(catalog.len(), once.len(), "a record of the catalog is decided once: {catalog:?}");
        self.call()?;
        let planned = {
            let mut plan = self.plan();
            match &mut *plan {
                Some(Plan::Write(0, how)) => {
                    let how = *how;
                    *plan = None;
                    Some(how)
                }
                Some(Plan::Write(left, _)) => {
                    *left -= 1;
                    None
                }
                _ => None,
            }
        };
        if planned != Some(Fail::Before) {
            self.inner.write(batch)?;
        }
        planned.map_or(Ok(()), |_| Err(StateError::backend("on purpose")))
    }

    fn add_retention(&self, rule: Arc<dyn Retention>) {
        self.inner.add_retention(rule);
    }
}

thread_local! {
    static OPENED: RefCell<Weak<dyn Any + Send + Sync>> = RefCell::new(Weak::<()>::new());
}

/// A place whose backends can fail; under a TTL too.
pub struct Faulty<P>(P);

impl<P: Place> Place for Faulty<P> {
    type Backend = Failing<P::Backend>;

    fn new() -> Self {
        Self(P::new())
    }

    fn open(&self) -> Arc<Self::Backend> {
        let backend = Failing::new(self.0.open());
        let any: Arc<dyn Any + Send + Sync> = Arc::<Self::Backend>::clone(&backend);
        OPENED.set(Arc::downgrade(&any));
        backend
    }
}

/// The backend that this thread has opened last.
pub fn opened<B: StateBackend>() -> Arc<Failing<B>> {
    OPENED.with_borrow(|opened| opened.upgrade().unwrap().downcast().unwrap())
}

/// Makes of each `fn test<B: StateBackend, P: Place>()` one test for each backend, which `opened` finds below `P`.
macro_rules! on_every_failing_backend {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                use $crate::backends::Faulty;
                use krishiv_api::{FjallStateBackend, InMemoryStateBackend, RocksDbStateBackend};
                use krishiv_tests::{Fjall, Memory, RocksDb, Ttl};

                #[test]
                fn in_memory() {
                    super::$test::<InMemoryStateBackend, Faulty<Memory>>();
                }
                #[test]
                fn on_rocksdb() {
                    super::$test::<RocksDbStateBackend, Faulty<RocksDb>>();
                }
                #[test]
                fn on_fjall() {
                    super::$test::<FjallStateBackend, Faulty<Fjall>>();
                }
                #[test]
                fn under_a_ttl() {
                    super::$test::<InMemoryStateBackend, Ttl<Faulty<Memory>>>();
                }
                #[test]
                fn under_a_ttl_on_rocksdb() {
                    super::$test::<RocksDbStateBackend, Ttl<Faulty<RocksDb>>>();
                }
            }
        )+
    };
}
pub(crate) use on_every_failing_backend;
