//! The byte-level TTL wrapper: what is stored, when it is gone, and by which time.

use krishiv_api::{
    Cause, ErrorKind, InMemoryStateBackend, ManualClock, Record, Retention, RocksDbStateBackend, Scan, StateBackend,
    StateError, TtlConfig, TtlStateBackend, Volatile, WriteBatch,
};
use krishiv_tests::{Folder, Place, Reading, on_every_folder};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::tempdir;

const MARKER: &[u8] = b"\0\0krishiv/ttl-clock";

type Memory = InMemoryStateBackend;

fn ttl<B: StateBackend>(inner: &Arc<B>, ms: u64, clock: &Arc<ManualClock>) -> TtlStateBackend<B> {
    TtlStateBackend::new(Arc::clone(inner), TtlConfig::new(ms)).with_clock(Arc::clone(clock))
}

fn memory(ms: u64, now: i64) -> (TtlStateBackend<Memory>, Arc<Memory>, Arc<ManualClock>) {
    let (inner, clock) = (Arc::new(Memory::new()), Arc::new(ManualClock::new(now)));
    (ttl(&inner, ms, &clock), inner, clock)
}

fn try_put(backend: &impl StateBackend, key: &[u8], value: &[u8]) -> Result<(), StateError> {
    let mut batch = WriteBatch::default();
    batch.put(key, value);
    backend.write(batch)
}

fn put(backend: &impl StateBackend, key: &[u8], value: &[u8]) {
    try_put(backend, key, value).unwrap();
}

fn get(backend: &impl StateBackend, key: &[u8]) -> Option<Vec<u8>> {
    backend.get(key).unwrap()
}

fn keys(backend: &impl StateBackend, prefix: &[u8]) -> Vec<Vec<u8>> {
    backend.scan(prefix).map(|record| record.unwrap().0).collect()
}

fn stamped(expires_at: i64, raw: &[u8]) -> Vec<u8> {
    [&expires_at.to_le_bytes(), raw].concat()
}

fn stamp_of(inner: &impl StateBackend, key: &[u8]) -> i64 {
    i64::from_le_bytes(get(inner, key).unwrap()[..8].try_into().unwrap())
}

#[test]
fn the_wire_format_is_eight_bytes_of_time_and_then_the_value() {
    let (ttl, inner, _) = memory(60_000, 1_000);
    put(&ttl, b"k", b"raw");
    assert_eq!(get(&*inner, b"k"), Some(b"\x48\xee\0\0\0\0\0\0raw".to_vec()));
    put(&ttl, b"empty", b"");
    assert_eq!(get(&*inner, b"empty"), Some(b"\x48\xee\0\0\0\0\0\0".to_vec()));
    // And it reads what another program has written so.
    put(&*inner, b"other", &stamped(1_001, b"x"));
    assert_eq!(get(&ttl, b"other"), Some(b"x".to_vec()));
}

#[test]
fn expiry_is_exact_in_every_kind_of_read() {
    let (ttl, _, clock) = memory(100, 50);
    put(&ttl, b"a", b"1");
    clock.set(60);
    put(&ttl, b"b", b"2");
    for (now, a, b) in [(149, true, true), (150, false, true), (159, false, true), (160, false, false)] {
        clock.set(now);
        assert_eq!(get(&ttl, b"a").is_some(), a, "a at {now}");
        let found = ttl.multi_get(&[b"b", b"a", b"b"]).unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [b, a, b], "at {now}");
        assert_eq!(keys(&ttl, b"").len(), usize::from(a) + usize::from(b), "at {now}");
    }
}

#[test]
fn reading_does_not_renew_and_writing_does() {
    let (ttl, _, clock) = memory(100, 0);
    put(&ttl, b"read", b"v");
    put(&ttl, b"written", b"v");
    clock.set(99);
    assert_eq!(get(&ttl, b"read"), Some(b"v".to_vec()));
    put(&ttl, b"written", b"w");
    clock.set(100);
    assert_eq!(get(&ttl, b"read"), None);
    assert_eq!(get(&ttl, b"written"), Some(b"w".to_vec()));
}

