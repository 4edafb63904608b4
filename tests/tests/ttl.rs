//! State of a typed store ends exactly when its TTL says, by the clock it names, and is not heard of again.

use krishiv_api::{
    Clock, InMemoryStateBackend, Keyed, KeyedBuilder, KeyedState, ManualClock, StateBackend, StateError, TtlConfig,
    TtlStateBackend, TtlUpdate, ValueState, Volatile,
};
use krishiv_tests::four::Four;
use krishiv_tests::{Fjall, Folder, Memory, Place, RocksDb, four, on_every_backend, on_every_folder};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// One operator, whose fields have whatever TTL the program gives them this time.
trait Sessions: Four<Key = String, Needs = Volatile> {}

impl<S: Four<Key = String, Needs = Volatile>> Sessions for S {}

four! {
    key = String, name = "sessions";
    Forever()
    Processing10(ttl = "10ms")
    Processing100(ttl = "100ms")
    Event10(ttl = "10ms", clock = "event")
    Event100(ttl = "100ms", clock = "event")
    ProcessingRead10(ttl = "10ms", ttl_update = "read_and_write")
    EventRead10(ttl = "10ms", clock = "event", ttl_update = "read_and_write")
    ProcessingMax(ttl = "9223372036854775807ms")
    EventMax(ttl = "9223372036854775807ms", clock = "event")
}

/// Which of the two clocks a test turns.
trait Turn {
    const EVENT: bool;
}
struct ByClock;
struct ByWatermark;
impl Turn for ByClock {
    const EVENT: bool = false;
}
impl Turn for ByWatermark {
    const EVENT: bool = true;
}

/// A place, the clock on its wall, and the store that is open there.
struct World<'a, P: Place, S: KeyedState, T> {
    place: &'a P,
    clock: Arc<ManualClock>,
    store: Option<Keyed<S>>,
    budget: usize,
    turn: PhantomData<T>,
}

impl<'a, P: Place, S: Sessions, T: Turn> World<'a, P, S, T> {
    fn new(place: &'a P) -> Self {
        let mut world = Self { place, clock: Arc::default(), store: None, budget: 1 << 20, turn: PhantomData };
        world.reopen();
        world
    }

    fn tiny(place: &'a P) -> Self {
        let mut world = Self { budget: 0, ..Self::new(place) };
        world.reopen();
        world
    }

    fn store(&mut self) -> &mut Keyed<S> {
        self.store.as_mut().unwrap()
    }

    fn at(&mut self, ms: i64) -> &mut Self {
        if T::EVENT {
            self.store().set_watermark(ms);
        } else {
            self.clock.set(ms);
        }
        self
    }

    fn write(&mut self, n: i64) -> &mut Self {
        write(self.store(), n).unwrap();
        self
    }

    fn commit(&mut self) -> &mut Self {
        self.store().commit("").unwrap();
        self
    }

    fn reopen(&mut self) -> &mut Self {
        self.store = None;
        let builder = Keyed::builder().memory_budget(self.budget).clock(Arc::clone(&self.clock));
        self.store = Some(builder.open(self.place.open()).unwrap());
        self
    }

    /// The same operator, opened by a program that gives it another TTL.
    fn switch<Other: Sessions, U: Turn>(self) -> World<'a, P, Other, U> {
        let Self { place, clock, store, budget, .. } = self;
        drop(store);
        let mut world = World { place, clock, store: None, budget, turn: PhantomData };
        world.reopen();
        world
    }

    fn expect(&mut self, elements: &[i64]) -> &mut Self {
        self.expect_value(elements.last().copied(), elements)
    }

    #[track_caller]
    fn expect_value(&mut self, value: Option<i64>, elements: &[i64]) -> &mut Self {
        assert_eq!(read(self.store()), shown(value, elements));
        self
    }
}

type Shown = (Option<i64>, Vec<i64>, Vec<(i64, i64)>, Option<i64>);

fn shown(value: Option<i64>, elements: &[i64]) -> Shown {
    (value, elements.to_vec(), elements.iter().map(|n| (*n, *n)).collect(), value)
}

fn write<S: Sessions>(store: &mut Keyed<S>, n: i64) -> Result<(), StateError> {
    store.with_key("ann", |state| {
        let (value, list, map, last) = state.fields();
        value.set(n);
        list.add(n);
        map.put(n, n);
        last.merge(n);
    })
}

fn read<S: Sessions>(store: &mut Keyed<S>) -> Shown {
    let read = |state: &S| {
        let (value, list, map, last) = state.fields();
        (value.get(), list.get(), map.entries(), last.get())
    };
    store.with_key("ann", read).unwrap()
}

/// Runs the test by processing time and by event time.
fn by_both_clocks<P: Place>(
    place: P,
    by_clock: impl FnOnce(World<'_, P, Processing10, ByClock>),
    by_watermark: impl FnOnce(World<'_, P, Event10, ByWatermark>),
) {
    by_clock(World::new(&place));
    drop(place);
    by_watermark(World::new(&P::new()));
}

fn ends_exactly_at_the_boundary<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        world.at(1_000).write(1).at(1_009).expect(&[1]).at(1_010).expect(&[]);
        world.write(2).commit().at(1_019).expect(&[2]).at(1_020).expect(&[]);
        world.write(3).commit().at(1_029).reopen().at(1_029).expect(&[3]).at(1_030).expect(&[]);
    }
    by_both_clocks(place, test, test);
}
on_every_backend!(ends_exactly_at_the_boundary);

fn elements_and_entries_end_one_by_one<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        world.at(1_000).write(1).at(1_003).write(2).commit().at(1_006).write(3);
        world.expect(&[1, 2, 3]).at(1_010).expect(&[2, 3]).commit().at(1_013).expect(&[3]);
        world.commit().reopen().at(1_013).expect(&[3]).at(1_016).expect(&[]);
    }
    by_both_clocks(place, test, test);
}
on_every_backend!(elements_and_entries_end_one_by_one);

