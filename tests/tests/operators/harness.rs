//! The harness does what an engine would, and shows what came of it.

use super::backends::{Fail, Failing};
use super::script::{Act, Event, Processing, Script, Scripted, Side, at, fired, on, on_place, on_shared};
use krishiv_api::{
    BoxError, Either, EventContext, Harness, InMemoryStateBackend, Keyed, KeyedState, LateEvents, ManualClock, OnError,
    Operator, RocksDbStateBackend, Timer, TwoInputOperator, TwoInputs, ValueState,
};
use krishiv_tests::{Folder, Place, RocksDb, on_every_backend};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// An operator that can be late, and that also remembers what it must not.
struct Lateness {
    seen: u32,
}

impl Operator for Lateness {
    type State = Scripted;
    type In = (&'static str, bool);
    type Out = String;

    fn key(&self, (key, _): &Self::In) -> String {
        (*key).to_owned()
    }

    fn on_event(
        &mut self,
        _: &Scripted,
        (key, fails): Self::In,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        self.seen += 1;
        ctx.emit(format!("{key} {} {}", ctx.is_late(), self.seen));
        if fails { Err("on purpose".into()) } else { Ok(()) }
    }
}

fn lateness(late: LateEvents) -> Harness<Lateness> {
    Harness::builder(|| Lateness { seen: 0 }).late_events(late).on_error(OnError::dead_letter()).open().unwrap()
}

/// Before the first watermark nothing is late, then all that is before it; what has no time never is.
fn around_the_watermark(harness: &mut Harness<Lateness>) {
    harness.event_at(("first", false), i64::MIN).unwrap();
    harness.watermark(i64::MIN).unwrap();
    harness.event_at(("still none", false), i64::MIN).unwrap();
    harness.watermark(10).unwrap();
    for (key, time) in [("at", 10), ("before", 9), ("after", 11), ("long before", i64::MIN)] {
        harness.event_at((key, false), time).unwrap();
    }
    harness.event(("without", false)).unwrap();
}

#[test]
fn late_events_are_processed_unless_said_otherwise() {
    let mut harness = lateness(LateEvents::default());
    around_the_watermark(&mut harness);
    let expected = [
        "first false 1",
        "still none false 2",
        "at false 3",
        "before true 4",
        "after false 5",
        "long before true 6",
        "without false 7",
    ];
    assert_eq!(harness.emitted(), expected);
    assert_eq!((harness.late().len(), harness.dropped_late()), (0, 0));
}

#[test]
fn late_events_are_dropped_and_counted_or_collected() {
    let kept = ["first false 1", "still none false 2", "at false 3", "after false 4", "without false 5"];
    let mut harness = lateness(LateEvents::Drop);
    around_the_watermark(&mut harness);
    assert_eq!(harness.emitted(), kept);
    assert_eq!((harness.late().len(), harness.dropped_late()), (0, 2));

    let mut harness = lateness(LateEvents::Collect);
    around_the_watermark(&mut harness);
    assert_eq!(harness.emitted(), kept);
    assert_eq!((harness.late(), harness.dropped_late()), (&[("before", false), ("long before", false)][..], 0));
}

#[test]
fn each_instance_knows_what_is_late() {
    let open = |late| {
        let builder = Harness::builder(|| Lateness { seen: 0 }).late_events(late);
        builder.instances(5).open().unwrap()
    };
    for keys in [["a", "b", "c", "d", "e", "f", "g", "h"]] {
        let (mut dropping, mut collecting) = (open(LateEvents::Drop), open(LateEvents::Collect));
        for harness in [&mut dropping, &mut collecting] {
            harness.watermark(10).unwrap();
            keys.iter().for_each(|key| harness.event_at((*key, false), 9).unwrap());
            assert!(harness.emitted().is_empty());
        }
        assert_eq!(dropping.dropped_late(), 8);
        assert_eq!(collecting.late(), keys.map(|key| (key, false)));
    }
}

#[test]
fn a_crash_takes_all_that_came_out_since_the_last_commit() {
    let mut harness = lateness(LateEvents::Collect);
    let count =
        |harness: &Harness<Lateness>| (harness.emitted().len(), harness.late().len(), harness.dead_letters().len());
    let all = |harness: &mut Harness<Lateness>| {
        harness.watermark(5).unwrap();
        harness.event_at(("a", false), 5).unwrap();
        harness.event_at(("late", false), 4).unwrap();
        harness.event_at(("bad", true), 5).unwrap();
    };
    all(&mut harness);
    assert_eq!(count(&harness), (1, 1, 1));
    harness.crash_and_reopen().unwrap();
    assert_eq!(count(&harness), (0, 0, 0));
    all(&mut harness);
    harness.commit().unwrap();
    all(&mut harness);
    harness.crash_and_reopen().unwrap();
    assert_eq!(count(&harness), (1, 1, 1));
    harness.crash_and_reopen().unwrap();
    assert_eq!(count(&harness), (1, 1, 1));
    // Fields of the operator are not state: it is a new one.
    assert_eq!(harness.emitted(), ["a false 1"]);
    all(&mut harness);
    assert_eq!(harness.emitted(), ["a false 1"; 2]);
}

fn side_outputs_are_cut_back_too<P: Place + 'static>(place: P) {
    let mut harness = on_place(place).open().unwrap();
    harness.event(on("a", [Act::EmitTo(Side::Audit), Act::EmitTo(Side::Audit)])).unwrap();
    harness.commit().unwrap();
    harness.event(on("a", [Act::EmitTo(Side::Audit), Act::EmitTo(Side::Rejects), Act::Emit])).unwrap();
    let lengths = |harness: &Harness<Script>| ["audit", "rejects", "other"].map(|side| harness.side(side).len());
    assert_eq!(lengths(&harness), [3, 1, 0]);
    harness.crash_and_reopen().unwrap();
    assert_eq!((lengths(&harness), harness.emitted().len()), ([2, 0, 0], 0));
    harness.event(on("a", [Act::EmitTo(Side::Rejects), Act::Emit])).unwrap();
    assert!(harness.side("rejects")[0].ends_with(" 2"), "the state is that of the first event");
    harness.rescale(2).unwrap();
    harness.crash_and_reopen().unwrap();
    assert_eq!((lengths(&harness), harness.emitted().len()), ([2, 1, 0], 1));
}
on_every_backend!(side_outputs_are_cut_back_too);

