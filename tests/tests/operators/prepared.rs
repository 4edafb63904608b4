//! Prepared events do what events do, whoever prepared them.

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
