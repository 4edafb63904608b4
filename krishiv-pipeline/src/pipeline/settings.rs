//! How a pipeline runs.

use crate::pipeline::aside::OnReject;
use crate::pipeline::summary::Summary;
use crate::stop::StopSignal;
use krishiv_api::Clock;
use std::sync::Arc;

pub(super) type OnCommit = Box<dyn FnMut(&Summary)>;

/// When to commit and to end, and what else to do then.
pub(super) struct Settings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) commit_every: u64,
    pub(super) commit_after_ms: Option<u64>,
    pub(super) drain_at_end: bool,
    pub(super) stop: Option<StopSignal>,
    pub(super) on_commit: OnCommit,
    pub(super) on_reject: OnReject,
    /// Whether a later call has put such a sink aside.
    pub(super) unused: bool,
}