fn commit_eviction_and_reopen_renew_nothing<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(world: World<'_, P, S, T>) {
        let mut world = World::<P, S, T>::tiny({
            let place = world.place;
            drop(world);
            place
        });
        world.at(1_000).write(1).commit();
        world.at(1_004).expect(&[1]).store().with_key("bob", |_| ()).unwrap();
        world.commit().reopen().at(1_008).expect(&[1]).commit();
        world.at(1_009).expect(&[1]).at(1_010).expect(&[]).reopen().at(1_010).expect(&[]);
    }
    by_both_clocks(place, test, test);
}
on_every_backend!(commit_eviction_and_reopen_renew_nothing);

fn writing_renews_and_reading_does_not<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        world.at(1_000).write(1).at(1_005).expect(&[1]);
        let again = |state: &S| {
            let (value, list, map, last) = state.fields();
            value.update(|_| ());
            list.replace(list.get());
            map.update(1, |_| ());
            last.merge(1);
        };
        world.store().with_key("ann", again).unwrap();
        world.commit().at(1_014).expect(&[1]).at(1_015).expect(&[]);
    }
    by_both_clocks(place, test, test);
}
on_every_backend!(writing_renews_and_reading_does_not);

fn reading_renews_where_it_should<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(place: &P) {
        for budget in [0, 1 << 20] {
            let mut world = World::<P, S, T> { budget, ..World::new(place) };
            world.reopen();
            let t = if budget == 0 { 1_000 } else { 2_000 };
            world.at(t).write(1).commit().at(t + 9).expect(&[1]).commit();
            world.at(t + 18).expect(&[1]).at(t + 27).expect(&[1]).at(t + 37).expect(&[]);
            // What was renewed by reading is committed like anything else.
            world.write(2).commit().at(t + 46).expect(&[2]).commit().reopen();
            world.at(t + 55).expect(&[2]).reopen().at(t + 56).expect(&[]);
        }
    }
    test::<_, ProcessingRead10, ByClock>(&place);
    drop(place);
    test::<_, EventRead10, ByWatermark>(&P::new());
}
on_every_backend!(reading_renews_where_it_should);

fn a_failed_event_renews_nothing<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(place: &P) {
        for commit in [false, true] {
            let mut world = World::<P, S, T>::new(place);
            let t = if commit { 2_000 } else { 1_000 };
            world.at(t).write(1);
            if commit {
                world.commit();
            }
            world.at(t + 5);
            let event = |state: &S| {
                let (value, list, map, last) = state.fields();
                assert_eq!((value.get(), list.get(), map.entries(), last.get()), shown(Some(1), &[1]));
                value.set(2);
                list.add(2);
                map.put(1, 2);
                last.merge(2);
                Err::<(), _>(StateError::backend("no"))
            };
            world.store().try_with_key("ann", event).unwrap_err();
            let panic = |state: &S| {
                event(state).unwrap_err();
                std::panic::resume_unwind(Box::new(()))
            };
            assert!(catch_unwind(AssertUnwindSafe(|| world.store().with_key("ann", panic))).is_err());
            world.at(t + 10).expect(&[]);
        }
    }
    test::<_, ProcessingRead10, ByClock>(&place);
    drop(place);
    test::<_, EventRead10, ByWatermark>(&P::new());
}
on_every_backend!(a_failed_event_renews_nothing);

fn a_failed_event_leaves_the_end_as_it_was<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        for (t, commit) in [(1_000, false), (2_000, true)] {
            world.at(t).write(1);
            if commit {
                world.commit();
            }
            let event = |state: &S| {
                let (value, list, map, last) = state.fields();
                for n in 2..4 {
                    value.set(n);
                    list.add(n);
                    map.put(1, n);
                    last.merge(n);
                }
                assert_eq!((value.get(), last.get()), (Some(3), Some(3)));
                Err::<(), _>(StateError::backend("no"))
            };
            world.at(t + 5).store().try_with_key("ann", event).unwrap_err();
            world.at(t + 9).expect(&[1]).at(t + 10).expect(&[]);
        }
    }
    by_both_clocks(place, test, test);
}
on_every_backend!(a_failed_event_leaves_the_end_as_it_was);

#[test]
fn one_event_sees_one_time() {
    let place = Memory::new();
    let mut world = World::<_, Processing10, ByClock>::new(&place);
    let clock = Arc::clone(&world.clock);
    let event = |state: &Processing10| {
        state.value.set(1);
        clock.advance(100);
        state.list.add(1);
        (state.value.get(), state.list.get())
    };
    assert_eq!(world.store().with_key("ann", event).unwrap(), (Some(1), vec![1]));
    world.expect(&[]);

    let backend = wrapper(&place, 10, &Arc::new(ManualClock::new(0)));
    backend.set_watermark(0);
    let mut store = Keyed::<Forever>::builder().operator("another").open(Arc::clone(&backend)).unwrap();
    let event = |state: &Forever| {
        state.value.set(1);
        backend.set_watermark(100);
        state.list.add(1);
        (state.value.get(), state.list.get())
    };
    assert_eq!(store.with_key("ann", event).unwrap(), (Some(1), vec![1]));
    assert_eq!(read(&mut store), shown(None, &[]));
}

fn the_watermark_never_goes_back<P: Place>(place: P) {
    let mut world = World::<_, Event10, ByWatermark>::new(&place);
    world.at(1_000).write(1).at(1_010).at(5).expect(&[]);
    assert_eq!(world.store().watermark(), Some(1_010));
    world.write(2).commit().at(-7).reopen().at(1_019).expect(&[2]).at(1_020).expect(&[]);
}
on_every_backend!(the_watermark_never_goes_back);

fn written_before_the_first_watermark_counts_as_written_at_it<P: Place>(place: P) {
    let mut world = World::<_, Event10, ByWatermark>::tiny(&place);
    world.write(1).expect(&[1]).commit().reopen().expect(&[1]);
    world.write(2).commit().reopen().expect(&[1, 2]);
    world.at(1_000).expect(&[1, 2]).at(1_009).write(3).expect(&[1, 2, 3]).at(1_010).expect(&[3]);
    world.commit().reopen().at(1_018).expect(&[3]).at(1_019).expect(&[]);
}
on_every_backend!(written_before_the_first_watermark_counts_as_written_at_it);

