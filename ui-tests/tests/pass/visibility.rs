//! Private, public and in-between structs and fields, with private types inside, and no lint about them.

#![deny(warnings, unreachable_pub, private_interfaces, private_bounds)]

pub mod operators {
    use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ValueState};
    use serde::{Deserialize, Serialize};
    use std::sync::Arc;

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
        let backend = Arc::new(InMemoryStateBackend::new());
        let at = |private: Option<&Private>| private.map(|private| private.at);
        let mut public = Keyed::<Public>::open(Arc::clone(&backend)).unwrap();
        let event = |state: &Public| {
            let Note = state.note;
            state.seen.set(1);
            state.log.add(2);
            state.own.put("a".to_owned(), Private { at: 3 });
            state.own.for_each(|_, private| assert_eq!(private.at, 3));
            (state.seen.get(), state.log.get(), state.own.length())
        };
        assert_eq!(public.with_key("a", event).unwrap(), (Some(1), vec![2], 1));
        let mut restricted = Keyed::<Restricted<u8>>::open(Arc::clone(&backend)).unwrap();
        let event = |state: &Restricted<u8>| {
            state.own.set(Private { at: 4 });
            (state.seen.get(), state.own.with(at))
        };
        assert_eq!(restricted.with_key("a", event).unwrap(), (None, Some(4)));
        let mut inner = Keyed::<Inner>::open(backend).unwrap();
        let event = |state: &Inner| state.own.with(at);
        assert_eq!(inner.with_key(&1, event).unwrap(), None);
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
    let backend = std::sync::Arc::new(krishiv_api::InMemoryStateBackend::new());
    let mut local = krishiv_api::Keyed::<Local>::open(backend).unwrap();
    assert_eq!(local.with_key(&1, |state| state.seen.get_or(2)).unwrap(), 2);
    assert_eq!(operators::count(), 6);
}
