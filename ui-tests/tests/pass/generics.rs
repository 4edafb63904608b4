//! Type and constant parameters, with bounds in every place, and none where none is needed.

use krishiv_api::{InMemoryStateBackend, Keeps, Keyed, KeyedState, MapState, ReducingState, StateBackend, StateKey, StateValue, ValueState, Volatile};
use std::marker::PhantomData;
use std::sync::Arc;

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

fn open<S: KeyedState<Needs = Volatile>>() -> Keyed<S> {
    open_on(InMemoryStateBackend::new())
}

fn open_on<S: KeyedState, B: StateBackend + Keeps<S>>(backend: B) -> Keyed<S> {
    Keyed::open(Arc::new(backend)).unwrap()
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

    let mut counter = open::<Counter<String, f64>>();
    let seen = counter.with_key("a", |state| {
        state.last.set(0.5);
        state.by_key.put("b".to_owned(), vec![1.5]);
        (state.last.get(), state.by_key.get("b"))
    });
    assert_eq!(seen.unwrap(), (Some(0.5), Some(vec![1.5])));

    let seen = open::<Bare<(u8, String)>>().with_key(&7, |state| {
        let PhantomData = state.marker;
        state.last.set((1, "a".to_owned()));
        state.last.get()
    });
    assert_eq!(seen.unwrap(), Some((1, "a".to_owned())));

    let seen = open::<Joined<u8, 9>>().with_key("a", |state| {
        let PhantomData = state.sizes;
        state.all.merge(1);
        state.all.merge(4);
        state.all.get()
    });
    assert_eq!(seen.unwrap(), Some(5));

    let seen = open::<Tagged<str>>().with_key(&7, |state| {
        let PhantomData = state.tag;
        state.seen.get_or(3)
    });
    assert_eq!(seen.unwrap(), 3);

    let seen = open::<Named<u8, u16, u32, u64, String>>().with_key(&7, |state| {
        state.v.set(1);
        state.visitor.set("a".to_owned());
        (state.v.get(), state.h.get(), state.s.get(), state.handle.get(), state.visitor.get())
    });
    assert_eq!(seen.unwrap(), (Some(1), None, None, None, Some("a".to_owned())));
}