fn a_first_watermark_that_a_crash_took_back_was_none<P: Place>(place: P) {
    let mut world = World::<_, Event10, ByWatermark>::new(&place);
    world.write(1).commit().at(1_000_000).expect(&[1]).at(2_000_000).expect(&[]);
    world.reopen().expect(&[1]).at(1_000).at(1_009).expect(&[1]).at(1_010).expect(&[]);
}
on_every_backend!(a_first_watermark_that_a_crash_took_back_was_none);

fn the_first_watermark_stays_the_first<P: Place>(place: P) {
    let mut world = World::<_, Event10, ByWatermark>::new(&place);
    world.write(1).at(1_000).commit().reopen().at(1_009).expect(&[1]).commit().reopen().expect(&[1]);
    world.at(1_010).expect(&[]);
}
on_every_backend!(the_first_watermark_stays_the_first);

/// Each parallel instance has a first watermark of its own.
#[test]
fn written_before_the_first_watermark_of_its_own_instance() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = |range| Keyed::<Event10>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let (mut low, mut high) = (open(0..64), open(64..128));
    let mine = |store: &mut Keyed<Event10>| {
        (0..).map(|n: u32| n.to_string()).find(|key| store.with_key(key, |_| ()).is_ok()).unwrap()
    };
    let key = mine(&mut high);
    low.set_watermark(1_000);
    high.with_key(&key, |state| state.value.set(1)).unwrap();
    high.set_watermark(1_000_000);
    assert_eq!(high.with_key(&key, |state| state.value.get()).unwrap(), Some(1));
    high.set_watermark(1_000_009);
    assert_eq!(high.with_key(&key, |state| state.value.get()).unwrap(), Some(1));
    high.set_watermark(1_000_010);
    assert_eq!(high.with_key(&key, |state| state.value.get()).unwrap(), None);
}

/// Put together, instances with different first watermarks end nothing sooner than each alone would have.
#[test]
fn written_before_the_first_watermark_of_an_instance_that_is_no_more() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let open = |range| Keyed::<Event10>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let mut instances = [(0..64, 1_000), (64..128, 1_000_000)].map(|(range, first)| (open(range), first));
    let keys: Vec<_> = (0..20).map(|n: u32| n.to_string()).collect();
    for (store, first) in &mut instances {
        let owned = keys.iter().filter(|key| store.with_key(*key, |state| state.value.set(*first)).is_ok()).count();
        assert!(owned > 0);
        store.set_watermark(*first);
        store.commit("").unwrap();
    }
    drop(instances);
    let mut whole = open(0..128);
    assert_eq!(whole.watermark(), Some(1_000));
    let mut left = |ms| {
        whole.set_watermark(ms);
        let values = keys.iter().filter_map(|key| whole.with_key(key, |state| state.value.get()).unwrap());
        values.collect::<Vec<_>>()
    };
    assert_eq!(left(1_009).len(), keys.len());
    assert!(left(1_000_009).contains(&1_000_000));
    assert!(left(1_000_010).is_empty());
}

#[test]
fn nothing_overflows_at_the_end_of_time() {
    fn still_there_at_the_end<S: Sessions, T: Turn>(written: i64) -> bool {
        let place = Memory::new();
        let mut world = World::<_, S, T>::new(&place);
        world.at(written).write(1).commit().reopen().at(i64::MAX);
        let read = read(world.store());
        assert!([shown(Some(1), &[1]), shown(None, &[])].contains(&read));
        read.0.is_some()
    }
    for (written, kept) in
        [(-1_000, false), (0, false), (i64::MAX - 11, false), (i64::MAX - 10, true), (i64::MAX, true)]
    {
        assert_eq!(still_there_at_the_end::<Processing10, ByClock>(written), kept, "written at {written}");
        assert_eq!(still_there_at_the_end::<Event10, ByWatermark>(written), kept, "written at {written}");
    }
    for (written, kept) in [(-1_000, false), (0, true), (i64::MAX - 1, true), (i64::MAX, true)] {
        assert_eq!(still_there_at_the_end::<ProcessingMax, ByClock>(written), kept, "written at {written}");
        assert_eq!(still_there_at_the_end::<EventMax, ByWatermark>(written), kept, "written at {written}");
    }
}

#[test]
fn units_are_milliseconds_seconds_minutes_hours_and_days() {
    #[derive(KeyedState)]
    #[state(key = String)]
    #[allow(dead_code)]
    struct Units {
        #[state(ttl = "1ms")]
        ms: ValueState<()>,
        #[state(ttl = "2s")]
        s: ValueState<()>,
        #[state(ttl = "3m")]
        m: ValueState<()>,
        #[state(ttl = "4h")]
        h: ValueState<()>,
        #[state(ttl = "5d")]
        d: ValueState<()>,
    }
    let ttls: Vec<_> = Units::DESCRIPTORS.iter().map(|descriptor| descriptor.ttl().unwrap().ttl_ms()).collect();
    assert_eq!(ttls, [1, 2_000, 180_000, 14_400_000, 432_000_000]);
}

#[test]
fn a_ttl_of_nothing_is_refused() {
    assert!(catch_unwind(|| TtlConfig::new(0)).is_err());
}

// What ended leaves the backend.

/// How many records the backend has besides those of the catalog.
fn records(backend: &impl StateBackend) -> usize {
    backend.scan(b"").filter(|record| !record.as_ref().unwrap().0.starts_with(&[0, 0])).count()
}

