//! Drops expired records while RocksDB rewrites its files.

use super::super::Retention;
use ::rocksdb::CompactionDecision;
use ::rocksdb::compaction_filter::CompactionFilter;
use ::rocksdb::compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory};
use metrics::{Unit, counter, describe_counter};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

const NAME: &CStr = c"krishiv.retention";

/// The rules of one backend, shared with its compactions.
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
}

impl CompactionFilterFactory for Rules {
    type Filter = Filter;

    // One filter a compaction: compactions run side by side and share nothing but the rules themselves.
    fn create(&mut self, _: CompactionFilterContext) -> Filter {
        Filter { rules: self.rules.read().unwrap_or_else(PoisonError::into_inner).clone(), dropped: 0 }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

pub(super) struct Filter {
    rules: Vec<Arc<dyn Retention>>,
    dropped: u64,
}

impl CompactionFilter for Filter {
    fn filter(&mut self, _: u32, key: &[u8], value: &[u8]) -> CompactionDecision {
        // A panic must not unwind into RocksDB; a rule that panics drops nothing.
        let expired = || self.rules.iter().any(|rule| rule.is_expired(key, value));
        if catch_unwind(AssertUnwindSafe(expired)).unwrap_or(false) {
            self.dropped += 1;
            CompactionDecision::Remove
        } else {
            CompactionDecision::Keep
        }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

impl Drop for Filter {
    /// The compaction is over: says how many records it dropped.
    fn drop(&mut self) {
        let report = || {
            let help = "Expired records that RocksDB dropped in compaction";
            describe_counter!("krishiv_compaction_expired_total", Unit::Count, help);
            counter!("krishiv_compaction_expired_total").increment(self.dropped);
        };
        // A recorder that panics must not unwind into RocksDB either; there is nobody to tell.
        let _: Result<(), _> = catch_unwind(AssertUnwindSafe(report));
    }
}
