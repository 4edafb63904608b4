//! The prelude's names and the primitive types mean something else at the derive.

#![allow(non_camel_case_types, dead_code)]

struct Result;
struct Option;
struct String;
struct Box;
struct Vec;
struct Ok;
struct Some;
struct None;
struct str;
struct usize;
struct bool;
trait Default {}
trait Send {}
trait Sized {}
trait Any {}
trait From {}

#[derive(krishiv_api::KeyedState)]
#[state(key = u64)]
struct Shadowed<T> {
    #[state(ttl = "2s")]
    value: krishiv_api::ValueState<T>,
    map: krishiv_api::MapState<u64, u64>,
    #[state(skip)]
    note: ::std::string::String,
}

#[derive(krishiv_api::KeyedState)]
#[state(key = u64, durable)]
struct Durable {
    value: krishiv_api::ValueState<u8>,
}

fn main() {
    let backend = std::sync::Arc::new(krishiv_api::InMemoryStateBackend::new());
    let mut store = krishiv_api::Keyed::<Shadowed<u8>>::open(backend).unwrap();
    let event = |state: &Shadowed<u8>| {
        assert_eq!(state.note, "");
        state.value.set(1);
        state.map.put(2, 3);
        (state.value.get_or(0), state.map.get(&2).unwrap_or(0))
    };
    assert_eq!(store.with_key(&1, event).unwrap(), (1, 3));
    assert!(<Durable as krishiv_api::KeyedState>::DURABLE);
}
