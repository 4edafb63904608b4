//! Structs that a macro writes, with every part taken from its arguments.

use krishiv_api::{KeyedState, ListState, ReducingState, ValueState};

macro_rules! operator {
    ($vis:vis $name:ident[$key:ty], $operator:literal, $ttl:literal, $reduce:path, { $($field:ident: $ty:ty),* $(,)? }) => {
        #[derive(KeyedState)]
        #[state(key = $key, name = $operator)]
        $vis struct $name {
            $(#[state(ttl = $ttl)] $field: $ty,)*
            #[state(reduce = $reduce)]
            greatest: ReducingState<i64>,
            own: $crate::ValueState<u8>,
        }
    };
}

operator!(pub(crate) Flights[(String, u8)], "flights.of-a-day", "7d", i64::max, {
    streak: ValueState<u32>,
    delays: ListState<i32>,
});

macro_rules! through_a_runtime {
    ($($runtime:ident)::+) => {
        #[derive(KeyedState)]
        #[state(key = u8, crate = $($runtime)::+)]
        struct Through {
            only: ValueState<u8>,
        }
    };
}

mod my {
    pub(crate) use krishiv_api as runtime;
}

through_a_runtime!(my::runtime);

fn main() {
    assert_eq!(Flights::OPERATOR, "flights.of-a-day");
    assert_eq!(Flights::DESCRIPTORS.len(), 4);
    assert_eq!(Flights::DESCRIPTORS[1].ttl().map(|ttl| ttl.ttl_ms()), Some(604_800_000));
    assert_eq!(Through::DESCRIPTORS.len(), 1);
}