/// The next write of a state takes what ended of it and was seen to.
#[test]
fn what_ended_is_removed_at_the_next_write() {
    fn test<S: Sessions, T: Turn>(next: fn(&S)) {
        for budget in [0, 1 << 20] {
            let place = Memory::new();
            let mut world = World::<_, S, T> { budget, ..World::new(&place) };
            world.reopen();
            world.at(1_000).write(1).write(2).commit();
            // Two list elements are one record, and so are the two values.
            assert_eq!(records(&*place.open()), 4);
            world.at(1_010).expect(&[]).store().with_key("ann", next).unwrap();
            world.commit();
            assert_eq!(records(&*place.open()), 1, "with a budget of {budget}");
        }
    }
    fn each<S: Sessions, T: Turn>() {
        test::<S, T>(|state| {
            // One event reads and writes.
            let (value, list, map, last) = state.fields();
            assert_eq!((value.get(), list.get(), map.entries(), last.get()), shown(None, &[]));
            value.clear();
            last.clear();
            list.add(3);
            map.put(3, 3);
            map.remove(&3);
        });
        test::<S, T>(|state| {
            let (value, list, map, last) = state.fields();
            assert_eq!((value.get(), list.length(), map.length(), last.get()), (None, 0, 0, None));
            value.set(3);
            last.clear();
            list.add(3);
            list.clear();
            map.put(3, 3);
            map.clear();
        });
    }
    each::<Processing10, ByClock>();
    each::<Event10, ByWatermark>();
}

#[test]
fn an_expired_map_entry_is_removed_when_the_map_is_written() {
    let place = Memory::new();
    let mut world = World::<_, Processing10, ByClock>::new(&place);
    let event = |world: &mut World<'_, _, Processing10, ByClock>, f: fn(&Processing10)| {
        world.store().with_key("ann", f).unwrap();
        world.commit();
    };
    event(&mut world, |state| state.map.put_all((0..100).map(|n| (n, n))));
    assert_eq!(records(&*place.open()), 100);
    world.at(10);
    event(&mut world, |state| {
        assert_eq!(state.map.length(), 0);
        state.map.put(1_000, 1);
    });
    assert_eq!(records(&*place.open()), 1);
}

#[test]
fn a_window_by_time_stays_as_small_as_it_looks() {
    let place = Memory::new();
    let mut world = World::<_, Event10, ByWatermark>::tiny(&place);
    for n in 0..1_000 {
        world.at(n);
        let event = |state: &Event10| {
            state.list.add(n);
            assert!(state.list.length() <= 10);
        };
        world.store().with_key("ann", event).unwrap();
        world.commit();
        assert!(records(&*place.open()) <= 11);
    }
}

fn compaction_drops_what_ended_by_the_clock<F: Folder>(place: F) {
    let mut world = World::<_, Processing10, ByClock>::new(&place);
    world.store = None;
    let backend = place.open();
    let builder = || Keyed::<Processing10>::builder().clock(Arc::clone(&world.clock));
    let mut store = builder().open(Arc::clone(&backend)).unwrap();
    write(&mut store, 1).unwrap();
    world.clock.set(5);
    write(&mut store, 2).unwrap();
    store.commit("").unwrap();
    world.clock.set(9);
    F::compact(&backend);
    assert_eq!(records(&*backend), 5);
    world.clock.set(10);
    F::compact(&backend);
    assert_eq!(records(&*backend), 3, "the first list element and the first map entry have ended");
    assert_eq!(read(&mut store), shown(Some(2), &[2]));
    world.clock.set(15);
    F::compact(&backend);
    assert_eq!(records(&*backend), 0);
}

fn compaction_goes_by_the_committed_watermark_only<F: Folder>(place: F) {
    let backend = place.open();
    let mut store = Keyed::<Event10>::open(Arc::clone(&backend)).unwrap();
    store.set_watermark(1_000);
    write(&mut store, 1).unwrap();
    store.commit("").unwrap();
    // Not committed: a crash goes back to 1,000, where nothing has ended yet.
    store.set_watermark(5_000);
    assert_eq!(read(&mut store), shown(None, &[]));
    F::compact(&backend);
    drop((store, backend));

    let backend = place.open();
    let mut store = Keyed::<Event10>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.watermark(), Some(1_000));
    assert_eq!(read(&mut store), shown(Some(1), &[1]));
    store.set_watermark(5_000);
    store.commit("").unwrap();
    F::compact(&backend);
    assert_eq!(records(&*backend), 0);
}

fn compaction_keeps_what_was_written_before_any_watermark<F: Folder>(place: F) {
    let backend = place.open();
    let mut store = Keyed::<Event10>::open(Arc::clone(&backend)).unwrap();
    write(&mut store, 1).unwrap();
    store.commit("").unwrap();
    F::compact(&backend);
    store.set_watermark(1_000);
    store.commit("").unwrap();
    store.set_watermark(1_010);
    F::compact(&backend);
    assert_eq!(records(&*backend), 3);
    store.commit("").unwrap();
    F::compact(&backend);
    assert_eq!(records(&*backend), 0);
}

fn compaction_waits_for_the_slowest_instance<F: Folder>(place: F) {
    let backend = place.open();
    let open = |range| Keyed::<Event10>::builder().key_groups(range).open(Arc::clone(&backend)).unwrap();
    let (mut low, mut high) = (open(0..64), open(64..128));
    let keys: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    for store in [&mut low, &mut high] {
        store.set_watermark(1_000);
        for key in &keys {
            // Half of them belong to the other one.
            let _ = store.with_key(key, |state| state.value.set(1));
        }
        store.commit("").unwrap();
    }
    low.set_watermark(2_000);
    low.commit("").unwrap();
    F::compact(&backend);
    let held = |store: &mut Keyed<Event10>| {
        keys.iter().filter(|key| matches!(store.with_key(*key, |state| state.value.get()), Ok(Some(1)))).count()
    };
    assert_eq!((held(&mut low), records(&*backend)), (0, keys.len()));
    assert!(held(&mut high) > 0);
    high.set_watermark(2_000);
    high.commit("").unwrap();
    F::compact(&backend);
    assert_eq!(records(&*backend), 0);
}

/// The rule of a store that is gone must not outlive it.
fn compaction_goes_by_the_ttl_that_is_in_force<F: Folder>(place: F) {
    let backend = place.open();
    let clock = Arc::new(ManualClock::new(0));
    let mut store = Keyed::<Processing10>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    write(&mut store, 1).unwrap();
    store.commit("").unwrap();
    drop(store);
    clock.set(5);
    let mut store =
        Keyed::<Forever>::builder().memory_budget(0).clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    store.commit("").unwrap();
    clock.set(100);
    F::compact(&backend);
    assert_eq!(read(&mut store), shown(Some(1), &[1]));
}

