//! The job of `flights` without the library: what a kill, a crash or a changed type costs it, nothing here takes care of.
//!
//! It writes the same two files from the same rows, and is what `flights` is measured beside.

#[path = "../flights/flight.rs"]
mod flight;

use clap::Parser;
use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use flight::{Columns, Departure, Row, civil, millis, text};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const IDLE_MS: i64 = 14 * DAY_MS;
const RECENT_MS: i64 = 7 * DAY_MS;
const ALERT_EVERY: u32 = 3;

/// The job of `flights` with plain maps, and nothing that outlives it.
#[derive(Debug, Parser)]
#[command(name = "flights-by-hand", version)]
struct Args {
    /// The flights, one a row
    #[arg(long, value_name = "F.csv.gz", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/nyc-flights-2013.csv.gz"))]
    input: PathBuf,

    /// How late is late: rows of `effective,carrier,minutes`
    #[arg(long, value_name = "F", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/rules.csv"))]
    rules: PathBuf,

    /// The file of the alerts
    #[arg(long, value_name = "FILE", default_value = "alerts.jsonl")]
    alerts: PathBuf,

    /// The file of the aircraft that did not leave for 14 days
    #[arg(long, value_name = "FILE", default_value = "idle.jsonl")]
    idle: PathBuf,
}

/// What is known of an aircraft.
#[derive(Default)]
struct Aircraft {
    late_streak: u32,
    longest_streak: u32,
    carrier: String,
    /// Delays, and when each is a week old.
    recent_delays: VecDeque<(i64, i32)>,
    destinations: HashMap<String, u32>,
    worst_delay: Option<i32>,
    last_departure: i64,
}

#[derive(Serialize)]
struct Alert<'a> {
    tailnum: &'a str,
    carrier: &'a str,
    departed: String,
    streak: u32,
    worst_delay: Option<i32>,
    recent_delays: Vec<i32>,
    destinations: usize,
}

#[derive(Serialize)]
struct Idle<'a> {
    tailnum: &'a str,
    idle_since: String,
}

/// When it begins to hold, for which carrier, and at how many minutes a departure is late then.
type Rule = (i64, String, i32);

struct Job {
    fleet: HashMap<String, Aircraft>,
    /// When an aircraft will have been away for 14 days, if it does not leave; of those that come together, short names first.
    away: BinaryHeap<Reverse<(i64, usize, String)>>,
    /// Those that do not hold yet, the last first.
    later_rules: Vec<Rule>,
    rules: HashMap<String, i32>,
    latest: i64,
    alerts: BufWriter<File>,
    idle: BufWriter<File>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mut job = Job {
        fleet: HashMap::new(),
        away: BinaryHeap::new(),
        later_rules: read_rules(&args.rules)?,
        rules: HashMap::new(),
        latest: i64::MIN,
        alerts: BufWriter::new(File::create(&args.alerts)?),
        idle: BufWriter::new(File::create(&args.idle)?),
    };
    let mut rows = csv::Reader::from_reader(MultiGzDecoder::new(File::open(&args.input)?));
    let columns = Columns::find(rows.headers()?)?;
    let mut record = StringRecord::new();
    while rows.read_record(&mut record)? {
        if let Row::Departure(departure) = Row::parse(&record, &columns)? {
            job.depart(departure)?;
        }
    }
    job.alerts.flush()?;
    job.idle.flush()?;
    let longest = job.fleet.values().map(|aircraft| (aircraft.longest_streak, &aircraft.carrier)).max();
    writeln!(std::io::stdout(), "{} aircraft, the longest streak is {longest:?}", job.fleet.len())?;
    Ok(())
}

/// The rules of a file, the last to hold first.
fn read_rules(path: &Path) -> Result<Vec<Rule>, Box<dyn Error>> {
    let mut rules = Vec::new();
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        let field = |at| record.get(at).unwrap_or_default().trim();
        rules.push((millis(field(0).parse()?), field(1).to_owned(), field(2).parse()?));
    }
    rules.sort_by_key(|(starts, ..)| *starts);
    rules.reverse();
    Ok(rules)
}

impl Job {
    fn depart(&mut self, departure: Departure) -> Result<(), Box<dyn Error>> {
        let Departure { tailnum, carrier, dest, dep_delay, departed } = departure;
        let time = millis(departed);
        while let Some((_, carrier, minutes)) = self.later_rules.pop_if(|(starts, ..)| *starts <= time) {
            self.rules.insert(carrier, minutes);
        }
        let moves = time > self.latest;
        self.latest = self.latest.max(time);
        let watermark = self.latest - DAY_MS;
        if moves {
            self.find_idle(watermark)?;
        }

        self.away.push(Reverse((time + IDLE_MS, tailnum.len(), tailnum.clone())));
        let aircraft = self.fleet.entry(tailnum.clone()).or_default();
        aircraft.last_departure = time;
        while aircraft.recent_delays.front().is_some_and(|(ends, _)| *ends <= watermark) {
            aircraft.recent_delays.pop_front();
        }
        aircraft.recent_delays.push_back((watermark + RECENT_MS, dep_delay));
        aircraft.worst_delay = aircraft.worst_delay.max(Some(dep_delay));
        *aircraft.destinations.entry(dest).or_default() += 1;
        let minutes = self.rules.get(&carrier).or_else(|| self.rules.get("*"));
        if minutes.is_none_or(|minutes| dep_delay < *minutes) {
            aircraft.late_streak = 0;
            return Ok(());
        }
        aircraft.late_streak += 1;
        if aircraft.late_streak > aircraft.longest_streak {
            (aircraft.longest_streak, aircraft.carrier) = (aircraft.late_streak, carrier.clone());
        }
        if aircraft.late_streak.is_multiple_of(ALERT_EVERY) {
            let alert = Alert {
                tailnum: &tailnum,
                carrier: &carrier,
                departed: text(departed),
                streak: aircraft.late_streak,
                worst_delay: aircraft.worst_delay,
                recent_delays: aircraft.recent_delays.iter().map(|(_, delay)| *delay).collect(),
                destinations: aircraft.destinations.len(),
            };
            serde_json::to_writer(&mut self.alerts, &alert)?;
            self.alerts.write_all(b"\n")?;
        }
        Ok(())
    }

    fn find_idle(&mut self, watermark: i64) -> Result<(), Box<dyn Error>> {
        while let Some(Reverse((moment, ..))) = self.away.peek()
            && *moment <= watermark
            && let Some(Reverse((moment, _, tailnum))) = self.away.pop()
        {
            // It may have left again.
            let aircraft = self.fleet.get(&tailnum);
            if aircraft.is_some_and(|aircraft| aircraft.last_departure + IDLE_MS == moment) {
                let idle_since = text(civil(moment - IDLE_MS));
                serde_json::to_writer(&mut self.idle, &Idle { tailnum: &tailnum, idle_since })?;
                self.idle.write_all(b"\n")?;
                // Once, however often it was told so.
                self.fleet.get_mut(&tailnum).into_iter().for_each(|aircraft| aircraft.last_departure = i64::MIN / 2);
            }
        }
        Ok(())
    }
}
