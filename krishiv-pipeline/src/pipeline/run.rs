//! The loop: take, process, commit.

use crate::pipeline::PipelineError;
use crate::pipeline::aside::Aside;
use crate::pipeline::input::{At, BoxedInput, Filling, Timed};
use crate::pipeline::outlet::AnyOutlet;
use crate::pipeline::position::{FORMAT, Position, foreign, is_of_a_pipeline};
use crate::pipeline::settings::Settings;
use crate::pipeline::stage::Stage;
use crate::pipeline::summary::Summary;
use crate::stop::StopSignal;
use krishiv_api::{Commit, StateError, StoredOperator, TimerKind, WatermarkStrategy, Watermarks};
use std::collections::BTreeMap;
use std::time::Duration;

/// Events that are taken from a source at a time.
const BATCH: usize = 256;

/// How long a pipeline waits for events before it looks at the clock again.
const WAIT: Duration = Duration::from_millis(100);

pub(super) struct Running<S: Stage> {
    inputs: Vec<BoxedInput<S::In>>,
    turn: usize,
    watermarks: Watermarks,
    stage: S,
    settings: Settings,
    stop: StopSignal,
    summary: Summary,
    aside: Aside,
    /// What the clock showed before the batch at hand.
    now: i64,
    /// Events since the last commit, and when that was, in milliseconds.
    uncommitted: u64,
    committed_at: i64,
    committed_watermark: Option<i64>,
    /// Whether a broadcast has come since then without an event.
    broadcast: bool,
    /// Whether timers are firing, which a commit may come between.
    firing: bool,
    /// Whether the watermark has been moved to the end of time.
    drained: bool,
}

/// Why the loop ends before the sources do.
enum Halt {
    /// It was told to stop, and has committed.
    Stop,
    Error(PipelineError),
}

impl From<PipelineError> for Halt {
    fn from(error: PipelineError) -> Self {
        Self::Error(error)
    }
}

impl From<StateError> for Halt {
    fn from(error: StateError) -> Self {
        Self::Error(error.into())
    }
}

impl<S: Stage> Running<S> {
    pub(super) fn new(inputs: Vec<BoxedInput<S::In>>, stage: S, mut settings: Settings, stop: StopSignal) -> Self {
        let strategies = inputs.iter().map(|input| input.strategy().unwrap_or(WatermarkStrategy::monotonous()));
        let mut watermarks = Watermarks::new(strategies);
        for (index, input) in inputs.iter().enumerate() {
            if input.strategy().is_none() {
                watermarks.end(index);
            }
        }
        Self {
            // The first turn is that of the first.
            turn: inputs.len().saturating_sub(1),
            watermarks,
            stage,
            stop,
            summary: Summary::default(),
            aside: Aside::new(std::mem::take(&mut settings.on_reject)),
            uncommitted: 0,
            now: settings.clock.now_ms(),
            committed_at: settings.clock.now_ms(),
            committed_watermark: None,
            broadcast: false,
            firing: false,
            drained: false,
            inputs,
            settings,
        }
    }

    /// Runs to the end; the backend has the state of the `others` too.
    pub(super) fn run(mut self, others: &[StoredOperator]) -> Result<Summary, PipelineError> {
        match self.resume(others).and_then(|()| self.go_on()) {
            Ok(()) => {}
            Err(Halt::Stop) => self.summary.stopped = true,
            Err(Halt::Error(error)) => {
                // If this fails too, the next start does it.
                let _ = self.outlets(&mut |outlet| outlet.cut_back());
                return Err(error);
            }
        }
        Ok(self.summary())
    }

    fn summary(&self) -> Summary {
        let mut summary = self.summary.clone();
        self.stage.count(&mut summary);
        self.aside.add_to(&mut summary);
        summary
    }

    /// Runs `f` on every sink.
    fn outlets(
        &mut self,
        f: &mut dyn FnMut(&mut dyn AnyOutlet) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        self.stage.outlets(f)?;
        self.aside.outlet().map_or(Ok(()), f)
    }

