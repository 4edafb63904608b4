//! Instances that commit alone and together, fail, and restart under other ranges: what is stored is one commit of each key
//! group, whole.

use super::backends::{Fail, Failing, on_every_failing_backend, opened};
use krishiv_api::{
    BoxError, BroadcastContext, BroadcastOperator, BroadcastState, Commit, Committed, Driver, EventContext, Keyed,
    KeyedState, ListState, Operator, StateBackend, StateError, ValueState,
};
use krishiv_tests::Place;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

const GROUPS: u16 = 8;
const KEYS: u64 = 24;

#[derive(KeyedState)]
#[state(key = u64)]
struct Seen {
    count: ValueState<u64>,
    order: ListState<u64>,
    rules: BroadcastState<u64, u64>,
}

struct Tally;

impl Operator for Tally {
    type State = Seen;
    type In = (u64, u64);
    type Out = ();

    fn key(&self, (key, _): &(u64, u64)) -> u64 {
        *key
    }

    fn on_event(&mut self, state: &Seen, (_, n): (u64, u64), _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        state.count.update(|count| *count.get_or_insert(0) += 1);
        state.order.add(n);
        Ok(())
    }
}

impl BroadcastOperator for Tally {
    type Broadcast = (u64, u64);

    fn on_broadcast(
        &mut self,
        state: &Seen,
        (name, value): (u64, u64),
        ctx: &mut BroadcastContext<'_, Self>,
    ) -> Result<(), BoxError> {
        state.rules.put(ctx.scope(), name, value);
        Ok(())
    }
}

fn open<B: StateBackend>(backend: &Arc<B>, range: Range<u16>) -> Driver<Tally> {
    let store = Keyed::builder().max_parallelism(GROUPS).key_groups(range);
    Driver::builder(Tally).store(store).open(Arc::clone(backend)).unwrap()
}

fn commit_all(drivers: &mut [Driver<Tally>], commit: Commit) -> Result<Committed, StateError> {
    match drivers {
        [] => commit.write(),
        [first, rest @ ..] => first.commit_then(commit, |commit| commit_all(rest, commit)),
    }
}

fn stand<B: StateBackend>(backend: &Arc<B>, range: Range<u16>) -> (Option<Vec<u8>>, Option<i64>) {
    let driver = open(backend, range);
    (driver.store().position().map(<[u8]>::to_vec), driver.watermark())
}

fn two_instances_then_three_then_two_go_on_where_they_were<P: Place>(place: P) {
    let rounds: [(&[Range<u16>], &str, i64); 3] =
        [(&[0..4, 4..8], "offset 1", 100), (&[0..2, 2..6, 6..8], "offset 2", 200), (&[0..4, 4..8], "offset 3", 300)];
    for (ranges, position, watermark) in rounds {
        let backend = place.open();
        let mut drivers: Vec<_> = ranges.iter().map(|range| open(&backend, range.clone())).collect();
        drivers.iter_mut().for_each(|driver| driver.set_watermark(watermark));
        commit_all(&mut drivers, Commit::new(position)).unwrap();
    }
    let backend = place.open();
    for range in [0..4, 4..8] {
        assert_eq!(stand(&backend, range), (Some(b"offset 3".to_vec()), Some(300)));
    }
    let positions = open(&backend, 0..8).store().positions();
    assert_eq!(positions.len(), 2, "those of the rounds before are gone: {positions:?}");
}
krishiv_tests::on_every_backend!(two_instances_then_three_then_two_go_on_where_they_were);

