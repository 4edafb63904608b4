//! Whichever call to the storage fails: whatever the policy, everything stops, and what is tried again ends as if nothing
//! had failed.

use super::backends::{Fail, Failing};
use super::script::{Act, Event, Processing, Script, at, on};
use krishiv_api::{
    Driver, ErrorKind, InMemoryStateBackend, Keyed, ManualClock, OnError, OperatorCause, OperatorError, OperatorInput,
    StateBackend, StateError, TtlConfig, TtlStateBackend,
};
use std::sync::Arc;

type Backend = Failing<InMemoryStateBackend>;

/// Of a policy that would skip, or keep, what the operator does wrong; directly or under a TTL.
#[derive(Clone, Copy, Debug)]
struct Setting {
    skips: bool,
    wrapped: bool,
}

fn settings() -> impl Iterator<Item = Setting> {
    [(true, false), (false, false), (true, true)].into_iter().map(|(skips, wrapped)| Setting { skips, wrapped })
}

fn open(backend: &Arc<Backend>, Setting { skips, wrapped }: Setting) -> Result<Driver<Script>, StateError> {
    let backend = Arc::clone(backend);
    let on_error = if skips { OnError::skip() } else { OnError::dead_letter() };
    // So small that what can go goes with each commit.
    let store = Keyed::builder().memory_budget(0).clock(Arc::new(ManualClock::new(100)));
    let builder = Driver::builder(Script).store(store).on_error(on_error);
    match wrapped {
        true => builder.open(Arc::new(TtlStateBackend::new(backend, TtlConfig::new(u64::MAX)))),
        false => builder.open(backend),
    }
}

/// Timers of three keys, some with plans that read and write.
fn filled(setting: Setting) -> Arc<Backend> {
    let backend = Failing::new(Arc::new(InMemoryStateBackend::new()));
    let mut driver = open(&backend, setting).unwrap();
    for key in ["a", "b", ""] {
        let plan =
            vec![Act::Timers, Act::Delete(at(Event, 3)), Act::Set(at(Event, 2)), Act::Set(at(Event, 50)), Act::Emit];
        let acts =
            [Act::SetMany(at(Event, 1), 3), Act::Set(at(Processing, 1)), Act::Plan(at(Event, 1), plan), Act::Emit];
        driver.event(on(key, acts), Some(1)).unwrap();
    }
    driver.commit("1").unwrap();
    backend
}

fn dump(backend: &Backend) -> Vec<(Vec<u8>, Vec<u8>)> {
    backend.scan(&[]).map(|record| record.unwrap()).collect()
}

fn drain(driver: &mut Driver<Script>) -> Vec<String> {
    driver.drain().map(|record| record.value).collect()
}

/// Each call fails once in a run of its own; `run` gets the place of that call, and says whether it came so far.
fn at_every_call(at_least: usize, run: impl Fn(usize) -> bool) {
    let calls = (0..1_000).take_while(|call| run(*call)).count();
    assert!((at_least..1_000).contains(&calls), "{calls} calls failed");
}

#[track_caller]
fn is_the_storage(error: &OperatorError) {
    let OperatorCause::State(state) = error.cause() else { panic!("{error}") };
    assert_eq!((state.kind(), error.operator()), (ErrorKind::Backend, "scripted"), "{error}");
    assert!(error.to_string().contains("the storage failed: on purpose"), "{error}");
}

#[track_caller]
fn nothing_was_skipped(driver: &mut Driver<Script>) {
    assert_eq!((driver.skipped(), driver.drain_dead_letters().count()), (0, 0));
}

#[test]
fn an_event() {
    let event = || on("a", [Act::Emit, Act::Set(at(Event, 7)), Act::Timers, Act::Delete(at(Event, 2)), Act::Emit]);
    for setting in settings() {
        let undisturbed = filled(setting);
        let mut driver = open(&undisturbed, setting).unwrap();
        driver.event(event(), None).unwrap();
        let expected = drain(&mut driver);
        driver.commit("2").unwrap();
        at_every_call(1, |call| {
            let backend = filled(setting);
            let mut driver = open(&backend, setting).unwrap();
            backend.fail(call);
            let result = driver.event(event(), None);
            if !backend.heal() {
                return false;
            }
            let error = result.unwrap_err();
            is_the_storage(&error);
            assert_eq!((error.input(), error.key()), (OperatorInput::Event, Some("\"a\"")));
            nothing_was_skipped(&mut driver);
            assert_eq!(drain(&mut driver), [""; 0]);
            driver.event(event(), None).unwrap();
            assert_eq!(drain(&mut driver), expected, "call {call}");
            driver.commit("2").unwrap();
            assert_eq!(dump(&backend), dump(&undisturbed), "call {call}");
            true
        });
    }
}

fn fire_all(driver: &mut Driver<Script>) -> Result<(), OperatorError> {
    driver.advance(10)?;
    driver.tick()
}

