//! Version 2: an order may be a gift, `total` is called `spent`, and holds more.
//!
//! No function is needed, and version 1 opens what this one has written.

use crate::open::open;
use krishiv_api::{BoxError, Keyed, KeyedState, ReducingState, StateBackend, ValueState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The key is a text, like `US-1001`.
#[derive(KeyedState)]
#[state(key = String)]
pub(crate) struct Customer {
    last: ValueState<Order>,
    #[state(renamed_from = "total", reduce = u64::saturating_add)]
    spent: ReducingState<u64>,
    stars: ValueState<u8>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    cents: u64,
    #[serde(default)]
    gift: bool,
}

const ORDERS: [(&str, &str, u64); 2] = [("US-1001", "chair", 12_900), ("DE-2002", "cup", 1_250)];

pub(crate) fn run(backend: &Arc<impl StateBackend>) -> Result<String, BoxError> {
    let mut customers = open::<Customer>(backend)?;
    let found = show(&mut customers)?;
    for (customer, item, cents) in ORDERS {
        customers.with_key(customer, |state| {
            state.last.set(Order { item: item.to_owned(), cents, gift: cents > 10_000 });
            state.spent.merge(cents);
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
            let last = state.last.get();
            let gift = if last.as_ref().is_some_and(|order| order.gift) { ", a gift" } else { "" };
            let last = last.map_or_else(String::new, |order| order.item);
            let (spent, stars) = (state.spent.get().unwrap_or(0), state.stars.get_or(0));
            format!("  {key}: last {last}{gift}, {spent} cents in all, {stars} stars\n")
        })?;
    }
    Ok(lines)
}