fn rescaling_keeps_broadcasts_timers_state_and_watermark<P: Place + 'static>(place: P) {
    let mut harness = on_place(place).open().unwrap();
    let keys: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    let mut expected = Vec::new();
    for (step, instances) in (1_i64..).zip([1, 3, 2, 1, 128]) {
        harness.rescale(instances).unwrap();
        harness.broadcast((vec![("step".to_owned(), step)], None)).unwrap();
        for key in &keys {
            harness
                .event(on(key, [Act::Emit, Act::Set(at(Event, 10 * step + 5)), Act::Set(at(Processing, step))]))
                .unwrap();
            let times = super::script::times_of(None, (step > 1).then_some(10 * (step - 1)), step - 1);
            // Two timers a step have fired since.
            expected.push(super::script::record(key, &times, (3 * step - 2).cast_unsigned() - u64::from(step > 1)));
            let (count, rule) = harness.state(key, |state| (state.count.get(), state.rules.get("step"))).unwrap();
            assert_eq!(rule, Some(step));
            assert!(count.is_some());
        }
        harness.watermark(10 * step).unwrap();
        harness.clock(step).unwrap();
    }
    let (timers, records): (Vec<_>, Vec<_>) = harness
        .emitted()
        .iter()
        .filter(|record| !record.starts_with("rule"))
        .cloned()
        .partition(|r| r.contains("timer"));
    assert_eq!(records, expected);
    assert_eq!(timers.len(), keys.len() * (4 + 5));
    assert_eq!(harness.timers().unwrap().len(), keys.len());
    assert_eq!(harness.side("audit").len(), 5);
}
on_every_backend!(rescaling_keeps_broadcasts_timers_state_and_watermark);

#[test]
fn an_instance_sees_what_another_has_broadcast_before_and_after_a_crash() {
    let mut harness = Harness::builder(|| Script).instances(4).open().unwrap();
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h"].map(str::to_owned);
    let rules = |harness: &mut Harness<Script>| {
        let mut seen: Vec<_> =
            keys.iter().map(|key| harness.state(key, |state| state.rules.get("x")).unwrap()).collect();
        seen.dedup();
        seen
    };
    harness.broadcast((vec![("x".to_owned(), 1)], None)).unwrap();
    assert_eq!(rules(&mut harness), [Some(1)]);
    harness.commit().unwrap();
    harness.broadcast((vec![("x".to_owned(), 2)], None)).unwrap();
    assert_eq!(rules(&mut harness), [Some(2)]);
    harness.crash_and_reopen().unwrap();
    assert_eq!(rules(&mut harness), [Some(1)]);
}

