//! The runtime under another name, as a library that wraps it has it.

mod vendor {
    pub mod states {
        pub use krishiv_api::*;
    }
}

mod krishiv_api_is_not_here {
    use super::vendor::states as kv;

    #[derive(kv::KeyedState)]
    #[state(key = String, crate = super::vendor::states)]
    pub(super) struct Relative {
        pub(super) seen: kv::ValueState<u8>,
    }

    #[derive(kv::KeyedState)]
    #[state(key = String, crate = crate::vendor::states)]
    pub(super) struct Absolute<T> {
        #[state(ttl = "3h")]
        pub(super) seen: kv::ValueState<T>,
    }
}

fn main() {
    use vendor::states::KeyedState;
    use vendor::states::{InMemoryStateBackend, Keyed};
    let backend = std::sync::Arc::new(InMemoryStateBackend::new());
    let mut relative = Keyed::<krishiv_api_is_not_here::Relative>::open(backend.clone()).unwrap();
    assert_eq!(relative.with_key("a", |state| state.seen.get_or(1)).unwrap(), 1);
    let mut absolute = Keyed::<krishiv_api_is_not_here::Absolute<u16>>::open(backend).unwrap();
    assert_eq!(absolute.with_key("a", |state| state.seen.get_or(2)).unwrap(), 2);
    assert_eq!(krishiv_api_is_not_here::Relative::OPERATOR, "relative");
    assert_eq!(krishiv_api_is_not_here::Absolute::<u8>::OPERATOR, "absolute");
}
