//! Operators with a state of each kind, all with one TTL.

use krishiv_api::{KeyedState, ListState, MapState, ReducingState, ValueState};

/// What the structs of [`four!`](macro@crate::four) have in common.
pub trait Four: KeyedState {
    /// All of their states.
    fn fields(&self) -> (&ValueState<i64>, &ListState<i64>, &MapState<i64, i64>, &ReducingState<i64>);
}

/// Makes structs for one operator, which each give its states another TTL.
#[macro_export]
macro_rules! four {
    (key = $key:ident, name = $operator:tt; $($name:ident($($ttl:tt)*))*) => {$(
        #[derive(::krishiv_api::KeyedState)]
        #[state(key = $key, name = $operator)]
        struct $name {
            #[state($($ttl)*)]
            value: ::krishiv_api::ValueState<i64>,
            #[state($($ttl)*)]
            list: ::krishiv_api::ListState<i64>,
            #[state($($ttl)*)]
            map: ::krishiv_api::MapState<i64, i64>,
            #[state($($ttl)*)]
            last: ::krishiv_api::ReducingState<i64>,
        }

        impl $crate::four::Four for $name {
            fn fields(
                &self,
            ) -> (
                &::krishiv_api::ValueState<i64>,
                &::krishiv_api::ListState<i64>,
                &::krishiv_api::MapState<i64, i64>,
                &::krishiv_api::ReducingState<i64>,
            ) {
                (&self.value, &self.list, &self.map, &self.last)
            }
        }
    )*};
}