#[test]
fn firing() {
    for setting in settings() {
        let undisturbed = filled(setting);
        let mut driver = open(&undisturbed, setting).unwrap();
        fire_all(&mut driver).unwrap();
        let expected = drain(&mut driver);
        driver.commit("2").unwrap();
        at_every_call(100, |call| {
            let backend = filled(setting);
            let mut driver = open(&backend, setting).unwrap();
            backend.fail(call);
            let result = fire_all(&mut driver);
            if !backend.heal() {
                return false;
            }
            let error = result.unwrap_err();
            is_the_storage(&error);
            match error.input() {
                OperatorInput::Timers => {
                    assert_eq!(error.key(), None);
                    assert!(
                        error.to_string().starts_with("operator `scripted`: the timers cannot be read: "),
                        "{error}"
                    );
                }
                OperatorInput::Timer(_) => assert!(error.key().is_some(), "{error}"),
                input => panic!("{input:?}: {error}"),
            }
            nothing_was_skipped(&mut driver);
            // What was fired before has been, and the rest follows.
            let mut out = drain(&mut driver);
            assert!(expected.starts_with(&out), "call {call}");
            fire_all(&mut driver).unwrap();
            out.extend(drain(&mut driver));
            assert_eq!(out, expected, "call {call}");
            driver.commit("2").unwrap();
            assert_eq!(dump(&backend), dump(&undisturbed), "call {call}");
            true
        });
    }
}

#[test]
fn listing_timers() {
    for setting in settings() {
        let expected = open(&filled(setting), setting).unwrap().timers().unwrap();
        at_every_call(100, |call| {
            let backend = filled(setting);
            let mut driver = open(&backend, setting).unwrap();
            backend.fail(call);
            let result = driver.timers();
            if !backend.heal() {
                return false;
            }
            assert_eq!(result.unwrap_err().operator(), Some("scripted"));
            assert_eq!(driver.timers().unwrap(), expected);
            true
        });
    }
}

fn changed(backend: &Arc<Backend>, setting: Setting) -> Driver<Script> {
    let mut driver = open(backend, setting).unwrap();
    driver.advance(1).unwrap();
    driver.event(on("new", [Act::SetMany(at(Event, 5), 3), Act::Delete(at(Event, 6))]), None).unwrap();
    driver.event(on("a", [Act::Delete(at(Event, 2)), Act::Set(at(Event, 3))]), None).unwrap();
    driver
}

#[test]
fn a_commit() {
    for setting in settings() {
        let undisturbed = filled(setting);
        let mut driver = changed(&undisturbed, setting);
        let timers = driver.timers().unwrap();
        driver.commit("2").unwrap();
        at_every_call(1, |call| {
            let backend = filled(setting);
            let mut driver = changed(&backend, setting);
            let before = dump(&backend);
            for _ in 0..3 {
                backend.fail(call);
                let result = driver.commit("2");
                if !backend.heal() {
                    return false;
                }
                let error = result.unwrap_err();
                assert_eq!((error.kind(), error.operator()), (ErrorKind::Backend, Some("scripted")));
                assert_eq!(dump(&backend), before);
                assert_eq!(driver.timers().unwrap(), timers);
            }
            driver.commit("2").unwrap();
            assert_eq!(dump(&backend), dump(&undisturbed));
            true
        });
    }
}

/// Timers that such a commit wrote, and that go before it is repeated, must not stay behind; those that it removed, and
/// that come again, must.
#[test]
fn a_commit_that_was_written_but_reported_as_failed() {
    for setting in settings() {
        for how in [Fail::Before, Fail::After] {
            let backend = filled(setting);
            let mut driver = changed(&backend, setting);
            for round in 0..3 {
                backend.fail_writes(0, how);
                driver.commit("2").unwrap_err();
                let turn = |there: bool, timer| if there { Act::Set(timer) } else { Act::Delete(timer) };
                let acts = [turn(round % 2 == 1, at(Event, 5)), turn(round % 2 == 0, at(Event, 6))];
                driver.event(on("new", acts), None).unwrap();
            }
            let timers = driver.timers().unwrap();
            let of_new: Vec<_> =
                timers.iter().filter(|(key, _)| key == "new").map(|(_, timer)| timer.time_ms).collect();
            assert_eq!(of_new, [6, 7]);
            driver.commit("2").unwrap();
            assert_eq!(driver.timers().unwrap(), timers);
            drop(driver);
            let mut driver = open(&backend, setting).unwrap();
            assert_eq!(driver.timers().unwrap(), timers, "{setting:?} {how:?}");
            driver.event(on("new", [Act::Timers]), None).unwrap();
            assert_eq!(drain(&mut driver), ["[event-time timer at 6 ms][event-time timer at 7 ms]"]);
        }
    }
}

#[test]
fn opening() {
    for setting in settings() {
        at_every_call(1, |call| {
            let backend = filled(setting);
            let before = dump(&backend);
            backend.fail(call);
            let result = open(&backend, setting);
            if !backend.heal() {
                return false;
            }
            let error = result.err().unwrap();
            assert_eq!((error.kind(), error.operator()), (ErrorKind::Backend, Some("scripted")), "{error}");
            assert_eq!(dump(&backend), before);
            assert_eq!(open(&backend, setting).unwrap().timers().unwrap().len(), 12);
            true
        });
    }
}