    /// Goes back to the last commit, or makes the first.
    fn resume(&mut self, others: &[StoredOperator]) -> Result<(), Halt> {
        let Some(position) = self.committed()? else {
            self.check_others(others)?;
            self.outlets(&mut |outlet| outlet.resume(None))?;
            // From here on, what is in the sinks and not committed is known to be this pipeline's own.
            return Ok(self.commit(At::End)?);
        };
        self.check_operators(&position)?;
        let Position { inputs, turn, watermarks, firing, drained, broadcasts, mut sinks, events, .. } = position;
        if inputs.len() != self.inputs.len() {
            let (now, then) = (self.inputs.len(), inputs.len());
            let reason =
                format!("the pipeline has {now} inputs, and the state was made with {then}; use the same ones");
            return Err(PipelineError::setting(reason).into());
        }
        for (index, (input, position)) in self.inputs.iter_mut().zip(inputs).enumerate() {
            input.seek(position).map_err(|error| PipelineError::Source { input: index.to_string(), error })?;
        }
        self.stage.seek_broadcasts(&broadcasts)?;
        let mut new_output = false;
        self.outlets(&mut |outlet| {
            let mark = sinks.remove(outlet.name());
            new_output |= mark.is_none();
            outlet.resume(mark)
        })?;
        if let Some(name) = sinks.keys().next() {
            let reason =
                format!("the state was made with an output `{name}`, which the pipeline no longer has; keep it");
            return Err(PipelineError::setting(reason).into());
        }
        let watermark = watermarks.current;
        self.watermarks.restore(&watermarks);
        self.committed_watermark = watermark;
        // The turn moves on before an input is asked.
        self.turn = (turn + self.inputs.len().saturating_sub(1)) % self.inputs.len().max(1);
        (self.summary.events, self.summary.events_before) = (events, events);
        (self.firing, self.drained) = (firing, drained);
        if new_output {
            // As at the very beginning: what is in it and not committed must be known to be this pipeline's own.
            self.commit(At::End)?;
        }
        // What would have fired without the crash, and no more.
        watermark.filter(|_| firing).map_or(Ok(()), |watermark| self.advance(watermark, At::End))
    }

    /// Refuses to go on without an operator, or with other broadcasts: what they had would be forgotten.
    fn check_operators(&self, position: &Position) -> Result<(), PipelineError> {
        let mut operators = Vec::new();
        self.stage.positions(&mut operators);
        if !position.operators.iter().map(String::as_str).eq(operators.iter().map(|(name, _)| *name)) {
            let now: Vec<_> = operators.iter().map(|(name, _)| *name).collect();
            let (now, then) = (now.join(" -> "), position.operators.join(" -> "));
            let reason = format!(
                "the operators of the pipeline are {now}, and the state was made with {then}; use the same ones, or start \
                 over with a new state"
            );
            return Err(PipelineError::setting(reason));
        }
        let mut broadcasts = BTreeMap::new();
        self.stage.broadcast_positions(&mut broadcasts)?;
        match position.broadcasts.keys().find(|name| !broadcasts.contains_key(*name)) {
            Some(name) => Err(PipelineError::setting(format!(
                "the state was made with broadcasts to operator `{name}`, which it no longer gets; keep their source"
            ))),
            None => Ok(()),
        }
    }

    /// Refuses to begin anew beside the state of another pipeline, which may be this one under another name.
    fn check_others(&self, others: &[StoredOperator]) -> Result<(), PipelineError> {
        let mut operators = Vec::new();
        self.stage.positions(&mut operators);
        let of_a_pipeline = |operator: &&StoredOperator| operator.position().is_some_and(is_of_a_pipeline);
        let then: Vec<_> = others.iter().filter(of_a_pipeline).map(StoredOperator::name).collect();
        if then.is_empty() {
            return Ok(());
        }
        let now: Vec<_> = operators.iter().map(|(name, _)| *name).collect();
        let (now, then) = (now.join(" -> "), then.join(" -> "));
        Err(PipelineError::setting(format!(
            "the operators of the pipeline are {now}, and the state was made with {then}, so this would begin at the first event \
             again; if an operator or its struct was renamed, say so by `#[state(renamed_from = \"…\")]` on the struct or \
             `Step::store(Keyed::builder().renamed_from(\"…\"))`; to begin anew, use another state"
        )))
    }

    /// Reads a position, by the names that the operators have now.
    fn decode(&self, bytes: &[u8]) -> Result<Position, String> {
        let mut position = Position::decode(bytes)?;
        let mut names = Vec::new();
        self.stage.former_names(&mut names);
        // What has the name of now was committed since.
        names.retain(|(_, now)| !position.operators.contains(now));
        names.iter().for_each(|(former, now)| position.rename(former, now));
        Ok(position)
    }

