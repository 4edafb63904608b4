//! Type and constant parameters, with bounds in every place, and none where none is needed.

use krishiv_api::{KeyedState, MapState, ReducingState, StateKey, StateValue, ValueState};
use std::marker::PhantomData;

#[derive(KeyedState)]
#[state(key = K)]
struct Counter<K: StateKey, V>
where
    V: StateValue + Clone,
{
    last: ValueState<V>,
    by_key: MapState<K, Vec<V>>,
}

/// Bounds come from the fields.
#[derive(KeyedState)]
#[state(key = u64)]
struct Bare<T> {
    last: ValueState<T>,
    #[state(skip)]
    marker: PhantomData<T>,
}

trait Join {
    fn join(a: Self, b: Self) -> Self;
}

impl Join for u8 {
    fn join(a: Self, b: Self) -> Self {
        a | b
    }
}

#[derive(KeyedState)]
#[state(key = String)]
struct Joined<T: Join + StateValue = u8, const N: usize = 4> {
    #[state(reduce = T::join)]
    all: ReducingState<T>,
    #[state(skip)]
    sizes: PhantomData<[u8; N]>,
}

/// A parameter that no state mentions.
#[derive(KeyedState)]
#[state(key = u8)]
struct Tagged<Tag: ?Sized + Send + 'static> {
    seen: ValueState<u8>,
    #[state(skip)]
    tag: PhantomData<Tag>,
}

/// Parameters called like those of the expansion.
#[derive(KeyedState)]
#[state(key = u8)]
struct Named<V, H, S, Handle, Visitor> {
    v: ValueState<V>,
    h: ValueState<H>,
    s: ValueState<S>,
    handle: ValueState<Handle>,
    visitor: ValueState<Visitor>,
}

fn keyed<S: KeyedState>() -> usize {
    S::DESCRIPTORS.len()
}

fn main() {
    assert_eq!(keyed::<Counter<String, f64>>(), 2);
    assert_eq!(keyed::<Bare<(u8, String)>>(), 1);
    assert_eq!(keyed::<Joined>(), 1);
    assert_eq!(keyed::<Joined<u8, 9>>(), 1);
    assert_eq!(keyed::<Tagged<str>>(), 1);
    assert_eq!(keyed::<Named<u8, u8, u8, u8, u8>>(), 5);
    let _ = |bare: &Bare<u8>, joined: &Joined, tagged: &Tagged<str>| (bare.marker, joined.sizes, tagged.tag);
}
