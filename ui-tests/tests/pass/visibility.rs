//! Private, public and in-between structs and fields, with private types inside, and no lint about them.

#![deny(warnings, unreachable_pub, private_interfaces, private_bounds)]

pub mod operators {
    use krishiv_api::{KeyedState, ListState, MapState, ValueState};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Private {
        at: u64,
    }

    #[derive(KeyedState)]
    #[state(key = String)]
    pub struct Public {
        pub seen: ValueState<u64>,
        pub(crate) log: ListState<u64>,
        own: MapState<String, Private>,
        #[state(skip)]
        note: Note,
    }

    #[derive(Default)]
    struct Note;

    #[derive(KeyedState)]
    #[state(key = String)]
    pub(super) struct Restricted<T> {
        pub(super) seen: ValueState<T>,
        own: ValueState<Private>,
    }

    #[derive(KeyedState)]
    #[state(key = u8)]
    struct Inner {
        own: ValueState<Private>,
    }

    pub fn count() -> usize {
        let _ = Private { at: 1 }.at;
        let _ = |public: &Public, inner: &Inner| {
            let _ = (&public.note, &public.own, &public.log, &inner.own);
        };
        let _ = |restricted: &Restricted<u8>| {
            let _ = (&restricted.own, &restricted.seen);
        };
        Public::DESCRIPTORS.len() + Inner::DESCRIPTORS.len() + Restricted::<u8>::DESCRIPTORS.len()
    }
}

fn main() {
    // In a body, where no path leads to the struct.
    #[derive(krishiv_api::KeyedState)]
    #[state(key = u8)]
    struct Local {
        seen: krishiv_api::ValueState<u8>,
    }
    assert_eq!(<Local as krishiv_api::KeyedState>::OPERATOR, "local");
    assert_eq!(operators::count(), 6);
}
