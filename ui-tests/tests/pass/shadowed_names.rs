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
#[state(key = u64, durable)]
struct Shadowed<T> {
    #[state(ttl = "2s")]
    value: krishiv_api::ValueState<T>,
    map: krishiv_api::MapState<u64, u64>,
    #[state(skip)]
    note: ::std::string::String,
}

fn main() {
    let _ = |shadowed: &Shadowed<u8>| shadowed.note.len();
    assert!(<Shadowed<u8> as krishiv_api::KeyedState>::DURABLE);
}