fn instances_of_several_operators_commit_together_in_any_order<P: Place>(place: P) {
    let rounds: [&[Range<u16>]; 4] = [&[0..4, 4..8], &[0..2, 2..6, 6..8], &[0..4, 4..8], &[0..8]];
    let open = |backend: &Arc<P::Backend>, operator: &str, range: &Range<u16>| {
        let store = Keyed::builder().operator(operator).max_parallelism(GROUPS).key_groups(range.clone());
        Driver::builder(Tally).store(store).open(Arc::clone(backend)).unwrap()
    };
    // Each operator's one after the other, mixed, and the other way round in every other round.
    for (number, mixed) in [false, true, true, false].into_iter().cycle().enumerate().take(12) {
        let ranges = rounds[number % 4];
        let before = rounds[(number + 3) % 4];
        let backend = place.open();
        let names = ["clicks", "orders"];
        let mut drivers = Vec::new();
        for index in 0..2 * ranges.len() {
            let (operator, range) =
                if mixed { (index % 2, index / 2) } else { (index / ranges.len(), index % ranges.len()) };
            let driver = open(&backend, names[operator], &ranges[range]);
            let known = number > 0 && before.contains(&ranges[range]);
            let expected = known.then(|| (number - 1).to_string().into_bytes());
            assert_eq!(driver.store().position(), expected.as_deref(), "round {number}");
            assert_eq!(driver.watermark(), number.checked_sub(1).map(|before| before as i64), "round {number}");
            drivers.push(driver);
        }
        if number % 3 == 1 {
            drivers.reverse();
        }
        for driver in &mut drivers {
            driver.set_watermark(number as i64);
            driver.broadcast((0, number as u64)).unwrap();
        }
        commit_all(&mut drivers, Commit::new(number.to_string())).unwrap();
        drop(drivers);
        for operator in names {
            let mut positions = open(&backend, operator, &(0..8)).store().positions();
            positions.sort_by_key(|(range, _)| range.start);
            let expected: Vec<_> =
                ranges.iter().map(|range| (range.clone(), number.to_string().into_bytes())).collect();
            assert_eq!(positions, expected);
        }
    }
}
krishiv_tests::on_every_backend!(instances_of_several_operators_commit_together_in_any_order);

/// The other instance keeps alive what this process knows of the backend.
fn a_commit_of_unknown_outcome_is_read_again<B: StateBackend, P: Place>() {
    for (how, expected) in [(Fail::Before, "one"), (Fail::After, "two")] {
        let place = P::new();
        let (backend, failing) = (place.open(), opened::<B>());
        let (mut low, mut high) = (open(&backend, 0..4), open(&backend, 4..8));
        for driver in [&mut low, &mut high] {
            driver.set_watermark(1);
            driver.commit("one").unwrap();
        }
        low.set_watermark(2);
        failing.fail_writes(0, how);
        low.commit("two").unwrap_err();
        assert!(failing.heal());
        assert_eq!(low.store().position(), Some(&b"one"[..]));
        let newest = |positions: Vec<(Range<u16>, Vec<u8>)>| positions.into_iter().find(|(range, _)| *range == (0..4));
        assert_eq!(newest(high.store().positions()), Some((0..4, expected.as_bytes().to_vec())));
        drop(low);
        let watermark = if expected == "one" { 1 } else { 2 };
        assert_eq!(stand(&backend, 0..4), (Some(expected.as_bytes().to_vec()), Some(watermark)), "{how:?}");
        // Whoever commits next over a part of it is the newer one.
        let mut part = open(&backend, 0..2);
        part.commit("part").unwrap();
        drop((part, high));
        assert_eq!(stand(&backend, 0..2).0, Some(b"part".to_vec()), "{how:?}");
        drop((backend, failing));
        assert_eq!(stand(&place.open(), 0..4), (None, Some(watermark)), "{how:?}");
    }
}
on_every_failing_backend!(a_commit_of_unknown_outcome_is_read_again);

