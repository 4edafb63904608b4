//! The timers of a store as its driver meets them: set by events, and due one after the other.

use crate::codec::keys::decode_key;
use crate::error::StateError;
use crate::keyed::rows::Seat;
use crate::keyed::timers::{Asked, Due, TimerOf, Timers};
use crate::keyed::{Keyed, KeyedState};
use crate::names::TIMERS;
use crate::quiet::{drop_quietly, quietly};
use crate::scope::shared::Shared;
use crate::scope::timers::OfKey;
use crate::time::{Timer, TimerKind, TtlClock};
use crate::value::StateKey;
use std::hint::black_box;

impl<S: KeyedState> Keyed<S> {
    /// An event of a key that hashes to `hash`, which may set and delete timers; `asked` is room for them. Evicts nothing.
    /// `event_time` is the time that it has of its own, and `timer` says whether it is one.
    #[inline]
    pub(crate) fn with_timers<R, E>(
        &mut self,
        (hash, key): (u64, &S::Key),
        (event_time, timer): (Option<i64>, Option<TimerKind>),
        asked: &mut Asked,
        event: impl FnOnce(&S, &mut Asked) -> Result<R, E>,
    ) -> Result<R, E>
    where
        E: From<StateError>,
    {
        self.begin(event_time, timer)?;
        self.keep_up().map_err(|error| self.blame(error))?;
        let Self { instance, rows, row_key, timers, .. } = self;
        let mut seat = instance.seat(rows, hash, key, row_key)?;
        let result = instance.run(&mut seat, row_key, |state| event(state, asked), Result::is_ok);
        let result = result.map_err(E::from).flatten();
        if !asked.timers.is_empty() {
            if result.is_ok() {
                take_in(&instance.shared, seat, timers, asked);
            }
            asked.clear();
        }
        result
    }

    /// Looks for the next timers where that takes the backend, so that it is known how far time may go for state.
    #[cold]
    pub(super) fn find_next_timers(&mut self) -> Result<(), StateError> {
        let Self { timers, instance, rows, .. } = self;
        let found = timers.find_next(instance.shared.backend());
        rows.weight.timers = timers.weight();
        timers.tell(&instance.shared.time);
        found.map_err(|error| self.blame(error))
    }

    /// Whether there may be a timer of `kind`.
    #[inline]
    pub(crate) fn has_timers(&self, kind: TimerKind) -> bool {
        !match kind {
            TimerKind::Event => self.timers.event.is_empty(),
            TimerKind::Processing => self.timers.processing.is_empty(),
        }
    }

    /// The next timer of `kind` that is due at `now`, and its key.
    pub(crate) fn next_timer(&mut self, kind: TimerKind, now: i64) -> Result<Option<(Timer, S::Key)>, StateError> {
        let loaded = self.timers.queue(kind).load_due(now, self.instance.shared.backend());
        self.rows.weight.timers = self.timers.weight();
        self.timers.tell(&self.instance.shared.time);
        loaded.map_err(|error| self.blame(error))?;
        let Some(due) = self.timers.queue(kind).first().filter(|due| due.time <= now) else { return Ok(None) };
        Ok(Some((Timer { kind, time_ms: due.time }, self.instance.shared.timer_key(due)?)))
    }

    /// Looks up the rows of the timers that are due next by `now`, all at once, if that was not done yet; returns how many.
    ///
    /// What fails here, or panics, does so again when the timer fires, and is reported then.
    pub(crate) fn look_ahead_to_timers(&mut self, kind: TimerKind, now: i64) -> Option<usize> {
        let due: Vec<_> =
            self.timers.queue(kind).advanced()?.iter().take_while(|due| due.time <= now).cloned().collect();
        let mut keys: Vec<S::Key> = Vec::with_capacity(due.len());
        quietly(|| {
            keys.extend(due.iter().map_while(|due| self.instance.shared.timer_key(due).ok()));
            self.look_ahead_to(&keys);
        });
        keys.into_iter().for_each(drop_quietly);
        Some(due.len())
    }

    fn look_ahead_to(&mut self, keys: &[S::Key]) {
        let hashes: Vec<_> = keys.iter().map(|key| self.hash(key)).collect();
        self.look_ahead(&hashes, |index| keys.get(index));
        let Self { instance, rows, row_key, .. } = self;
        // Each is behind a pointer that the one before leads to; of all rows the processor waits for them together.
        for look in [OfKey::is_empty, OfKey::is_fresh] {
            for (hash, key) in hashes.iter().zip(keys) {
                black_box(instance.find(rows, *hash, key, row_key).and_then(|row| row.timers()).map(look));
            }
        }
    }

    /// All timers with their keys, encoded and not, in the order in which they are due, event time first.
    pub(crate) fn all_timers(&mut self) -> Result<Vec<TimerOf<S::Key>>, StateError> {
        let mut all = Vec::new();
        for kind in [TimerKind::Event, TimerKind::Processing] {
            let queue = self.timers.queue(kind).all(self.instance.shared.backend());
            for due in queue.map_err(|error| self.blame(error))? {
                let key = self.instance.shared.timer_key(&due)?;
                all.push(TimerOf { timer: Timer { kind, time_ms: due.time }, encoded: due.key, key });
            }
        }
        Ok(all)
    }
}

/// Takes in what an event that succeeded has asked for, in the row of its key and in the queue.
#[cold]
fn take_in<S: KeyedState>(shared: &Shared, seat: Seat<'_, S>, timers: &mut Timers, asked: &Asked) {
    // What is set in the past is still to see the state of now.
    if shared.expires() && asked.has_set(TimerKind::Processing) {
        shared.time.seen(TtlClock::Processing);
    }
    let rule = shared.timers_rule(seat.row.status.is_known());
    let mut is_apart = false;
    seat.change_timers(|of_key, weight| {
        for (timer, there) in &asked.timers {
            let became = if *there { of_key.set(*timer, rule) } else { of_key.delete(*timer, rule) };
            timers.take_in(*timer, became, &asked.key);
        }
        is_apart = of_key.apart().next().is_some();
        (weight.timers, weight.dirty_timers) = (timers.weight(), timers.dirty_weight());
    });
    if let Some(id) = shared.timers_id().filter(|_| is_apart) {
        shared.note_timer_apart(id.get());
    }
    timers.tell(&shared.time);
}

impl Shared {
    /// The key of a timer that was stored.
    fn timer_key<K: StateKey>(&self, due: &Due) -> Result<K, StateError> {
        let key = decode_key("the key of a stored timer", self.key_codec, &due.key);
        key.map_err(|error| error.at_state(TIMERS).at_operator(&self.operator))
    }
}
