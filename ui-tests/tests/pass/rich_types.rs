//! Values and keys of every shape that serde knows, and paths of every form.

use krishiv_api::{KeyedState, MapState, ReducingState, ValueState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

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
    let _ = (Tail::Known(String::new()), Tail::Unknown { seat: 1 }, Position { at: 1 }.at);
}
