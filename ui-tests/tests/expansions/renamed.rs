use states::api::{InMemoryStateBackend, Keyed, KeyedState, ListState, StateError};
use std::sync::Arc;

mod states {
    pub(super) mod api {
        pub(crate) use krishiv_api::*;
    }
}

/// The runtime under another name.
#[derive(KeyedState)]
#[state(key = u8, crate = states::api)]
struct Through {
    log: ListState<u8>,
}

pub fn run() -> Result<String, StateError> {
    let mut store = Keyed::<Through>::open(Arc::new(InMemoryStateBackend::new()))?;
    store.with_key(&1, |state| state.log.add(2))?;
    store.with_key(&1, |state| format!("{} {:?}", Through::OPERATOR, state.log.get()))
}
