//! What must not grow with what is not touched: one key with a million entries beside one with twenty thousand.

use super::family::Cases;
use crate::bench::Bench;
use crate::error::Error;
use crate::measure::{Sample, timed};
use crate::table::{Row, Target};
use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, RocksDbOptions, ValueState};
use std::sync::Arc;
use tempfile::TempDir;

pub(super) const CASES: Cases = &[
    ("map of 1M entries against 20,000: put of a new key and length", |name, bench| large(name, bench, put_and_count)),
    ("map of 1M entries against 20,000: put and commit", |name, bench| large(name, bench, put_and_commit)),
    ("map of 1M entries against 20,000: remove one, put one, commit", |name, bench| {
        large(name, bench, replace_and_commit)
    }),
    ("map with a TTL of 1M entries against 20,000: length", |name, bench| large(name, bench, count_timed)),
    ("list with a TTL of 1M elements against 20,000: add, length, commit", |name, bench| {
        large(name, bench, add_and_commit)
    }),
    ("list with a TTL of 1M elements against 20,000: one ends, one comes", |name, bench| large(name, bench, slide)),
    ("RocksDB, map of 100 after 800,000 have passed through it against after 1,000: cold look", |name, bench| {
        let (event, look) = (pass_through, Some(look as WornEvent));
        worn(name, bench, Target::Time(5.0), &Wear { is_cold: true, events: 800_000, fresh_events: 1_000, event, look })
    }),
    ("RocksDB, map in memory cleared and filled with 20 new: after 10,000 times against the first", |name, bench| {
        let event = clear_and_fill;
        worn(name, bench, FLAT, &Wear { is_cold: false, events: 10_000, fresh_events: 0, event, look: None })
    }),
    ("RocksDB, cold list as a queue of 10: after 20,000 events against the first", |name, bench| {
        let event = queue;
        worn(name, bench, FLAT, &Wear { is_cold: true, events: 20_000, fresh_events: 0, event, look: None })
    }),
    ("4,000 states by name against four times 1,000: first use", many_states),
];

const FLAT: Target = Target::Time(2.0);

/// Events of one run: of all runs together fewer than entries.
const ROUNDS: u64 = 1_000;

/// How long elements and entries live, in milliseconds.
const LIFE: i64 = 1_000_000_000_000;

#[derive(KeyedState)]
#[state(key = u64)]
struct Page {
    visits: MapState<u64, i64>,
    #[state(ttl = "1000000000s", clock = "event")]
    visitors: MapState<u64, i64>,
    #[state(ttl = "1000000000s", clock = "event")]
    times: ListState<i64>,
}

/// An event, and what comes of it.
type Event = fn(&mut Side) -> Result<u64, Error>;

/// A store of one key.
struct Side {
    store: Keyed<Page>,
    /// Entries that it began with, and how many events it has had.
    entries: u64,
    events: u64,
}

impl Side {
    fn new(entries: u64) -> Result<Self, Error> {
        let mut store = Keyed::<Page>::builder().memory_budget(1 << 32).open(Arc::new(InMemoryStateBackend::new()))?;
        for entry in 0..entries {
            // One ends with every millisecond of event time, once the first one does.
            store.set_watermark(i64::try_from(entry).unwrap_or(i64::MAX));
            store.with_key(&0, |page| {
                page.visits.put(entry, 0);
                page.visitors.put(entry, 0);
                page.times.add(0);
            })?;
        }
        store.with_key(&0, |page| page.visits.length() + page.visitors.length() + page.times.length())?;
        store.commit("loaded")?;
        Ok(Self { store, entries, events: 0 })
    }

    fn run(&mut self, rounds: u64, event: Event) -> Result<Sample, Error> {
        timed(|| {
            let mut sum = 0_u64;
            for _ in 0..rounds {
                self.events += 1;
                sum = sum.wrapping_mul(31).wrapping_add(event(self)?);
            }
            Ok(sum)
        })
    }

    /// The number of its entries beyond those it began with.
    fn beyond(&self, length: usize) -> u64 {
        (length as u64).wrapping_sub(self.entries)
    }
}

fn put_and_count(side: &mut Side) -> Result<u64, Error> {
    let new = side.entries + side.events;
    let length = side.store.with_key(&0, |page| {
        page.visits.put(new, 1);
        page.visits.length()
    })?;
    Ok(side.beyond(length))
}

fn put_and_commit(side: &mut Side) -> Result<u64, Error> {
    let known = side.events % side.entries;
    side.store.with_key(&0, |page| page.visits.put(known, 1))?;
    side.store.commit("put")?;
    Ok(1)
}

fn replace_and_commit(side: &mut Side) -> Result<u64, Error> {
    let (old, new) = (side.events - 1, side.entries + side.events - 1);
    let removed = side.store.with_key(&0, |page| {
        page.visits.put(new, 1);
        page.visits.remove(&old).is_some()
    })?;
    side.store.commit("replaced")?;
    Ok(removed.into())
}

fn count_timed(side: &mut Side) -> Result<u64, Error> {
    let length = side.store.with_key(&0, |page| page.visitors.length())?;
    Ok(side.beyond(length))
}

fn add_and_commit(side: &mut Side) -> Result<u64, Error> {
    let length = side.store.with_key(&0, |page| {
        page.times.add(1);
        page.times.length()
    })?;
    side.store.commit("added")?;
    Ok(side.beyond(length))
}

