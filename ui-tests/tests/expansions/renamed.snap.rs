use states::api::{InMemoryStateBackend, Keyed, KeyedState, ListState, StateError};
use std::sync::Arc;
mod states {
    pub(super) mod api {
        pub(crate) use krishiv_api::*;
    }
}
/// The runtime under another name.
struct Through {
    log: ListState<u8>,
}
const _: () = {
    use states::api::__private as __krishiv;
    type __KrishivSound = [(); {
        __krishiv::key::<u8>();
        let _ = <ListState<u8> as __krishiv::Handle>::KIND;
        0
    }];
    type __KrishivKey = <__KrishivSound as __krishiv::Sound<u8>>::Type;
    type __KrishivField0 = <__KrishivSound as __krishiv::Sound<ListState<u8>>>::Type;
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
    impl __krishiv::KeyedState for Through
    where
        for<'krishiv> Through: ::core::marker::Send + 'static,
    {
        type Key = __KrishivKey;
        type Needs = __krishiv::Volatile;
        type Row = __KrishivRow;
        const OPERATOR: &'static ::core::primitive::str = "through";
        const DESCRIPTORS: &'static [__krishiv::StateDescriptor] = &[
            __krishiv::StateDescriptor::new(
                "log",
                <__KrishivField0 as __krishiv::Handle>::KIND,
            ),
        ];
        fn attach(
            krishiv_binder: &mut __krishiv::Binder<'_>,
        ) -> ::core::result::Result<Self, __krishiv::StateError> {
            ::core::result::Result::Ok(Self {
                log: __krishiv::Binder::bind::<__KrishivField0>(krishiv_binder, 0),
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
            >(krishiv_visitor, &mut self.log, &mut krishiv_row.f0);
        }
        fn handle(
            &self,
            krishiv_index: ::core::primitive::usize,
        ) -> ::core::option::Option<__krishiv::Bound<'_>> {
            match krishiv_index {
                0 => __krishiv::Bound::of::<__KrishivField0>(&self.log),
                _ => ::core::option::Option::None,
            }
        }
    }
};
pub fn run() -> Result<String, StateError> {
    let mut store = Keyed::<Through>::open(Arc::new(InMemoryStateBackend::new()))?;
    store.with_key(&1, |state| state.log.add(2))?;
    store.with_key(&1, |state| format!("{} {:?}", Through::OPERATOR, state.log.get()))
}
