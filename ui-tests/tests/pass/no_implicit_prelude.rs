//! Without the prelude, nothing is in scope but what the expansion names in full.

#![no_implicit_prelude]

#[derive(::krishiv_api::KeyedState)]
#[state(key = ::std::string::String)]
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
    let backend = ::std::sync::Arc::new(::krishiv_api::InMemoryStateBackend::new());
    let mut store = ::krishiv_api::Keyed::<Bare<u8>>::open(backend).unwrap();
    let event = |state: &Bare<u8>| {
        ::std::assert_eq!(state.note.len(), 0);
        state.list.add(1);
        state.greatest.merge(2);
        state.greatest.merge(1);
        (state.list.get(), state.greatest.get())
    };
    ::std::assert_eq!(store.with_key("a", event).unwrap(), (::std::vec![1], ::std::option::Option::Some(2)));
    ::std::assert_eq!(<Bare<u8> as ::krishiv_api::KeyedState>::OPERATOR, "bare");
}
