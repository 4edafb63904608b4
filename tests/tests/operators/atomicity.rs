//! What fails leaves no state, no timer and no output, and says what it was; what happens then is the program's choice.

use super::script::{Act, Event, Processing, Rules, Script, Scripted, Side, at, fired, on, on_place};
use krishiv_api::{
    BoxError, Cause, DeadLetter, Driver, EventContext, Harness, InMemoryStateBackend, Keyed, KeyedState, OnError,
    Operator, OperatorCause, OperatorError, OperatorInput, Rejected, StateError, Timer, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use std::error::Error;
use std::sync::Arc;

const FAILURES: [Act; 3] = [Act::Err, Act::Panic, Act::Latch];

/// Every kind of thing that an event can leave, and then a failure; a latched one before it all too.
fn all_and(failure: Act) -> Vec<Vec<Act>> {
    let all = vec![
        Act::Emit,
        Act::EmitTo(Side::Audit),
        Act::EmitTo(Side::Rejects),
        Act::Set(at(Event, 1)),
        Act::Set(at(Event, 77)),
        Act::SetMany(at(Processing, 100), 3),
        Act::Delete(at(Event, 50)),
        Act::Delete(at(Processing, 50)),
        Act::Plan(at(Event, 50), vec![Act::Timers]),
    ];
    let after = [all.clone(), vec![failure.clone()]].concat();
    let before = [vec![failure.clone()], all].concat();
    if failure == Act::Latch { vec![after, before] } else { vec![after] }
}

type Seen = (Vec<String>, Vec<String>, Vec<String>, Vec<(String, Timer)>, Option<u64>, usize, Vec<(String, i64)>);

fn look(harness: &mut Harness<Script>) -> Seen {
    let timers = harness.timers().unwrap();
    let state = |state: &Scripted| (state.count.get(), state.plans.length(), state.rules.entries());
    let (count, plans, rules) = harness.state(&"a".to_owned(), state).unwrap();
    let [main, audit, rejects] = [harness.emitted(), harness.side("audit"), harness.side("rejects")];
    (main.to_vec(), audit.to_vec(), rejects.to_vec(), timers, count, plans, rules)
}

/// Ann has state, timers and output, some of it committed.
fn filled(builder: krishiv_api::HarnessBuilder<Script>) -> Harness<Script> {
    let mut harness = builder.open().unwrap();
    harness.event(on("a", [Act::Emit, Act::Set(at(Event, 50)), Act::Set(at(Processing, 50))])).unwrap();
    harness.commit().unwrap();
    harness.event(on("a", [Act::EmitTo(Side::Audit), Act::Set(at(Event, 60))])).unwrap();
    harness.broadcast((vec![("x".to_owned(), 1)], None)).unwrap();
    harness
}

fn an_event_that_fails_leaves_nothing<P: Place + 'static>(place: P) {
    let mut harness = filled(on_place(place));
    let before = look(&mut harness);
    for failure in FAILURES {
        for acts in all_and(failure.clone()) {
            let error = harness.event_at(on("a", acts), 9).unwrap_err();
            check(&error, OperatorInput::Event, Some("\"a\""), &failure);
            assert_eq!(look(&mut harness), before, "{failure:?}");
        }
    }
    // Nothing of it comes later either.
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    assert_eq!(look(&mut harness), before);
    harness.watermark(1_000).unwrap();
    harness.clock(1_000).unwrap();
    let due = [at(Event, 50), at(Event, 60), at(Processing, 50)].map(|timer| fired("a", timer));
    assert_eq!(harness.emitted()[before.0.len()..], due);
}
on_every_backend!(an_event_that_fails_leaves_nothing);

