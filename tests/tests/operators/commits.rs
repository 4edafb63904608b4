//! Several operators commit together, or none of them.

use super::backends::{Fail, Failing};
use super::script::{Act, Event, Processing, Script, at, fired, on};
use krishiv_api::{
    Cause, Commit, Committed, Driver, InMemoryStateBackend, Keyed, StateBackend, StateError, TtlConfig, TtlStateBackend,
};
use krishiv_tests::{Place, on_every_backend};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

type Memory = Failing<InMemoryStateBackend>;

fn memory() -> Arc<Memory> {
    Failing::new(Arc::new(InMemoryStateBackend::new()))
}

fn open<B: StateBackend>(backend: &Arc<B>, operator: &str) -> Driver<Script> {
    let store = Keyed::builder().operator(operator);
    Driver::builder(Script).store(store).open(Arc::clone(backend)).unwrap()
}

const NAMES: [&str; 3] = ["first", "second", "third"];

fn three<B: StateBackend>(backend: &Arc<B>) -> [Driver<Script>; 3] {
    NAMES.map(|name| open(backend, name))
}

fn change(drivers: &mut [Driver<Script>], step: i64) {
    for driver in drivers {
        let acts = [Act::Set(at(Event, step)), Act::Set(at(Processing, step)), Act::Delete(at(Event, step - 1))];
        driver.event(on("a", acts), None).unwrap();
        driver.broadcast((vec![("step".to_owned(), step)], None)).unwrap();
        driver.set_watermark(step);
    }
}

fn commit_all(drivers: &mut [Driver<Script>], commit: Commit) -> Result<Committed, StateError> {
    match drivers {
        [] => commit.write(),
        [first, rest @ ..] => first.commit_then(commit, |commit| commit_all(rest, commit)),
    }
}

fn dump(backend: &impl StateBackend) -> Vec<(Vec<u8>, Vec<u8>)> {
    backend.scan(&[]).map(|record| record.unwrap()).collect()
}

fn count(driver: &mut Driver<Script>) -> Option<u64> {
    driver.store_mut().with_key("a", |state| state.count.get()).unwrap()
}

#[test]
fn what_is_written_together_is_what_would_be_written_apart() {
    for many in [1, 2, 3] {
        let (together, apart) = (memory(), memory());
        let (mut one, mut other) = (three(&together), three(&apart));
        for step in 1..4 {
            change(&mut one[..many], step);
            change(&mut other[..many], step);
            commit_all(&mut one[..many], Commit::new(format!("step {step}"))).unwrap();
            for driver in &mut other[..many] {
                driver.commit(format!("step {step}")).unwrap();
            }
            assert_eq!(dump(&*together), dump(&*apart), "{many} operators");
            assert_eq!(one[0].store().position(), Some(format!("step {step}").as_bytes()));
        }
    }
}

fn operators_that_commit_together_reopen_together<P: Place>(place: P) {
    let backend = place.open();
    let mut drivers = three(&backend);
    change(&mut drivers, 1);
    commit_all(&mut drivers, Commit::new("one")).unwrap();
    change(&mut drivers, 2);
    drop((drivers, backend));
    let mut drivers = three(&place.open());
    for driver in &mut drivers {
        assert_eq!((driver.store().position(), driver.watermark()), (Some(&b"one"[..]), Some(1)));
        assert_eq!(count(driver), Some(1));
        driver.advance(1).unwrap();
        let fired_now: Vec<_> = driver.drain().map(|record| record.value).collect();
        assert_eq!(fired_now, [fired("a", at(Event, 1))]);
    }
}
on_every_backend!(operators_that_commit_together_reopen_together);

