//! The state of a card, and what a payment does to it.

use crate::payment::{Alert, Payment};
use krishiv_api::{BoxError, EventContext, KeyedState, ListState, Operator, ValueState};
use serde::{Deserialize, Serialize};

/// Cents that a card may spend within an hour.
const LIMIT: i64 = 100_000;

#[derive(KeyedState)]
#[state(key = String)]
pub(crate) struct Card {
    /// Cents of each payment within the last hour.
    #[state(ttl = "1h", clock = "event")]
    recent: ListState<i64>,
    last: ValueState<Last>,
}

/// Where the last payment came from.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Last {
    Terminal(u64),
    Transfer(u64),
    /// Serde has no form for it, so that it cannot be stored: the event fails, and no other.
    #[serde(skip)]
    Unknown,
}

impl Last {
    fn of(reference: &str) -> Self {
        let transfer = reference.strip_prefix('T');
        let number = transfer.unwrap_or(reference).parse();
        number.map_or(Self::Unknown, if transfer.is_some() { Self::Transfer } else { Self::Terminal })
    }
}

pub(crate) struct Fraud;

impl Operator for Fraud {
    type State = Card;
    type In = Payment;
    type Out = Alert;

    fn key(&self, payment: &Payment) -> String {
        payment.card.clone()
    }

    fn on_event(&mut self, card: &Card, payment: Payment, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let Payment { cents, items, reference, at, .. } = payment;
        card.last.set(Last::of(&reference));
        card.recent.add(cents);
        let within_the_hour = card.recent.get().iter().sum();
        if within_the_hour > LIMIT {
            // Where there are no items that is infinite, and no JSON.
            let cents_an_item = cents as f64 / f64::from(items);
            ctx.emit(Alert { card: ctx.current_key().clone(), at, reference, within_the_hour, cents_an_item });
        }
        Ok(())
    }
}