fn slide(side: &mut Side) -> Result<u64, Error> {
    side.store.set_watermark(LIFE + i64::try_from(side.events).unwrap_or(i64::MAX));
    let length = side.store.with_key(&0, |page| {
        page.times.add(1);
        page.times.length()
    })?;
    Ok(side.beyond(length))
}

fn large(name: &'static str, bench: &Bench, event: Event) -> Result<Vec<Row>, Error> {
    let (mut large, mut small) = (Side::new(bench.shape(1_000_000))?, Side::new(bench.shape(20_000))?);
    let rounds = bench.shape(ROUNDS);
    let units = usize::try_from(rounds).unwrap_or(usize::MAX);
    let pairs = bench.compare(units, || large.run(rounds, event), || small.run(rounds, event))?;
    Ok(vec![Row::new(name, FLAT, pairs)])
}

/// A store of one key on RocksDB, of which so much has passed through.
struct Worn {
    store: Keyed<Page>,
    events: u64,
    /// Kept, so that the store has a place.
    _folder: TempDir,
}

type WornEvent = fn(&mut Worn) -> Result<u64, Error>;

/// What wears a store, and how often, beside the one that is compared with it.
struct Wear {
    is_cold: bool,
    events: u64,
    fresh_events: u64,
    event: WornEvent,
    /// What shows how worn it is, if that is not another such event.
    look: Option<WornEvent>,
}

impl Worn {
    /// A commit does not wait for the disk: what is compared is the work.
    fn new(bench: &Bench, is_cold: bool) -> Result<Self, Error> {
        let folder = bench.folder()?;
        let backend = Arc::new(RocksDbOptions::new().sync(false).open(folder.path())?);
        let budget = if is_cold { 0 } else { 1 << 30 };
        Ok(Self { store: Keyed::builder().memory_budget(budget).open(backend)?, events: 0, _folder: folder })
    }
}

/// An entry comes, and the oldest of a hundred goes.
fn pass_through(side: &mut Worn) -> Result<u64, Error> {
    let (event, old) = (side.events, side.events.checked_sub(100));
    // Not in the order in which they come.
    let key = |event: u64| event.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    side.store.with_key(&0, |page| {
        page.visits.put(key(event), 1);
        if let Some(old) = old {
            page.visits.remove(&key(old));
        }
    })?;
    if event % 100 == 99 {
        side.store.commit("passed")?;
    }
    Ok(1)
}

/// A cold look, and a commit of another key: RocksDB makes a file of its memtable with a write.
fn look(side: &mut Worn) -> Result<u64, Error> {
    let length = side.store.with_key(&0, |page| page.visits.length())?;
    side.store.with_key(&1, |page| page.visits.put(1, 1))?;
    side.store.commit("meanwhile")?;
    Ok(u64::from(length <= 100))
}

fn clear_and_fill(side: &mut Worn) -> Result<u64, Error> {
    let first = side.events * 20;
    side.store.with_key(&0, |page| {
        page.visits.clear();
        (first..first + 20).for_each(|key| page.visits.put(key, 1));
    })?;
    side.store.commit("filled")?;
    Ok(1)
}

fn queue(side: &mut Worn) -> Result<u64, Error> {
    let length = side.store.with_key(&0, |page| {
        page.times.add(1);
        page.times.truncate_front(10);
        page.times.length()
    })?;
    side.store.commit("queued")?;
    Ok(u64::from(length <= 10))
}

fn worn(name: &'static str, bench: &Bench, target: Target, wear: &Wear) -> Result<Vec<Row>, Error> {
    let rounds = if wear.look.is_some() { 20 } else { 200 };
    let side = |events: u64| {
        let mut side = Worn::new(bench, wear.is_cold)?;
        for _ in 0..bench.shape(events) {
            (wear.event)(&mut side)?;
            side.events += 1;
        }
        side.store.commit("worn")?;
        Ok::<_, Error>(side)
    };
    let run = |side: &mut Worn| {
        timed(|| {
            (0..rounds).try_fold(0_u64, |sum, _| {
                let shown = wear.look.unwrap_or(wear.event)(side)?;
                side.events += u64::from(wear.look.is_none());
                Ok(sum + shown)
            })
        })
    };
    let mut ours = side(wear.events)?;
    let pairs = bench.compare(rounds, || run(&mut ours), || run(&mut side(wear.fresh_events)?))?;
    Ok(vec![Row::new(name, target, pairs)])
}

/// One store that gets to know all states, beside four that get to know a quarter each.
fn many_states(name: &'static str, bench: &Bench) -> Result<Vec<Row>, Error> {
    let states = usize::try_from(bench.shape(4_000)).unwrap_or(4_000) / 4 * 4;
    let first_use = |states: usize| {
        let mut store = Keyed::<Dynamic<u64>>::open(Arc::new(InMemoryStateBackend::new()))?;
        let handles: Vec<_> = (0..states).map(|at| ValueState::<u64>::new(format!("state_{at}"))).collect();
        timed(|| {
            store.with_key(&0, |_| handles.iter().for_each(|handle| handle.set(1)))?;
            store.commit("used")?;
            Ok(states as u64)
        })
    };
    let quarters = || (0..4).try_fold(Sample::default(), |all, _| Ok::<_, Error>(all.and(first_use(states / 4)?)));
    let pairs = bench.compare(
        states,
        || Ok(first_use(states)?.checked(states as u64)),
        || Ok(quarters()?.checked(states as u64)),
    )?;
    Ok(vec![Row::new(name, FLAT, pairs)])
}
