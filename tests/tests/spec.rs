//! The specification's page, section by section: every code block and every row of its tables, as written, with
//! nothing but the surroundings that the page leaves out.

use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, StateBackend, StateError, WriteBatch};

/// The surroundings: a store whose key is being processed wherever the page says "in on_event".
struct Job(Keyed<Dynamic<String>>);

impl Job {
    fn new() -> Self {
        Self(Keyed::open(std::sync::Arc::new(InMemoryStateBackend::new())).unwrap())
    }

    fn on_event<R>(&mut self, event: impl FnOnce() -> R) -> R {
        self.0.with_key("user", |_| event()).unwrap()
    }
}

#[test]
fn value_state_snippet() {
    use krishiv_api::ValueState;

    let state = ValueState::<i64>::new("seen_count");

    let mut job = Job::new();
    for _ in 0..3 {
        job.on_event(|| {
            // in on_event
            let n = state.get_json().unwrap_or(0);
            state.set_json(n + 1);
        });
    }
    assert_eq!(job.on_event(|| state.get_json()), Some(3));
}

#[test]
fn list_state_table() {
    use krishiv_api::ListState;

    let state = ListState::<i64>::new("prices");
    Job::new().on_event(|| {
        state.add_json(1);
        state.add(2);
        let read: Vec<i64> = state.get();
        let read_json: Vec<i64> = state.get_json();
        assert_eq!((read, read_json), (vec![1, 2], vec![1, 2]));
        assert_eq!((state.length(), state.is_empty()), (2, false));
        state.clear();
        assert_eq!((state.length(), state.is_empty()), (0, true));
    });
}

#[test]
fn map_state_table() {
    use krishiv_api::MapState;

    let state = MapState::<String, u32>::new("sessions");
    let (k, other) = ("web".to_owned(), "app".to_owned());
    Job::new().on_event(|| {
        state.put_json(k.clone(), 1);
        state.put(other.clone(), 2);
        let read: Option<u32> = state.get(&k);
        let read_json: Option<u32> = state.get_json("app");
        assert_eq!((read, read_json), (Some(1), Some(2)));
        let there: bool = state.contains(&k);
        assert!(there && !state.contains("tv"));
        let sorted = |mut keys: Vec<_>| {
            keys.sort();
            keys
        };
        assert_eq!(sorted(state.keys()), ["app", "web"]);
        assert_eq!(state.values().iter().sum::<u32>(), 3);
        assert_eq!(state.entries().len(), 2);
        state.remove(&k);
        assert_eq!(state.keys(), ["app"]);
        state.clear();
        assert!(state.entries().is_empty());
    });
}

#[test]
fn reducing_state_snippet() {
    use krishiv_api::ReducingState;

    let max_amt = ReducingState::<i64>::new("max_amount");

    let mut job = Job::new();
    for (batch_amount, running) in [(20, 20), (50, 50), (30, 50)] {
        job.on_event(|| {
            // in on_event
            let prev = max_amt.get().unwrap_or(i64::MIN);
            max_amt.merge(batch_amount.max(prev));
        });
        assert_eq!(job.on_event(|| max_amt.get()), Some(running));
    }
}

#[test]
fn the_merge_op_of_a_reducing_state_is_the_users() {
    use krishiv_api::ReducingState;

    let longest = ReducingState::<String>::with_reducer("longest", |a, b| if b.len() > a.len() { b } else { a });
    Job::new().on_event(|| {
        ["a", "ccc", "bb"].iter().for_each(|word| longest.merge(word.to_string()));
        assert_eq!(longest.get().as_deref(), Some("ccc"));
    });
}

#[test]
fn broadcast_state_snippet() {
    use krishiv_api::{BroadcastState, BroadcastStateDescriptor};

    let rules = BroadcastStateDescriptor::<i32, String>::new("rules");
    let state = BroadcastState::<i32, String>::new("rules");

    let mut job = Job::new();
    job.0.broadcast(|_, scope| rules.state().put(scope, 42, "answer".to_owned())).unwrap();
    let v = job.on_event(|| {
        let v = state.get(&42); // local read
        v
    });
    assert_eq!(v.as_deref(), Some("answer"));
}

#[test]
fn broadcast_state_stays_below_10_mb_per_descriptor() {
    use krishiv_api::{BroadcastState, ErrorKind};

    let mut job = Job::new();
    let (rules, other) = (BroadcastState::<i32, String>::new("rules"), BroadcastState::<i32, String>::new("other"));
    let almost_1_mb = || "x".repeat(999_000);
    for key in 0..10 {
        job.0.broadcast(|_, scope| rules.put(scope, key, almost_1_mb())).unwrap();
    }
    let refused = job.0.broadcast(|_, scope| rules.put(scope, 10, almost_1_mb())).unwrap_err();
    assert_eq!((refused.kind(), refused.state()), (ErrorKind::Limit, Some("rules")));
    job.0.broadcast(|_, scope| other.put(scope, 10, almost_1_mb())).unwrap();
}

