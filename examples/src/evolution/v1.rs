//! Version 1: what a customer has ordered last, and what all orders cost together.

use crate::open::open;
use krishiv_api::{BoxError, Keyed, KeyedState, ReducingState, StateBackend, ValueState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The key is a text, like `US-1001`.
#[derive(KeyedState)]
#[state(key = String)]
struct Customer {
    last: ValueState<Order>,
    #[state(reduce = u32::saturating_add)]
    total: ReducingState<u32>,
    stars: ValueState<u8>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    cents: u32,
}

const ORDERS: [(&str, &str, u32); 3] =
    [("US-1001", "book", 1_999), ("DE-2002", "lamp", 4_550), ("DE-2003", "tea", 450)];

pub(crate) fn run(backend: &Arc<impl StateBackend>) -> Result<String, BoxError> {
    let mut customers = open::<Customer>(backend)?;
    let found = show(&mut customers)?;
    for (customer, item, cents) in ORDERS {
        customers.with_key(customer, |state| {
            state.last.set(Order { item: item.to_owned(), cents });
            state.total.merge(cents);
            state.stars.set(state.stars.get_or(0).saturating_add(1).min(5));
        })?;
    }
    customers.commit("")?;
    Ok(format!("found\n{found}left\n{}", show(&mut customers)?))
}

/// A line for each customer.
fn show(customers: &mut Keyed<Customer>) -> Result<String, BoxError> {
    let mut keys = customers.keys()?;
    keys.sort();
    let mut lines = String::new();
    for key in keys {
        lines += &customers.with_key(&key, |state| {
            let last = state.last.get().map_or_else(String::new, |order| order.item);
            let (total, stars) = (state.total.get().unwrap_or(0), state.stars.get_or(0));
            format!("  {key}: last {last}, {total} cents in all, {stars} stars\n")
        })?;
    }
    Ok(lines)
}