#[test]
fn nothing_overflows_at_the_ends_of_time() {
    for (ms, now, expires_at) in [
        (u64::MAX, 0, i64::MAX),
        (u64::MAX, i64::MIN, i64::MAX),
        (1, i64::MAX, i64::MAX),
        (10, i64::MAX - 10, i64::MAX),
        (9, i64::MAX - 10, i64::MAX - 1),
        (i64::MAX as u64, i64::MIN, -1),
        (i64::MAX as u64 + 1, i64::MIN, i64::MAX),
    ] {
        let (ttl, inner, clock) = memory(ms, now);
        put(&ttl, b"k", b"v");
        assert_eq!(stamp_of(&*inner, b"k"), expires_at, "{ms} from {now}");
        clock.set(i64::MAX);
        assert_eq!(get(&ttl, b"k").is_some(), expires_at == i64::MAX, "{ms} from {now}: never is never");
    }
    let (ttl, inner, _) = memory(5, 0);
    ttl.set_watermark(i64::MAX);
    put(&ttl, b"k", b"v");
    assert_eq!(stamp_of(&*inner, b"k"), i64::MAX);
    assert_eq!(get(&ttl, b"k"), Some(b"v".to_vec()));
}

#[test]
fn what_reads_found_expired_is_removed_by_the_next_write() {
    // Below it is one that drops nothing by itself.
    let (inner, clock) = (Reading::new().open(), Arc::new(ManualClock::new(0)));
    let ttl = ttl(&inner, 100, &clock);
    for key in [b"got", b"mul", b"scn", b"not"] {
        put(&ttl, key, b"v");
    }
    clock.set(100);
    assert_eq!(get(&ttl, b"got"), None);
    assert_eq!(ttl.multi_get(&[b"mul"]).unwrap(), [None]);
    assert_eq!(keys(&ttl, b"scn").len(), 0);
    assert_eq!(keys(&*inner, b"").len(), 4, "a read writes nothing");
    put(&ttl, b"new", b"v");
    assert_eq!(keys(&*inner, b""), [b"new".to_vec(), b"not".to_vec()]);
}

#[test]
fn a_key_that_is_written_anew_is_not_removed() {
    let (ttl, inner, clock) = memory(100, 0);
    put(&ttl, b"same batch", b"old");
    put(&ttl, b"behind its back", b"old");
    clock.set(100);
    assert_eq!(keys(&ttl, b"").len(), 0);
    put(&*inner, b"behind its back", &stamped(500, b"new"));
    put(&ttl, b"same batch", b"new");
    assert_eq!(get(&ttl, b"same batch"), Some(b"new".to_vec()));
    assert_eq!(get(&ttl, b"behind its back"), Some(b"new".to_vec()));
}

#[test]
fn a_clock_that_goes_back_removes_nothing_that_lives() {
    let (ttl, _, clock) = memory(100, 0);
    put(&ttl, b"k", b"v");
    clock.set(100);
    assert_eq!(get(&ttl, b"k"), None);
    clock.set(50);
    put(&ttl, b"other", b"v");
    assert_eq!(get(&ttl, b"k"), Some(b"v".to_vec()));
}

#[test]
fn a_value_too_short_for_its_stamp_is_an_error() {
    for short in [&b""[..], b"1234567"] {
        let (ttl, inner, _) = memory(100, 0);
        put(&*inner, b"bad\xff", short);
        for error in [
            ttl.get(b"bad\xff").unwrap_err(),
            ttl.multi_get(&[b"x", b"bad\xff"]).unwrap_err(),
            ttl.scan(b"bad").next().unwrap().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("`bad\\xff`"), "{error}");
        }
        let mut scan = ttl.scan(b"");
        assert!(scan.next().unwrap().is_err());
        assert!(scan.next().is_none(), "a scan ends after an error");
        drop(scan);
        ttl.set_watermark(1);
        assert_eq!(ttl.get(b"x").unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(keys(&*inner, b"").len(), 1, "the switch to event time wrote nothing");
    }
}

#[test]
fn the_switch_to_event_time_counts_older_values_as_written_at_the_first_watermark() {
    let (ttl, inner, clock) = memory(100, 1_000_000);
    put(&ttl, b"gone", b"v");
    clock.advance(60);
    put(&ttl, b"young", b"v");
    put(&*inner, b"never", &stamped(i64::MAX, b"v"));
    clock.advance(40);
    // The wall clock is far ahead of the events: had it a say, everything would be gone or immortal.
    ttl.set_watermark(500);
    // What happens on the clock after the switch concerns nobody.
    clock.advance(1_000_000);
    ttl.set_watermark(550);
    assert_eq!(keys(&ttl, b""), [b"never".to_vec(), b"young".to_vec()]);
    assert_eq!(stamp_of(&*inner, b"young"), 600);
    assert_eq!(stamp_of(&*inner, b"never"), i64::MAX);
    assert_eq!(get(&*inner, b"gone"), None);
    ttl.set_watermark(599);
    assert_eq!(get(&ttl, b"young"), Some(b"v".to_vec()));
    ttl.set_watermark(600);
    assert_eq!(get(&ttl, b"young"), None);
    assert_eq!(get(&ttl, b"never"), Some(b"v".to_vec()));
}

