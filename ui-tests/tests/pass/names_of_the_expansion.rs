//! Fields and items called like anything that the expansion may call something.

#![allow(nonstandard_style, dead_code)]

use krishiv_api::{KeyedState, ReducingState, ValueState};

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
}
