//! Stores of one operator over disjoint key groups of one backend are its parallel instances.

use krishiv_api::{
    Cause, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, StateBackend, StateError,
    ValueState,
};
use krishiv_tests::{Memory, Place, on_every_backend};
use std::ops::Range;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct Counter {
    seen: ValueState<u64>,
    history: ListState<u64>,
    kinds: MapState<u8, u64>,
}

fn open<B: StateBackend>(backend: &Arc<B>, range: Range<u16>) -> Result<Keyed<Counter>, StateError> {
    Keyed::builder().key_groups(range).open(Arc::clone(backend))
}

fn see(state: &Counter, n: u64) {
    state.seen.update(|seen| *seen.get_or_insert(0) += 1);
    state.history.add(n);
    state.kinds.update((n % 3) as u8, |count| *count.get_or_insert(0) += 1);
}

const KEYS: u64 = 60;
const EVENTS: u64 = 600;

/// Every event goes to the instance that owns its key, each instance on a thread of its own.
fn instances_in_threads_do_what_one_does<P: Place>(place: P) {
    let backend = place.open();
    let ranges = [0..30, 30..64, 64..65, 65..128];
    std::thread::scope(|threads| {
        for range in ranges.clone() {
            let mut store = open(&backend, range.clone()).unwrap();
            threads.spawn(move || {
                for n in 0..EVENTS {
                    match store.with_key(&(n % KEYS).to_string(), |state| see(state, n)) {
                        Ok(()) => {}
                        Err(error) => assert!(matches!(error.cause(), Cause::ForeignKey { .. }), "{error}"),
                    }
                    if n % 150 == 149 {
                        store.commit(format!("{n} of {range:?}")).unwrap();
                    }
                }
            });
        }
    });
    drop(backend);
    let mut whole = open(&place.open(), 0..128).unwrap();
    assert_eq!(whole.position(), None);
    let mut positions = whole.positions();
    positions.sort_by_key(|(range, _)| range.start);
    assert_eq!(positions, ranges.map(|range| (range.clone(), format!("599 of {range:?}").into_bytes())));
    assert_eq!(whole.keys().unwrap().len() as u64, KEYS);
    for key in 0..KEYS {
        let history: Vec<_> = (key..EVENTS).step_by(KEYS as usize).collect();
        whole
            .with_key(&key.to_string(), |state| {
                assert_eq!((state.seen.get(), state.history.get()), (Some(EVENTS / KEYS), history.clone()));
                assert_eq!(state.kinds.values().iter().sum::<u64>(), EVENTS / KEYS);
            })
            .unwrap();
    }
}
on_every_backend!(instances_in_threads_do_what_one_does);

#[test]
fn every_key_belongs_to_exactly_one_instance() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut stores = [0..1, 1..50, 50..128].map(|range| open(&backend, range).unwrap());
    for key in 0..2_000 {
        let owners = stores.iter_mut().filter_map(|store| store.with_key(&key.to_string(), |_| ()).ok()).count();
        assert_eq!(owners, 1);
    }
}

#[test]
fn a_foreign_key_is_refused_and_leaves_nothing() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let (mut low, mut high) = (open(&backend, 0..64).unwrap(), open(&backend, 64..128).unwrap());
    let key = (0..).map(|n| n.to_string()).find(|key| low.with_key(key, |_| ()).is_ok()).unwrap();
    for _ in 0..2 {
        let error = high.with_key(&key, |_| unreachable!("the event must not run")).unwrap_err();
        let Cause::ForeignKey { group, owned } = error.cause() else { panic!("{error}") };
        assert_eq!((owned.clone(), *group < 64), (64..128, true));
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Invalid, Some("counter")));
        assert_eq!(error.key(), Some(format!("{key:?}").as_str()));
    }
    assert!(high.keys().unwrap().is_empty() && !high.needs_commit());
}

#[test]
fn overlapping_ranges_are_refused_while_both_are_open() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let first = open(&backend, 10..20).unwrap();
    for range in [10..20, 0..11, 19..128, 0..128, 12..13] {
        let error = open(&backend, range.clone()).err().unwrap();
        let Cause::RangeInUse { asked, open } = error.cause() else { panic!("{error}") };
        assert_eq!((asked.clone(), open.clone()), (range, 10..20));
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Invalid, Some("counter")));
    }
    let _neighbours = [open(&backend, 0..10).unwrap(), open(&backend, 20..128).unwrap()];
    drop(first);
    open(&backend, 15..20).unwrap();
}

