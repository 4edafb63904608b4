//! What becomes of a stored value when the program's type changes: a helper of the page on it.

use krishiv_api::{
    BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, Plan, StateError, StateValue,
    ValueState,
};
use std::fmt::Debug;
use std::sync::Arc;

/// The same states, whatever they hold.
#[derive(KeyedState)]
#[state(key = String, name = "planes")]
struct Planes<T: StateValue> {
    value: ValueState<T>,
    json: ValueState<T>,
    list: ListState<T>,
    map: MapState<u8, T>,
}

/// An operator of their own, since a broadcast state is read when its store opens.
#[derive(KeyedState)]
#[state(key = String, name = "rules")]
struct Rules<T: StateValue> {
    rules: BroadcastState<u8, T>,
}

/// A place where a program with the type `Old` has stored `old` wherever a state can hold it.
fn stored<Old: StateValue + Clone>(old: &Old) -> Result<Arc<InMemoryStateBackend>, StateError> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut planes = Keyed::<Planes<Old>>::open(Arc::clone(&backend))?;
    planes.with_key("N14228", |planes| {
        planes.value.set(old.clone());
        planes.json.set_json(old.clone());
        planes.list.add(old.clone());
        planes.map.put(1, old.clone());
    })?;
    planes.commit("")?;
    let mut rules = Keyed::<Rules<Old>>::open(Arc::clone(&backend))?;
    rules.broadcast(|rules, scope| rules.rules.put(scope, 1, old.clone()))?;
    rules.commit("")?;
    Ok(backend)
}

/// Stores a value as the type `Old`, opens the state by a program with the type `New`, and reads it.
///
/// # Errors
///
/// When the store does not open, or the value is not read.
///
/// # Panics
///
/// If a value, one in JSON, a list element, and entries of a map and of a broadcast state do not all say the same.
pub fn reopened<Old, New>(old: Old) -> Result<New, StateError>
where
    Old: StateValue + Clone,
    New: StateValue + Clone + Debug + PartialEq,
{
    let backend = stored(&old)?;
    let mut planes = Keyed::<Planes<New>>::open(Arc::clone(&backend))?;
    let mut read = |get: &dyn Fn(&Planes<New>) -> Option<New>| {
        planes.with_key("N14228", |planes| get(planes)).map(|found| found.expect("it is there"))
    };
    let value = read(&|planes| planes.value.get());
    let others = [
        read(&|planes| planes.json.get()),
        read(&|planes| planes.list.first()),
        read(&|planes| planes.map.get(&1)),
        Keyed::<Rules<New>>::open(backend).and_then(|mut rules| {
            rules.with_key("N14228", |rules| rules.rules.get(&1)).map(|found| found.expect("it is there"))
        }),
    ];
    for other in others {
        assert_eq!(other.as_ref().ok(), value.as_ref().ok(), "{other:?} is not {value:?}");
    }
    value
}

/// The plan of a program with the type `New` for what one with the type `Old` has stored.
///
/// # Errors
///
/// When the state cannot be read at all.
pub fn planned<Old: StateValue + Clone, New: StateValue>(old: Old) -> Result<Plan, StateError> {
    Keyed::<Planes<New>>::builder().plan(&stored(&old)?)
}
