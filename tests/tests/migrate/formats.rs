//! What older formats have stored gets new keys like anything else.

use krishiv_api::{
    BroadcastState, InMemoryStateBackend, KeyMigration, Keyed, KeyedState, ListState, MapState, ReducingState,
    StateBackend, ValueState, WriteBatch, migrate,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;

macro_rules! aircraft {
    ($name:ident, $key:ty) => {
        #[derive(KeyedState)]
        #[state(key = $key, name = "aircraft")]
        struct $name {
            late_streak: ValueState<u32>,
            recent_delays: ListState<i32>,
            destinations: MapState<String, u32>,
            #[state(reduce = i32::max)]
            worst_delay: ReducingState<i32>,
            rules: BroadcastState<String, i32>,
        }
    };
}

aircraft!(ByTail, String);
aircraft!(ByLength, u64);

/// What each version of the format has of two aircraft, whose tails have 0 and 6 letters.
fn versions() -> impl Iterator<Item = (String, Arc<InMemoryStateBackend>)> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut folders: Vec<_> = fs::read_dir(golden).unwrap().map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 7);
    folders.into_iter().map(|folder| {
        let text = fs::read_to_string(folder.join("handles.txt")).unwrap();
        let mut batch = WriteBatch::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (key, value) = line.split_once(' ').unwrap();
            batch.put(&bytes(key), &bytes(value));
        }
        let backend = Arc::new(InMemoryStateBackend::new());
        backend.write(batch).unwrap();
        (folder.display().to_string(), backend)
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_format_gets_new_keys() {
    for (version, backend) in versions() {
        migrate::<ByTail, ByLength>(&backend, |tail| tail.len() as u64).unwrap();
        let mut store = Keyed::<ByLength>::open(backend).unwrap();
        assert_eq!(
            (store.position(), store.watermark()),
            (Some(&b"row \xff"[..]), Some(1_357_000_000_000)),
            "{version}"
        );
        let mut keys = store.keys().unwrap();
        keys.sort_unstable();
        assert_eq!(keys, [0, 6], "{version}");
        for (key, delays) in [(6, [20, -3, 300]), (0, [0, 1, i32::MIN])] {
            store
                .with_key(&key, |state| {
                    assert_eq!(state.late_streak.get(), Some(delays[2].unsigned_abs()), "{version}");
                    assert_eq!(state.recent_delays.get(), delays, "{version}");
                    assert_eq!(
                        state.destinations.entries(),
                        [("".to_owned(), 128), ("IAH".to_owned(), 1)],
                        "{version}"
                    );
                    assert_eq!(state.worst_delay.get(), delays.into_iter().max(), "{version}");
                    assert_eq!(state.rules.entries(), [("*".to_owned(), 15), ("EV".to_owned(), 30)], "{version}");
                })
                .unwrap();
        }
    }
}

#[test]
fn in_every_format_two_keys_become_one() {
    // Of an older format one of the rows, or both, may have been written since.
    for (touched, (version, backend)) in (0..4).flat_map(|touched| versions().map(move |version| (touched, version))) {
        let long = "a long name ".repeat(100);
        if touched > 0 {
            let mut store = Keyed::<ByTail>::open(backend.clone()).unwrap();
            for (bit, tail) in [(1, ""), (2, "N14228")] {
                let touches = touched & bit != 0;
                store.with_key(tail, |state| touches.then(|| state.worst_delay.merge(400 + bit))).unwrap();
                store.with_key(tail, |state| touches.then(|| state.destinations.put(long.clone(), 7))).unwrap();
            }
            store.commit(b"row \xff").unwrap();
        }
        KeyMigration::<ByTail, ByLength>::new(|_| 1)
            .merge("late_streak", |one: u32, other: u32| one ^ other)
            .append("recent_delays")
            .merge("destinations", |one: u32, other: u32| one + other)
            .merge("worst_delay", i32::max)
            .run(&backend)
            .unwrap();
        let mut store = Keyed::<ByLength>::open(backend.clone()).unwrap();
        assert_eq!(store.keys().unwrap(), [1], "{version}");
        let worst = [300, 401, 402, 402][touched as usize];
        store
            .with_key(&1, |state| {
                assert_eq!(state.late_streak.get(), Some(300 ^ i32::MIN.unsigned_abs()), "{version}");
                let delays = state.recent_delays.get();
                let (first, last) = ([20, -3, 300], [0, 1, i32::MIN]);
                assert!(delays == [first, last].concat() || delays == [last, first].concat(), "{version}: {delays:?}");
                assert_eq!(state.worst_delay.get(), Some(worst), "{version}, {touched}");
                let entries = state.destinations.entries();
                assert_eq!(entries[..2], [("".to_owned(), 256), ("IAH".to_owned(), 2)], "{version}");
                let named = entries.iter().find(|(name, _)| *name == long).map(|(_, count)| *count);
                assert_eq!(named, [None, Some(7), Some(7), Some(14)][touched as usize], "{version}");
            })
            .unwrap();
        // Going on finds the same, and nothing of what was there once.
        store
            .with_key(&1, |state| {
                state.late_streak.clear();
                state.worst_delay.clear();
            })
            .unwrap();
        store.commit("on").unwrap();
        assert_eq!(store.with_key(&1, |state| state.late_streak.get()).unwrap(), None);
        drop(store);
        let mut store = Keyed::<ByLength>::open(backend).unwrap();
        let read = store.with_key(&1, |state| (state.late_streak.get(), state.worst_delay.get())).unwrap();
        assert_eq!(read, (None, None), "{version}");
        store.with_key(&1, |state| state.recent_delays.add(5)).unwrap();
        store.commit("on").unwrap();
        assert_eq!(store.with_key(&1, |state| state.recent_delays.get().last().copied()).unwrap(), Some(5));
    }
}