#[derive(Clone, Debug)]
enum Step {
    Event(u64),
    /// A watermark that moves on, of one instance.
    Watermark(usize),
    Rule(usize, u64),
    /// Instances that commit in one write, in this order.
    Commit(Vec<usize>, Option<Fail>),
    /// One instance goes and comes back, while the others stay.
    Reopen(usize),
    /// All go, and come back under ranges that begin at these groups and, but for every so many, are open.
    Restart(Vec<u16>, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let failure = prop_oneof![3 => Just(None), 1 => select(vec![Some(Fail::Before), Some(Fail::After)])];
    let cuts = prop::sample::subsequence((1..GROUPS).collect::<Vec<_>>(), 0..4);
    let parts = prop::sample::subsequence((0..4).collect::<Vec<_>>(), 1..=4).prop_shuffle();
    prop_oneof![
        6 => (0..KEYS).prop_map(Step::Event),
        2 => (0..4_usize).prop_map(Step::Watermark),
        1 => (0..4_usize, 0..3_u64).prop_map(|(part, name)| Step::Rule(part, name)),
        5 => (parts, failure).prop_map(|(parts, failure)| Step::Commit(parts, failure)),
        1 => (0..4_usize).prop_map(Step::Reopen),
        2 => (cuts, 2..9_usize).prop_map(|(cuts, closed)| Step::Restart(cuts, closed)),
    ]
}

/// What is known of a key group.
#[derive(Clone, Debug, Default, PartialEq)]
struct Group {
    /// The last commit: its number, its range, its watermark.
    commit: Option<(u64, Range<u16>, Option<i64>)>,
    rows: BTreeMap<u64, Vec<u64>>,
}

struct Part {
    driver: Driver<Tally>,
    range: Range<u16>,
    watermark: Option<i64>,
}

struct Run<P: Place, B> {
    place: P,
    backend: Option<(Arc<P::Backend>, Arc<Failing<B>>)>,
    parts: Vec<Part>,
    group_of: Vec<u16>,
    stored: Vec<Group>,
    /// In memory.
    rows: BTreeMap<u64, Vec<u64>>,
    stored_rules: BTreeMap<u64, u64>,
    rules: BTreeMap<u64, u64>,
    count: u64,
    backends: PhantomData<B>,
}

impl<B: StateBackend, P: Place> Run<P, B> {
    fn new(place: P) -> Self {
        let mut run = Self {
            place,
            backend: None,
            parts: Vec::new(),
            group_of: Vec::new(),
            stored: vec![Group::default(); GROUPS.into()],
            rows: BTreeMap::new(),
            stored_rules: BTreeMap::new(),
            rules: BTreeMap::new(),
            count: 0,
            backends: PhantomData,
        };
        run.restart(&[4], usize::MAX);
        run.group_of = (0..KEYS).map(|key| run.parts[0].driver.store().key_group(&key).unwrap()).collect();
        run
    }

    fn restart(&mut self, cuts: &[u16], closed: usize) {
        self.parts.clear();
        self.backend = None;
        let backend = self.place.open();
        self.backend = Some((backend, opened::<B>()));
        self.rules = self.stored_rules.clone();
        let ends = cuts.iter().copied().chain([GROUPS]);
        let ranges: Vec<_> = [0].into_iter().chain(cuts.iter().copied()).zip(ends).map(|(a, b)| a..b).collect();
        for (index, range) in ranges.into_iter().enumerate() {
            if index % closed != closed - 1 {
                self.open(index, range);
            }
        }
    }

    /// Opens an instance, which is where the last commit of its groups has left them.
    fn open(&mut self, index: usize, range: Range<u16>) {
        let (backend, _) = self.backend.as_ref().unwrap();
        let mut driver = open(backend, range.clone());
        let groups = &self.stored[usize::from(range.start)..usize::from(range.end)];
        let commits: Vec<_> = groups.iter().filter_map(|group| group.commit.clone()).collect();
        let watermark = commits.iter().map(|(_, _, watermark)| *watermark).min().flatten();
        let whole = groups.iter().all(|group| group.commit == groups[0].commit);
        let position = groups[0].commit.clone().filter(|(_, committed, _)| whole && *committed == range);
        let position = position.map(|(number, _, _)| number.to_string().into_bytes());
        assert_eq!(driver.store().position(), position.as_deref(), "{range:?} of {:?}", self.stored);
        assert_eq!(driver.watermark(), watermark, "{range:?} of {:?}", self.stored);
        for key in 0..KEYS {
            let Some(group) = self.group_of.get(key as usize).filter(|group| range.contains(group)) else { continue };
            let order = self.stored[usize::from(*group)].rows.get(&key).cloned().unwrap_or_default();
            let rules: Vec<_> = self.rules.clone().into_iter().collect();
            let look = |state: &Seen| {
                let mut rules: Vec<_> = state.rules.entries().into_iter().collect();
                rules.sort_unstable();
                (state.count.get_or(0), state.order.get(), rules)
            };
            let found = driver.store_mut().with_key(&key, look).unwrap();
            assert_eq!(found, (order.len() as u64, order.clone(), rules), "key {key}");
            self.rows.insert(key, order);
        }
        let index = index.min(self.parts.len());
        self.parts.insert(index, Part { driver, range, watermark });
    }