fn a_timer_that_fails_leaves_nothing_and_fires_at_the_next_advance<P: Place + 'static>(place: P) {
    let mut harness = filled(on_place(place));
    let plan = |harness: &mut Harness<Script>, acts: Vec<Act>| {
        harness.event(on("a", [Act::Plan(at(Event, 50), acts)])).unwrap();
        look(harness)
    };
    for failure in FAILURES {
        for acts in all_and(failure.clone()) {
            let before = plan(&mut harness, acts);
            for _ in 0..2 {
                let error = harness.watermark(70).unwrap_err();
                check(&error, OperatorInput::Timer(at(Event, 50)), Some("\"a\""), &failure);
                assert_eq!(look(&mut harness), before, "{failure:?}");
            }
            harness.commit().unwrap();
            harness.crash_and_reopen().unwrap();
            assert_eq!(look(&mut harness), before, "{failure:?}");
        }
    }
    // It holds those after it up, but not those of the other time.
    let before = plan(&mut harness, vec![]);
    harness.clock(50).unwrap();
    harness.watermark(0).unwrap();
    let due = [at(Processing, 50), at(Event, 50), at(Event, 60)].map(|timer| fired("a", timer));
    assert_eq!(harness.emitted()[before.0.len()..], due);
}
on_every_backend!(a_timer_that_fails_leaves_nothing_and_fires_at_the_next_advance);

#[test]
fn timers_before_the_one_that_fails_have_fired() {
    let mut harness = Harness::new(|| Script).unwrap();
    harness.event(on("a", [Act::SetMany(at(Event, 1), 5), Act::Plan(at(Event, 3), vec![Act::Err])])).unwrap();
    harness.watermark(10).unwrap_err();
    assert_eq!(harness.emitted(), [1, 2].map(|time| fired("a", at(Event, time))));
    assert_eq!(harness.timers().unwrap(), [3, 4, 5].map(|time| ("a".to_owned(), at(Event, time))));
    // Deleting it lets the others go on.
    harness.event(on("a", [Act::Delete(at(Event, 3))])).unwrap();
    harness.watermark(0).unwrap();
    assert_eq!(harness.emitted(), [1, 2, 4, 5].map(|time| fired("a", at(Event, time))));
}

fn a_broadcast_that_fails_leaves_nothing<P: Place + 'static>(place: P) {
    let mut harness = filled(on_place(place).instances(3));
    let before = look(&mut harness);
    for failure in FAILURES {
        let rules = vec![("x".to_owned(), 9), ("y".to_owned(), 9)];
        let error = harness.broadcast((rules, Some(failure.clone()))).unwrap_err();
        check(&error, OperatorInput::Broadcast, None, &failure);
        assert_eq!(look(&mut harness), before, "{failure:?}");
    }
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    assert_eq!(look(&mut harness), before);
    harness.broadcast((vec![("y".to_owned(), 2)], None)).unwrap();
    assert_eq!(look(&mut harness).6, [("x".to_owned(), 1), ("y".to_owned(), 2)]);
}
on_every_backend!(a_broadcast_that_fails_leaves_nothing);

/// What a message says: operator, key, what it was doing, and why.
#[track_caller]
fn check(error: &OperatorError, input: OperatorInput, key: Option<&str>, failure: &Act) {
    assert_eq!((error.operator(), error.key(), error.input()), ("scripted", key, input));
    let what = match input {
        OperatorInput::Event => "the event failed and was undone",
        OperatorInput::Broadcast => "the broadcast failed and was undone",
        _ => "the event-time timer at 50 ms failed and was undone",
    };
    let (why, matches) = match (failure, input) {
        (Act::Err, _) => ("on purpose", matches!(error.cause(), OperatorCause::Failed(_))),
        (Act::Panic, _) => ("it panicked: on purpose", matches!(error.cause(), OperatorCause::Panicked(_))),
        (_, OperatorInput::Broadcast) => ("state `rules`: ", matches!(error.cause(), OperatorCause::State(_))),
        _ => ("state `count`: the handle is a ValueState<str>", matches!(error.cause(), OperatorCause::State(_))),
    };
    assert!(matches, "{error:?}");
    let of_key = key.map_or(String::new(), |key| format!(", key `{key}`"));
    let text = error.to_string();
    assert!(text.starts_with(&format!("operator `scripted`{of_key}: {what}: {why}")), "{text}");
    // A chain of causes does not say everything twice.
    let causes = std::iter::successors(error.source(), |error| (*error).source()).count();
    assert!(causes <= 1, "{causes}");
}

