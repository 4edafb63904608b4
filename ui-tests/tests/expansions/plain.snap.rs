use krishiv_api::{
    BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock,
    MapState, ReducingState, StateError, ValueState,
};
use std::sync::Arc;
/// Every kind of state, with every setting.
pub struct Aircraft {
    pub late_streak: ValueState<u32>,
    pub recent_delays: ListState<i32>,
    pub destinations: MapState<String, u32>,
    pub worst_delay: ReducingState<i32>,
    pub rules: BroadcastState<String, i32>,
}
const _: () = {
    use ::krishiv_api::__private as __krishiv;
    type __KrishivSound = [(); {
        __krishiv::key::<String>();
        let _ = <ValueState<u32> as __krishiv::Handle>::KIND;
        let _ = <ListState<i32> as __krishiv::Handle>::KIND;
        let _ = <MapState<String, u32> as __krishiv::Handle>::KIND;
        __krishiv::merging::<ReducingState<i32>>();
        let _ = <BroadcastState<String, i32> as __krishiv::Handle>::KIND;
        0
    }];
    type __KrishivKey = <__KrishivSound as __krishiv::Sound<String>>::Type;
    type __KrishivField0 = <__KrishivSound as __krishiv::Sound<ValueState<u32>>>::Type;
    type __KrishivField1 = <__KrishivSound as __krishiv::Sound<ListState<i32>>>::Type;
    type __KrishivField2 = <__KrishivSound as __krishiv::Sound<
        MapState<String, u32>,
    >>::Type;
    type __KrishivField3 = <__KrishivSound as __krishiv::Sound<
        ReducingState<i32>,
    >>::Type;
    type __KrishivField4 = <__KrishivSound as __krishiv::Sound<
        BroadcastState<String, i32>,
    >>::Type;
    #[doc(hidden)]
    pub struct __KrishivRow {
        f0: <__KrishivField0 as __krishiv::Handle>::Cell,
        f1: <__KrishivField1 as __krishiv::Handle>::Cell,
        f2: <__KrishivField2 as __krishiv::Handle>::Cell,
        f3: <__KrishivField3 as __krishiv::Handle>::Cell,
        f4: <__KrishivField4 as __krishiv::Handle>::Cell,
    }
    #[automatically_derived]
    impl ::core::default::Default for __KrishivRow {
        fn default() -> Self {
            Self {
                f0: ::core::default::Default::default(),
                f1: ::core::default::Default::default(),
                f2: ::core::default::Default::default(),
                f3: ::core::default::Default::default(),
                f4: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl __krishiv::KeyedState for Aircraft
    where
        for<'krishiv> Aircraft: ::core::marker::Send + 'static,
    {
        type Key = __KrishivKey;
        type Needs = __krishiv::Volatile;
        type Row = __KrishivRow;
        const OPERATOR: &'static ::core::primitive::str = "planes";
        const DESCRIPTORS: &'static [__krishiv::StateDescriptor] = &[
            __krishiv::StateDescriptor::new(
                "late_streak",
                <__KrishivField0 as __krishiv::Handle>::KIND,
            ),
            __krishiv::StateDescriptor::with_ttl(
                __krishiv::StateDescriptor::new(
                    "recent_delays",
                    <__KrishivField1 as __krishiv::Handle>::KIND,
                ),
                __krishiv::TtlDescriptor::new(
                    604800000,
                    __krishiv::TtlClock::Event,
                    __krishiv::TtlUpdate::ReadAndWrite,
                ),
            ),
            __krishiv::StateDescriptor::with_ttl(
                __krishiv::StateDescriptor::new(
                    "airports",
                    <__KrishivField2 as __krishiv::Handle>::KIND,
                ),
                __krishiv::TtlDescriptor::new(
                    5400000,
                    __krishiv::TtlClock::Processing,
                    __krishiv::TtlUpdate::CreateAndWrite,
                ),
            ),
            __krishiv::StateDescriptor::new(
                "worst_delay",
                <__KrishivField3 as __krishiv::Handle>::KIND,
            ),
            __krishiv::StateDescriptor::new(
                "rules",
                <__KrishivField4 as __krishiv::Handle>::KIND,
            ),
        ];
        fn attach(
            krishiv_binder: &mut __krishiv::Binder<'_>,
        ) -> ::core::result::Result<Self, __krishiv::StateError> {
            ::core::result::Result::Ok(Self {
                late_streak: __krishiv::Binder::bind::<
                    __KrishivField0,
                >(krishiv_binder, 0),
                recent_delays: __krishiv::Binder::bind::<
                    __KrishivField1,
                >(krishiv_binder, 1),
                destinations: __krishiv::Binder::bind::<
                    __KrishivField2,
                >(krishiv_binder, 2),
                worst_delay: __krishiv::reducing(
                        __krishiv::Binder::bind::<__KrishivField3>(krishiv_binder, 3),
                        i32::max,
                    )
                    .by(i32::max),
                rules: __krishiv::Binder::bind::<__KrishivField4>(krishiv_binder, 4),
            })
        }
        #[inline]
        fn visit<__KrishivVisitor: __krishiv::Visitor>(
            &mut self,
            krishiv_row: &mut Self::Row,
            krishiv_visitor: &mut __KrishivVisitor,
        ) {
            __krishiv::Visitor::visit::<
                __KrishivField0,
            >(krishiv_visitor, &mut self.late_streak, &mut krishiv_row.f0);
            __krishiv::Visitor::visit::<
                __KrishivField1,
            >(krishiv_visitor, &mut self.recent_delays, &mut krishiv_row.f1);
            __krishiv::Visitor::visit::<
                __KrishivField2,
            >(krishiv_visitor, &mut self.destinations, &mut krishiv_row.f2);
            __krishiv::Visitor::visit::<
                __KrishivField3,
            >(krishiv_visitor, &mut self.worst_delay, &mut krishiv_row.f3);
            __krishiv::Visitor::visit::<
                __KrishivField4,
            >(krishiv_visitor, &mut self.rules, &mut krishiv_row.f4);
        }
        fn handle(
            &self,
            krishiv_index: ::core::primitive::usize,
        ) -> ::core::option::Option<__krishiv::Bound<'_>> {
            match krishiv_index {
                0 => __krishiv::Bound::of::<__KrishivField0>(&self.late_streak),
                1 => __krishiv::Bound::of::<__KrishivField1>(&self.recent_delays),
                2 => __krishiv::Bound::of::<__KrishivField2>(&self.destinations),
                3 => __krishiv::Bound::of::<__KrishivField3>(&self.worst_delay),
                4 => __krishiv::Bound::of::<__KrishivField4>(&self.rules),
                _ => ::core::option::Option::None,
            }
        }
    }
};
pub fn run() -> Result<String, StateError> {
    let clock = Arc::new(ManualClock::new(0));
    let builder = Keyed::<Aircraft>::builder().clock(Arc::clone(&clock));
    let mut store = builder.open(Arc::new(InMemoryStateBackend::new()))?;
    store.set_watermark(0);
    store.broadcast(|state, scope| state.rules.put(scope, "EV".to_owned(), 30))?;
    for delay in [20, 35, -3] {
        store
            .with_key(
                "N14228",
                |state| {
                    state.late_streak.update(|streak| *streak.get_or_insert(0) += 1);
                    state.recent_delays.add(delay);
                    state.destinations.put("IAH".to_owned(), 1);
                    state.worst_delay.merge(delay);
                },
            )?;
    }
    let seen = store
        .with_key(
            "N14228",
            |state| {
                let (streak, worst, rule) = (
                    state.late_streak.get(),
                    state.worst_delay.get(),
                    state.rules.get("EV"),
                );
                format!(
                    "{streak:?} {:?} {:?} {worst:?} {rule:?}", state.recent_delays.get(),
                    state.destinations.keys()
                )
            },
        )?;
    store.set_watermark(7 * 86_400_000);
    clock.advance(90 * 60_000);
    let later = store
        .with_key(
            "N14228",
            |state| (state.recent_delays.length(), state.destinations.length()),
        )?;
    Ok(format!("{} {:?} {seen} {later:?}", Aircraft::OPERATOR, Aircraft::DESCRIPTORS))
}
