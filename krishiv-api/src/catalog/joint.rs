//! One write of one or several stores: what it changes of the catalog, the positions and the broadcasts is decided once, for
//! all of them, when it is written.

use crate::backend::WriteBatch;
use crate::catalog::backend::BackendHub;
use crate::catalog::expiry::Expiry;
use crate::catalog::operator::OperatorHub;
use crate::catalog::positions::in_force;
use crate::catalog::records::{self, FORMAT, FormatRecord, OwnerRecord, PositionRecord};
use crate::error::{Cause, StateError};
use crate::lock::lock;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The stores that commit together, in one write.
#[derive(Default)]
pub(crate) struct Joint {
    parts: Vec<(Arc<OperatorHub>, PositionRecord)>,
    written: Option<Arc<AtomicBool>>,
}

impl Joint {
    /// Whether it is of stores of the backend of `hub` alone.
    pub(crate) fn is_on_backend_of(&self, hub: &OperatorHub) -> bool {
        self.parts.iter().all(|(other, _)| Arc::ptr_eq(&other.backend, &hub.backend))
    }

    /// Becomes true once this very commit is written.
    pub(crate) fn written(&mut self) -> Arc<AtomicBool> {
        Arc::clone(self.written.get_or_insert_default())
    }

    /// Adds a store of `hub` that comes to stand at `position`; until what is returned is dropped, this thread makes no other
    /// commit on that backend.
    pub(crate) fn add(&mut self, hub: &Arc<OperatorHub>, position: PositionRecord) -> UnderWay {
        self.parts.push((Arc::clone(hub), position));
        UnderWay::enter(&hub.backend)
    }

    /// Refuses a commit that would begin inside another one of this thread.
    pub(crate) fn may_begin(&self, hub: &OperatorHub) -> Result<(), StateError> {
        if self.parts.is_empty() && UnderWay::is(&hub.backend) { Err(Cause::NestedCommit.into()) } else { Ok(()) }
    }

