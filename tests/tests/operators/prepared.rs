//! Prepared events do what events do, whoever prepared them, and leave no more in memory.

use super::backends::Failing;
use krishiv_api::{
    BoxError, Driver, Dynamic, EventContext, InMemoryStateBackend, Keyed, Operator, StateBackend, ValueState,
};
use std::sync::Arc;

/// Counts the events of a key, or only looks at their number.
struct Count;

impl Operator for Count {
    type State = Dynamic<u64>;
    type In = (u64, bool);
    type Out = u64;

    fn key(&self, (key, _): &(u64, bool)) -> u64 {
        *key
    }

    fn on_event(
        &mut self,
        _: &Dynamic<u64>,
        (_, counts): (u64, bool),
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        let count = ValueState::<u64>::new("count");
        if counts {
            count.set(count.get_or(0) + 1);
        }
        ctx.emit(count.get_or(0));
        Ok(())
    }
}

fn open<B: StateBackend>(backend: &Arc<B>) -> Driver<Count> {
    let store = Keyed::builder().memory_budget(0);
    Driver::builder(Count).store(store).open(Arc::clone(backend)).unwrap()
}

fn last(driver: &mut Driver<Count>) -> Option<u64> {
    driver.drain().last().map(|record| record.value)
}

/// The next driver may lie where that one lay, with other hashes.
#[test]
fn those_of_a_driver_that_is_gone_find_their_key_in_the_next_one() {
    for _ in 0..100 {
        let backend = Arc::new(InMemoryStateBackend::new());
        let prepared = {
            let driver = open(&backend);
            [(); 10].map(|()| driver.prepare((7, true), None))
        };
        let mut driver = open(&backend);
        driver.event((7, true), None).unwrap();
        for event in prepared {
            driver.process(event).unwrap();
        }
        assert_eq!(last(&mut driver), Some(11));
    }
}

const KEYS: u64 = 100;

/// A backend with so many keys, and a driver with room for none that is clean.
fn stored() -> (Arc<Failing<InMemoryStateBackend>>, Driver<Count>) {
    let backend = Failing::new(Arc::new(InMemoryStateBackend::new()));
    let mut driver = open(&backend);
    (0..KEYS).for_each(|key| driver.event((key, true), None).unwrap());
    driver.commit("1").unwrap();
    backend.take_reads();
    (backend, driver)
}

/// Looks at all keys, one event at a time.
fn look_at_all(driver: &mut Driver<Count>) {
    (0..KEYS).for_each(|key| driver.event((key, false), None).unwrap());
}

#[test]
fn without_looking_ahead_they_leave_in_memory_what_events_leave() {
    let (backend, mut driver) = stored();
    look_at_all(&mut driver);
    look_at_all(&mut driver);
    let (reads, _) = backend.take_reads();
    assert!(reads > KEYS, "the rows of before are gone: {reads} reads");
    for key in (0..KEYS).chain(0..KEYS) {
        let event = driver.prepare((key, false), None);
        driver.process(event).unwrap();
    }
    assert_eq!(backend.take_reads().0, reads);
}

#[test]
fn a_group_that_is_through_leaves_memory_before_the_next_comes() {
    let (backend, mut driver) = stored();
    let group: Vec<_> = (0..KEYS).map(|key| driver.prepare((key, false), None)).collect();
    driver.look_ahead(&group);
    backend.take_reads();
    for event in group {
        driver.process(event).unwrap();
    }
    assert_eq!(backend.take_reads().0, 0, "what was read ahead is there until its event comes");
    look_at_all(&mut driver);
    assert_eq!(backend.take_reads().0, KEYS);
}