#[test]
fn the_switch_happens_before_a_write_too_and_only_once() {
    let (ttl, inner, _) = memory(100, 1_000_000);
    put(&ttl, b"old", b"v");
    ttl.set_watermark(10);
    put(&ttl, b"new", b"v");
    assert_eq!((stamp_of(&*inner, b"old"), stamp_of(&*inner, b"new")), (110, 110));
    ttl.set_watermark(50);
    put(&ttl, b"newer", b"v");
    assert_eq!((stamp_of(&*inner, b"old"), stamp_of(&*inner, b"newer")), (110, 150));
}

#[test]
fn watermarks_never_go_back() {
    let (ttl, inner, clock) = memory(100, 0);
    ttl.set_watermark(1_000);
    put(&ttl, b"k", b"v");
    ttl.set_watermark(1_100);
    ttl.set_watermark(5);
    ttl.set_watermark(i64::MIN);
    assert_eq!(get(&ttl, b"k"), None);
    put(&ttl, b"l", b"v");
    assert_eq!(stamp_of(&*inner, b"l"), 1_200);
    drop(ttl);
    // Nor across a reopen, where the new wrapper has seen no watermark but a lower one, or none at all.
    for lower in [None, Some(7)] {
        let again = self::ttl(&inner, 100, &clock);
        lower.into_iter().for_each(|ms| again.set_watermark(ms));
        put(&again, b"m", b"v");
        assert_eq!(stamp_of(&*inner, b"m"), 1_200, "after {lower:?}");
    }
}

#[test]
fn a_reopen_goes_on_in_event_time_and_renews_nothing() {
    let dir = tempdir().unwrap();
    let open = |path: &Path| Arc::new(RocksDbStateBackend::open(path).unwrap());
    let clock = Arc::new(ManualClock::new(1_000_000));
    let ttl = self::ttl(&open(dir.path()), 100, &clock);
    put(&ttl, b"before", b"v");
    ttl.set_watermark(500);
    put(&ttl, b"after", b"v");
    ttl.set_watermark(530);
    put(&ttl, b"later", b"v");
    drop(ttl);

    // By the wall clock, all of them would have expired a quarter of an hour ago.
    let ttl = self::ttl(&open(dir.path()), 100, &clock);
    assert_eq!(keys(&ttl, b"").len(), 3);
    drop(ttl);
    // The first watermark of the second life is not a first one.
    let ttl = self::ttl(&open(dir.path()), 100, &clock);
    ttl.set_watermark(599);
    assert_eq!(keys(&ttl, b"").len(), 3);
    ttl.set_watermark(600);
    assert_eq!(keys(&ttl, b""), [b"later".to_vec()]);
    put(&ttl, b"x", b"v");
    drop(ttl);
    let ttl = self::ttl(&open(dir.path()), 100, &clock);
    assert_eq!(keys(&ttl, b""), [b"later".to_vec(), b"x".to_vec()]);
    ttl.set_watermark(630);
    assert_eq!(keys(&ttl, b""), [b"x".to_vec()]);
}

#[test]
fn a_scan_survives_the_switch_in_its_middle() {
    let (ttl, _, clock) = memory(100, 1_000_000);
    for number in 0..1_000_u32 {
        put(&ttl, format!("{number:04}").as_bytes(), b"v");
    }
    let mut scan = ttl.scan(b"");
    let mut found: Vec<Vec<u8>> = scan.by_ref().take(300).map(|record| record.unwrap().0).collect();
    clock.advance(99);
    // New stamps are about 100, which by the clock is long ago.
    ttl.set_watermark(0);
    assert_eq!(get(&ttl, b"0000"), Some(b"v".to_vec()));
    found.extend(scan.map(|record| record.unwrap().0));
    let all: Vec<_> = (0..1_000).map(|number| format!("{number:04}").into_bytes()).collect();
    assert_eq!(found, all);
}