    /// The position that all operators agree on.
    fn committed(&self) -> Result<Option<Position>, PipelineError> {
        let mut positions = Vec::new();
        self.stage.positions(&mut positions);
        let Some((first, position)) = positions.first() else { return Ok(None) };
        let Some((other, another)) = positions.iter().find(|(_, other)| other != position) else {
            return position
                .map(|bytes| self.decode(bytes).map_err(|reason| foreign(first, bytes, &reason)))
                .transpose();
        };
        // What an operator with a position knows of the others says most.
        let known = [position, another].into_iter().flatten().find_map(|bytes| self.decode(bytes).ok());
        if let Some(position) = known {
            self.check_operators(&position)?;
        }
        Err(PipelineError::setting(format!(
            "the operators `{first}` and `{other}` were not committed together; use the pipeline that the state was made with, or \
             start over with a new state"
        )))
    }

    fn go_on(&mut self) -> Result<(), Halt> {
        let mut batch = Vec::with_capacity(BATCH);
        let (mut prepared, mut times) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let mut quiet = 0;
        while self.inputs.iter().any(|input| !input.has_ended()) {
            if self.stop.is_set() {
                if self.has_news() {
                    self.commit(At::End)?;
                }
                return Err(Halt::Stop);
            }
            self.turn = (self.turn + 1) % self.inputs.len();
            self.now = self.settings.clock.now_ms();
            // When all of them have nothing, the next one may wait for it.
            let wait = if quiet >= self.inputs.len() { WAIT } else { Duration::ZERO };
            let polled = self.take(wait, &mut batch)?;
            if polled > 0 && self.drained {
                return Err(PipelineError::setting(
                    "the input has grown since an earlier run came to its end and drained the timers, so all that is new would \
                     be late; start over with a new state, or leave `drain_at_end` out where input may grow",
                )
                .into());
            }
            quiet = if polled == 0 { quiet + 1 } else { 0 };
            // What the operators do not see counts too.
            let events = batch.len() as u64;
            if self.stage.gains_by_looking_ahead() && !batch.iter().any(|timed| timed.far) {
                for Timed { item, time, .. } in batch.drain(..) {
                    prepared.push(self.stage.prepare(item, time));
                    times.push(time);
                }
                self.stage.look_ahead(&prepared);
                for (place, (event, time)) in prepared.drain(..).zip(times.drain(..)).enumerate() {
                    self.event(time, place, |stage, aside| stage.process(event, aside))?;
                }
            } else {
                for (place, Timed { item, time, far }) in batch.drain(..).enumerate() {
                    match time.filter(|_| far) {
                        // It says nothing of how far time has come.
                        Some(far) => self.event(None, place, |stage, aside| stage.late(item, far, aside))?,
                        None => self.event(time, place, |stage, aside| stage.event(item, time, aside))?,
                    }
                }
            }
            self.aside.put_early(usize::MAX)?;
            self.uncommitted += polled.saturating_sub(events);
            self.look_at_the_clock()?;
            if self.uncommitted >= self.settings.commit_every || self.stage.needs_commit() {
                self.commit(At::End)?;
            }
        }
        if self.settings.drain_at_end {
            self.drained = true;
            self.advance(i64::MAX, At::End)?;
        }
        if self.has_news() { Ok(self.commit(At::End)?) } else { Ok(()) }
    }

    /// Whether a commit would change what the last one stored.
    fn has_news(&self) -> bool {
        self.uncommitted > 0
            || self.broadcast
            || self.watermarks.current() != self.committed_watermark
            || self.stage.has_uncommitted()
    }

    /// Takes events from the input whose turn it is, not past the next commit; returns how many items that were.
    fn take(&mut self, wait: Duration, batch: &mut Vec<Timed<S::In>>) -> Result<u64, PipelineError> {
        let left = self.settings.commit_every.saturating_sub(self.uncommitted);
        let limit = usize::try_from(left).unwrap_or(BATCH).clamp(1, BATCH);
        let Self { inputs, turn, watermarks, now, aside, settings, .. } = self;
        let turn = *turn;
        let Some(input) = inputs.get_mut(turn).filter(|input| !input.has_ended()) else { return Ok(0) };
        // Before an event is refused by the clock that is looked at again: the source may have waited for it.
        let judge = &mut |time| {
            watermarks.admit(turn, time, *now).and_then(|_| {
                *now = settings.clock.now_ms();
                watermarks.admit(turn, time, *now)
            })
        };
        let polled = input.fill(Filling { input: turn, limit, wait, judge }, batch, aside);
        let polled = polled.map_err(|error| PipelineError::Source { input: turn.to_string(), error })?;
        Ok(polled as u64)
    }

