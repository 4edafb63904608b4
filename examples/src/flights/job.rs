//! The job: every row once, in order, with a commit now and then.

use crate::aircraft::Aircraft;
use crate::alerts::{self, Alerts};
use crate::args::{Args, Backend};
use crate::error::Error;
use crate::flight::{Departure, Row, millis};
use crate::folder::StateFolder;
use crate::input::Input;
use crate::position::Position;
use crate::report::{self, Report};
use crate::rules::Rules;
use indicatif::ProgressBar;
use krishiv_api::{InMemoryStateBackend, Keyed, RocksDbStateBackend};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The watermark stays so far behind the greatest departure.
const LAG_MS: i64 = 24 * 60 * 60 * 1000;

/// Runs the job to the end of its input.
///
/// # Errors
///
/// Whatever is wrong with the input, the state or the alerts file. What was committed stays.
pub(crate) fn run(args: &Args, bar: &ProgressBar) -> Result<Report, Error> {
    // All that can be wrong with the files is found before anything is written.
    let alerts_path = args.alerts();
    alerts::refuse_other_files(&alerts_path)?;
    let rules = Rules::read(&args.rules)?;
    let input = Input::open(&args.input, bar)?;

    match args.backend {
        Backend::Memory => {
            alerts::delete(&alerts_path)?;
            let keyed = Keyed::open(Arc::new(InMemoryStateBackend::new()))?;
            Job::resume(args, keyed, rules, input, &alerts_path)?.run(bar)
        }
        Backend::Rocksdb => {
            let folder = StateFolder::open(&args.state, &alerts_path)?;
            if args.fresh {
                folder.discard(&alerts_path)?;
            }
            let keyed = Keyed::open(Arc::new(RocksDbStateBackend::open(folder.database())?))?;
            Job::resume(args, keyed, rules, input, &alerts_path)?.run(bar)
        }
    }
}

struct Job {
    input: Input,
    work: Work,
    commit_every: u64,
    /// The last commit of an earlier run, if there was one.
    resumed: Option<Position>,
}

/// All that a departure changes.
struct Work {
    keyed: Keyed<Aircraft>,
    rules: Rules,
    alerts: Alerts,
    position: Position,
}

impl Job {
    /// Goes back to where the state was committed, or starts a new one.
    fn resume(
        args: &Args,
        mut keyed: Keyed<Aircraft>,
        rules: Rules,
        mut input: Input,
        alerts: &Path,
    ) -> Result<Self, Error> {
        let resumed = keyed.position().map(Position::decode).transpose().map_err(|reason| {
            Error::refused(&args.state, format!("the committed position is not one of this job: {reason}"))
        })?;
        let position = match &resumed {
            Some(position) => {
                check_rules(position, &rules, &args.rules)?;
                input.skip(position.rows, position.rows_checksum)?;
                position.clone()
            }
            None => {
                refuse_old_alerts(alerts)?;
                let start = Position::start(input.checksum(), rules.checksum());
                // From here on, lines that are not committed are known to be this job's own.
                keyed.commit(start.encode())?;
                start
            }
        };
        let alerts = Alerts::open(alerts, position.alerts)?;
        let work = Work { keyed, rules, alerts, position };
        Ok(Self { input, work, commit_every: args.commit_every.get(), resumed })
    }

    fn run(mut self, bar: &ProgressBar) -> Result<Report, Error> {
        if let Some(Position { rows, .. }) = &self.resumed {
            bar.suspend(|| eprintln!("going on after row {}", report::grouped(*rows)));
        }
        let start = Instant::now();
        if let Err(error) = self.rows_to_end(bar) {
            // If this fails too, the next start does it.
            let _ = self.work.alerts.cut_back();
            return Err(error);
        }
        let elapsed = start.elapsed();
        Report::new(&mut self.work.keyed, &self.work.position, self.resumed.as_ref(), elapsed)
    }

    fn rows_to_end(&mut self, bar: &ProgressBar) -> Result<(), Error> {
        let mut committed = self.input.rows();
        while let Some(row) = self.input.next_row()? {
            let counts = &mut self.work.position.counts;
            match row {
                Row::NoAircraft => counts.no_aircraft += 1,
                Row::Cancelled => counts.cancelled += 1,
                Row::Departure(departure) => self.work.depart(&departure)?,
            }
            if self.input.rows() - committed >= self.commit_every || self.work.keyed.needs_commit() {
                self.work.commit(&self.input)?;
                committed = self.input.rows();
                bar.set_message(self.work.position.summary());
            }
        }
        if self.input.rows() > committed {
            self.work.commit(&self.input)?;
        }
        Ok(())
    }
}

impl Work {
    fn depart(&mut self, departure: &Departure<'_>) -> Result<(), Error> {
        let Self { keyed, rules, alerts, position } = self;

        let before = position.latest;
        let latest = before.map_or(departure.departed, |before| before.max(departure.departed));
        if before != Some(latest) {
            position.latest = Some(latest);
            for rule in rules.taking_effect(before, latest) {
                keyed.broadcast(|aircraft, scope| aircraft.rules.put(scope, rule.carrier.clone(), rule.minutes))?;
            }
            keyed.set_watermark(millis(latest).saturating_sub(LAG_MS));
        }

        position.counts.departures += 1;
        if let Some(alert) = keyed.with_key(departure.tailnum, |aircraft| aircraft.depart(departure))? {
            alerts.add(&alert)?;
            position.counts.alerts += 1;
        }
        Ok(())
    }

    /// Makes everything so far durable: the alerts before the state that says how many there are.
    fn commit(&mut self, input: &Input) -> Result<(), Error> {
        self.position.rows = input.rows();
        self.position.rows_checksum = input.checksum();
        self.position.alerts = self.alerts.sync()?;
        Ok(self.keyed.commit(self.position.encode())?)
    }
}

fn check_rules(position: &Position, rules: &Rules, path: &Path) -> Result<(), Error> {
    if position.rules_checksum == rules.checksum() {
        return Ok(());
    }
    Err(Error::refused(
        path,
        "these are not the rules that the state was made with; give the same rules, or start over with --fresh",
    ))
}

fn refuse_old_alerts(path: &Path) -> Result<(), Error> {
    if std::fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(());
    }
    Err(Error::refused(
        path,
        "these alerts are of another run, and the state is new; name another file with --alerts, or start over with --fresh",
    ))
}