/// Before it has written, or although it has: each can be repeated, and ends as if nothing had failed.
#[test]
fn a_failed_write_fails_for_all_of_them_and_can_be_repeated() {
    for many in [2, 3] {
        for how in [Fail::Before, Fail::After] {
            let (backend, undisturbed) = (memory(), memory());
            let (mut drivers, mut others) = (three(&backend), three(&undisturbed));
            for step in 1..4 {
                change(&mut drivers[..many], step);
                change(&mut others[..many], step);
                let before = dump(&*backend);
                for _ in 0..2 {
                    backend.fail_writes(0, how);
                    let error = commit_all(&mut drivers[..many], Commit::new("on")).unwrap_err();
                    assert!(backend.heal());
                    assert!(error.operator().is_some_and(|operator| NAMES.contains(&operator)), "{error}");
                    for driver in &mut drivers[..many] {
                        assert_eq!(driver.store().position(), (step > 1).then_some(&b"on"[..]));
                        assert_eq!(driver.timers().unwrap().len(), 1 + step as usize);
                    }
                    assert_eq!(dump(&*backend) == before, how == Fail::Before);
                }
                commit_all(&mut drivers[..many], Commit::new("on")).unwrap();
                commit_all(&mut others[..many], Commit::new("on")).unwrap();
                assert_eq!(dump(&*backend), dump(&*undisturbed), "{many} {how:?}");
            }
        }
    }
}

/// What they have done since the commit that failed is not lost, nor are those timers that fired or went.
#[test]
fn after_a_failed_write_they_go_on() {
    for how in [Fail::Before, Fail::After] {
        let backend = memory();
        let mut drivers = three(&backend);
        change(&mut drivers, 1);
        backend.fail_writes(0, how);
        commit_all(&mut drivers, Commit::new("1")).unwrap_err();
        for driver in &mut drivers {
            driver.advance(1).unwrap();
            driver.event(on("a", [Act::Delete(at(Processing, 1)), Act::Set(at(Event, 9)), Act::Timers]), None).unwrap();
        }
        commit_all(&mut drivers, Commit::new("2")).unwrap();
        drop(drivers);
        for driver in &mut three(&backend) {
            assert_eq!(driver.timers().unwrap(), [("a".to_owned(), at(Event, 9))], "{how:?}");
            driver.event(on("a", [Act::Timers]), None).unwrap();
            assert_eq!(driver.drain().next().unwrap().value, "[event-time timer at 9 ms]");
        }
    }
}

/// A `then` that fails by itself, before any write.
#[test]
fn nothing_is_committed_when_what_comes_after_fails() {
    let backend = memory();
    let mut drivers = three(&backend);
    change(&mut drivers, 1);
    let [first, second, _] = &mut drivers;
    let failed = first.commit_then(Commit::new("1"), |commit| {
        second.commit_then(commit, |_| Err(StateError::backend("the sink is full")))
    });
    assert!(failed.unwrap_err().to_string().contains("the sink is full"));
    assert_eq!(dump(&*backend), []);
    for driver in &mut drivers[..2] {
        assert_eq!(driver.store().position(), None);
        assert_eq!(count(driver), Some(1));
    }
    commit_all(&mut drivers, Commit::new("1")).unwrap();
    drop(drivers);
    for driver in &mut three(&backend) {
        assert_eq!(driver.store().position(), Some(&b"1"[..]));
        assert_eq!(count(driver), Some(1));
    }
}