#[test]
fn a_panic_is_named_whatever_it_is_made_of() {
    struct Panics;
    impl Operator for Panics {
        type State = Scripted;
        type In = u8;
        type Out = ();
        fn key(&self, _: &u8) -> String {
            "a \"b\"\n".to_owned()
        }
        fn on_event(&mut self, _: &Scripted, event: u8, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
            std::panic::resume_unwind(match event {
                0 => Box::new("static"),
                1 => Box::new("owned".to_owned()),
                _ => Box::new(7),
            })
        }
    }
    let mut harness = Harness::new(|| Panics).unwrap();
    for (event, words) in [(0, "static"), (1, "owned"), (2, "without a message")] {
        let text = harness.event(event).unwrap_err().to_string();
        assert_eq!(
            text,
            format!(r#"operator `scripted`, key `"a \"b\"\n"`: the event failed and was undone: it panicked: {words}"#)
        );
    }
}

/// By one instance or by many, which has to be found by the key.
#[test]
fn a_key_that_cannot_be_told_is_an_event_that_failed() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut driver = Driver::builder(Script).open(backend).unwrap();
    let error = driver.event(on("no key", [Act::Emit]), None).unwrap_err();
    assert_eq!((error.key(), error.input()), (None, OperatorInput::Event));
    assert_eq!(error.to_string(), "operator `scripted`: the event failed and was undone: it panicked: on purpose");
    let mut harness = Harness::builder(|| Script).on_error(OnError::skip()).open().unwrap();
    harness.event(on("no key", [])).unwrap();
    assert_eq!(harness.skipped(), 1);
}

#[test]
fn a_key_that_cannot_be_told_is_an_event_that_failed_in_each_of_many_instances() {
    let mut harness = Harness::builder(|| Script).on_error(OnError::skip()).instances(2).open().unwrap();
    harness.event(on("no key", [])).unwrap();
    assert_eq!(harness.skipped(), 1);
}

/// Fails in each way: by an event, a timer of each kind, a broadcast. All is well again when the harness advances.
fn fail_all(harness: &mut Harness<Script>) -> usize {
    for failure in FAILURES {
        harness.event_at(on("a", [Act::Emit, failure.clone()]), 5).unwrap();
        harness.broadcast((vec![("x".to_owned(), 1)], Some(failure.clone()))).unwrap();
        for kind in [Event, Processing] {
            let plan = vec![Act::Set(at(kind, 7)), Act::Emit, failure.clone()];
            let acts = [Act::Set(at(kind, 1)), Act::Set(at(kind, 2)), Act::Plan(at(kind, 1), plan)];
            harness.event(on("a", acts)).unwrap();
        }
        harness.watermark(3).unwrap();
        harness.clock(3).unwrap();
    }
    12
}

fn only_the_good_fire(harness: &mut Harness<Script>) {
    let good = [at(Event, 2), at(Processing, 2)].map(|timer| fired("a", timer));
    assert_eq!(harness.emitted(), good.iter().cycle().take(6).cloned().collect::<Vec<_>>());
    assert_eq!(harness.timers().unwrap(), []);
    harness.commit().unwrap();
    harness.crash_and_reopen().unwrap();
    assert_eq!(harness.timers().unwrap(), []);
    harness.watermark(i64::MAX).unwrap();
    harness.clock(i64::MAX).unwrap();
    assert_eq!(harness.emitted().len(), 6, "a skipped timer comes back");
}

fn what_is_skipped_is_counted_and_gone<P: Place + 'static>(place: P) {
    let mut harness = on_place(place).on_error(OnError::skip()).open().unwrap();
    let failed = fail_all(&mut harness);
    assert_eq!(harness.skipped(), failed as u64);
    assert!(harness.dead_letters().is_empty());
    only_the_good_fire(&mut harness);
}
on_every_backend!(what_is_skipped_is_counted_and_gone);

fn what_failed_becomes_a_dead_letter<P: Place + 'static>(place: P) {
    let mut harness = on_place(place).on_error(OnError::dead_letter()).open().unwrap();
    let failed = fail_all(&mut harness);
    assert_eq!((harness.skipped(), harness.dead_letters().len()), (0, failed));
    for (letters, failure) in harness.dead_letters().chunks(4).zip(FAILURES) {
        let [event, broadcast, event_timer, processing_timer] = letters else { unreachable!() };
        assert_eq!(event.rejected, Rejected::Event(on("a", [Act::Emit, failure]), Some(5)));
        assert_eq!(broadcast.rejected, Rejected::Broadcast);
        assert_eq!(event_timer.rejected, Rejected::Timer(at(Event, 1)));
        assert_eq!(processing_timer.rejected, Rejected::Timer(at(Processing, 1)));
        let keys: Vec<_> = letters.iter().map(|DeadLetter { error, .. }| error.key()).collect();
        assert_eq!(keys, [Some("\"a\""), None, Some("\"a\""), Some("\"a\"")]);
    }
    only_the_good_fire(&mut harness);
    assert_eq!(harness.dead_letters().len(), failed);
}
on_every_backend!(what_failed_becomes_a_dead_letter);