    #[inline]
    fn event(
        &mut self,
        time: Option<i64>,
        place: usize,
        process: impl FnOnce(&mut S, &mut Aside) -> Result<(), PipelineError>,
    ) -> Result<(), Halt> {
        if self.aside.has_early(place) {
            self.aside.put_early(place)?;
        }
        if let Some(time) = time {
            // Before the event, which may be the first to tell that time has passed.
            if let Some(watermark) = self.watermarks.observe(self.turn, time) {
                self.advance(watermark, At::Before(place))?;
            }
            self.stage.broadcast(time, &mut self.aside)?;
        }
        let Self { stage, aside, .. } = self;
        aside.at(Some(place), |aside| process(stage, aside))?;
        self.summary.events += 1;
        self.uncommitted += 1;
        Ok(())
    }

    /// Moves the watermark, and fires what that makes due; where that is more than memory should hold, it is committed on
    /// the way, and the source stands `at` the event that is still to come.
    ///
    /// It stops in front of every broadcast that it passes, for all operators alike: a timer sees those of its time, and what it
    /// puts out does so in the next operator.
    fn advance(&mut self, watermark: i64, at: At) -> Result<(), Halt> {
        self.firing = true;
        while let Some(from) = self.stage.next_broadcast(&mut self.aside)?.filter(|from| *from <= watermark) {
            self.stage.set_watermark(from.saturating_sub(1));
            self.fire(TimerKind::Event, at)?;
            self.stage.broadcast(from, &mut self.aside)?;
            self.broadcast = true;
        }
        self.stage.set_watermark(watermark);
        self.fire(TimerKind::Event, at)?;
        self.firing = false;
        Ok(())
    }

    fn fire(&mut self, kind: TimerKind, at: At) -> Result<(), Halt> {
        while self.stage.fire(kind, &mut self.aside)? {
            let stop = self.stop.is_set();
            if stop || self.stage.needs_commit() {
                self.commit(at)?;
            }
            if stop {
                return Err(Halt::Stop);
            }
        }
        Ok(())
    }

    /// Does what the clock says: timers, idle inputs, a commit that is due.
    fn look_at_the_clock(&mut self) -> Result<(), Halt> {
        self.fire(TimerKind::Processing, At::End)?;
        let ended = self.inputs.get(self.turn).is_some_and(|input| input.has_ended());
        if let Some(watermark) = ended.then(|| self.watermarks.end(self.turn)).flatten() {
            self.advance(watermark, At::End)?;
        }
        if self.settings.commit_after_ms.is_none() && !self.watermarks.needs_clock() {
            return Ok(());
        }
        let now = self.settings.clock.now_ms();
        if let Some(watermark) = self.watermarks.tick(now) {
            self.advance(watermark, At::End)?;
        }
        let passed = u64::try_from(now.saturating_sub(self.committed_at)).unwrap_or(0);
        match self.settings.commit_after_ms {
            Some(after) if passed >= after && self.has_news() => Ok(self.commit(At::End)?),
            _ => Ok(()),
        }
    }

    /// Makes everything so far durable: what is in the sinks before the state that says how much that is. The source whose
    /// turn it is stands `at` its next item.
    fn commit(&mut self, at: At) -> Result<(), PipelineError> {
        let inputs = self.inputs.iter().enumerate();
        let inputs = inputs.map(|(index, input)| input.position(if index == self.turn { at } else { At::End }));
        let mut operators = Vec::new();
        self.stage.positions(&mut operators);
        let mut position = Position {
            format: FORMAT,
            inputs: inputs.collect::<Result<_, _>>()?,
            turn: match at {
                At::Before(_) => self.turn,
                At::End => (self.turn + 1) % self.inputs.len().max(1),
            },
            watermarks: self.watermarks.position(),
            firing: self.firing,
            drained: self.drained,
            operators: operators.into_iter().map(|(name, _)| name.to_owned()).collect(),
            broadcasts: BTreeMap::new(),
            sinks: BTreeMap::new(),
            events: self.summary.events,
        };
        self.stage.broadcast_positions(&mut position.broadcasts)?;
        self.outlets(&mut |outlet| {
            let mark = outlet.sync()?;
            position.sinks.insert(outlet.name().to_owned(), mark);
            Ok(())
        })?;
        self.outlets(&mut |outlet| {
            outlet.commit();
            Ok(())
        })?;
        self.stage.commit(Commit::new(position.encode()))?;
        self.uncommitted = 0;
        self.broadcast = false;
        self.committed_watermark = self.watermarks.current();
        self.committed_at = self.settings.clock.now_ms();
        self.summary.commits += 1;
        let summary = self.summary();
        (self.settings.on_commit)(&summary);
        Ok(())
    }
}
