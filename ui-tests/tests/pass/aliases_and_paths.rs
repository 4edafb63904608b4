//! A handle is what the trait says, not what it is called.

use krishiv_api as state;

type Count = state::ValueState<u64>;
type ByName<V> = state::MapState<String, V>;
use state::ListState as Log;

mod deeper {
    pub(crate) mod still {
        pub(crate) type Greatest = krishiv_api::ReducingState<i64>;
    }
}

#[derive(state::KeyedState)]
#[state(key = std::string::String)]
struct Aliases {
    count: Count,
    by_name: ByName<u8>,
    log: Log<u8>,
    #[state(reduce = std::cmp::max)]
    greatest: deeper::still::Greatest,
    #[state(reduce = <i64 as std::cmp::Ord>::min)]
    least: ::krishiv_api::ReducingState<i64>,
    rules: state::BroadcastState<u8, u8>,
}

fn main() {
    assert_eq!(<Aliases as state::KeyedState>::DESCRIPTORS.len(), 6);
    let backend = std::sync::Arc::new(state::InMemoryStateBackend::new());
    let mut store = state::Keyed::<Aliases>::open(backend).unwrap();
    store.broadcast(|state, scope| state.rules.put(scope, 1, 2)).unwrap();
    for value in [5, 3, 9] {
        let event = |state: &Aliases| {
            state.count.set(1);
            state.by_name.put("a".to_owned(), 2);
            state.log.add(3);
            state.greatest.merge(value);
            state.least.merge(value);
            (state.greatest.get(), state.least.get(), state.log.length(), state.rules.get(&1))
        };
        let seen = store.with_key("N14228", event).unwrap();
        assert!(value != 9 || seen == (Some(9), Some(3), 3, Some(2)), "{seen:?}");
    }
}