    fn step(&mut self, step: &Step) {
        self.count += 1;
        let number = self.count;
        match step {
            Step::Event(key) => {
                let group = self.group_of[*key as usize];
                let Some(part) = self.parts.iter_mut().find(|part| part.range.contains(&group)) else { return };
                part.driver.event((*key, number), None).unwrap();
                self.rows.entry(*key).or_default().push(number);
            }
            Step::Watermark(index) => {
                let Some(part) = self.parts.get_mut(*index) else { return };
                part.watermark = Some(number as i64);
                part.driver.set_watermark(number as i64);
            }
            Step::Rule(index, name) => {
                let Some(part) = self.parts.get_mut(*index) else { return };
                part.driver.broadcast((*name, number)).unwrap();
                self.rules.insert(*name, number);
            }
            Step::Commit(parts, failure) => self.commit(parts, *failure),
            Step::Reopen(index) => {
                // Without a sibling the changes of rules that are not committed go as well.
                if *index < self.parts.len() && self.parts.len() > 1 {
                    let Part { range, .. } = self.parts.remove(*index);
                    self.open(*index, range);
                }
            }
            Step::Restart(cuts, closed) => self.restart(cuts, *closed),
        }
    }

    fn commit(&mut self, indexes: &[usize], failure: Option<Fail>) {
        let mut indexes: Vec<_> = indexes.iter().copied().filter(|index| *index < self.parts.len()).collect();
        let position = self.count.to_string();
        let failing = Arc::clone(&self.backend.as_ref().unwrap().1);
        if let Some(how) = failure {
            failing.fail_writes(0, how);
        }
        let mut all: Vec<_> = self.parts.drain(..).map(Some).collect();
        let (mut drivers, mut ranges) = (Vec::new(), Vec::new());
        indexes.retain(|index| {
            let Part { driver, range, watermark } = all[*index].take().unwrap();
            drivers.push(driver);
            ranges.push((range, watermark));
            true
        });
        let result = match drivers.as_mut_slice() {
            [alone] if self.count.is_multiple_of(2) => alone.commit(&position),
            drivers => commit_all(drivers, Commit::new(position.clone())).map(drop),
        };
        failing.heal();
        assert_eq!(result.is_err(), failure.is_some() && !indexes.is_empty(), "{result:?}");
        if failure != Some(Fail::Before) && !indexes.is_empty() {
            for (range, watermark) in &ranges {
                for group in range.clone() {
                    let keys = (0..KEYS).filter(|key| self.group_of[*key as usize] == group);
                    let rows = keys.filter_map(|key| Some((key, self.rows.get(&key)?.clone()))).collect();
                    let commit = Some((self.count, range.clone(), *watermark));
                    self.stored[usize::from(group)] = Group { commit, rows };
                }
            }
            self.stored_rules = self.rules.clone();
        }
        for ((index, driver), (range, watermark)) in indexes.into_iter().zip(drivers).zip(ranges) {
            all[index] = Some(Part { driver, range, watermark });
        }
        self.parts = all.into_iter().flatten().collect();
    }
}

fn each_group_is_as_its_last_commit_left_it<B: StateBackend, P: Place>() {
    let asked = |name: &str| std::env::var(name).is_ok();
    let mut config = Config { max_shrink_iters: 20_000, source_file: Some(file!()), ..Config::default() };
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    if !asked("PROPTEST_CASES") {
        config.cases = if B::DURABLE { 12 } else { 1_500 };
    }
    if !asked("PROPTEST_RNG_SEED") {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let steps = prop::collection::vec(step(), 1..60);
    let result = TestRunner::new(config).run(&steps, |steps| {
        let mut run = Run::<P, B>::new(P::new());
        steps.iter().for_each(|step| run.step(step));
        run.step(&Step::Restart(vec![4], usize::MAX));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
on_every_failing_backend!(each_group_is_as_its_last_commit_left_it);
