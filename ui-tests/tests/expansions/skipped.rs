use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, StateError, ValueState};
use std::sync::Arc;

/// Fields of every visibility, one that is no state, and a raw name.
#[derive(KeyedState)]
#[state(key = u64, durable)]
pub(crate) struct Mixed {
    pub(crate) r#type: ValueState<String>,
    own: ValueState<u8>,
    #[state(skip)]
    note: Option<String>,
}

/// The same that a store in memory will do for.
#[derive(KeyedState)]
#[state(key = u64)]
#[deprecated]
struct Old {
    seen: ValueState<u8>,
}

#[allow(deprecated)]
pub fn run() -> Result<String, StateError> {
    let mut store = Keyed::<Old>::open(Arc::new(InMemoryStateBackend::new()))?;
    store.with_key(&7, |state| state.seen.set(1))?;
    let seen = store.with_key(&7, |state| state.seen.get())?;
    let _ = |mixed: &Mixed| (mixed.r#type.get(), mixed.own.get(), mixed.note.clone());
    Ok(format!("{} {} {:?} {seen:?}", Mixed::DURABLE, Mixed::OPERATOR, Mixed::DESCRIPTORS))
}