#[test]
fn a_refused_open_takes_no_range() {
    #[derive(KeyedState)]
    #[state(key = String, name = "counter")]
    #[allow(dead_code)]
    struct Other {
        seen: ValueState<String>,
    }
    let backend = Arc::new(InMemoryStateBackend::new());
    open(&backend, 0..128).unwrap().commit("").unwrap();
    assert!(Keyed::<Other>::open(Arc::clone(&backend)).is_err());
    open(&backend, 0..128).unwrap();
}

#[test]
fn another_operator_has_ranges_of_its_own() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let _one = open(&backend, 0..128).unwrap();
    Keyed::<Counter>::builder().operator("another").open(Arc::clone(&backend)).unwrap();
}

#[test]
fn ranges_that_are_no_ranges_are_refused() {
    let backend = Arc::new(InMemoryStateBackend::new());
    #[allow(clippy::reversed_empty_ranges)]
    for range in [0..0, 5..5, 9..3, 0..129, 128..130] {
        let error = open(&backend, range.clone()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(&format!("{range:?}")), "{error}");
    }
}

#[test]
fn the_max_parallelism_is_kept() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let builder = |groups| Keyed::<Counter>::builder().max_parallelism(groups);
    for groups in [0, u16::MAX] {
        assert_eq!(builder(groups).open(Arc::clone(&backend)).err().unwrap().kind(), ErrorKind::Invalid);
    }
    builder(7).open(Arc::clone(&backend)).unwrap().commit("").unwrap();
    assert_eq!(Keyed::<Counter>::open(Arc::clone(&backend)).unwrap().key_groups(), 0..7);
    let error = builder(8).open(Arc::clone(&backend)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Incompatible);
    assert!(["max parallelism", "7", "8"].iter().all(|part| error.to_string().contains(part)), "{error}");
}

fn position_and_watermark_follow_the_ranges<P: Place>(place: P) {
    fn commit(store: &mut Keyed<Counter>, watermark: i64, position: &str) {
        store.set_watermark(watermark);
        store.commit(position).unwrap();
    }
    let backend = place.open();
    let (mut low, mut high) = (open(&backend, 0..64).unwrap(), open(&backend, 64..128).unwrap());
    commit(&mut low, 100, "low");
    commit(&mut high, 200, "high");
    drop((low, high, backend));

    let backend = place.open();
    let (low, mut high) = (open(&backend, 0..64).unwrap(), open(&backend, 64..128).unwrap());
    assert_eq!((low.position(), low.watermark()), (Some(&b"low"[..]), Some(100)));
    assert_eq!((high.position(), high.watermark()), (Some(&b"high"[..]), Some(200)));
    commit(&mut high, 250, "high again");
    drop((low, high, backend));

    // Other ranges: the least watermark of those they overlap, and no single position.
    let backend = place.open();
    let parts = [0..32, 32..96, 96..128].map(|range| open(&backend, range).unwrap());
    assert_eq!(parts.each_ref().map(Keyed::watermark), [Some(100), Some(100), Some(250)]);
    for part in &parts {
        assert_eq!(part.position(), None);
        let mut positions = part.positions();
        positions.sort_by_key(|(range, _)| range.start);
        assert_eq!(positions, [(0..64, b"low".to_vec()), (64..128, b"high again".to_vec())]);
    }
    let [low, mut middle, high] = parts;
    middle.commit("middle").unwrap();
    assert_eq!(middle.position(), Some(&b"middle"[..]));
    drop((low, middle, high, backend));

    let whole = open(&place.open(), 0..128).unwrap();
    assert_eq!((whole.position(), whole.watermark()), (None, Some(100)));
    assert_eq!(whole.positions().len(), 3);
    drop(whole);
    let mut whole = open(&place.open(), 0..128).unwrap();
    whole.commit("whole").unwrap();
    drop(whole);
    let whole = open(&place.open(), 0..128).unwrap();
    assert_eq!((whole.position(), whole.positions()), (Some(&b"whole"[..]), vec![(0..128, b"whole".to_vec())]));
}
on_every_backend!(position_and_watermark_follow_the_ranges);

/// One instance has a watermark and the other none yet: none is the least.
#[test]
fn no_watermark_is_less_than_any() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let (mut low, mut high) = (open(&backend, 0..64).unwrap(), open(&backend, 64..128).unwrap());
    low.set_watermark(5);
    low.commit("").unwrap();
    high.commit("").unwrap();
    drop((low, high));
    assert_eq!(open(&backend, 0..128).unwrap().watermark(), None);
}

