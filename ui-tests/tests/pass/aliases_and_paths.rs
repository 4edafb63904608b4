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
}