#[test]
fn the_clock_stands_at_0_until_it_is_moved_and_outlives_a_crash() {
    let clock = Arc::new(ManualClock::new(77));
    let store = Keyed::builder().clock(clock);
    let mut harness = Harness::builder(|| Script).store(store).open().unwrap();
    harness.event(on("a", [Act::Emit])).unwrap();
    harness.clock(5).unwrap();
    harness.event(on("a", [Act::Emit])).unwrap();
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.event(on("a", [Act::Emit])).unwrap();
    assert_eq!(harness.emitted(), ["a None/None/0 1", "a None/None/5 2", "a None/None/5 3"]);
}

#[test]
fn the_watermark_goes_back_to_the_one_committed() {
    let mut harness = Harness::new(|| Script).unwrap();
    harness.watermark(5).unwrap();
    harness.commit().unwrap();
    harness.watermark(9).unwrap();
    harness.crash_and_reopen().unwrap();
    harness.event(on("a", [Act::Emit])).unwrap();
    assert_eq!(harness.emitted(), ["a None/Some(5)/0 1"]);
}

#[test]
fn a_folder_is_opened_anew_after_each_crash_when_nothing_holds_it_any_more() {
    let place = RocksDb::new();
    let folder = place.path().to_owned();
    let opened = Rc::new(Cell::new(0));
    let count = Rc::clone(&opened);
    let mut harness = Harness::builder(|| Script)
        .backend(move || {
            count.set(count.get() + 1);
            RocksDbStateBackend::open(&folder)
        })
        .open()
        .unwrap();
    harness.event(on("a", [Act::Set(at(Event, 1))])).unwrap();
    harness.commit().unwrap();
    harness.event(on("a", [Act::Set(at(Event, 2))])).unwrap();
    let before = opened.get();
    harness.crash_and_reopen().unwrap();
    assert_eq!(opened.get(), before + 1);
    harness.rescale(3).unwrap();
    harness.watermark(2).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 1))]);
}

#[test]
fn what_a_look_at_the_state_changes_is_committed() {
    let mut harness = Harness::builder(|| Script).instances(3).open().unwrap();
    harness.state(&"a".to_owned(), |state| state.count.set(41)).unwrap();
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.event(on("a", [Act::Emit])).unwrap();
    assert_eq!(harness.emitted(), ["a None/None/0 42"]);
    let error = harness.state(&"a".to_owned(), |_| ValueState::<String>::new("count").get()).unwrap_err();
    assert_eq!((error.operator(), error.state(), error.key()), (Some("scripted"), Some("count"), Some("\"a\"")));
}

/// Those of instances that are gone count too.
#[test]
fn counts_outlive_crashes_and_rescaling() {
    let builder = Harness::builder(|| Script).on_error(OnError::skip()).late_events(LateEvents::Drop).instances(2);
    let mut harness = builder.open().unwrap();
    let step = |harness: &mut Harness<Script>, n: u64| {
        harness.watermark(10).unwrap();
        for key in ["a", "b", "c", "d"] {
            harness.event(on(key, [Act::Err])).unwrap();
            harness.event_at(on(key, []), 9).unwrap();
        }
        assert_eq!((harness.skipped(), harness.dropped_late()), (4 * n, 4 * n));
    };
    step(&mut harness, 1);
    harness.crash_and_reopen().unwrap();
    step(&mut harness, 2);
    harness.rescale(3).unwrap();
    step(&mut harness, 3);
}

#[test]
fn no_instances_or_too_many_are_refused() {
    for instances in [0, 5, u16::MAX] {
        let builder = || Harness::builder(|| Script).store(Keyed::builder().max_parallelism(4));
        let error = builder().instances(instances).open().err().unwrap();
        assert_eq!(error.operator(), Some("scripted"), "{error}");
        let mut harness = builder().open().unwrap();
        harness.rescale(4).unwrap();
        let text = harness.rescale(instances).unwrap_err().to_string();
        assert!(text.contains("key groups") && text.contains("0..4"), "{text}");
        // What is left says so.
        let error = harness.event(on("a", [])).unwrap_err();
        assert!(error.to_string().contains("open a new one"), "{error}");
        assert!(harness.state(&"a".to_owned(), |_| ()).is_err());
    }
}