fn a_switch_that_was_never_committed_drops_nothing<F: Folder>(place: F) {
    let mut world = World::<_, Event10, ByWatermark>::new(&place);
    world.at(1_000).write(1).commit();
    let world = world.switch::<Processing10, ByClock>();
    let clock = Arc::clone(&world.clock);
    drop(world);
    let backend = place.open();
    let store = Keyed::<Processing10>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
    clock.advance(100);
    F::compact(&backend);
    drop((store, backend));
    World::<_, Event10, ByWatermark>::new(&place).at(1_009).expect(&[1]).at(1_010).expect(&[]);
}
on_every_folder!(
    compaction_drops_what_ended_by_the_clock,
    compaction_goes_by_the_committed_watermark_only,
    compaction_keeps_what_was_written_before_any_watermark,
    compaction_waits_for_the_slowest_instance,
    compaction_goes_by_the_ttl_that_is_in_force,
    a_switch_that_was_never_committed_drops_nothing
);

// Switching.

/// Where `Forever` means no TTL: under a wrapper it is a TTL that never ends, and going from that one to another
/// changes a duration.
macro_rules! without_a_wrapper {
    ($test:ident) => {
        mod $test {
            #[test]
            fn in_memory() {
                super::$test(<super::Memory as super::Place>::new());
            }
            #[test]
            fn on_rocksdb() {
                super::$test(<super::RocksDb as super::Place>::new());
            }
            #[test]
            fn on_fjall() {
                super::$test(<super::Fjall as super::Place>::new());
            }
        }
    };
}

fn switched_on_what_is_there_counts_as_written_then<P: Place>(place: P) {
    let mut world = World::<_, Forever, ByClock>::new(&place);
    world.at(0).write(1).commit().at(1_000);
    let mut world = world.switch::<Processing10, ByClock>();
    world.expect(&[1]).at(1_005).expect(&[1]).commit().reopen().at(1_009).expect(&[1]).write(2).commit();
    world.at(1_010).expect(&[2]).reopen().expect(&[2]).at(1_019).expect(&[]);
}
without_a_wrapper!(switched_on_what_is_there_counts_as_written_then);

fn switched_on_by_event_time_what_is_there_counts_as_written_then<P: Place>(place: P) {
    let mut world = World::<_, Forever, ByWatermark>::new(&place);
    world.write(1).commit().at(1_000).commit();
    let mut world = world.switch::<Event10, ByWatermark>();
    world.expect(&[1]).at(1_005).expect(&[1]).commit().reopen().at(1_009).expect(&[1]).write(2).commit();
    world.at(1_010).expect(&[2]).commit().reopen().expect(&[2]).at(1_019).expect(&[]);
}
without_a_wrapper!(switched_on_by_event_time_what_is_there_counts_as_written_then);

fn switched_on_before_any_watermark_what_is_there_counts_as_written_at_the_first<P: Place>(place: P) {
    let mut world = World::<_, Forever, ByWatermark>::new(&place);
    world.write(1).commit();
    let mut world = world.switch::<Event10, ByWatermark>();
    world.expect(&[1]).commit().reopen().at(1_000).at(1_009).expect(&[1]).at(1_010).expect(&[]);
}
without_a_wrapper!(switched_on_before_any_watermark_what_is_there_counts_as_written_at_the_first);

fn switched_off_what_had_ended_stays_gone_and_the_rest_stays<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        world.at(1_000).write(1).at(1_005).write(2).at(1_012).commit();
        let mut world = world.switch::<Forever, T>();
        world.expect(&[2]).at(9_000).expect(&[2]).commit().reopen().expect(&[2]);
        world.write(3).commit().at(10_000).reopen().expect(&[2, 3]);
    }
    by_both_clocks(place, test, test);
}
without_a_wrapper!(switched_off_what_had_ended_stays_gone_and_the_rest_stays);

fn a_value_that_had_ended_when_its_ttl_was_switched_off_stays_gone<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        world.at(1_000).write(1).commit().at(1_010).commit();
        let mut world = world.switch::<Forever, T>();
        world.expect(&[]).commit().reopen().expect(&[]);
        assert!(world.store().keys().unwrap().is_empty());
    }
    by_both_clocks(place, test, test);
}
on_every_backend!(a_value_that_had_ended_when_its_ttl_was_switched_off_stays_gone);

fn a_longer_ttl_holds_for_what_is_written_from_then_on<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, Longer: Sessions, T: Turn>(mut world: World<'_, P, S, T>) {
        world.at(1_000).write(1).commit();
        let mut world = world.switch::<Longer, T>();
        world.at(1_005).write(2).commit().at(1_009).expect(&[1, 2]).at(1_010).expect(&[2]);
        world.reopen().at(1_104).expect(&[2]).at(1_105).expect(&[]);
    }
    by_both_clocks(place, test::<P, _, Processing100, _>, test::<P, _, Event100, _>);
}
on_every_backend!(a_longer_ttl_holds_for_what_is_written_from_then_on);

fn a_shorter_ttl_holds_for_what_is_written_from_then_on<P: Place>(place: P) {
    fn test<P: Place, S: Sessions, Longer: Sessions, T: Turn>(world: World<'_, P, S, T>) {
        let mut world = world.switch::<Longer, T>();
        world.at(1_000).write(1).commit();
        let mut world = world.switch::<S, T>();
        world.at(1_050).expect(&[1]).write(2).commit().at(1_059).expect(&[1, 2]);
        world.at(1_060).expect_value(None, &[1]).reopen().at(1_099).expect_value(None, &[1]).at(1_100).expect(&[]);
    }
    by_both_clocks(place, test::<P, _, Processing100, _>, test::<P, _, Event100, _>);
}
on_every_backend!(a_shorter_ttl_holds_for_what_is_written_from_then_on);

