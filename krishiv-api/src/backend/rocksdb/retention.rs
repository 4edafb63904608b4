//! Drops expired records while RocksDB rewrites its files.

use crate::backend::rules::{Current, Rules};
use ::rocksdb::CompactionDecision;
use ::rocksdb::compaction_filter::CompactionFilter;
use ::rocksdb::compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory};
use metrics::{Unit, counter, describe_counter};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

const NAME: &CStr = c"krishiv.retention";

impl CompactionFilterFactory for Rules {
    type Filter = Filter;

    // One filter a compaction: compactions run side by side and share nothing but the rules themselves.
    fn create(&mut self, _: CompactionFilterContext) -> Filter {
        Filter { rules: self.current(), dropped: 0 }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

pub(in crate::backend) struct Filter {
    rules: Current,
    dropped: u64,
}

impl CompactionFilter for Filter {
    fn filter(&mut self, _: u32, key: &[u8], value: &[u8]) -> CompactionDecision {
        if self.rules.have_ended(key, value) {
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
            let help = "Expired records that a backend dropped in compaction";
            describe_counter!("krishiv_compaction_expired_total", Unit::Count, help);
            counter!("krishiv_compaction_expired_total").increment(self.dropped);
        };
        // A recorder that panics must not unwind into RocksDB either; there is nobody to tell.
        let _: Result<(), _> = catch_unwind(AssertUnwindSafe(report));
    }
}
