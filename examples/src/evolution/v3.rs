//! Version 3: what was ordered is a product, stars are a tier, and the key of a customer is in parts.
//!
//! A function makes tiers of stars; the key is migrated before the state opens.

use crate::open::open;
use crate::v2;
use krishiv_api::{BoxError, KeyMigration, Keyed, KeyedState, ReducingState, StateBackend, ValueState};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = CustomerId)]
pub(crate) struct Customer {
    last: ValueState<Order>,
    #[state(renamed_from = "total", reduce = u64::saturating_add)]
    spent: ReducingState<u64>,
    #[state(renamed_from = "stars", migrate(from = u8, with = Tier::of_stars))]
    tier: ValueState<Tier>,
}

/// What was `US-1001`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct CustomerId {
    country: String,
    number: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    #[serde(alias = "item")]
    product: String,
    cents: u64,
    #[serde(default)]
    gift: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Tier {
    New,
    Regular,
    Friend,
}

impl Tier {
    fn of_stars(stars: u8) -> Result<Self, String> {
        match stars {
            0 | 1 => Ok(Self::New),
            2 => Ok(Self::Regular),
            3..=5 => Ok(Self::Friend),
            more => Err(format!("there are 0 to 5 stars, and these are {more}")),
        }
    }

    fn next(self) -> Self {
        match self {
            Self::New => Self::Regular,
            Self::Regular | Self::Friend => Self::Friend,
        }
    }
}

impl CustomerId {
    fn of_text(text: String) -> Result<Self, String> {
        let parts = text.split_once('-').and_then(|(country, number)| Some((country, number.parse().ok()?)));
        let (country, number) = parts.ok_or_else(|| format!("`{text}` is no country and number"))?;
        Ok(Self { country: country.to_owned(), number })
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.number, self.country)
    }
}

const ORDERS: [((&str, u32), &str, u64); 2] = [(("DE", 2_002), "desk", 35_000), (("FR", 3_001), "vase", 2_700)];

pub(crate) fn run(backend: &Arc<impl StateBackend>) -> Result<String, BoxError> {
    let migrated = KeyMigration::<v2::Customer, Customer>::try_new(CustomerId::of_text).run(backend)?;
    let mut customers = open::<Customer>(backend)?;
    let found = show(&mut customers)?;
    for ((country, number), product, cents) in ORDERS {
        customers.with_key(&CustomerId { country: country.to_owned(), number }, |state| {
            state.last.set(Order { product: product.to_owned(), cents, gift: false });
            state.spent.merge(cents);
            state.tier.set(state.tier.get().map_or(Tier::New, Tier::next));
        })?;
    }
    customers.commit("")?;
    let keys = migrated.keys;
    Ok(format!("keys migrated: {keys}\nfound\n{found}left\n{}", show(&mut customers)?))
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
            let last = last.map_or_else(String::new, |order| order.product);
            let (spent, tier) = (state.spent.get().unwrap_or(0), state.tier.get_or(Tier::New));
            format!("  {key}: last {last}{gift}, {spent} cents in all, {tier:?}\n")
        })?;
    }
    Ok(lines)
}