/// Lists grow in order however the instances were cut before.
fn lists_keep_their_order_through_rescaling<P: Place>(place: P) {
    let cuts: [&[Range<u16>]; 5] =
        [&[0..128], &[0..64, 64..128], &[0..10, 10..100, 100..128], &[0..128], &[0..50, 50..128]];
    let mut n = 0;
    for ranges in cuts {
        let backend = place.open();
        let mut stores: Vec<_> = ranges.iter().map(|range| open(&backend, range.clone()).unwrap()).collect();
        for _ in 0..5 {
            for key in 0..20 {
                let mine =
                    |store: &mut Keyed<Counter>| store.with_key(&key.to_string(), |state| state.history.add(n)).is_ok();
                assert_eq!(stores.iter_mut().filter_map(|store| mine(store).then_some(())).count(), 1);
            }
            n += 1;
            stores.iter_mut().for_each(|store| store.commit("").unwrap());
        }
    }
    let mut whole = open(&place.open(), 0..128).unwrap();
    for key in 0..20 {
        let history = whole.with_key(&key.to_string(), |state| state.history.get()).unwrap();
        assert_eq!(history, (0..n).collect::<Vec<_>>());
    }
}
on_every_backend!(lists_keep_their_order_through_rescaling);

#[test]
fn a_state_made_by_name_in_one_instance_is_the_same_in_the_others() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = |range| Keyed::<Dynamic<String>>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let (mut low, mut high) = (open(0..64), open(64..128));
    let (mut counts, notes) = ((0, 0), ValueState::<String>::new("note"));
    for key in (0..20).map(|n| n.to_string()) {
        let in_low = low.with_key(&key, |_| notes.set(key.clone())).is_ok();
        let in_high = high.with_key(&key, |_| notes.set(key.clone())).is_ok();
        counts = (counts.0 + usize::from(in_low), counts.1 + usize::from(in_high));
    }
    low.commit("").unwrap();
    high.commit("").unwrap();
    drop((low, high));
    let mut whole = open(0..128);
    assert_eq!(whole.keys().unwrap().len(), counts.0 + counts.1);
    whole.for_each_key(|key, _| assert_eq!(notes.get().as_ref(), Some(key))).unwrap();
}

/// A key holds state although this instance has no handle for it yet, and another instance has.
#[test]
fn keys_counts_states_that_only_another_instance_has_a_handle_for() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let note = ValueState::<u8>::new("note");
    let keys: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    let mut whole = open(&backend, 0..128).unwrap();
    keys.iter().for_each(|key| whole.with_key(key, |_| note.set(1)).unwrap());
    whole.commit("").unwrap();
    drop(whole);
    let (mut low, mut high) = (open(&backend, 0..64).unwrap(), open(&backend, 64..128).unwrap());
    let own = |store: &mut Keyed<Counter>, event: &dyn Fn(&Counter)| {
        keys.iter().filter(|key| store.with_key(*key, |state| event(state)).is_ok()).count()
    };
    assert!(own(&mut high, &|_| assert_eq!(note.get(), Some(1))) > 0);
    let touched = own(&mut low, &|state| {
        state.seen.set(1);
        state.seen.clear();
    });
    assert_eq!(low.keys().unwrap().len(), touched);
}

#[test]
fn two_operators_and_two_threads_on_one_backend() {
    #[derive(KeyedState)]
    #[state(key = u64)]
    struct Sum {
        sum: ValueState<u64>,
    }
    fn test<P: Place>(place: P) {
        let backend = place.open();
        let (mut counter, mut sum) =
            (open(&backend, 0..128).unwrap(), Keyed::<Sum>::open(Arc::clone(&backend)).unwrap());
        std::thread::scope(|threads| {
            threads.spawn(move || {
                for n in 0..500 {
                    counter.with_key("all", |state| see(state, n)).unwrap();
                    if n % 10 == 9 {
                        counter.commit("").unwrap();
                    }
                }
            });
            threads.spawn(move || {
                for n in 0..500 {
                    sum.with_key(&0, |state| state.sum.update(|sum| *sum.get_or_insert(0) += n)).unwrap();
                    if n % 10 == 9 {
                        sum.commit("").unwrap();
                    }
                }
            });
        });
        drop(backend);
        let backend = place.open();
        let mut counter = open(&backend, 0..128).unwrap();
        assert_eq!(counter.with_key("all", |state| state.history.get()).unwrap(), (0..500).collect::<Vec<_>>());
        let mut sum = Keyed::<Sum>::open(backend).unwrap();
        assert_eq!(sum.with_key(&0, |state| state.sum.get()).unwrap(), Some(499 * 500 / 2));
    }
    test(Memory::new());
    test(krishiv_tests::RocksDb::new());
}