    /// Writes `batch`, the rows of all parts, with what else they have to write.
    pub(crate) fn write(self, mut batch: WriteBatch) -> Result<(), StateError> {
        let Some((hub, _)) = self.parts.first() else { return Ok(()) };
        let backend = Arc::clone(&hub.backend);
        backend.owner.check(&*backend.backend)?;
        let turn = lock(&backend.commit);
        let claim = backend.owner.claim(&*backend.backend)?;
        let mut plans = Plans::of(self.parts);
        plans.decide(&mut batch)?;
        let portion = backend.leftover_portion(&mut batch)?;
        let newest = plans.change_the_catalog() || backend.needs_newest_format.load(Ordering::Relaxed);
        let signature = backend.sign(&mut batch, claim, newest)?;
        // Nobody may change what belongs to all instances while it is on its way, but instances whose commits carry rows
        // alone need not wait for each other's disk.
        let keeps_turn = !signature.is_empty() || plans.concern_others() || portion.is_some();
        let turn = Some(turn).filter(|_| keeps_turn);
        backend.backend.write(batch)?;
        backend.signed(signature);
        plans.note();
        if let Some(portion) = portion {
            backend.is_deleted(portion);
        }
        drop(turn);
        if let Some(written) = self.written {
            written.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl OperatorHub {
    /// Writes what no reader can tell from what was there, apart from any commit.
    pub(crate) fn write_aside(&self, batch: WriteBatch) -> Result<(), StateError> {
        let backend = &self.backend;
        backend.owner.check(&*backend.backend)?;
        let turn = lock(&backend.commit);
        // Somebody else may have written other records under the same keys.
        backend.owner.claim(&*backend.backend)?;
        drop(turn);
        backend.backend.write(batch)
    }
}

/// What a write says of the whole backend: who owns it, where that is new, and whether it is marked with the newest format.
#[derive(Clone, Copy)]
struct Signature {
    owner: Option<u64>,
    marks: bool,
}

impl Signature {
    fn is_empty(self) -> bool {
        self.owner.is_none() && !self.marks
    }
}

impl BackendHub {
    /// Writes what is apart from any commit, and may change the catalog.
    pub(crate) fn write_alone(&self, batch: WriteBatch, newest: bool) -> Result<(), StateError> {
        self.owner.check(&*self.backend)?;
        let turn = lock(&self.commit);
        let written = self.write_in_turn(batch, newest);
        drop(turn);
        written
    }

    /// The same under the lock of commits.
    pub(super) fn write_in_turn(&self, mut batch: WriteBatch, newest: bool) -> Result<(), StateError> {
        let claim = self.owner.claim(&*self.backend)?;
        let signature = self.sign(&mut batch, claim, newest)?;
        self.backend.write(batch)?;
        self.signed(signature);
        Ok(())
    }

    fn sign(
        &self,
        batch: &mut WriteBatch,
        (owner, is_new): (u64, bool),
        newest: bool,
    ) -> Result<Signature, StateError> {
        let marks = newest && self.format.load(Ordering::Relaxed) < FORMAT;
        if marks {
            batch.put(&records::format_key(), &records::write(&FormatRecord { format: FORMAT })?);
        }
        if is_new {
            batch.put(&records::owner_key(), &records::write(&OwnerRecord { owner })?);
            self.owner.tries(batch);
        }
        Ok(Signature { owner: is_new.then_some(owner), marks })
    }

    /// Takes note that what was signed so is written.
    fn signed(&self, signature: Signature) {
        if let Some(owner) = signature.owner {
            self.owner.holds(owner);
        }
        if signature.marks {
            self.format.store(FORMAT, Ordering::Relaxed);
        }
    }
}

/// What a write changes, an operator each. Dropped without [`note`](Self::note), its outcome is unknown.
struct Plans(Vec<Plan>);

/// What a write changes of one operator, besides its rows.
struct Plan {
    hub: Arc<OperatorHub>,
    positions: Vec<PositionRecord>,
    /// Position records that are deleted.
    covered: Vec<Range<u16>>,
    record: Option<NewRecord>,
    /// Number of changes of broadcast states.
    broadcasts: usize,
}

/// The operator's record, if the backend has an older one.
struct NewRecord {
    revision: u64,
    lives: HashMap<u16, Expiry>,
    dropped: Arc<BTreeSet<u16>>,
    /// The names under which the backend had it.
    old_names: Vec<String>,
}

impl Plans {
    fn of(parts: Vec<(Arc<OperatorHub>, PositionRecord)>) -> Self {
        let mut plans: Vec<Plan> = Vec::with_capacity(1);
        for (hub, position) in parts {
            match plans.iter_mut().rev().find(|plan| Arc::ptr_eq(&plan.hub, &hub)) {
                Some(plan) => plan.positions.push(position),
                None => {
                    plans.push(Plan {
                        hub,
                        positions: vec![position],
                        covered: Vec::new(),
                        record: None,
                        broadcasts: 0,
                    });
                }
            }
        }
        Self(plans)
    }

    fn decide(&mut self, batch: &mut WriteBatch) -> Result<(), StateError> {
        self.0.iter_mut().try_for_each(|plan| plan.decide(batch))
    }

    fn change_the_catalog(&self) -> bool {
        self.0.iter().any(|plan| plan.record.is_some())
    }

    /// Whether there is more than rows, and positions of the stores that commit.
    fn concern_others(&self) -> bool {
        self.0.iter().any(|plan| plan.record.is_some() || plan.broadcasts > 0 || !plan.covered.is_empty())
    }

    /// Takes note that all of it is written.
    fn note(mut self) {
        self.0.drain(..).for_each(Plan::note);
    }
}

impl Drop for Plans {
    fn drop(&mut self) {
        for plan in &self.0 {
            lock(&plan.hub.state).in_doubt = true;
        }
    }
}

impl Plan {
    /// Adds to `batch` what the operator has to write besides rows.
    fn decide(&mut self, batch: &mut WriteBatch) -> Result<(), StateError> {
        let mut state = lock(&self.hub.state);
        self.hub.end_doubt(&mut state)?;
        let id = state.record.id;
        if state.revision > state.persisted {
            batch.put(&records::operator_key(&state.record.name), &records::write(&state.record)?);
            let old_names = state.old_names.clone();
            old_names.iter().for_each(|name| batch.delete(&records::operator_key(name)));
            let dropped = Arc::new(state.record.dropped.clone());
            self.record = Some(NewRecord { revision: state.revision, lives: state.record.lives(), dropped, old_names });
        }
        let is_replaced = |range: &Range<u16>| self.positions.iter().any(|position| position.range() == *range);
        let others = state.positions.iter().filter(|position| !is_replaced(&position.range()));
        // Those that are replaced do not count: a commit that failed and is repeated keeps its number.
        let last = others.clone().map(|position| position.sequence).fold(state.sequence, u64::max);
        let others: Vec<_> = others.cloned().collect();
        for (position, sequence) in self.positions.iter_mut().zip(last.saturating_add(1)..) {
            position.sequence = sequence;
            batch.put(&records::position_key(id, &position.range()), &records::write(position)?);
        }
        let after: Vec<_> = others.into_iter().chain(self.positions.iter().cloned()).collect();
        // That of an open store is left to its own next commit, which may be on its way.
        let covered = in_force(&after).1.into_iter().map(|position| position.range());
        self.covered = covered.filter(|range| !state.ranges.contains(range)).collect();
        for range in &self.covered {
            batch.delete(&records::position_key(id, range));
        }
        self.broadcasts = self.hub.tables().flush(id, batch);
        Ok(())
    }

    fn note(self) {
        let Self { hub, positions, covered, record, broadcasts } = self;
        let mut state = lock(&hub.state);
        if let Some(NewRecord { revision, lives, dropped, old_names }) = record {
            state.persisted = state.persisted.max(revision);
            state.committed = Arc::new(lives);
            state.committed_dropped = dropped;
            state.old_names.retain(|name| !old_names.contains(name));
        }
        for position in positions {
            state.sequence = state.sequence.max(position.sequence);
            state.positions.retain(|other| other.range() != position.range());
            state.positions.push(position);
        }
        state.positions.retain(|position| !covered.contains(&position.range()));
        hub.tables().committed(broadcasts);
        hub.publish_retention(&state);
    }
}

thread_local! {
    /// The backends to which this thread is committing, by their addresses.
    static UNDER_WAY: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A commit that this thread is making on a backend. One inside it would be a write of its own, and so not be joint with it.
#[must_use]
pub(crate) struct UnderWay(usize);

impl UnderWay {
    fn enter(backend: &Arc<BackendHub>) -> Self {
        let address = Arc::as_ptr(backend).addr();
        with_under_way(|under_way| under_way.push(address));
        Self(address)
    }

    fn is(backend: &Arc<BackendHub>) -> bool {
        with_under_way(|under_way| under_way.contains(&Arc::as_ptr(backend).addr())).unwrap_or(false)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        with_under_way(|under_way| {
            if let Some(at) = under_way.iter().rposition(|address| *address == self.0) {
                under_way.swap_remove(at);
            }
        });
    }
}

/// `None` while the thread ends: then there is no commit around this one.
fn with_under_way<R>(work: impl FnOnce(&mut Vec<usize>) -> R) -> Option<R> {
    UNDER_WAY.try_with(|under_way| work(&mut under_way.borrow_mut())).ok()
}