/// An operator that returns what a store gave it, which may be nobody's fault but the storage's.
struct Returns;

#[derive(KeyedState)]
#[state(key = String)]
struct Nothing {
    none: ValueState<u8>,
}

impl Operator for Returns {
    type State = Nothing;
    type In = (String, fn() -> BoxError);
    type Out = ();
    fn key(&self, (key, _): &Self::In) -> String {
        key.clone()
    }
    fn on_event(
        &mut self,
        state: &Nothing,
        (_, error): Self::In,
        _: &mut EventContext<'_, Self>,
    ) -> Result<(), BoxError> {
        state.none.set(1);
        Err(error())
    }
}

#[test]
fn failures_of_the_storage_and_foreign_keys_stop_whatever_the_policy() {
    let errors: [(fn() -> BoxError, bool); 5] = [
        (|| "a plain one".into(), false),
        (|| Box::new(std::io::Error::other("not the storage's")), false),
        (|| Box::new(StateError::backend("gone")), true),
        (|| Box::new(StateError::damaged("torn")), true),
        (
            || {
                Keyed::<Nothing>::builder()
                    .max_parallelism(0)
                    .open(Arc::new(InMemoryStateBackend::new()))
                    .err()
                    .unwrap()
                    .into()
            },
            false,
        ),
    ];
    for policy in [OnError::skip(), OnError::dead_letter()] {
        let backend = Arc::new(InMemoryStateBackend::new());
        let low = Keyed::builder().key_groups(0..64);
        let mut driver = Driver::builder(Returns).store(low).on_error(policy).open(backend).unwrap();
        let keys: Vec<_> = (0..20).map(|n| n.to_string()).collect();
        let (own, foreign): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| driver.store().key_group(key).unwrap() < 64);
        for (make, stops) in errors {
            let result = driver.event((own[0].clone(), make), None);
            assert_eq!(result.is_err(), stops, "{}", make());
            assert_eq!(driver.store_mut().keys().unwrap(), [""; 0]);
        }
        let error = driver.event((foreign[0].clone(), errors[0].0), None).unwrap_err();
        let OperatorCause::State(state) = error.cause() else { panic!("{error}") };
        assert!(matches!(state.cause(), Cause::ForeignKey { .. }), "{error}");
        assert_eq!(error.key(), Some(format!("{:?}", foreign[0]).as_str()));
        let text = error.to_string();
        assert!(text.contains("key group") && text.contains("0..64") && text.contains("route the event"), "{text}");
        assert_eq!(driver.skipped() + driver.drain_dead_letters().count() as u64, 3);
    }
}

/// An operator's own errors keep their type and their causes.
#[test]
fn the_error_of_an_operator_is_kept_whole() {
    let mut harness = Harness::new(|| Returns).unwrap();
    let event: (String, fn() -> BoxError) =
        ("a".to_owned(), || Box::new(std::io::Error::new(std::io::ErrorKind::NotFound, "the rate")));
    let error = harness.event(event).unwrap_err();
    let OperatorCause::Failed(inner) = error.cause() else { panic!("{error}") };
    assert_eq!(inner.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::NotFound);
    assert_eq!(error.to_string(), r#"operator `nothing`, key `"a"`: the event failed and was undone: the rate"#);
}

#[test]
fn rules_are_as_an_event_sees_them() {
    let rules: Rules = (vec![("x".to_owned(), 1)], None);
    let mut harness = Harness::new(|| Script).unwrap();
    harness.broadcast(rules).unwrap();
    assert_eq!((harness.emitted(), harness.side("audit")), (&["rule x".to_owned()][..], &["rule x".to_owned()][..]));
    assert_eq!(harness.state(&"a".to_owned(), |state| state.rules.get("x")).unwrap(), Some(1));
}