fn a_changed_duration_leaves_alone_what_counts_as_written_when_the_ttl_was_switched_on<P: Place>(place: P) {
    let mut world = World::<_, Forever, ByClock>::new(&place);
    world.at(0).write(1).commit().at(1_000);
    let mut world = world.switch::<Processing100, ByClock>();
    world.commit().at(1_050);
    let mut world = world.switch::<Processing10, ByClock>();
    world.expect(&[1]).commit().at(1_099).expect(&[1]).reopen().expect(&[1]).at(1_100).expect(&[]);
}
without_a_wrapper!(a_changed_duration_leaves_alone_what_counts_as_written_when_the_ttl_was_switched_on);

fn a_changed_duration_leaves_alone_what_was_written_before_the_first_watermark<P: Place>(place: P) {
    let mut world = World::<_, Event100, ByWatermark>::new(&place);
    world.write(1).commit().at(1_000).at(1_050).commit();
    let mut world = world.switch::<Event10, ByWatermark>();
    world.expect(&[1]).commit().at(1_099).expect(&[1]).commit().reopen().expect(&[1]).at(1_100).expect(&[]);
}
on_every_backend!(a_changed_duration_leaves_alone_what_was_written_before_the_first_watermark);

fn another_clock_counts_from_the_switch<P: Place>(place: P) {
    let mut world = World::<_, Processing10, ByClock>::new(&place);
    world.at(1_000).write(1).at(1_007).write(2).at(1_012).store().set_watermark(50);
    world.commit();
    // The first has ended by the clock, the second has not, and the clock is of no interest any more.
    let mut world = world.switch::<Event10, ByWatermark>();
    world.clock.set(9_000);
    world.expect(&[2]).at(59).expect(&[2]).write(3).commit().at(60).expect(&[3]).commit().reopen();
    world.expect(&[3]).at(69).expect(&[]);
}
on_every_backend!(another_clock_counts_from_the_switch);

fn another_clock_before_any_watermark_counts_from_the_first<P: Place>(place: P) {
    let mut world = World::<_, Processing10, ByClock>::new(&place);
    world.at(1_000).write(1).at(1_007).write(2).at(1_012).commit();
    let mut world = world.switch::<Event10, ByWatermark>();
    world.clock.set(9_000);
    world.expect(&[2]).commit().reopen().expect(&[2]).at(50).at(59).expect(&[2]).at(60).expect(&[]);
}
on_every_backend!(another_clock_before_any_watermark_counts_from_the_first);

fn from_event_time_to_the_clock_and_back<P: Place>(place: P) {
    let mut world = World::<_, Event10, ByWatermark>::new(&place);
    world.at(50).write(1).commit();
    world.clock.set(1_000);
    let mut world = world.switch::<Processing10, ByClock>();
    world.expect(&[1]).at(1_009).expect(&[1]).write(2).at(1_010).expect(&[2]).commit();
    let mut world = world.switch::<Event10, ByWatermark>();
    // The first never left the backend, and by the clock that is in use again it has not ended.
    world.at(59).store().with_key("ann", |state| assert_eq!(state.value.get(), Some(2))).unwrap();
    world.at(60).expect(&[]);
}
on_every_backend!(from_event_time_to_the_clock_and_back);

// The TTL of a wrapper is the default for fields without their own.

/// A wrapper whose clock and watermark the test turns.
fn wrapper<P: Place>(place: &P, ttl_ms: u64, clock: &Arc<impl Clock>) -> Arc<TtlStateBackend<P::Backend>> {
    Arc::new(TtlStateBackend::new(place.open(), TtlConfig::new(ttl_ms)).with_clock(Arc::clone(clock)))
}

fn the_wrapper_gives_fields_its_ttl_and_its_clock<P: Place>(place: P) {
    let clock = Arc::new(ManualClock::new(1_000));
    let open = || Keyed::<Forever>::builder().memory_budget(0).open(wrapper(&place, 10, &clock)).unwrap();
    let mut store = open();
    write(&mut store, 1).unwrap();
    clock.set(1_005);
    write(&mut store, 2).unwrap();
    store.commit("").unwrap();
    assert_eq!(read(&mut store), shown(Some(2), &[1, 2]));
    drop(store);
    clock.set(1_010);
    let mut store = open();
    assert_eq!(read(&mut store), shown(Some(2), &[2]));
    clock.set(1_015);
    assert_eq!(read(&mut store), shown(None, &[]));
}

#[test]
fn the_wrapper_gives_fields_its_ttl_and_its_clock_in_memory() {
    the_wrapper_gives_fields_its_ttl_and_its_clock(Memory::new());
}

#[test]
fn the_wrapper_gives_fields_its_ttl_and_its_clock_on_rocksdb() {
    the_wrapper_gives_fields_its_ttl_and_its_clock(RocksDb::new());
}

#[test]
fn a_field_with_a_ttl_does_not_take_the_wrappers() {
    let clock = Arc::new(ManualClock::new(1_000));
    let backend = wrapper(&Memory::new(), 10, &clock);
    let mut store = Keyed::<Processing100>::open(backend).unwrap();
    write(&mut store, 1).unwrap();
    clock.set(1_099);
    assert_eq!(read(&mut store), shown(Some(1), &[1]));
    clock.set(1_100);
    assert_eq!(read(&mut store), shown(None, &[]));
}

#[test]
fn a_ttl_of_u64_max_never_ends() {
    for now in [i64::MIN + 1, -1, 0, i64::MAX - 1] {
        let clock = Arc::new(ManualClock::new(now));
        let mut store = Keyed::<Forever>::open(wrapper(&Memory::new(), u64::MAX, &clock)).unwrap();
        write(&mut store, 1).unwrap();
        clock.set(i64::MAX);
        assert_eq!(read(&mut store), shown(Some(1), &[1]));
        store.set_watermark(i64::MAX);
        assert_eq!(read(&mut store), shown(Some(1), &[1]));
    }
}

