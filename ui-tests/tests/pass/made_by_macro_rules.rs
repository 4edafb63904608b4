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

/// Hands on what it does not look into.
macro_rules! state_of_a_user {
    ($name:ident $(<$param:ident>)? { $($fields:tt)* }) => {
        #[derive(KeyedState)]
        #[state(key = String)]
        struct $name $(<$param: krishiv_api::StateValue>)? {
            $($fields)*
        }
    };
}

macro_rules! twice {
    ($($all:tt)*) => {
        state_of_a_user! { $($all)* }
    };
}

state_of_a_user! {
    Visits {
        seen: ValueState<u32>,
        #[state(ttl = "7d", clock = "event", name = "pages-seen")]
        pages: ListState<String>,
        #[state(reduce = i64::max)]
        longest: ReducingState<i64>,
        #[state(skip)]
        greeting: String,
    }
}

twice! {
    Last<V> {
        #[state(ttl = "1h")]
        value: ValueState<V>,
        #[state(skip)]
        skipped: Vec<V>,
    }
}

/// Takes the whole struct, with what stands above it.
macro_rules! derived {
    ($($item:tt)*) => {
        #[derive(KeyedState)]
        $($item)*
    };
}

derived! {
    #[state(key = u8, durable)]
    struct Whole {
        only: ValueState<u8>,
    }
}

fn main() {
    assert_eq!((Whole::DURABLE, Whole::DESCRIPTORS.len()), (true, 1));
    let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let seen = visits.with_key("ann", |state| {
        state.seen.set(1);
        state.pages.add("home".to_owned());
        state.longest.merge(7);
        (state.seen.get(), state.pages.get(), state.longest.get(), state.greeting.len())
    });
    assert_eq!(seen.unwrap(), (Some(1), vec!["home".to_owned()], Some(7), 0));
    let mut last = Keyed::<Last<u8>>::open(Arc::new(InMemoryStateBackend::new())).unwrap();
    let seen = last.with_key("ann", |state| (state.value.get_or(3), state.skipped.len()));
    assert_eq!(seen.unwrap(), (3, 0));

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
