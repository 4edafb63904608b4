//! Without the prelude, nothing is in scope but what the expansion names in full.

#![no_implicit_prelude]

#[derive(::krishiv_api::KeyedState)]
#[state(key = ::std::string::String, durable)]
struct Bare<T>
where
    T: ::krishiv_api::StateValue,
{
    #[state(ttl = "1h", clock = "event")]
    list: ::krishiv_api::ListState<T>,
    #[state(reduce = ::core::cmp::max)]
    greatest: ::krishiv_api::ReducingState<u8>,
    #[state(skip)]
    note: ::std::string::String,
}

fn main() {
    let _ = |bare: &Bare<u8>| bare.note.len();
    ::std::assert_eq!(<Bare<u8> as ::krishiv_api::KeyedState>::OPERATOR, "bare");
}
