//! No event stops a job for ever: what cannot be written is found in its event, whatever its type, and a job that skips
//! errors goes on, commits, and comes back.

use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, BroadcastState, Driver, ErrorKind, EventContext, Keyed, KeyedState,
    ListState, MapState, OnError, Operator, OperatorCause, ReducingState, StateKey, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt::Debug;
use std::marker::PhantomData;

/// What is stored in every way.
trait Item: StateKey + Copy + Debug {}
impl<T: StateKey + Copy + Debug> Item for T {}

fn later<T>(_: T, new: T) -> T {
    new
}

#[derive(KeyedState)]
#[state(key = T, name = "job")]
struct Job<T: Item> {
    value: ValueState<T>,
    #[state(ttl = "1d")]
    timed: ValueState<T>,
    #[state(ttl = "1d", ttl_update = "read_and_write")]
    renewed: ValueState<T>,
    #[state(reduce = later::<T>)]
    reduced: ReducingState<T>,
    list: ListState<T>,
    values: MapState<u8, T>,
    keys: MapState<T, u8>,
    rules: BroadcastState<u8, T>,
    ruled: BroadcastState<T, u8>,
    events: ValueState<u32>,
}

/// Where an event puts its item, and what that is called in an error.
const PLACES: [(&str, Option<&str>); 10] = [
    ("key", None),
    ("value", Some("value")),
    ("changed", Some("value")),
    ("timed", Some("timed")),
    ("renewed", Some("renewed")),
    ("reduced", Some("reduced")),
    ("list", Some("list")),
    ("lists", Some("list")),
    ("map", Some("values")),
    ("map key", Some("keys")),
];

/// Puts items where it is told.
struct Puts<T>(PhantomData<T>);

#[derive(Clone, Copy)]
struct Event<T> {
    key: T,
    place: &'static str,
    item: T,
}

impl<T: Item> Operator for Puts<T> {
    type State = Job<T>;
    type In = Event<T>;
    type Out = T;

    fn key(&self, event: &Event<T>) -> T {
        event.key
    }

    fn on_event(&mut self, job: &Job<T>, event: Event<T>, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        job.events.update(|events| *events.get_or_insert(0) += 1);
        match event.place {
            "value" => job.value.set(event.item),
            "changed" => job.value.update(|value| *value = Some(event.item)),
            "timed" => job.timed.set(event.item),
            "renewed" => job.renewed.set(event.item),
            "reduced" => job.reduced.merge(event.item),
            "list" => job.list.add(event.item),
            "lists" => job.list.add_all([event.item; 2]),
            "map" => job.values.put(1, event.item),
            "map key" => job.keys.put(event.item, 1),
            _ => {}
        }
        Ok(())
    }
}

impl<T: Item> BroadcastOperator for Puts<T> {
    type Broadcast = (bool, T);

    fn on_broadcast(
        &mut self,
        job: &Job<T>,
        (as_key, item): (bool, T),
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        match as_key {
            true => job.ruled.put(ctx.scope(), item, 1),
            false => job.rules.put(ctx.scope(), 1, item),
        }
        Ok(())
    }
}

fn seen<T: Item>(driver: &mut Driver<Puts<T>>, key: T) -> String {
    let store: &mut Keyed<Job<T>> = driver.store_mut();
    let all = |job: &Job<T>| {
        let values = (job.value.get(), job.timed.get(), job.renewed.get(), job.reduced.get(), job.events.get());
        let rules = (job.rules.entries(), job.ruled.entries());
        format!("{values:?} {:?} {:?} {:?} {rules:?}", job.list.get(), job.values.entries(), job.keys.entries())
    };
    store.with_key(&key, all).unwrap()
}

/// A job of good events, each followed by a bad one.
fn goes_on<T: Item, P: Place>(place: &P, good: T, bad: T) {
    let open = |on_error| Driver::builder(Puts(PhantomData)).on_error(on_error).open(place.open()).unwrap();
    let mut driver = open(OnError::skip());
    for round in 0..3_u64 {
        for (index, (place, _)) in PLACES.into_iter().enumerate() {
            driver.event(Event { key: good, place, item: good }, None).unwrap();
            let before = seen(&mut driver, good);
            let key = if place == "key" { bad } else { good };
            driver.event(Event { key, place, item: bad }, None).unwrap();
            assert_eq!(driver.skipped(), index as u64 + 1, "round {round}, {place}");
            assert_eq!(seen(&mut driver, good), before, "round {round}, {place}");
        }
        for as_key in [false, true] {
            driver.broadcast((as_key, good)).unwrap();
            driver.broadcast((as_key, bad)).unwrap();
        }
        assert_eq!(driver.skipped(), PLACES.len() as u64 + 2, "round {round}");
        let before = seen(&mut driver, good);
        driver.commit(round.to_string()).unwrap();
        drop(driver);
        driver = open(OnError::skip());
        assert_eq!(driver.store_mut().position(), Some(round.to_string().as_bytes()));
        assert_eq!(seen(&mut driver, good), before, "round {round}");
    }
    drop(driver);
    let mut driver = open(OnError::stop());
    for (place, state) in PLACES {
        let key = if place == "key" { bad } else { good };
        let error = driver.event(Event { key, place, item: bad }, None).unwrap_err();
        let OperatorCause::State(inner) = error.cause() else { panic!("{place}: {error}") };
        assert_eq!(inner.kind(), ErrorKind::Invalid, "{place}: {error}");
        assert_eq!((inner.operator(), inner.state()), (Some("job"), state), "{place}: {error}");
        if place != "key" {
            assert!(inner.key().is_some(), "{place}: {error}");
        }
    }
    driver.commit("last").unwrap();
}

/// Fails for one of its numbers, and owns no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
struct Odd(u8);

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            7 => Err(S::Error::custom("seven")),
            number => serializer.serialize_newtype_struct("Odd", &number),
        }
    }
}

/// One of its variants is never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Skips {
    Some(u64),
    Others([Odd; 2]),
    #[serde(skip)]
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Narrow { number: u64 },
    Wide { number: u128 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Narrow(u64),
    Wide(i128),
}

fn what_cannot_be_written_is_skipped_with_its_event<P: Place>(_: P) {
    goes_on(&P::new(), Odd(1), Odd(7));
    goes_on(&P::new(), Skips::Some(1), Skips::Never);
    goes_on(&P::new(), Skips::Others([Odd(1); 2]), Skips::Others([Odd(1), Odd(7)]));
    goes_on(&P::new(), (1_u8, Some(Odd(1))), (1, Some(Odd(7))));
    goes_on(&P::new(), Tagged::Narrow { number: 1 }, Tagged::Wide { number: u128::MAX });
    goes_on(&P::new(), Some(Untagged::Narrow(1)), Some(Untagged::Wide(i128::MIN)));
}

on_every_backend!(what_cannot_be_written_is_skipped_with_its_event);
