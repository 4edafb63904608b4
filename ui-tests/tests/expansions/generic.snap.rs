use krishiv_api::{
    InMemoryStateBackend, Keyed, MapState, ReducingState, StateError, StateKey,
    ValueState,
};
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
pub struct Joined<K, V: Join, const N: usize = 2>
where
    K: StateKey,
{
    pub last: ValueState<[V; N]>,
    pub all: ReducingState<V>,
    pub by_key: MapState<K, u32>,
    pub count: ValueState<u64>,
    pub hits: [u32; N],
}
const _: () = {
    use ::krishiv_api::__private as __krishiv;
    type __KrishivSound = [(); {
        let _ = <ValueState<u64> as __krishiv::Handle>::KIND;
        0
    }];
    type __KrishivField3 = <__KrishivSound as __krishiv::Sound<ValueState<u64>>>::Type;
    #[doc(hidden)]
    pub struct __KrishivRow<K, V: Join, const N: usize>
    where
        K: StateKey,
        ValueState<[V; N]>: __krishiv::Handle,
        ReducingState<V>: __krishiv::Handle,
        MapState<K, u32>: __krishiv::Handle,
        [u32; N]: __krishiv::Skipped,
    {
        f0: <ValueState<[V; N]> as __krishiv::Handle>::Cell,
        f1: <ReducingState<V> as __krishiv::Handle>::Cell,
        f2: <MapState<K, u32> as __krishiv::Handle>::Cell,
        f3: <__KrishivField3 as __krishiv::Handle>::Cell,
        marker: ::core::marker::PhantomData<
            fn() -> (::core::marker::PhantomData<K>, ::core::marker::PhantomData<V>),
        >,
    }
    #[automatically_derived]
    impl<K, V: Join, const N: usize> ::core::default::Default for __KrishivRow<K, V, N>
    where
        K: StateKey,
        ValueState<[V; N]>: __krishiv::Handle,
        ReducingState<V>: __krishiv::Handle,
        MapState<K, u32>: __krishiv::Handle,
        [u32; N]: __krishiv::Skipped,
    {
        fn default() -> Self {
            Self {
                f0: ::core::default::Default::default(),
                f1: ::core::default::Default::default(),
                f2: ::core::default::Default::default(),
                f3: ::core::default::Default::default(),
                marker: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl<K, V: Join, const N: usize> __krishiv::KeyedState for Joined<K, V, N>
    where
        K: StateKey,
        ValueState<[V; N]>: __krishiv::Handle,
        ReducingState<V>: __krishiv::Handle,
        MapState<K, u32>: __krishiv::Handle,
        [u32; N]: __krishiv::Skipped,
        (K, u8): __krishiv::StateKey,
        for<'krishiv> Joined<K, V, N>: ::core::marker::Send + 'static,
    {
        type Key = (K, u8);
        type Needs = __krishiv::Volatile;
        type Row = __KrishivRow<K, V, N>;
        const OPERATOR: &'static ::core::primitive::str = "joined";
        const DESCRIPTORS: &'static [__krishiv::StateDescriptor] = &[
            __krishiv::StateDescriptor::new(
                "last",
                <ValueState<[V; N]> as __krishiv::Handle>::KIND,
            ),
            __krishiv::StateDescriptor::new(
                "all",
                <ReducingState<V> as __krishiv::Handle>::KIND,
            ),
            __krishiv::StateDescriptor::new(
                "by_key",
                <MapState<K, u32> as __krishiv::Handle>::KIND,
            ),
            __krishiv::StateDescriptor::new(
                "count",
                <__KrishivField3 as __krishiv::Handle>::KIND,
            ),
        ];
        fn attach(
            krishiv_binder: &mut __krishiv::Binder<'_>,
        ) -> ::core::result::Result<Self, __krishiv::StateError> {
            ::core::result::Result::Ok(Self {
                last: __krishiv::Binder::bind::<ValueState<[V; N]>>(krishiv_binder, 0),
                all: __krishiv::reducing(
                        __krishiv::Binder::bind::<ReducingState<V>>(krishiv_binder, 1),
                        V::join,
                    )
                    .by(V::join),
                by_key: __krishiv::Binder::bind::<MapState<K, u32>>(krishiv_binder, 2),
                count: __krishiv::Binder::bind::<__KrishivField3>(krishiv_binder, 3),
                hits: <[u32; N] as ::core::default::Default>::default(),
            })
        }
        #[inline]
        fn visit<__KrishivVisitor: __krishiv::Visitor>(
            &mut self,
            krishiv_row: &mut Self::Row,
            krishiv_visitor: &mut __KrishivVisitor,
        ) {
            __krishiv::Visitor::visit::<
                ValueState<[V; N]>,
            >(krishiv_visitor, &mut self.last, &mut krishiv_row.f0);
            __krishiv::Visitor::visit::<
                ReducingState<V>,
            >(krishiv_visitor, &mut self.all, &mut krishiv_row.f1);
            __krishiv::Visitor::visit::<
                MapState<K, u32>,
            >(krishiv_visitor, &mut self.by_key, &mut krishiv_row.f2);
            __krishiv::Visitor::visit::<
                __KrishivField3,
            >(krishiv_visitor, &mut self.count, &mut krishiv_row.f3);
        }
        fn handle(
            &self,
            krishiv_index: ::core::primitive::usize,
        ) -> ::core::option::Option<__krishiv::Bound<'_>> {
            match krishiv_index {
                0 => __krishiv::Bound::of::<ValueState<[V; N]>>(&self.last),
                1 => __krishiv::Bound::of::<ReducingState<V>>(&self.all),
                2 => __krishiv::Bound::of::<MapState<K, u32>>(&self.by_key),
                3 => __krishiv::Bound::of::<__KrishivField3>(&self.count),
                _ => ::core::option::Option::None,
            }
        }
    }
};
pub fn run() -> Result<String, StateError> {
    let mut store = Keyed::<
        Joined<String, u64>,
    >::open(Arc::new(InMemoryStateBackend::new()))?;
    let key = ("N14228".to_owned(), 7);
    for value in [1, 4] {
        store
            .with_key(
                &key,
                |state| {
                    state.last.set([value, value]);
                    state.all.merge(value);
                    state.by_key.put("IAH".to_owned(), 2);
                    state.count.set(value);
                },
            )?;
    }
    store
        .with_key(
            &key,
            |state| {
                let (last, all, count) = (
                    state.last.get(),
                    state.all.get(),
                    state.count.get(),
                );
                format!(
                    "{last:?} {all:?} {:?} {count:?} {:?}", state.by_key.get("IAH"),
                    state.hits
                )
            },
        )
}
