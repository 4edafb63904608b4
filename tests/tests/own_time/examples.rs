//! The law, an example at a time.

use krishiv_api::{
    BoxError, Driver, EventContext, Harness, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, Operator,
    Timer, TimerKind, TtlConfig, TtlStateBackend,
};
use krishiv_tests::{Fjall, Folder, Memory, Place, RocksDb};
use std::sync::Arc;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

#[derive(KeyedState)]
#[state(key = u8)]
struct Cart {
    #[state(ttl = "1d", clock = "event")]
    items: ListState<i64>,
    #[state(ttl = "1d")]
    seen: ListState<i64>,
}

/// Adds what comes, and says after half an hour how much there is, by both clocks.
struct Reminder;

impl Operator for Reminder {
    type State = Cart;
    type In = u8;
    type Out = (i64, usize, usize);

    fn key(&self, event: &u8) -> u8 {
        *event
    }

    fn on_event(&mut self, cart: &Cart, event: u8, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        cart.items.add(event.into());
        cart.seen.add(event.into());
        let now = ctx.event_time().unwrap_or(0);
        ctx.register_event_timer(now + 30 * MINUTE);
        Ok(ctx.register_processing_timer(ctx.processing_time() + 30 * MINUTE))
    }

    fn on_timer(&mut self, cart: &Cart, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        Ok(ctx.emit((timer.time_ms, cart.items.length(), cart.seen.length())))
    }
}

#[test]
fn a_timer_sees_what_was_there_at_its_time_after_a_quiet_weekend() {
    for with_watermark in [true, false] {
        let mut harness = Harness::new(|| Reminder).unwrap();
        if with_watermark {
            harness.watermark(0).unwrap();
        }
        harness.event_at(1, 0).unwrap();
        harness.watermark(3 * DAY).unwrap();
        assert_eq!(harness.emitted(), [(30 * MINUTE, 1, 1)]);
        // What comes then sees the state of then.
        assert_eq!(harness.state(&1, |cart| cart.items.length()).unwrap(), 0);
        harness.clock(3 * DAY).unwrap();
        assert_eq!(harness.emitted()[1..], [(30 * MINUTE, 0, 1)]);
        assert_eq!(harness.state(&1, |cart| cart.seen.length()).unwrap(), 0);
    }
}

#[test]
fn an_event_of_another_key_in_between_changes_nothing() {
    let run = |between: &[i64]| {
        let mut harness = Harness::new(|| Reminder).unwrap();
        harness.event_at(1, 0).unwrap();
        for ms in between {
            harness.watermark(*ms).unwrap();
            harness.event_at(2, *ms).unwrap();
        }
        harness.watermark(3 * DAY).unwrap();
        harness.emitted().iter().copied().find(|(time, ..)| *time == 30 * MINUTE)
    };
    assert_eq!(run(&[]), Some((30 * MINUTE, 1, 1)));
    assert_eq!(run(&[DAY / 2]), run(&[]));
    assert_eq!(run(&[MINUTE, 31 * MINUTE, 2 * DAY]), run(&[]));
}

