//! What the instances of one operator share: its part of the catalog, ranges, positions and broadcast states.

use crate::backend::AnyBackend;
use crate::catalog::backend::BackendHub;
use crate::catalog::clocks::StoreTime;
use crate::catalog::declared::{KeyRecord, check_name, mismatch};
use crate::catalog::expiry::{Expiry, Moment, Now};
use crate::catalog::positions::{in_force, stored_positions};
use crate::catalog::records::{OperatorRecord, PositionRecord};
use crate::catalog::registry::Registry;
use crate::catalog::retention::{OperatorRetention, Remains, WhileOpen};
use crate::catalog::state::StateRecord;
use crate::catalog::stored;
use crate::catalog::tables::Tables;
use crate::codec::{Codec, Shape};
use crate::error::{Cause, StateError};
use crate::lock::lock;
use crate::names::{self, TIMERS};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The operators of this process, by the addresses of their backends' hubs, which live as long as they do, and their names.
static OPERATORS: Registry<(usize, String), OperatorHub> = Registry::new();

impl BackendHub {
    /// The hub of the operator called `name`, and before by one of the `former` names; the same for all its stores.
    pub(crate) fn operator(
        self: &Arc<Self>,
        (name, former): (&str, Vec<&str>),
        key: &KeyRecord,
        max_parallelism: Option<u16>,
    ) -> Result<Arc<OperatorHub>, StateError> {
        let loading = lock(&self.loading);
        let found_by = (Arc::as_ptr(self).addr(), name.to_owned());
        let operator = match OPERATORS.find(&found_by) {
            Some(operator) => operator,
            None => {
                let operator = Arc::new(self.load((name, &former), key, max_parallelism)?);
                self.backend.add_retention(Arc::new(WhileOpen(Arc::downgrade(&operator.retention))));
                OPERATORS.add(found_by, operator)
            }
        };
        // Whoever declares a state works on a copy of the record.
        let turn = lock(&operator.declaring);
        let mut state = lock(&operator.state);
        if state.record.key.fit("key", key)? {
            state.revision += 1;
        }
        if let Some(asked) = max_parallelism
            && asked != state.record.max_parallelism
        {
            return mismatch("max parallelism", &state.record.max_parallelism, &asked);
        }
        drop(state);
        drop(turn);
        drop(loading);
        Ok(operator)
    }

    fn load(
        self: &Arc<Self>,
        (name, former): (&str, &[&str]),
        key: &KeyRecord,
        max_parallelism: Option<u16>,
    ) -> Result<OperatorHub, StateError> {
        let stored = stored::find_renamed(&*self.backend, name, former)?;
        let persisted = stored.is_some();
        check_name("an operator", name, persisted)?;
        let mut old_names = Vec::new();
        let record = match stored {
            Some(stored) => {
                let mut record = stored.of_today();
                if record.name != name {
                    old_names.push(record.name.clone());
                    record.rename(name);
                }
                self.is_not_open_as_another(&record)?;
                record
            }
            None => {
                let id = lock(&self.ids).take()?;
                let max_parallelism = max_parallelism.unwrap_or(DEFAULT_MAX_PARALLELISM);
                let key = key.clone();
                OperatorRecord::new(id, name, max_parallelism, key)
            }
        };
        let has_dropped = !record.dropped.is_empty();
        let positions = stored_positions(&*self.backend, record.id)?;
        let retention = Arc::new(OperatorRetention::new(record.id));
        let operator = OperatorHub {
            backend: Arc::clone(self),
            one_record: record.one_record,
            state: Mutex::new(OperatorState {
                revision: u64::from(!persisted || !old_names.is_empty()),
                persisted: 0,
                ranges: Vec::new(),
                sequence: positions.iter().map(|position| position.sequence).max().unwrap_or(0),
                positions,
                in_doubt: false,
                committed: Arc::new(if persisted { record.lives() } else { HashMap::new() }),
                committed_dropped: Arc::new(record.dropped.clone()),
                old_names,
                record,
                expiries: HashMap::new(),
            }),
            declaring: Mutex::new(()),
            has_dropped: AtomicBool::new(has_dropped),
            tables: Mutex::new(Tables::default()),
            tables_version: AtomicU64::new(0),
            retention,
        };
        operator.publish_retention(&lock(&operator.state));
        Ok(operator)
    }
}

impl BackendHub {
    /// Refuses an operator that is open under another name: the two would not know of each other.
    fn is_not_open_as_another(&self, record: &OperatorRecord) -> Result<(), StateError> {
        let here = std::ptr::from_ref(self).addr();
        let may_be = |(hub, name): &(usize, String)| *hub == here && *name != record.name;
        let Some(open) = OPERATORS.find_by(may_be, |open| open.id() == record.id) else { return Ok(()) };
        let (name, other) = (&record.name, lock(&open.state).record.name.clone());
        let reason = format!(
            "the operator is open as `{other}`, and cannot be open as `{name}` at the same time; close that one first"
        );
        Err(Cause::Setting { reason }.into())
    }
}

