//! Drops expired records while fjall rewrites its files.

use super::keys;
use crate::backend::rules::{Current, Rules};
use lsm_tree::compaction::filter::{CompactionFilter, Context, Factory, ItemAccessor, Verdict};
use metrics::{Unit, counter, describe_counter};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Factory for Rules {
    fn name(&self) -> &str {
        "krishiv.retention"
    }

    // One filter a compaction: compactions run side by side and share nothing but the rules themselves.
    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Filter { rules: self.current(), dropped: 0 })
    }
}

struct Filter {
    rules: Current,
    dropped: u64,
}

impl CompactionFilter for Filter {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> lsm_tree::Result<Verdict> {
        let Some(key) = keys::shown(item.key()) else { return Ok(Verdict::Keep) };
        if self.rules.have_ended(key, &item.value()?) {
            self.dropped += 1;
            // With a removal in its place, as long as an older value of the key may lie in a file below.
            Ok(Verdict::Remove)
        } else {
            Ok(Verdict::Keep)
        }
    }

    fn finish(self: Box<Self>) {
        let report = || {
            let help = "Expired records that a backend dropped in compaction";
            describe_counter!("krishiv_compaction_expired_total", Unit::Count, help);
            counter!("krishiv_compaction_expired_total").increment(self.dropped);
        };
        // A recorder that panics must not end fjall's worker; there is nobody to tell.
        let _: Result<(), _> = catch_unwind(AssertUnwindSafe(report));
    }
}