/// The timers of many keys come due at once, and the drain is committed and cut short in its midst.
fn a_drain_that_is_committed_on_its_way_goes_on_with_the_state_of_its_time<P: Place>(compact: fn(&P::Backend)) {
    for kind in [TimerKind::Event, TimerKind::Processing] {
        let place = P::new();
        let clock = Arc::new(ManualClock::new(0));
        let open = |backend: &Arc<P::Backend>| {
            let store = Keyed::builder().memory_budget(0).clock(Arc::clone(&clock));
            Driver::builder(Reminder).store(store).open(Arc::clone(backend)).unwrap()
        };
        let backend = place.open();
        let mut driver = open(&backend);
        for key in 0..40 {
            clock.set(i64::from(key) * MINUTE);
            driver.event(key, Some(i64::from(key) * MINUTE)).unwrap();
        }
        driver.set_watermark(0);
        driver.commit("").unwrap();
        clock.set(9 * DAY);
        let mut out = Vec::new();
        let (mut driver, mut backend) = (driver, backend);
        loop {
            if kind == TimerKind::Event {
                driver.set_watermark(i64::MAX);
            }
            compact(&backend);
            let more = driver.fire(kind, 3).unwrap();
            // An event in its midst is of the time of the next timer.
            let left = driver.store_mut().with_key(&39, |cart| match kind {
                TimerKind::Event => cart.items.length(),
                TimerKind::Processing => cart.seen.length(),
            });
            assert_eq!(left.unwrap(), usize::from(more));
            out.extend(driver.drain().map(|record| record.value));
            driver.commit("").unwrap();
            compact(&backend);
            if !more {
                break;
            }
            drop((driver, backend));
            backend = place.open();
            driver = open(&backend);
        }
        let sees =
            |(time, items, seen): &(i64, usize, usize)| (*time, if kind == TimerKind::Event { *items } else { *seen });
        let expected: Vec<_> = (0..40).map(|key| ((key + 30) * MINUTE, 1)).collect();
        assert_eq!(out.iter().map(sees).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_drain_that_is_committed_on_its_way_in_memory() {
    a_drain_that_is_committed_on_its_way_goes_on_with_the_state_of_its_time::<Memory>(|_| ());
}

#[test]
fn a_drain_that_is_committed_on_its_way_on_rocksdb_with_compaction() {
    a_drain_that_is_committed_on_its_way_goes_on_with_the_state_of_its_time::<RocksDb>(RocksDb::compact);
}

#[test]
fn a_drain_that_is_committed_on_its_way_on_fjall_with_compaction() {
    a_drain_that_is_committed_on_its_way_goes_on_with_the_state_of_its_time::<Fjall>(Fjall::compact);
}

#[test]
fn a_timer_set_in_the_past_sees_the_state_of_now() {
    let mut harness = Harness::new(|| Reminder).unwrap();
    harness.event_at(1, 0).unwrap();
    harness.watermark(2 * DAY).unwrap();
    harness.clock(2 * DAY).unwrap();
    assert_eq!(harness.state(&1, |cart| cart.items.length()).unwrap(), 0);
    // Late, so its timer is set in the past; what had ended by then does not come back for it.
    harness.event_at(1, MINUTE).unwrap();
    harness.watermark(2 * DAY).unwrap();
    assert_eq!(harness.emitted()[2..], [(31 * MINUTE, 1, 1)]);
}

/// What is written while timers are overdue lives as long as it should, though state is judged by the time of those.
#[test]
fn an_event_in_front_of_overdue_timers_writes_for_as_long_as_ever() {
    let clock = Arc::new(ManualClock::new(0));
    let store = Keyed::builder().clock(Arc::clone(&clock));
    let mut driver = Driver::builder(Reminder).store(store).open(Memory::new().open()).unwrap();
    driver.event(1, Some(0)).unwrap();
    driver.set_watermark(3 * DAY);
    clock.set(3 * DAY);
    driver.store_mut().with_key(&2, |cart| (cart.items.add(2), cart.seen.add(2))).unwrap();
    driver.advance(3 * DAY).unwrap();
    driver.tick().unwrap();
    let left = |driver: &mut Driver<Reminder>, key| {
        driver.store_mut().with_key(&key, |cart| (cart.items.length(), cart.seen.length())).unwrap()
    };
    assert_eq!((left(&mut driver, 1), left(&mut driver, 2)), ((0, 0), (1, 1)));
    driver.set_watermark(4 * DAY);
    clock.set(4 * DAY);
    assert_eq!(left(&mut driver, 2), (0, 0));
}

/// The watermark of a backend with a TTL moves without the store.
#[test]
fn the_watermark_of_the_backend_stops_at_timers_too() {
    #[derive(KeyedState)]
    #[state(key = u8)]
    struct Plain {
        items: ListState<i64>,
    }
    struct Later;
    impl Operator for Later {
        type State = Plain;
        type In = u8;
        type Out = usize;
        fn key(&self, event: &u8) -> u8 {
            *event
        }
        fn on_event(&mut self, plain: &Plain, event: u8, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
            plain.items.add(event.into());
            Ok(ctx.register_event_timer(5))
        }
        fn on_timer(&mut self, plain: &Plain, _: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
            Ok(ctx.emit(plain.items.length()))
        }
    }
    let inner = Arc::new(InMemoryStateBackend::new());
    let backend = Arc::new(TtlStateBackend::new(inner, TtlConfig::new(10)));
    backend.set_watermark(0);
    let mut driver = Driver::builder(Later).open(Arc::clone(&backend)).unwrap();
    driver.event(1, Some(0)).unwrap();
    driver.commit("").unwrap();
    backend.set_watermark(100);
    // Another key, which is not to take anything away from the timer.
    driver.store_mut().with_key(&2, |plain| plain.items.length()).unwrap();
    driver.commit("").unwrap();
    drop(driver);
    let mut driver = Driver::builder(Later).open(Arc::clone(&backend)).unwrap();
    driver.advance(100).unwrap();
    assert_eq!(driver.drain().map(|record| record.value).collect::<Vec<_>>(), [1]);
    assert_eq!(driver.store_mut().with_key(&1, |plain| plain.items.length()).unwrap(), 0);
}