#[test]
fn operators_on_different_backends_cannot_commit_together() {
    let (one, other) = (memory(), memory());
    let (mut first, mut second) = (open(&one, "first"), open(&other, "second"));
    change(std::slice::from_mut(&mut first), 1);
    change(std::slice::from_mut(&mut second), 1);
    let together = |first: &mut Driver<Script>, second: &mut Driver<Script>| {
        first.commit_then(Commit::new("1"), |commit| second.commit_then(commit, Commit::write))
    };
    let error = together(&mut first, &mut second).unwrap_err();
    assert!(matches!(error.cause(), Cause::Setting { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "operator `second`: operators that commit together need one backend; open them on clones of one `Arc`"
    );
    assert_eq!((dump(&*one), dump(&*other)), (vec![], vec![]));
    first.commit("1").unwrap();
    second.commit("1").unwrap();
    assert_eq!((first.store().position(), second.store().position()), (Some(&b"1"[..]), Some(&b"1"[..])));
}

/// The backend is what lies below the wrapper.
#[test]
fn operators_under_different_ttls_of_one_backend_commit_together() {
    let backend = memory();
    let wrapped = Arc::new(TtlStateBackend::new(Arc::clone(&backend), TtlConfig::new(1_000)));
    let (mut first, mut second) = (open(&backend, "first"), open(&wrapped, "second"));
    change(std::slice::from_mut(&mut first), 1);
    change(std::slice::from_mut(&mut second), 1);
    backend.fail_writes(1, Fail::Before);
    first.commit_then(Commit::new("1"), |commit| second.commit_then(commit, Commit::write)).unwrap();
    assert!(!backend.heal(), "it is one write");
}

#[test]
fn a_commit_of_no_operator_is_nothing() {
    Commit::new("1").write().unwrap();
}

/// A watchdog, since what is wrong hangs.
fn ends(test: impl FnOnce() + Send + 'static) -> bool {
    let (done, is_done) = channel();
    std::thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(20)).is_ok()
}

#[test]
fn instances_of_one_operator_commit_together() {
    assert!(ends(|| {
        let backend = memory();
        let instance = |groups| {
            let store = Keyed::builder().key_groups(groups);
            Driver::builder(Script).store(store).open(Arc::clone(&backend)).unwrap()
        };
        let mut drivers = [instance(0..64), instance(64..128)];
        commit_all(&mut drivers, Commit::new("1")).unwrap();
        drop(drivers);
        assert_eq!(Keyed::<super::script::Scripted>::open(backend).unwrap().positions().len(), 2);
    }));
}

#[test]
fn the_order_of_operators_in_a_commit_does_not_matter() {
    assert!(ends(|| {
        let backend = memory();
        let instance = |operator: &str, groups| {
            let store = Keyed::builder().operator(operator).key_groups(groups);
            Driver::builder(Script).store(store).open(Arc::clone(&backend)).unwrap()
        };
        let low = [instance("first", 0..64), instance("second", 0..64)];
        let high = [instance("second", 64..128), instance("first", 64..128)];
        std::thread::scope(|threads| {
            for [mut one, mut other] in [low, high] {
                threads.spawn(move || {
                    for round in 0..200 {
                        // A broadcast, so that the commits have to wait for each other.
                        one.broadcast((vec![("*".to_owned(), round)], None)).unwrap();
                        other.broadcast((vec![("*".to_owned(), round)], None)).unwrap();
                        one.commit_then(Commit::new("1"), |commit| other.commit_then(commit, Commit::write)).unwrap();
                    }
                });
            }
        });
    }));
}

/// Each on a thread of its own, as an engine would have them.
fn instances_fire_their_own_timers_in_threads<P: Place>(place: P) {
    let backend = place.open();
    let keys: Vec<_> = (0..60).map(|n| format!("k{n}")).collect();
    let out: Vec<Vec<String>> = std::thread::scope(|threads| {
        let instances = [0..40, 40..41, 41..128].map(|groups| {
            let store = Keyed::builder().key_groups(groups.clone());
            let mut driver = Driver::builder(Script).store(store).open(Arc::clone(&backend)).unwrap();
            let keys = &keys;
            threads.spawn(move || {
                for step in 0..20 {
                    for key in keys {
                        if groups.contains(&driver.store().key_group(key).unwrap()) {
                            driver.event(on(key, [Act::Set(at(Event, step)), Act::Set(at(Event, 100))]), None).unwrap();
                        }
                    }
                    driver.advance(step - 1).unwrap();
                    driver.commit("").unwrap();
                }
                driver.drain().map(|record| record.value).collect()
            })
        });
        instances.map(|thread| thread.join().unwrap()).into()
    });
    let mut all = out.concat();
    all.sort();
    let mut expected: Vec<_> =
        (0..19).flat_map(|step| keys.iter().map(move |key| fired(key, at(Event, step)))).collect();
    expected.sort();
    assert_eq!(all, expected);
    drop(backend);
    let mut whole = Driver::builder(Script).open(place.open()).unwrap();
    assert_eq!(whole.timers().unwrap().len(), 2 * keys.len());
    whole.advance(i64::MAX).unwrap();
    assert_eq!(whole.drain().count(), 2 * keys.len());
}
on_every_backend!(instances_fire_their_own_timers_in_threads);
