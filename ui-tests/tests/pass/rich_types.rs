//! Values and keys of every shape that serde knows, and paths of every form.

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, MapState, ReducingState, ValueState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Hash)]
enum Tail {
    Known(String),
    Unknown { seat: u8 },
}

#[derive(Serialize, Deserialize)]
struct Position<T> {
    at: T,
}

fn wider<const BY: usize>(a: u8, b: u8) -> u8 {
    a.max(b).saturating_add(u8::try_from(BY).unwrap_or(u8::MAX))
}

#[derive(KeyedState)]
#[state(key = (Tail, [u8; 2], Option<BTreeMap<u8, String>>))]
struct Rich {
    unit: ValueState<()>,
    bytes: ValueState<Vec<u8>>,
    float: ValueState<f64>,
    wide: ValueState<u128>,
    nested: ValueState<HashMap<String, Vec<Option<Position<f32>>>>>,
    array: ValueState<[u8; Self::SIZE]>,
    by_tail: MapState<Tail, Position<(i8, i8)>>,
    #[state(reduce = wider::<3>)]
    widest: ReducingState<u8>,
    #[state(reduce = <Vec<u8> as Ord>::max)]
    greatest: ReducingState<Vec<u8>>,
}

impl Rich {
    const SIZE: usize = 4;
}

fn main() {
    assert_eq!(Rich::DESCRIPTORS.len(), 9);
    let mut store = Keyed::<Rich>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let key = (Tail::Known("N14228".to_owned()), [1, 2], Some(BTreeMap::from([(3, "c".to_owned())])));
    let event = |state: &Rich| {
        state.unit.set(());
        state.bytes.set(vec![1]);
        state.float.set(0.5);
        state.wide.set(u128::MAX);
        state.nested.set(HashMap::from([("a".to_owned(), vec![None, Some(Position { at: 1.5 })])]));
        state.array.set([1, 2, 3, 4]);
        state.by_tail.put(Tail::Unknown { seat: 7 }, Position { at: (1, -1) });
        state.widest.merge(1);
        state.widest.merge(2);
        state.greatest.merge(vec![2]);
        state.greatest.merge(vec![1, 9]);
    };
    store.with_key(&key, event).unwrap();
    let read = |state: &Rich| {
        assert_eq!((state.unit.get(), state.bytes.get(), state.float.get()), (Some(()), Some(vec![1]), Some(0.5)));
        assert_eq!((state.wide.get(), state.array.get()), (Some(u128::MAX), Some([1, 2, 3, 4])));
        let nested = state.nested.with(|nested| nested.and_then(|nested| Some(nested.get("a")?[1].as_ref()?.at)));
        assert_eq!(nested, Some(1.5));
        state.by_tail.for_each(|_, position| assert_eq!(position.at, (1, -1)));
        assert!(state.by_tail.contains(&Tail::Unknown { seat: 7 }));
        assert_eq!((state.widest.get(), state.greatest.get()), (Some(5), Some(vec![2])));
    };
    store.with_key(&key, read).unwrap();
}
