//! The runtime under another name, as a library that wraps it has it.

// What a renamed dependency in the manifest does.
extern crate krishiv_api as renamed_states;

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

mod renamed_in_the_manifest {
    use renamed_states::{KeyedState, ValueState};

    #[derive(KeyedState)]
    #[state(key = String, crate = renamed_states)]
    pub(super) struct ByName {
        pub(super) seen: ValueState<u8>,
    }

    #[derive(KeyedState)]
    #[state(key = String, crate = ::renamed_states)]
    pub(super) struct FromTheRoot {
        pub(super) seen: ValueState<u8>,
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
    let backend = std::sync::Arc::new(InMemoryStateBackend::new());
    let mut by_name = Keyed::<renamed_in_the_manifest::ByName>::open(backend.clone()).unwrap();
    assert_eq!(by_name.with_key("a", |state| state.seen.get_or(3)).unwrap(), 3);
    let mut from_the_root = Keyed::<renamed_in_the_manifest::FromTheRoot>::open(backend).unwrap();
    assert_eq!(from_the_root.with_key("a", |state| state.seen.get_or(4)).unwrap(), 4);
    assert_eq!(krishiv_api_is_not_here::Relative::OPERATOR, "relative");
    assert_eq!(krishiv_api_is_not_here::Absolute::<u8>::OPERATOR, "absolute");
}
