//! The rules by which a backend drops what has ended.

use super::Retention;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

/// The rules of one backend.
#[derive(Clone, Default)]
pub(super) struct Rules {
    rules: Arc<RwLock<Vec<Arc<dyn Retention>>>>,
}

impl Rules {
    pub(super) fn add(&self, rule: Arc<dyn Retention>) {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        rules.retain(|rule| !rule.is_over());
        rules.push(rule);
    }

    /// Those that are not over, for who comes by all records anyway.
    #[cfg(any(feature = "fjall", feature = "rocksdb"))]
    pub(super) fn current(&self) -> Current {
        self.those(|rule| !rule.is_over())
    }

    /// Those of them by which something can end, for who looks at records for this alone.
    pub(super) fn busy(&self) -> Current {
        self.those(|rule| !rule.is_over() && !rule.is_idle())
    }

    fn those(&self, which: fn(&dyn Retention) -> bool) -> Current {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        Current(rules.iter().filter(|rule| or_else(false, || which(&***rule))).cloned().collect())
    }
}

/// The rules of one moment.
pub(super) struct Current(Vec<Arc<dyn Retention>>);

impl Current {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them says that this record has ended; one that panics drops nothing.
    pub(super) fn have_ended(&self, key: &[u8], value: &[u8]) -> bool {
        or_else(false, || self.0.iter().any(|rule| rule.is_expired(key, value)))
    }
}

/// What a rule says, which may be one of the user's, in the midst of a write or of a compaction: a panic must not leave it.
fn or_else(otherwise: bool, ask: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or(otherwise)
}
