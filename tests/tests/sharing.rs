//! What one thread opens and closes is nobody else's business.

use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, StateBackend, Volatile, WriteBatch};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A backend that is closed only when its last owner is gone.
struct Exclusive(InMemoryStateBackend);

impl StateBackend for Exclusive {
    type Survival = Volatile;
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, krishiv_api::StateError> {
        self.0.get(key)
    }
    fn scan<'a>(&'a self, prefix: &[u8]) -> krishiv_api::Scan<'a> {
        self.0.scan(prefix)
    }
    fn write(&self, batch: WriteBatch) -> Result<(), krishiv_api::StateError> {
        self.0.write(batch)
    }
}

/// A folder that is reopened the moment it was closed is free, whatever other threads open meanwhile: a store that
/// looked at the backends of others held them, and RocksDB refused the folder as locked.
#[test]
fn opening_a_store_holds_no_backend_of_another_thread() {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(Keyed::<Dynamic<u64>>::open(Arc::new(InMemoryStateBackend::new())).unwrap());
            }
        });
        let held = (0..20_000).filter(|_| {
            let backend = Arc::new(Exclusive(InMemoryStateBackend::new()));
            let watch = Arc::downgrade(&backend);
            drop(Keyed::<Dynamic<u64>>::open(backend).unwrap());
            watch.strong_count() > 0
        });
        let held = held.count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(held, 0);
    });
}
