//! Structs that a macro writes, with every part taken from its arguments.

use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState, ReducingState, ValueState};
use std::sync::Arc;

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

    let mut flights = Keyed::<Flights>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let seen = flights.with_key(&("EV".to_owned(), 7), |state| {
        state.streak.set(1);
        state.delays.add(2);
        state.greatest.merge(3);
        state.own.set(4);
        (state.streak.get(), state.delays.get(), state.greatest.get(), state.own.get())
    });
    assert_eq!(seen.unwrap(), (Some(1), vec![2], Some(3), Some(4)));
    let mut through = Keyed::<Through>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    assert_eq!(through.with_key(&1, |state| state.only.get_or(5)).unwrap(), 5);
}