/// Key groups of an operator that nothing else was said about.
pub(crate) const DEFAULT_MAX_PARALLELISM: u16 = 128;

/// What the instances of one operator share.
pub(crate) struct OperatorHub {
    pub(super) backend: Arc<BackendHub>,
    /// Whether the values of every row are one record.
    pub(super) one_record: bool,
    pub(super) state: Mutex<OperatorState>,
    /// Held by whoever changes the record.
    pub(super) declaring: Mutex<()>,
    /// Whether there are states that were given up.
    pub(super) has_dropped: AtomicBool,
    tables: Mutex<Tables>,
    tables_version: AtomicU64,
    retention: Arc<OperatorRetention>,
}

pub(super) struct OperatorState {
    pub(super) record: OperatorRecord,
    /// Counts changes of the record; `persisted` is the one the backend has.
    pub(super) revision: u64,
    pub(super) persisted: u64,
    /// The key groups of the stores that are open.
    pub(super) ranges: Vec<Range<u16>>,
    /// The greatest number of a commit that is known to be written.
    pub(super) sequence: u64,
    /// The position records that the backend has, of those that are `in_doubt` as of the last commit but one.
    pub(super) positions: Vec<PositionRecord>,
    /// A commit has failed, and may have been written.
    pub(super) in_doubt: bool,
    pub(super) expiries: HashMap<u16, Arc<Expiry>>,
    /// The lives of states as the backend has them.
    pub(super) committed: Arc<HashMap<u16, Expiry>>,
    /// The states that were given up, as the backend has them.
    pub(super) committed_dropped: Arc<BTreeSet<u16>>,
    /// The names under which the backend still has the record, which has another by now.
    pub(super) old_names: Vec<String>,
}

impl OperatorState {
    /// Whether the operator may have timers.
    pub(super) fn has_timers(&self) -> bool {
        self.record.states.iter().any(|state| state.name == TIMERS)
    }
}

fn overlap(a: &Range<u16>, b: &Range<u16>) -> bool {
    a.start < b.end && b.start < a.end
}

impl OperatorHub {
    pub(crate) fn backend(&self) -> &Arc<dyn AnyBackend> {
        &self.backend.backend
    }

    pub(crate) fn id(&self) -> u16 {
        lock(&self.state).record.id
    }

    /// How keys are written.
    pub(crate) fn key_codec(&self) -> Codec {
        lock(&self.state).record.key.codec
    }

    pub(crate) fn max_parallelism(&self) -> u16 {
        lock(&self.state).record.max_parallelism
    }

    /// Takes `range` for a store, if no open store has any of it.
    pub(crate) fn claim(&self, range: &Range<u16>) -> Result<(), StateError> {
        let mut state = lock(&self.state);
        if let Some(open) = state.ranges.iter().find(|open| overlap(open, range)) {
            return Err(Cause::RangeInUse { asked: range.clone(), open: open.clone() }.into());
        }
        state.ranges.push(range.clone());
        Ok(())
    }

    /// Gives `range` back.
    pub(crate) fn release(&self, range: &Range<u16>) {
        lock(&self.state).ranges.retain(|open| open != range);
    }

    /// The positions in force: newest first, without those whose every key group has been committed since.
    pub(crate) fn positions(&self) -> Result<Vec<PositionRecord>, StateError> {
        let mut state = lock(&self.state);
        self.end_doubt(&mut state)?;
        Ok(in_force(&state.positions).0)
    }

    /// The same, as far as is known while the backend cannot be read.
    pub(crate) fn known_positions(&self) -> Vec<PositionRecord> {
        self.positions().unwrap_or_else(|_| in_force(&lock(&self.state).positions).0)
    }

    /// Reads again what a commit of unknown outcome may have written.
    ///
    /// Under the lock of the state: what another instance writes meanwhile is either read here or noted after this.
    pub(super) fn end_doubt(&self, state: &mut OperatorState) -> Result<(), StateError> {
        if state.in_doubt {
            state.positions = stored_positions(&*self.backend.backend, state.record.id)?;
            state.in_doubt = false;
        }
        Ok(())
    }

    /// The type of a version of the state in `slot`, and its codec, as the stores of this process know it by now.
    pub(crate) fn type_of(&self, slot: u16, version: u64) -> Option<(Shape, Codec)> {
        let state = lock(&self.state);
        state.record.states.iter().find(|state| state.slot == slot)?.type_of(version)
    }

    /// The names that it had before.
    pub(crate) fn former_names(&self) -> Vec<String> {
        lock(&self.state).record.former_names.clone()
    }

    /// Whether the state in `slot` was given up.
    pub(crate) fn is_dropped(&self, slot: u16) -> bool {
        self.has_dropped.load(Ordering::Relaxed) && lock(&self.state).record.dropped.contains(&slot)
    }

