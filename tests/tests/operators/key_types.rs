//! Timers of keys of every sort.

use krishiv_api::{BoxError, EventContext, Harness, KeyedState, Operator, StateKey, Timer, TimerKind, ValueState};
use krishiv_tests::{Place, on_every_backend};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::rc::Rc;

#[derive(KeyedState)]
#[state(key = K)]
struct Kept<K: StateKey> {
    fired: ValueState<u32>,
    #[state(skip)]
    _key: PhantomData<fn() -> K>,
}

/// Sets a timer of each kind, and emits the key when they fire.
struct Wake<K>(PhantomData<K>);

impl<K: StateKey> Operator for Wake<K> {
    type State = Kept<K>;
    type In = (K, i64);
    type Out = (K, Timer);

    fn key(&self, (key, _): &(K, i64)) -> K {
        key.clone()
    }

    fn on_event(&mut self, _: &Kept<K>, (_, time): (K, i64), ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        ctx.register_event_timer(time);
        ctx.register_processing_timer(time);
        Ok(())
    }

    fn on_timer(&mut self, state: &Kept<K>, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        state.fired.update(|fired| *fired.get_or_insert(0) += 1);
        let key = ctx.current_key().clone();
        ctx.emit((key, timer));
        Ok(())
    }
}

/// All keys at one time come in the order of their encoded bytes, which is that of `keys`.
fn fire<K: StateKey + Debug, P: Place + 'static>(place: &Rc<P>, name: &str, keys: &[K]) {
    let place = Rc::clone(place);
    let mut harness = Harness::builder(|| Wake(PhantomData::<K>))
        .shared_backend(move || Ok(place.open()))
        .store(krishiv_api::Keyed::builder().operator(name))
        .open()
        .unwrap();
    for key in keys.iter().rev() {
        harness.event((key.clone(), 5)).unwrap();
    }
    harness.event((keys[0].clone(), -5)).unwrap();
    let both = |time_ms| [TimerKind::Event, TimerKind::Processing].map(|kind| Timer { kind, time_ms });
    let [early, early_processing] = both(-5);
    let [late, late_processing] = both(5);
    let mut event: Vec<_> = vec![(keys[0].clone(), early)];
    event.extend(keys.iter().map(|key| (key.clone(), late)));
    let mut processing: Vec<_> = vec![(keys[0].clone(), early_processing)];
    processing.extend(keys.iter().map(|key| (key.clone(), late_processing)));
    for instances in [1, 3, 1] {
        harness.rescale(instances).unwrap();
        let mut all = harness.timers().unwrap();
        let expected = [event.clone(), processing.clone()].concat();
        if instances == 1 {
            assert_eq!(all, expected, "{name}");
        }
        all.retain(|timer| !expected.contains(timer));
        assert_eq!(all, []);
    }
    harness.watermark(5).unwrap();
    harness.clock(5).unwrap();
    assert_eq!(harness.emitted(), [event, processing].concat(), "{name}");
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    assert_eq!(harness.timers().unwrap(), []);
    for (index, key) in keys.iter().enumerate() {
        let fired = harness.state(key, |state| state.fired.get()).unwrap();
        assert_eq!(fired, Some(if index == 0 { 4 } else { 2 }), "{name}");
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Flight {
    carrier: String,
    number: Option<u16>,
}

/// Its bytes would say nothing without its type: it is MessagePack.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u32),
    Text(String),
}

fn timers_of_every_sort_of_key<P: Place + 'static>(place: P) {
    let place = Rc::new(place);
    fire(&place, "unit", &[()]);
    // By their lengths first, the long ones in two bytes.
    let [one, x127, x128, x129] = ["\0".to_owned(), "x".repeat(127), "x".repeat(128), "x".repeat(129)];
    fire(&place, "text", &[String::new(), one, x127, x128, x129, "a".repeat(300)]);
    fire(&place, "numbers", &[0, 1, 127, 128, 300, u64::MAX]);
    // As 0, 1, 2 and the two largest.
    fire(&place, "negatives", &[0, -1, 1, i128::MAX, i128::MIN]);
    let flight = |carrier: &str, number| Flight { carrier: carrier.into(), number };
    fire(&place, "structs", &[flight("", None), flight("UA", None), flight("UA", Some(1))]);
    fire(&place, "bytes", &[vec![], vec![0_u8], vec![255], vec![0, 0]]);
    fire(&place, "pairs", &[(0_u8, false), (0, true), (1, false)]);
    // In MessagePack, where numbers come before texts, and texts by their lengths.
    let ids = [Id::Number(0), Id::Number(9), Id::Number(10), Id::Text("0".into()), Id::Text("1\"\n".into())];
    fire(&place, "described", &ids);
}
on_every_backend!(timers_of_every_sort_of_key);
