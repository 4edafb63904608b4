//! The job: flights and rules go in, alerts and idle aircraft come out.

use crate::aircraft::{Flights, IDLE};
use crate::args::Args;
use crate::backend::Backend;
use crate::departures::Departures;
use crate::error::Error;
use crate::flight::millis;
#[cfg(any(feature = "fjall", feature = "rocksdb"))]
use crate::folder::StateFolder;
use crate::outputs::Outputs;
use crate::report::{Report, Totals};
use crate::rules::{Rule, Rules};
use indicatif::ProgressBar;
#[cfg(feature = "fjall")]
use krishiv_api::FjallStateBackend;
#[cfg(feature = "rocksdb")]
use krishiv_api::RocksDbStateBackend;
use krishiv_api::{InMemoryStateBackend, Keyed, StateBackend, WatermarkStrategy};
use krishiv_pipeline::{Input, JsonLinesSink, Pipeline, Step};
use std::rc::Rc;
use std::sync::Arc;

/// The watermark stays so far behind the greatest departure.
const A_DAY_BEHIND: WatermarkStrategy = WatermarkStrategy::bounded_out_of_orderness(24 * 60 * 60 * 1000);

/// How a job ended.
pub(crate) enum Outcome {
    /// At the end of its input.
    Finished(Report),
    /// By Ctrl-C or SIGTERM, after so many rows.
    Stopped(u64),
}

/// Runs the job to the end of its input.
///
/// # Errors
///
/// Whatever is wrong with the input, the state or an output. What was committed stays.
pub(crate) fn run(args: &Args, bar: &ProgressBar) -> Result<Outcome, Error> {
    // All that can be wrong with the files is found before anything is written.
    let outputs = args.outputs();
    outputs.check()?;
    let rules = Rules::read(&args.rules)?;
    let departures = Departures::open(&args.input, bar)?;
    let job = Job { args, bar, departures, rules, outputs: &outputs };

    match args.backend {
        Backend::Memory => {
            outputs.delete()?;
            job.run(Arc::new(InMemoryStateBackend::new()))
        }
        #[cfg(feature = "fjall")]
        Backend::Fjall => {
            let folder = job.folder("fjall")?;
            job.run(Arc::new(FjallStateBackend::open(folder.database())?))
        }
        #[cfg(feature = "rocksdb")]
        Backend::Rocksdb => {
            let folder = job.folder("rocksdb")?;
            job.run(Arc::new(RocksDbStateBackend::open(folder.database())?))
        }
    }
}

struct Job<'a> {
    args: &'a Args,
    bar: &'a ProgressBar,
    departures: Departures,
    rules: Rules,
    outputs: &'a Outputs,
}

impl Job<'_> {
    /// The folder of a state that is kept by the backend of this name.
    #[cfg(any(feature = "fjall", feature = "rocksdb"))]
    fn folder(&self, backend: &'static str) -> Result<StateFolder, Error> {
        let folder = StateFolder::open(&self.args.state, backend, self.outputs)?;
        if self.args.fresh {
            folder.discard(self.outputs)?;
        }
        folder.check_backend()?;
        Ok(folder)
    }

    fn run<B: StateBackend>(self, backend: Arc<B>) -> Result<Outcome, Error> {
        let Self { args, bar, departures, rules, outputs } = self;
        let alerts = JsonLinesSink::open(&outputs.alerts.path)?;
        let idle = JsonLinesSink::open(&outputs.idle.path)?;
        let (seen, bytes) = (departures.seen(), departures.progress());
        let totals = {
            let (seen, alerts, idle) = (Rc::clone(&seen), alerts.written(), idle.written());
            move || Totals { rows: seen.counts.get(), alerts: alerts.records(), idle: idle.records() }
        };
        let on_commit = {
            let (bar, totals) = (bar.clone(), totals.clone());
            move |_: &_| {
                bar.set_position(bytes.bytes_read());
                bar.set_message(totals().to_string());
            }
        };

        let summary = Pipeline::new(Arc::clone(&backend))
            .input(Input::new(departures).event_time(|departure| millis(departure.departed), A_DAY_BEHIND))
            .step(Step::new(Flights).broadcast(rules, Rule::starts).side(IDLE, idle))
            .sink(alerts)
            .commit_every(args.commit_every.get())
            // A commit is after so many rows, whatever the clock says.
            .commit_after_ms(None)
            .on_commit(on_commit)
            .run()
            .map_err(|error| Error::pipeline(error, &args.state))?;
        let elapsed = seen.began.get().map_or(0.0, |began| began.elapsed().as_secs_f64());

        if summary.stopped {
            return Ok(Outcome::Stopped(totals().rows.rows()));
        }
        // Without a commit there was no row that an earlier run had not done.
        let rate = (summary.commits > 0).then(|| (summary.events - summary.events_before) as f64 / elapsed.max(1e-9));
        let mut keyed = Keyed::open(backend)?;
        Ok(Outcome::Finished(Report::new(&mut keyed, totals(), rate)?))
    }
}