#[test]
fn keys_of_the_library_are_hidden_and_refused() {
    let (ttl, inner, _) = memory(100, 0);
    ttl.set_watermark(5);
    put(&ttl, b"k", b"v");
    assert!(get(&*inner, MARKER).is_some());
    assert_eq!(keys(&ttl, b""), [b"k".to_vec()]);
    assert_eq!(keys(&ttl, b"\0\0").len(), 0);
    assert_eq!(get(&ttl, MARKER), None);
    let before: Vec<Record> = inner.scan(b"").map(Result::unwrap).collect();
    for key in [MARKER, b"\0\0", b"\0\0o"] {
        let mut batch = WriteBatch::default();
        batch.put(b"fine", b"v");
        batch.delete(key);
        for error in [try_put(&ttl, key, b"v").unwrap_err(), ttl.write(batch).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
    assert_eq!(inner.scan(b"").map(Result::unwrap).collect::<Vec<_>>(), before);
}

#[test]
fn a_damaged_or_newer_marker_is_refused() {
    let newer = [&2_u32.to_le_bytes()[..], &[0; 30]].concat();
    for (marker, kind) in
        [(&b""[..], ErrorKind::Corrupt), (b"\x01\0\0\0\x05", ErrorKind::Corrupt), (&newer, ErrorKind::Incompatible)]
    {
        let (ttl, inner, _) = memory(100, 0);
        put(&*inner, MARKER, marker);
        assert_eq!(ttl.get(b"k").unwrap_err().kind(), kind);
        assert_eq!(try_put(&ttl, b"k", b"v").unwrap_err().kind(), kind);
        assert_eq!(ttl.scan(b"").next().unwrap().unwrap_err().kind(), kind);
        assert_eq!(keys(&*inner, b"").len(), 1);
    }
}

/// An inner backend with two typed operators, rows of theirs that look expired, and one raw record.
fn with_operators<B: StateBackend>(inner: &B) -> Vec<Record> {
    let mut batch = WriteBatch::default();
    batch.put(b"\0\0ofirst", br#"{"id":1,"name":"first","unknown":[1,2]}"#);
    batch.put(b"\0\0osecond", br#"{"id":770}"#);
    batch.put(b"\0\x01row", &stamped(1, b"typed"));
    batch.put(b"\x03\x02row", &stamped(2, b"typed"));
    batch.put(b"\x03\x02tiny", b"no stamp");
    inner.write(batch).unwrap();
    [&b"\0\0o"[..], b"\0\x01", b"\x03\x02"]
        .into_iter()
        .flat_map(|prefix| inner.scan(prefix))
        .map(Result::unwrap)
        .collect()
}

#[test]
fn rows_of_typed_stores_are_not_touched() {
    let (ttl, inner, clock) = memory(100, 0);
    let typed = with_operators(&*inner);
    put(&ttl, b"raw", b"v");
    clock.set(50);
    assert_eq!(keys(&ttl, b""), [b"raw".to_vec()]);
    assert_eq!(get(&ttl, b"\0\x01row"), None);
    assert_eq!(try_put(&ttl, b"\x03\x02row", b"v").unwrap_err().kind(), ErrorKind::Invalid);
    ttl.set_watermark(10);
    put(&ttl, b"raw 2", b"v");
    assert_eq!(stamp_of(&*inner, b"raw"), 110);
    ttl.set_watermark(1_000);
    assert_eq!(keys(&ttl, b"").len(), 0);
    put(&ttl, b"raw 3", b"v");
    assert_eq!(get(&*inner, b"raw"), None);
    for (key, value) in typed {
        assert_eq!(get(&*inner, &key), Some(value), "{}", key.escape_ascii());
    }
}

#[test]
fn an_operator_that_comes_later_is_noticed_by_the_next_write() {
    let (ttl, inner, _) = memory(100, 0);
    put(&ttl, b"raw", b"v");
    let typed = with_operators(&*inner);
    put(&ttl, b"raw 2", b"v");
    ttl.set_watermark(5);
    assert_eq!(keys(&ttl, b"").len(), 2);
    for (key, value) in typed {
        assert_eq!(get(&*inner, &key), Some(value), "{}", key.escape_ascii());
    }
}

#[test]
fn a_catalog_that_cannot_be_read_stops_the_wrapper() {
    let (ttl, inner, _) = memory(100, 0);
    put(&*inner, b"\0\0obroken", b"{\"id\":70000}");
    assert_eq!(ttl.get(b"k").unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(try_put(&ttl, b"k", b"v").unwrap_err().kind(), ErrorKind::Corrupt);
}

fn compaction_drops_what_the_clock_has_expired<F: Folder>(place: F) {
    let inner = place.open();
    let clock = Arc::new(ManualClock::new(0));
    let ttl = self::ttl(&inner, 100, &clock);
    put(&ttl, b"old", b"v");
    put(&*inner, b"never", &stamped(i64::MAX, b"v"));
    put(&*inner, b"short", b"1234567");
    clock.set(99);
    put(&ttl, b"new", b"v");
    F::compact(&inner);
    assert_eq!(keys(&*inner, b"").len(), 4);
    clock.set(100);
    F::compact(&inner);
    assert_eq!(keys(&*inner, b""), [b"never".to_vec(), b"new".to_vec(), b"short".to_vec()]);
}

fn compaction_goes_by_the_watermark_that_is_stored<F: Folder>(place: F) {
    let inner = place.open();
    let clock = Arc::new(ManualClock::new(1_000_000));
    let ttl = self::ttl(&inner, 100, &clock);
    put(&ttl, b"a", b"v");
    ttl.set_watermark(0);
    // The first watermark was set, but no record is stamped by it yet: neither time may drop any.
    clock.advance(1_000);
    F::compact(&inner);
    assert_eq!(get(&ttl, b"a"), Some(b"v".to_vec()));
    F::compact(&inner);
    assert_eq!(get(&*inner, b"a"), Some(stamped(100, b"v")), "not by the clock any more");
    ttl.set_watermark(100);
    assert_eq!(get(&ttl, b"a"), None);
    F::compact(&inner);
    assert!(get(&*inner, b"a").is_some(), "a crash would forget this watermark");
    drop(ttl);

    let ttl = self::ttl(&inner, 100, &clock);
    assert_eq!(get(&ttl, b"a"), Some(b"v".to_vec()), "as after a crash before the watermark was stored");
    ttl.set_watermark(100);
    put(&ttl, b"b", b"v");
    F::compact(&inner);
    assert_eq!(keys(&*inner, b""), [MARKER.to_vec(), b"b".to_vec()]);
}

fn compaction_leaves_typed_rows_and_the_records_of_a_wrapper_that_is_gone<F: Folder>(place: F) {
    let inner = place.open();
    let clock = Arc::new(ManualClock::new(1_000));
    let ttl = self::ttl(&inner, 100, &clock);
    put(&ttl, b"raw", b"v");
    drop(ttl);
    clock.set(5_000);
    F::compact(&inner);
    assert!(get(&*inner, b"raw").is_some(), "the next wrapper may go by another time");

    let typed = with_operators(&*inner);
    let ttl = self::ttl(&inner, 100, &clock);
    put(&ttl, b"raw 2", b"v");
    F::compact(&inner);
    for (key, value) in typed {
        assert_eq!(get(&*inner, &key), Some(value), "{}", key.escape_ascii());
    }
}
on_every_folder!(
    compaction_drops_what_the_clock_has_expired,
    compaction_goes_by_the_watermark_that_is_stored,
    compaction_leaves_typed_rows_and_the_records_of_a_wrapper_that_is_gone
);

#[test]
fn a_rule_that_panics_drops_nothing_and_harms_nothing() {
    struct Panics;
    impl Retention for Panics {
        fn is_expired(&self, _: &[u8], _: &[u8]) -> bool {
            panic!("a bug in a rule")
        }
    }
    let dir = tempdir().unwrap();
    let backend = RocksDbStateBackend::open(dir.path()).unwrap();
    backend.add_retention(Arc::new(Panics));
    put(&backend, b"k", b"v");
    backend.compact().unwrap();
    assert_eq!(get(&backend, b"k"), Some(b"v".to_vec()));
}

fn rules_given_to_the_wrapper_see_raw_values<F: Folder>(place: F) {
    struct Exactly(&'static [u8]);
    impl Retention for Exactly {
        fn is_expired(&self, _: &[u8], value: &[u8]) -> bool {
            value == self.0
        }
    }
    let inner = place.open();
    let ttl = self::ttl(&inner, 100, &Arc::new(ManualClock::new(0)));
    ttl.add_retention(Arc::new(Exactly(b"drop me")));
    put(&ttl, b"a", b"drop me");
    put(&ttl, b"b", b"keep me");
    F::compact(&inner);
    assert_eq!(keys(&ttl, b""), [b"b".to_vec()]);
}
on_every_folder!(rules_given_to_the_wrapper_see_raw_values);

/// Refuses writes while it is told to.
#[derive(Default)]
struct Failing {
    inner: Memory,
    fails: AtomicBool,
    written: Mutex<usize>,
}

impl StateBackend for Failing {
    type Survival = Volatile;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.inner.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.inner.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(StateError::backend("the disk is full"));
        }
        *self.written.lock().unwrap() += 1;
        self.inner.write(batch)
    }
}

#[test]
fn a_failed_write_is_repeatable_and_loses_no_duty() {
    let inner = Arc::new(Failing::default());
    let clock = Arc::new(ManualClock::new(0));
    let ttl = self::ttl(&inner, 100, &clock);
    put(&ttl, b"old", b"v");
    clock.set(100);
    assert_eq!(get(&ttl, b"old"), None);
    inner.fails.store(true, Ordering::Relaxed);
    assert_eq!(try_put(&ttl, b"new", b"v").unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(get(&ttl, b"new"), None);
    inner.fails.store(false, Ordering::Relaxed);
    put(&ttl, b"new", b"v");
    assert_eq!(keys(&*inner, b""), [b"new".to_vec()], "the expired record is still removed");

    // The switch fails as a whole, says so, and is made good by the next call.
    ttl.set_watermark(7);
    inner.fails.store(true, Ordering::Relaxed);
    assert_eq!(ttl.get(b"new").unwrap_err().kind(), ErrorKind::Backend);
    assert_eq!(stamp_of(&*inner, b"new"), 200);
    inner.fails.store(false, Ordering::Relaxed);
    assert_eq!(get(&ttl, b"new"), Some(b"v".to_vec()));
    assert_eq!(stamp_of(&*inner, b"new"), 107);
    ttl.set_watermark(50);
    inner.fails.store(true, Ordering::Relaxed);
    try_put(&ttl, b"x", b"v").unwrap_err();
    inner.fails.store(false, Ordering::Relaxed);
    let batches = *inner.written.lock().unwrap();
    put(&ttl, b"x", b"v");
    assert_eq!(*inner.written.lock().unwrap(), batches + 1, "value and watermark go in one batch");
    assert_eq!(get(&*inner, MARKER).unwrap()[4..], 50_i64.to_le_bytes());
}

#[test]
fn threads_and_watermarks_do_not_cross() {
    let (ttl, inner, _) = memory(1_000, 0);
    std::thread::scope(|scope| {
        for thread in 1..=4_u8 {
            let ttl = &ttl;
            scope.spawn(move || {
                for number in 0..200_u8 {
                    ttl.set_watermark(i64::from(number));
                    put(ttl, &[thread, number], b"v");
                    assert_eq!(get(ttl, &[thread, number]), Some(b"v".to_vec()));
                }
            });
        }
    });
    assert_eq!(keys(&ttl, b"").len(), 800);
    assert_eq!(get(&*inner, MARKER).unwrap()[4..], 199_i64.to_le_bytes());
}

#[test]
fn the_snippet_of_the_specification_compiles() {
    fn state(path: &Path, current_watermark_ms: i64) -> Result<(), StateError> {
        let inner = Arc::new(RocksDbStateBackend::open(path)?);
        let ttl = TtlStateBackend::new(inner, TtlConfig::new(60_000)); // 60 s
        // event-time mode: when a watermark is set, expiry is in event time, not wall clock
        ttl.set_watermark(current_watermark_ms);
        put(&ttl, b"k", b"v");
        assert_eq!(get(&ttl, b"k"), Some(b"v".to_vec()));
        Ok(())
    }
    let dir = tempdir().unwrap();
    state(dir.path(), 1_700_000_000_000).unwrap();
}

#[test]
fn a_life_of_zero_is_refused() {
    assert!(std::panic::catch_unwind(|| TtlConfig::new(0)).is_err());
}

#[test]
fn durability_is_that_of_the_backend_below() {
    const { assert!(!<TtlStateBackend<Memory> as StateBackend>::DURABLE) };
    const { assert!(<TtlStateBackend<RocksDbStateBackend> as StateBackend>::DURABLE) };
    let (ttl, ..) = memory(5, 0);
    assert!(matches!(try_put(&ttl, b"\0\0", b"").unwrap_err().cause(), Cause::Setting { .. }));
}
