//! Whatever of an event panics outside of the operator's handlers: that is an event that failed, like any other.

use krishiv_api::{
    BoxError, Driver, Dynamic, EventContext, InMemoryStateBackend, OnError, Operator, OperatorCause, OperatorInput,
    Rejected, ValueState,
};
use serde::{Deserialize, Serialize, Serializer};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A key that cannot be hashed if it is 13, nor be written or shown if it is 16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key(#[serde(serialize_with = "write")] u64);

fn write<S: Serializer>(key: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    assert!(*key != 16, "no bytes of 16");
    key.serialize(serializer)
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(self.0 != 13, "no hash of 13");
        self.0.hash(state);
    }
}

/// An event that cannot be copied if it is 14.
#[derive(Debug, PartialEq)]
struct Bomb(u64);

impl Clone for Bomb {
    fn clone(&self) -> Self {
        assert!(self.0 != 14, "no copy of 14");
        Self(self.0)
    }
}

struct Count;

impl Operator for Count {
    type State = Dynamic<Key>;
    type In = Bomb;
    type Out = (u64, u64);

    fn key(&self, event: &Bomb) -> Key {
        assert!(event.0 != 15, "no key of 15");
        Key(event.0)
    }

    fn on_event(&mut self, _: &Dynamic<Key>, event: Bomb, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let count = ValueState::<u64>::new("count");
        count.set(count.get_or(0) + 1);
        ctx.emit((event.0, count.get_or(0)));
        Ok(())
    }
}

const BAD: [(u64, &str); 4] =
    [(13, "no hash of 13"), (14, "no copy of 14"), (15, "no key of 15"), (16, "no bytes of 16")];

fn open(on_error: OnError<Bomb>) -> Driver<Count> {
    Driver::builder(Count).on_error(on_error).open(Arc::new(InMemoryStateBackend::new())).unwrap()
}

/// How an event is brought to a driver.
type Bring = fn(&mut Driver<Count>, u64) -> Result<(), krishiv_api::OperatorError>;

const WAYS: [Bring; 3] = [
    |driver, event| driver.event(Bomb(event), None),
    |driver, event| {
        let prepared = driver.prepare(Bomb(event), None);
        driver.process(prepared)
    },
    |driver, event| {
        let batch = [driver.prepare(Bomb(event), None)];
        driver.look_ahead(&batch);
        batch.into_iter().try_for_each(|event| driver.process(event))
    },
];

#[test]
fn a_copy_or_a_key_that_panics_makes_a_dead_letter_with_the_event() {
    for bring in WAYS {
        let mut driver = open(OnError::dead_letter());
        for event in [1, 13, 1, 14, 1, 15, 1, 16, 1] {
            bring(&mut driver, event).unwrap();
        }
        let counts: Vec<_> = driver.drain().map(|record| record.value).collect();
        assert_eq!(counts, [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]);
        let letters: Vec<_> = driver.drain_dead_letters().collect();
        assert_eq!(letters.len(), BAD.len());
        for (letter, (event, message)) in letters.iter().zip(BAD) {
            assert_eq!(letter.rejected, Rejected::Event(Bomb(event), None));
            let OperatorCause::Panicked(panic) = letter.error.cause() else { panic!("{}", letter.error) };
            assert_eq!((panic.as_str(), letter.error.input()), (message, OperatorInput::Event));
        }
        assert_eq!(letters[1].error.key(), Some("14"), "what is known of it is said");
    }
}

#[test]
fn they_are_skipped_or_stop_the_driver_as_the_policy_says() {
    for bring in WAYS {
        let (mut skips, mut stops) = (open(OnError::skip()), open(OnError::stop()));
        for (event, message) in BAD {
            // Copies are made for dead letters alone.
            let fails = event != 14;
            bring(&mut skips, event).unwrap();
            assert_eq!(
                bring(&mut stops, event).err().map(|error| error.to_string().contains(message)),
                fails.then_some(true)
            );
            bring(&mut stops, 1).unwrap();
        }
        assert_eq!(skips.skipped(), 3);
        let counts: Vec<_> = stops.drain().map(|record| record.value).filter(|(event, _)| *event == 1).collect();
        assert_eq!(counts, [(1, 1), (1, 2), (1, 3), (1, 4)]);
    }
}
