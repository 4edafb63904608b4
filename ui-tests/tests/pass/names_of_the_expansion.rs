//! Fields and items called like anything that the expansion may call something.

#![allow(nonstandard_style, dead_code)]

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ReducingState, ValueState};

const row: u8 = 0;
const visitor: u8 = 0;
const binder: u8 = 0;
const index: u8 = 0;
const f0: u8 = 0;
static marker: u8 = 0;
struct handle;
struct Row;
struct Handle;
struct Binder;
struct Visitor;
struct StateDescriptor;
struct Key;
fn attach() {}
fn visit() {}
mod core {}
mod std {}
mod __private {}

#[derive(KeyedState)]
#[state(key = u8)]
struct Names {
    row: ValueState<u8>,
    visitor: ValueState<u8>,
    binder: ValueState<u8>,
    index: ValueState<u8>,
    f0: ValueState<u8>,
    f1: ValueState<u8>,
    marker: ValueState<u8>,
    handle: ValueState<u8>,
    attach: ValueState<u8>,
    visit: ValueState<u8>,
    cell: ValueState<u8>,
    key: ValueState<u8>,
    krishiv_row: ValueState<u8>,
    krishiv_binder: ValueState<u8>,
    krishiv_visitor: ValueState<u8>,
    krishiv_index: ValueState<u8>,
    #[state(reduce = u8::max)]
    self_: ReducingState<u8>,
    r#type: ValueState<u8>,
    r#fn: ValueState<u8>,
    DESCRIPTORS: ValueState<u8>,
}

#[derive(KeyedState)]
#[state(key = u8)]
struct r#struct {
    a: ValueState<u8>,
}

fn main() {
    let names: ::std::vec::Vec<&str> = Names::DESCRIPTORS.iter().map(|state| state.name()).collect();
    assert!(names.contains(&"type") && names.contains(&"fn"));
    assert_eq!(r#struct::OPERATOR, "struct");

    let backend = ::std::sync::Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<Names>::open(::std::sync::Arc::clone(&backend)).unwrap();
    let values = |state: &Names| {
        let own = [&state.row, &state.visitor, &state.binder, &state.index, &state.f0, &state.f1, &state.marker];
        let more = [&state.handle, &state.attach, &state.visit, &state.cell, &state.key, &state.r#type, &state.r#fn];
        let krishiv = [&state.krishiv_row, &state.krishiv_binder, &state.krishiv_visitor, &state.krishiv_index];
        for (number, value) in (0..).zip(own.into_iter().chain(more).chain(krishiv)) {
            assert_eq!(value.get_or(number), number);
            value.set(number);
        }
        state.self_.merge(9);
        state.self_.get()
    };
    for _ in 0..2 {
        assert_eq!(store.with_key(&1, values).unwrap(), Some(9));
    }
    let mut other = Keyed::<r#struct>::open(backend).unwrap();
    assert_eq!(other.with_key(&1, |state| state.a.get_or(3)).unwrap(), 3);
}