/// "When a watermark is set, expiry is in event time, not wall clock."
fn from_the_wall_clock_to_the_watermark<P: Place>(
    place: &P,
    set: fn(&TtlStateBackend<P::Backend>, &mut Keyed<Forever>, i64),
) {
    let clock = Arc::new(ManualClock::new(1_000));
    let backend = wrapper(place, 10, &clock);
    let mut store = Keyed::<Forever>::open(Arc::clone(&backend)).unwrap();
    write(&mut store, 1).unwrap();
    clock.set(1_007);
    write(&mut store, 2).unwrap();
    store.commit("").unwrap();
    clock.set(1_012);
    assert_eq!(read(&mut store), shown(Some(2), &[2]));
    // What is alive counts as written at the first watermark, and the clock is of no interest any more.
    set(&backend, &mut store, 50);
    clock.set(9_000);
    assert_eq!(read(&mut store), shown(Some(2), &[2]));
    set(&backend, &mut store, 59);
    write(&mut store, 3).unwrap();
    assert_eq!(read(&mut store), shown(Some(3), &[2, 3]));
    set(&backend, &mut store, 60);
    assert_eq!(read(&mut store), shown(Some(3), &[3]));
    store.commit("").unwrap();
    drop((store, backend));
    let backend = wrapper(place, 10, &clock);
    let mut store = Keyed::<Forever>::open(Arc::clone(&backend)).unwrap();
    assert_eq!(store.watermark(), Some(60));
    assert_eq!(read(&mut store), shown(Some(3), &[3]));
    set(&backend, &mut store, 69);
    assert_eq!(read(&mut store), shown(None, &[]));
}

#[test]
fn the_wrappers_watermark_takes_over_from_the_wall_clock() {
    from_the_wall_clock_to_the_watermark(&Memory::new(), |backend, _, ms| backend.set_watermark(ms));
    from_the_wall_clock_to_the_watermark(&RocksDb::new(), |backend, _, ms| backend.set_watermark(ms));
}

#[test]
fn the_stores_watermark_takes_over_from_the_wall_clock() {
    from_the_wall_clock_to_the_watermark(&Memory::new(), |_, store, ms| store.set_watermark(ms));
    from_the_wall_clock_to_the_watermark(&RocksDb::new(), |_, store, ms| store.set_watermark(ms));
}

fn compaction_under_a_wrapper_drops_nothing_that_the_store_still_shows<F: Folder>(place: F) {
    let clock = Arc::new(ManualClock::new(0));
    let inner = place.open();
    let backend =
        Arc::new(TtlStateBackend::new(Arc::clone(&inner), TtlConfig::new(100)).with_clock(Arc::clone(&clock)));
    let mut store = Keyed::<Forever>::builder().memory_budget(0).open(Arc::clone(&backend)).unwrap();
    write(&mut store, 1).unwrap();
    store.commit("").unwrap();
    clock.set(50);
    backend.set_watermark(1_000);
    assert_eq!(read(&mut store), shown(Some(1), &[1]));
    // The watermark is not committed yet, but the wall clock no longer counts.
    clock.set(200);
    F::compact(&inner);
    store.with_key("bob", |_| ()).unwrap();
    assert_eq!(read(&mut store), shown(Some(1), &[1]));
    store.commit("").unwrap();
    F::compact(&inner);
    assert_eq!(records(&*inner), 3);
    backend.set_watermark(1_100);
    store.commit("").unwrap();
    F::compact(&inner);
    assert_eq!(records(&*inner), 0);
}
on_every_folder!(compaction_under_a_wrapper_drops_nothing_that_the_store_still_shows);

#[test]
fn taking_the_wrapper_away_and_putting_it_back() {
    let place = Memory::new();
    let clock = Arc::new(ManualClock::new(1_000));
    let mut store = Keyed::<Forever>::open(wrapper(&place, 10, &clock)).unwrap();
    write(&mut store, 1).unwrap();
    clock.set(1_005);
    write(&mut store, 2).unwrap();
    store.commit("").unwrap();
    drop(store);
    clock.set(1_012);
    let mut store = Keyed::<Forever>::builder().clock(Arc::clone(&clock)).open(place.open()).unwrap();
    assert_eq!(read(&mut store), shown(Some(2), &[2]));
    clock.set(2_000);
    assert_eq!(read(&mut store), shown(Some(2), &[2]));
    write(&mut store, 3).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<Forever>::open(wrapper(&place, 10, &clock)).unwrap();
    clock.set(2_009);
    assert_eq!(read(&mut store).0, Some(3));
    clock.set(2_010);
    assert_eq!(read(&mut store), shown(None, &[]));
}

#[test]
fn one_state_for_ever_beside_one_that_ends() {
    #[derive(KeyedState)]
    #[state(key = String)]
    struct Mixed {
        kept: ValueState<i64>,
        #[state(ttl = "10ms")]
        ending: ValueState<i64>,
        #[state(ttl = "10ms", clock = "event")]
        by_event: ValueState<i64>,
    }
    let clock = Arc::new(ManualClock::new(0));
    let builder: KeyedBuilder<Mixed> = Keyed::builder().clock(Arc::clone(&clock));
    let mut store = builder.open(Arc::new(InMemoryStateBackend::new())).unwrap();
    store.set_watermark(0);
    store
        .with_key("ann", |state| [&state.kept, &state.ending, &state.by_event].iter().for_each(|state| state.set(1)))
        .unwrap();
    let read = |store: &mut Keyed<Mixed>| {
        store.with_key("ann", |state| (state.kept.get(), state.ending.get(), state.by_event.get())).unwrap()
    };
    clock.set(10);
    assert_eq!(read(&mut store), (Some(1), None, Some(1)));
    store.set_watermark(10);
    assert_eq!(read(&mut store), (Some(1), None, None));
}

// All of it at random, against a model that keeps every expiry as a plain number.

/// When something ends; nobody knows of what was written before the first watermark.
type Ends = Option<i64>;

#[derive(Clone, Default)]
struct Model {
    now: Option<i64>,
    first: Option<i64>,
    value: Option<(i64, Ends)>,
    list: Vec<(i64, Ends)>,
    map: BTreeMap<i64, (i64, Ends)>,
}

impl Model {
    fn ends(&self) -> Ends {
        self.now.map(|now| now + 10)
    }

    fn at(&mut self, ms: i64) {
        self.now = self.now.max(Some(ms));
        self.first = self.first.or(Some(ms));
    }