/// The page's block, with the one name that it leaves open.
fn ttl_snippet(current_watermark_ms: i64) -> Result<(), StateError> {
    use krishiv_api::{RocksDbStateBackend, TtlConfig, TtlStateBackend};
    use std::sync::Arc;
    #[allow(unused_imports)]
    use std::time::Duration;

    let inner = Arc::new(RocksDbStateBackend::open("/var/krishiv/state")?);
    let ttl = TtlStateBackend::new(inner, TtlConfig::new(60_000)); // 60 s
    // event-time mode: when a watermark is set, expiry is in event time, not wall clock
    ttl.set_watermark(current_watermark_ms);

    expires_after_60_s(&ttl, current_watermark_ms)
}

fn expires_after_60_s(
    ttl: &krishiv_api::TtlStateBackend<krishiv_api::RocksDbStateBackend>,
    written: i64,
) -> Result<(), StateError> {
    let mut batch = WriteBatch::default();
    batch.put(b"raw", b"bytes");
    ttl.write(batch)?;
    ttl.set_watermark(written + 59_999);
    assert_eq!(ttl.get(b"raw")?.as_deref(), Some(&b"bytes"[..]));
    ttl.set_watermark(written + 60_000);
    assert_eq!(ttl.get(b"raw")?, None);
    Ok(())
}

/// Runs the block word for word where nothing is touched that was there before: the folder is made and removed.
#[test]
fn ttl_state_backend_snippet() {
    let folder = std::path::Path::new("/var/krishiv");
    if std::fs::create_dir(folder).is_ok() {
        let ran = std::panic::catch_unwind(|| ttl_snippet(1_000));
        std::fs::remove_dir_all(folder).unwrap();
        ran.unwrap().unwrap();
    }
}

#[test]
fn ttl_state_backend_snippet_in_any_folder() -> Result<(), StateError> {
    use krishiv_api::{RocksDbStateBackend, TtlConfig, TtlStateBackend};
    use std::sync::Arc;

    let (folder, current_watermark_ms) = (tempfile::tempdir().unwrap(), 1_000);
    let inner = Arc::new(RocksDbStateBackend::open(folder.path())?);
    let ttl = TtlStateBackend::new(inner, TtlConfig::new(60_000)); // 60 s
    // event-time mode: when a watermark is set, expiry is in event time, not wall clock
    ttl.set_watermark(current_watermark_ms);

    expires_after_60_s(&ttl, current_watermark_ms)
}

#[test]
fn ttl_wire_format() -> Result<(), StateError> {
    use krishiv_api::{TtlConfig, TtlStateBackend};
    use std::sync::Arc;

    let inner = Arc::new(InMemoryStateBackend::new());
    let ttl = TtlStateBackend::new(Arc::clone(&inner), TtlConfig::new(60_000));
    ttl.set_watermark(1_000);
    let put = |key: &[u8]| {
        let mut batch = WriteBatch::default();
        batch.put(key, b"raw bytes");
        ttl.write(batch)
    };
    put(b"key")?;
    // [8-byte LE expires_at_ms][raw bytes]
    assert_eq!(inner.get(b"key")?.unwrap(), [&61_000_i64.to_le_bytes()[..], b"raw bytes"].concat());

    // On read, expired entries are treated as absent and removed on the next write.
    ttl.set_watermark(61_000);
    assert_eq!(ttl.get(b"key")?, None);
    assert!(inner.get(b"key")?.is_some());
    put(b"another")?;
    assert_eq!(inner.get(b"key")?, None);
    Ok(())
}

#[test]
fn every_serde_type_is_a_state_value() {
    fn is_a_state_value<T: krishiv_api::StateValue>() {}
    fn is_serde<T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static>() {
        is_a_state_value::<T>();
    }
    is_serde::<(i64, Vec<String>)>();
}

#[test]
fn state_is_per_key() {
    use krishiv_api::ValueState;

    let state = ValueState::<i64>::new("seen_count");
    let mut job = Job::new();
    job.on_event(|| state.set(1));
    assert_eq!(job.0.with_key("another", |_| state.get()).unwrap(), None);
    assert_eq!(job.on_event(|| state.get()), Some(1));
}

#[test]
fn backends_table() -> Result<(), StateError> {
    use krishiv_api::{RocksDbStateBackend, TtlConfig, TtlStateBackend, ValueState};
    use std::sync::Arc;

    fn after_reopen<B: StateBackend>(open: impl Fn() -> B) -> Result<Option<i64>, StateError> {
        let state = ValueState::<i64>::new("seen_count");
        let mut job = Keyed::<Dynamic<String>>::open(Arc::new(open()))?;
        job.with_key("user", |_| state.set(1))?;
        job.commit("")?;
        drop(job);
        Keyed::<Dynamic<String>>::open(Arc::new(open()))?.with_key("user", |_| state.get())
    }
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let rocksdb = |n: usize| RocksDbStateBackend::open(folders[n].path()).unwrap();
    let hour = TtlConfig::new(3_600_000);
    assert_eq!(after_reopen(InMemoryStateBackend::new)?, None);
    assert_eq!(after_reopen(|| rocksdb(0))?, Some(1));
    assert_eq!(after_reopen(|| TtlStateBackend::new(Arc::new(InMemoryStateBackend::new()), hour))?, None);
    assert_eq!(after_reopen(|| TtlStateBackend::new(Arc::new(rocksdb(1)), hour))?, Some(1));
    Ok(())
}