    /// Name and life of the state in `slot`, if a store of this process uses it.
    pub(crate) fn expiry(&self, slot: u16) -> Option<(String, Arc<Expiry>)> {
        let state = lock(&self.state);
        let expiry = Arc::clone(state.expiries.get(&slot)?);
        let name = state.record.states.iter().find(|state| state.slot == slot)?.name.clone();
        Some((name, expiry))
    }

    /// The states of the program that the catalog has and `used` does not name.
    pub(crate) fn states_except(&self, used: &[&str]) -> Vec<Arc<StateRecord>> {
        let state = lock(&self.state);
        let mine = |name: &str| !used.contains(&name) && !names::is_reserved(name);
        state.record.states.iter().filter(|state| mine(&state.name)).cloned().collect()
    }

    /// The id of the state called `name`, if the catalog has it.
    pub(crate) fn state(&self, name: &str) -> Option<u16> {
        let state = lock(&self.state);
        state.record.states.iter().find(|state| state.name == name).map(|state| state.slot)
    }

    /// Whether the catalog has a state with a TTL that `used` does not name.
    pub(crate) fn has_ttl_except(&self, used: &[&str]) -> bool {
        let state = lock(&self.state);
        state.record.states.iter().any(|state| state.expiry().can_expire() && !used.contains(&state.name.as_str()))
    }

    /// What the catalog has under `name`, for messages.
    pub(crate) fn describe(&self, name: &str) -> Option<String> {
        let state = lock(&self.state);
        let record = state.record.states.iter().find(|state| state.name == name)?;
        Some(record.describe())
    }

    /// Takes note that a store goes by the watermark from now on.
    pub(crate) fn has_watermark(&self) {
        self.retention.state().has_watermark = true;
    }

    /// Lets the commit that is being made mark the backend with the newest format, unless it has that mark.
    pub(crate) fn needs_newest_format(&self) {
        self.backend.needs_newest_format.store(true, Ordering::Relaxed);
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        lock(&self.tables)
    }

    /// Version of the broadcast states, without a lock.
    #[inline]
    pub(crate) fn tables_version(&self) -> u64 {
        self.tables_version.load(Ordering::Acquire)
    }

    /// Lets the other instances know that the tables have changed.
    pub(crate) fn announce(&self, tables: &Tables) {
        self.tables_version.store(tables.version(), Ordering::Release);
    }

    /// What is left of a record once what has ended for good is gone: by the clocks as all instances have committed them.
    pub(crate) fn remains(&self, key: &[u8], value: &[u8]) -> Remains {
        self.retention.remains(key, value)
    }

    /// Lets compaction know how long these states live.
    pub(super) fn retain(&self, expiries: &[(u16, Arc<Expiry>)]) {
        self.retention.state().states.extend(expiries.iter().cloned());
    }

    pub(super) fn publish_retention(&self, state: &OperatorState) {
        let (positions, _) = in_force(&state.positions);
        let mut retention = self.retention.state();
        retention.committed = Arc::clone(&state.committed);
        retention.dropped = Arc::clone(&state.committed_dropped);
        retention.event_clock = positions.iter().map(PositionRecord::event_clock).min().flatten();
        let timers = state.has_timers();
        retention.committed_clocks = positions.iter().map(|position| position.processing(timers)).collect();
        // Of several moments the latest: it keeps longest.
        let firsts: Option<Vec<_>> = positions.iter().map(|position| position.first_watermark).collect();
        retention.first_watermark = firsts.into_iter().flatten().max_by_key(|first| first.watermark);
    }

    /// How far time has come for state at most, in any instance: by then every verdict was given that ever will have been.
    pub(super) fn moment(&self, time: &StoreTime) -> Moment {
        let state = lock(&self.state);
        let (positions, _) = in_force(&state.positions);
        let (shown, timers) = (time.clock().now_ms(), state.has_timers());
        let event = positions.iter().filter_map(PositionRecord::event_clock).max();
        let processing = positions.iter().map(|position| position.processing(timers).at(shown).unwrap_or(shown)).max();
        let first = positions.iter().filter_map(|position| position.first_watermark);
        Moment {
            event: event.max(time.event_clock()),
            processing: processing.or_else(|| Some(time.processing().now())).max(self.retention.state().reached()),
            first_watermark: first.max_by_key(|first| first.watermark).or(time.first_watermark()),
        }
    }

    /// Lets expired records be judged by the clocks of `time`.
    pub(crate) fn use_time(&self, time: &StoreTime) {
        let mut retention = self.retention.state();
        retention.clock = Some(Arc::clone(time.clock()));
        retention.open.retain(|open| open.strong_count() > 0);
        retention.open.push(Arc::downgrade(time.processing()));
        retention.backend = time.backend().map(Arc::clone);
    }
}
