use krishiv_api::{InMemoryStateBackend, Keyed, MapState, ReducingState, StateError, StateKey, ValueState};
use std::sync::Arc;

/// What joins two values into one.
pub trait Join {
    fn join(a: Self, b: Self) -> Self;
}

impl Join for u64 {
    fn join(a: Self, b: Self) -> Self {
        a | b
    }
}

/// Parameters in the key, the fields and the bounds, and fields without any.
#[derive(krishiv_api::KeyedState)]
#[state(key = (K, u8))]
pub struct Joined<K, V: Join, const N: usize = 2>
where
    K: StateKey,
{
    pub last: ValueState<[V; N]>,
    #[state(reduce = V::join)]
    pub all: ReducingState<V>,
    pub by_key: MapState<K, u32>,
    pub count: ValueState<u64>,
    #[state(skip)]
    pub hits: [u32; N],
}

pub fn run() -> Result<String, StateError> {
    let mut store = Keyed::<Joined<String, u64>>::open(Arc::new(InMemoryStateBackend::new()))?;
    let key = ("N14228".to_owned(), 7);
    for value in [1, 4] {
        store.with_key(&key, |state| {
            state.last.set([value, value]);
            state.all.merge(value);
            state.by_key.put("IAH".to_owned(), 2);
            state.count.set(value);
        })?;
    }
    store.with_key(&key, |state| {
        let (last, all, count) = (state.last.get(), state.all.get(), state.count.get());
        format!("{last:?} {all:?} {:?} {count:?} {:?}", state.by_key.get("IAH"), state.hits)
    })
}