#[test]
fn a_harness_that_did_not_reopen_does_nothing_as_if_it_did() {
    let mut harness = Harness::new(|| Script).unwrap();
    harness.event(on("a", [Act::Set(at(Event, 1))])).unwrap();
    harness.rescale(0).unwrap_err();
    assert!(harness.watermark(1).is_err());
    assert!(harness.clock(1).is_err());
    assert!(harness.broadcast((vec![], None)).is_err());
    assert!(harness.timers().is_err());
    assert!(harness.commit().is_err());
}

#[test]
fn a_reopening_that_failed_can_be_tried_again() {
    let backend = Failing::new(Arc::new(InMemoryStateBackend::new()));
    let same = Arc::clone(&backend);
    let mut harness = Harness::builder(|| Script).shared_backend(move || Ok(Arc::clone(&same))).open().unwrap();
    harness.event(on("a", [Act::Set(at(Event, 1))])).unwrap();
    harness.commit().unwrap();
    backend.fail(0);
    harness.crash_and_reopen().unwrap_err();
    assert!(backend.heal());
    harness.crash_and_reopen().unwrap();
    harness.watermark(1).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 1))]);
}

#[test]
fn the_key_groups_are_those_of_the_harness() {
    let store = Keyed::builder().key_groups(0..1);
    let mut harness = Harness::builder(|| Script).store(store).open().unwrap();
    for key in ["a", "b", "c"] {
        harness.event(on(key, [])).unwrap();
    }
}

/// The instances commit in one write: a part of it would lose the output of those that it has.
#[test]
fn a_commit_of_several_instances_keeps_state_and_output_together() {
    let backend = Failing::new(Arc::new(InMemoryStateBackend::new()));
    let same = Arc::clone(&backend);
    let builder = Harness::builder(|| Script).shared_backend(move || Ok(Arc::clone(&same))).instances(2);
    let mut harness = builder.open().unwrap();
    let keys = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
    keys.iter().for_each(|key| harness.event(on(key, [Act::Emit])).unwrap());
    backend.fail_writes(0, Fail::Before);
    harness.commit().unwrap_err();
    harness.crash_and_reopen().unwrap();
    let counted = |key: &String| harness.state(key, |state| state.count.get_or(0)).unwrap();
    let counted: u64 = keys.iter().map(counted).sum();
    assert_eq!(harness.emitted().len() as u64, counted);
}

/// Of several instances those due together come in the order of their keys, as with one.
#[test]
fn timers_are_listed_in_the_same_order_whatever_the_instances() {
    let mut harness = Harness::new(|| Script).unwrap();
    for n in 0..20 {
        harness.event(on(&n.to_string(), [Act::Set(at(Event, 1))])).unwrap();
    }
    let one = harness.timers().unwrap();
    harness.rescale(3).unwrap();
    assert_eq!(harness.timers().unwrap(), one);
}

/// A harness looks at a place that others have written, and the other way round.
fn a_place_is_shared_with_what_comes_before_and_after<P: Place + 'static>(place: P) {
    let place = Rc::new(place);
    let mut harness = on_shared(&place).open().unwrap();
    harness.event(on("a", [Act::Set(at(Event, 1))])).unwrap();
    harness.commit().unwrap();
    drop(harness);
    let mut store = Keyed::<Scripted>::open(place.open()).unwrap();
    assert_eq!(store.with_key("a", |state| state.count.update(|count| count.replace(7))).unwrap(), Some(1));
    store.commit("").unwrap();
    drop(store);
    let mut harness = on_shared(&place).instances(2).open().unwrap();
    harness.watermark(1).unwrap();
    assert_eq!(harness.emitted(), [fired("a", at(Event, 1))]);
    assert_eq!(harness.state(&"a".to_owned(), |state| state.count.get()).unwrap(), Some(8));
}
on_every_backend!(a_place_is_shared_with_what_comes_before_and_after);

#[derive(KeyedState)]
#[state(key = u64)]
struct Order {
    total: ValueState<u64>,
}

