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
    let _ = |relative: &krishiv_api_is_not_here::Relative| std::ptr::from_ref(&relative.seen);
    assert_eq!(krishiv_api_is_not_here::Relative::OPERATOR, "relative");
    assert_eq!(krishiv_api_is_not_here::Absolute::<u8>::OPERATOR, "absolute");
}
