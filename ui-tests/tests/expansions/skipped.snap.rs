use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, StateError, ValueState};
use std::sync::Arc;
/// Fields of every visibility, one that is no state, and a raw name.
pub(crate) struct Mixed {
    pub(crate) r#type: ValueState<String>,
    own: ValueState<u8>,
    note: Option<String>,
}
const _: () = {
    use ::krishiv_api::__private as __krishiv;
    type __KrishivSound = [(); {
        __krishiv::key::<u64>();
        let _ = <ValueState<String> as __krishiv::Handle>::KIND;
        let _ = <ValueState<u8> as __krishiv::Handle>::KIND;
        __krishiv::skipped::<Option<String>>();
        0
    }];
    type __KrishivKey = <__KrishivSound as __krishiv::Sound<u64>>::Type;
    type __KrishivField0 = <__KrishivSound as __krishiv::Sound<
        ValueState<String>,
    >>::Type;
    type __KrishivField1 = <__KrishivSound as __krishiv::Sound<ValueState<u8>>>::Type;
    type __KrishivField2 = <__KrishivSound as __krishiv::Sound<Option<String>>>::Type;
    #[doc(hidden)]
    pub(crate) struct __KrishivRow {
        f0: <__KrishivField0 as __krishiv::Handle>::Cell,
        f1: <__KrishivField1 as __krishiv::Handle>::Cell,
    }
    #[automatically_derived]
    impl ::core::default::Default for __KrishivRow {
        fn default() -> Self {
            Self {
                f0: ::core::default::Default::default(),
                f1: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl __krishiv::KeyedState for Mixed
    where
        for<'krishiv> Mixed: ::core::marker::Send + 'static,
    {
        type Key = __KrishivKey;
        type Needs = __krishiv::Durable;
        type Row = __KrishivRow;
        const OPERATOR: &'static ::core::primitive::str = "mixed";
        const DESCRIPTORS: &'static [__krishiv::StateDescriptor] = &[
            __krishiv::StateDescriptor::new(
                "type",
                <__KrishivField0 as __krishiv::Handle>::KIND,
            ),
            __krishiv::StateDescriptor::new(
                "own",
                <__KrishivField1 as __krishiv::Handle>::KIND,
            ),
        ];
        fn attach(
            krishiv_binder: &mut __krishiv::Binder<'_>,
        ) -> ::core::result::Result<Self, __krishiv::StateError> {
            ::core::result::Result::Ok(Self {
                r#type: __krishiv::Binder::bind::<__KrishivField0>(krishiv_binder, 0),
                own: __krishiv::Binder::bind::<__KrishivField1>(krishiv_binder, 1),
                note: <__KrishivField2 as ::core::default::Default>::default(),
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
            >(krishiv_visitor, &mut self.r#type, &mut krishiv_row.f0);
            __krishiv::Visitor::visit::<
                __KrishivField1,
            >(krishiv_visitor, &mut self.own, &mut krishiv_row.f1);
        }
        fn handle(
            &self,
            krishiv_index: ::core::primitive::usize,
        ) -> ::core::option::Option<__krishiv::Bound<'_>> {
            match krishiv_index {
                0 => __krishiv::Bound::of::<__KrishivField0>(&self.r#type),
                1 => __krishiv::Bound::of::<__KrishivField1>(&self.own),
                _ => ::core::option::Option::None,
            }
        }
    }
};
/// The same that a store in memory will do for.
#[deprecated]
struct Old {
    seen: ValueState<u8>,
}
#[allow(deprecated)]
const _: () = {
    use ::krishiv_api::__private as __krishiv;
    type __KrishivSound = [(); {
        __krishiv::key::<u64>();
        let _ = <ValueState<u8> as __krishiv::Handle>::KIND;
        0
    }];
    type __KrishivKey = <__KrishivSound as __krishiv::Sound<u64>>::Type;
    type __KrishivField0 = <__KrishivSound as __krishiv::Sound<ValueState<u8>>>::Type;
    #[doc(hidden)]
    struct __KrishivRow {
        f0: <__KrishivField0 as __krishiv::Handle>::Cell,
    }
    #[automatically_derived]
    impl ::core::default::Default for __KrishivRow {
        fn default() -> Self {
            Self {
                f0: ::core::default::Default::default(),
            }
        }
    }
    #[automatically_derived]
    impl __krishiv::KeyedState for Old
    where
        for<'krishiv> Old: ::core::marker::Send + 'static,
    {
        type Key = __KrishivKey;
        type Needs = __krishiv::Volatile;
        type Row = __KrishivRow;
        const OPERATOR: &'static ::core::primitive::str = "old";
        const DESCRIPTORS: &'static [__krishiv::StateDescriptor] = &[
            __krishiv::StateDescriptor::new(
                "seen",
                <__KrishivField0 as __krishiv::Handle>::KIND,
            ),
        ];
        fn attach(
            krishiv_binder: &mut __krishiv::Binder<'_>,
        ) -> ::core::result::Result<Self, __krishiv::StateError> {
            ::core::result::Result::Ok(Self {
                seen: __krishiv::Binder::bind::<__KrishivField0>(krishiv_binder, 0),
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
            >(krishiv_visitor, &mut self.seen, &mut krishiv_row.f0);
        }
        fn handle(
            &self,
            krishiv_index: ::core::primitive::usize,
        ) -> ::core::option::Option<__krishiv::Bound<'_>> {
            match krishiv_index {
                0 => __krishiv::Bound::of::<__KrishivField0>(&self.seen),
                _ => ::core::option::Option::None,
            }
        }
    }
};
#[allow(deprecated)]
pub fn run() -> Result<String, StateError> {
    let mut store = Keyed::<Old>::open(Arc::new(InMemoryStateBackend::new()))?;
    store.with_key(&7, |state| state.seen.set(1))?;
    let seen = store.with_key(&7, |state| state.seen.get())?;
    let _ = |mixed: &Mixed| (mixed.r#type.get(), mixed.own.get(), mixed.note.clone());
    Ok(
        format!(
            "{} {} {:?} {seen:?}", Mixed::DURABLE, Mixed::OPERATOR, Mixed::DESCRIPTORS
        ),
    )
}