    /// Drops what has ended.
    fn sweep(&mut self) {
        let (now, first) = (self.now, self.first);
        let lives =
            |ends: Ends| now.is_none_or(|now| ends.or(first.map(|first| first + 10)).is_none_or(|ends| ends > now));
        self.value = self.value.filter(|(_, ends)| lives(*ends));
        self.list.retain(|(_, ends)| lives(*ends));
        self.map.retain(|_, (_, ends)| lives(*ends));
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as i64
    }
}

/// One random call, on the store and on the model, which must answer alike.
fn call<S: Sessions>(state: &S, model: &mut Model, random: &mut Random, renews: bool) {
    let (value, list, map, _) = state.fields();
    let (n, k, ends) = (random.below(100), random.below(4), model.ends());
    let read = |kept: &mut Ends| {
        if renews {
            *kept = ends;
        }
    };
    match random.below(16) {
        0 => {
            value.set(n);
            model.value = Some((n, ends));
        }
        1 => {
            value.clear();
            model.value = None;
        }
        2 => {
            model.value.iter_mut().for_each(|(_, ends)| read(ends));
            assert_eq!(value.get(), model.value.map(|(n, _)| n));
        }
        3 => {
            value.update(|value| *value = value.map(|value| value + 1));
            model.value = model.value.map(|(n, _)| (n + 1, ends));
        }
        4 | 5 => {
            list.add(n);
            model.list.push((n, ends));
        }
        6 => {
            model.list.iter_mut().for_each(|(_, ends)| read(ends));
            assert_eq!(list.get(), model.list.iter().map(|(n, _)| *n).collect::<Vec<_>>());
        }
        7 => {
            list.truncate_front(3);
            model.list.iter_mut().for_each(|(_, ends)| read(ends));
            model.list.drain(..model.list.len().saturating_sub(3));
        }
        8 => {
            list.retain(|n| n % 3 != 0);
            model.list.iter_mut().for_each(|(_, ends)| read(ends));
            model.list.retain(|(n, _)| n % 3 != 0);
        }
        9 => {
            list.replace([n, k]);
            model.list = vec![(n, ends), (k, ends)];
        }
        10 | 11 => {
            map.put(k, n);
            model.map.insert(k, (n, ends));
        }
        12 => {
            model.map.get_mut(&k).into_iter().for_each(|(_, ends)| read(ends));
            assert_eq!(map.get(&k), model.map.get(&k).map(|(n, _)| *n));
        }
        13 => assert_eq!(map.remove(&k), model.map.remove(&k).map(|(n, _)| n)),
        14 => {
            model.map.values_mut().for_each(|(_, ends)| read(ends));
            let mut entries = map.entries();
            entries.sort();
            assert_eq!(entries, model.map.iter().map(|(k, (n, _))| (*k, *n)).collect::<Vec<_>>());
        }
        _ => {
            map.clear();
            model.map.clear();
        }
    }
}

fn random_life<P: Place, S: Sessions, T: Turn>(place: &P, seed: u64, steps: usize) {
    let renews = S::DESCRIPTORS[0].ttl().unwrap().update() == TtlUpdate::ReadAndWrite;
    let mut random = Random(seed);
    let mut world = World::<P, S, T>::new(place);
    world.budget = if random.below(2) == 0 { 0 } else { 1 << 20 };
    world.reopen();
    let mut model = Model::default();
    if !T::EVENT {
        model.at(0);
    }
    let mut committed = model.clone();
    let mut now = 0;
    for _ in 0..steps {
        match random.below(12) {
            0 | 1 => {
                world.commit();
                committed = model.clone();
            }
            2 => {
                world.commit().reopen();
                committed = model.clone();
            }
            3 => {
                // A crash takes back the watermark, and not the clock.
                world.reopen();
                let clock = model.now;
                model = committed.clone();
                if !T::EVENT {
                    model.now = clock;
                }
                now = model.now.unwrap_or(0);
            }
            4..=6 => {
                now += random.below(7);
                world.at(now);
                model.at(now);
            }
            _ => {
                let mut after = model.clone();
                after.sweep();
                let calls = 1 + random.below(5);
                let outcome = random.below(6);
                let event = |state: &S| {
                    (0..calls).for_each(|_| call(state, &mut after, &mut random, renews));
                    match outcome {
                        0 => std::panic::resume_unwind(Box::new(())),
                        1 => Err(StateError::backend("no")),
                        _ => Ok(()),
                    }
                };
                let ran = catch_unwind(AssertUnwindSafe(|| world.store().try_with_key("ann", event)));
                match (outcome, ran) {
                    (0, Err(panic)) if panic.is::<()>() => {}
                    (0, _) => panic!("the panic of the event was lost"),
                    (_, Err(panic)) => std::panic::resume_unwind(panic),
                    (1, Ok(result)) => drop(result.unwrap_err()),
                    (_, Ok(result)) => {
                        result.unwrap();
                        model = after;
                    }
                }
            }
        }
    }
    let mut expected = model.clone();
    expected.sweep();
    assert_eq!(world.store().keys().unwrap().is_empty(), {
        expected.value.is_none() && expected.list.is_empty() && expected.map.is_empty()
    });
}

fn random_lives<P: Place>(seeds: u64, steps: usize) {
    for seed in 0..seeds {
        let run = |life: fn(&P, u64, usize)| {
            let place = P::new();
            let ran = catch_unwind(AssertUnwindSafe(|| life(&place, seed, steps)));
            ran.unwrap_or_else(|_| panic!("with seed {seed}"));
        };
        run(random_life::<P, Processing10, ByClock>);
        run(random_life::<P, Event10, ByWatermark>);
        run(random_life::<P, ProcessingRead10, ByClock>);
        run(random_life::<P, EventRead10, ByWatermark>);
    }
}

#[test]
fn random_lives_agree_with_a_model_in_memory() {
    random_lives::<Memory>(300, 60);
}

#[test]
fn random_lives_agree_with_a_model_on_rocksdb() {
    random_lives::<RocksDb>(2, 40);
}

#[test]
fn random_lives_agree_with_a_model_on_fjall() {
    random_lives::<Fjall>(2, 40);
}
