//! An event that processes events of another store: its timers are its own, or it is told so.

use krishiv_api::{
    BoxError, Cause, Driver, Dynamic, EventContext, InMemoryStateBackend, Keyed, KeyedState, OnError, Operator,
    OperatorCause, Timer, TimerKind, ValueState,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u64)]
struct Seen {
    count: ValueState<u64>,
}

type Ctx<'a> = EventContext<'a, Nested>;

/// Counts, and asks something of its context inside an event of another store, or on another thread.
struct Nested {
    other: Rc<RefCell<Keyed<Dynamic<u64>>>>,
    asks: fn(&mut Ctx<'_>),
    on_a_thread: bool,
}

impl Operator for Nested {
    type State = Seen;
    type In = u64;
    type Out = String;

    fn key(&self, event: &u64) -> u64 {
        *event
    }

    fn on_event(&mut self, state: &Seen, _: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        state.count.set(state.count.get_or(0) + 1);
        let asks = self.asks;
        if self.on_a_thread {
            std::thread::scope(|scope| scope.spawn(|| asks(ctx)).join()).map_err(|_| "the thread panicked")?;
        } else {
            self.other.borrow_mut().with_key(&99, |_| {
                ValueState::<u64>::new("seen").set(1);
                asks(ctx);
            })?;
        }
        Ok(())
    }
}

fn open(asks: fn(&mut Ctx<'_>), on_a_thread: bool) -> (Driver<Nested>, Rc<RefCell<Keyed<Dynamic<u64>>>>) {
    let other = Keyed::<Dynamic<u64>>::builder().operator("other").open(Arc::new(InMemoryStateBackend::new()));
    let other = Rc::new(RefCell::new(other.unwrap()));
    let nested = Nested { other: Rc::clone(&other), asks, on_a_thread };
    let builder = Driver::builder(nested).on_error(OnError::dead_letter());
    (builder.open(Arc::new(InMemoryStateBackend::new())).unwrap(), other)
}

const ASKS: [fn(&mut Ctx<'_>); 5] = [
    |ctx| ctx.register_event_timer(5),
    |ctx| ctx.register_processing_timer(5),
    |ctx| ctx.delete_event_timer(5),
    |ctx| ctx.delete_processing_timer(5),
    |ctx| ctx.timers().iter().for_each(|timer| ctx.emit(timer.to_string())),
];

#[test]
fn timers_of_an_event_are_refused_inside_an_event_of_another_store() {
    for (asks, on_a_thread) in ASKS.into_iter().flat_map(|asks| [(asks, false), (asks, true)]) {
        let (mut driver, other) = open(asks, on_a_thread);
        driver.event(1, None).unwrap();
        let letter = driver.drain_dead_letters().next().expect("it failed");
        let OperatorCause::State(state) = letter.error.cause() else { panic!("{}", letter.error) };
        assert!(matches!(state.cause(), Cause::Setting { .. }), "{state}");
        assert_eq!(
            letter.error.to_string(),
            "operator `seen`, key `1`: the event failed and was undone: the timers of an event are those of its own key, and \
             another store, or none, is being processed here; call the context outside of that store's `with_key`, on the \
             thread of the event"
        );
        assert_eq!(driver.timers().unwrap(), []);
        assert_eq!(driver.store_mut().with_key(&1, |state| state.count.get()).unwrap(), None, "it was undone");
        // The event of the other store is none of its business.
        let mut other = other.borrow_mut();
        let seen = other.with_key(&99, |_| ValueState::<u64>::new("seen").get()).unwrap();
        assert_eq!(seen, (!on_a_thread).then_some(1));
    }
}

#[test]
fn before_and_after_such_an_event_they_are_its_own() {
    struct Around(Keyed<Dynamic<u64>>);
    impl Operator for Around {
        type State = Seen;
        type In = u64;
        type Out = Timer;
        fn key(&self, event: &u64) -> u64 {
            *event
        }
        fn on_event(&mut self, _: &Seen, _: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
            ctx.register_event_timer(5);
            self.0.with_key(&99, |_| ValueState::<u64>::new("seen").set(1))?;
            ctx.register_event_timer(6);
            Ok(())
        }
    }
    let other = Keyed::<Dynamic<u64>>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let mut driver = Driver::builder(Around(other)).open(Arc::new(InMemoryStateBackend::new())).unwrap();
    driver.event(1, None).unwrap();
    let at = |time_ms| (1, Timer { kind: TimerKind::Event, time_ms });
    assert_eq!(driver.timers().unwrap(), [at(5), at(6)]);
}