/// Says which orders were not paid within 10 ms.
struct Unpaid;

impl TwoInputOperator for Unpaid {
    type State = Order;
    type Left = (u64, u64);
    type Right = u64;
    type Out = (u64, u64);

    fn left_key(&self, (order, _): &(u64, u64)) -> u64 {
        *order
    }
    fn right_key(&self, order: &u64) -> u64 {
        *order
    }
    fn on_left(
        &mut self,
        state: &Order,
        (_, total): (u64, u64),
        ctx: &mut EventContext<'_, TwoInputs<Self>>,
    ) -> Result<(), BoxError> {
        state.total.set(total);
        ctx.register_event_timer(ctx.event_time().unwrap_or(0) + 10);
        Ok(())
    }
    fn on_right(&mut self, state: &Order, _: u64, ctx: &mut EventContext<'_, TwoInputs<Self>>) -> Result<(), BoxError> {
        state.total.take().ok_or("no such order")?;
        for timer in ctx.timers() {
            ctx.delete_event_timer(timer.time_ms);
        }
        Ok(())
    }
    fn on_timer(
        &mut self,
        state: &Order,
        _: Timer,
        ctx: &mut EventContext<'_, TwoInputs<Self>>,
    ) -> Result<(), BoxError> {
        let order = *ctx.current_key();
        ctx.emit((order, state.total.get_or(0)));
        Ok(())
    }
}

#[test]
fn two_inputs_share_state_and_timers() {
    let mut harness = Harness::new(|| TwoInputs(Unpaid)).unwrap();
    for order in [1, 2, 3] {
        harness.event_at(Either::Left((order, 100 * order)), order as i64).unwrap();
    }
    harness.event_at(Either::Right(2), 5).unwrap();
    let error = harness.event_at(Either::Right(9), 5).unwrap_err();
    assert_eq!(error.to_string(), "operator `order`, key `9`: the event failed and was undone: no such order");
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    harness.watermark(100).unwrap();
    assert_eq!(harness.emitted(), [(1, 100), (3, 300)]);
}

#[test]
fn an_operator_without_timers_of_its_own_lets_them_pass() {
    struct Sleeper;
    impl Operator for Sleeper {
        type State = Order;
        type In = u64;
        type Out = ();
        fn key(&self, event: &u64) -> u64 {
            *event
        }
        fn on_event(&mut self, _: &Order, event: u64, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
            ctx.register_processing_timer(event as i64);
            Ok(())
        }
    }
    let mut harness = Harness::new(|| Sleeper).unwrap();
    harness.event(3).unwrap();
    harness.clock(3).unwrap();
    assert_eq!(harness.timers().unwrap(), []);
    assert!(harness.emitted().is_empty());
}

#[derive(KeyedState)]
#[state(key = String, durable)]
struct Balances {
    cents: ValueState<i64>,
}

/// Adds to an account and puts out what is in it.
struct Pay;

impl Operator for Pay {
    type State = Balances;
    type In = (&'static str, i64);
    type Out = i64;

    fn key(&self, (account, _): &Self::In) -> String {
        (*account).to_owned()
    }

    fn on_event(
        &mut self,
        state: &Balances,
        (_, cents): Self::In,
        ctx: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        let cents = state.cents.get_or(0) + cents;
        state.cents.set(cents);
        ctx.emit(cents);
        Ok(())
    }
}

#[test]
fn durable_state_is_tested_on_a_durable_backend_and_in_memory() {
    fn survives(mut harness: Harness<Pay>) {
        harness.event(("ann", 5)).unwrap();
        harness.commit().unwrap();
        harness.event(("ann", 100)).unwrap();
        harness.crash_and_reopen().unwrap();
        harness.event(("ann", 2)).unwrap();
        harness.rescale(3).unwrap();
        harness.event(("ann", 3)).unwrap();
        assert_eq!(harness.emitted(), [5, 7, 10]);
    }
    let (own, shared) = (RocksDb::new(), RocksDb::new());
    survives(Harness::builder(|| Pay).backend(move || RocksDbStateBackend::open(own.path())).open().unwrap());
    survives(Harness::builder(|| Pay).shared_backend(move || Ok(shared.open())).open().unwrap());
    survives(Harness::new(|| Pay).unwrap());
}
