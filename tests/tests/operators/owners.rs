//! One backend object at a time writes to a storage, and one commit at a time goes on in a thread.

use super::backends::{Fail, Failing};
use super::script::{Act, Event, Script, Scripted, at, on};
use krishiv_api::{
    Cause, Commit, Committed, Driver, Dynamic, ErrorKind, InMemoryStateBackend, Keyed, StateBackend, StateError,
    ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use std::sync::Arc;

type Memory = Failing<InMemoryStateBackend>;

fn two_over_one_storage() -> (Arc<Memory>, Arc<Memory>) {
    let storage = Arc::new(InMemoryStateBackend::new());
    (Failing::new(Arc::clone(&storage)), Failing::new(storage))
}

fn store<B: StateBackend>(backend: &Arc<B>, operator: &str) -> Keyed<Dynamic<String>> {
    Keyed::builder().operator(operator).open(Arc::clone(backend)).unwrap()
}

fn see(store: &mut Keyed<Dynamic<String>>, n: u64) {
    store.with_key("ann", |_| ValueState::<u64>::new("seen").set(n)).unwrap();
}

fn seen<B: StateBackend>(backend: &Arc<B>, operator: &str) -> Option<u64> {
    store(backend, operator).with_key("ann", |_| ValueState::<u64>::new("seen").get()).unwrap()
}

fn dump(backend: &impl StateBackend) -> Vec<(Vec<u8>, Vec<u8>)> {
    backend.scan(&[]).map(|record| record.unwrap()).collect()
}

#[track_caller]
fn is_fenced(backend: &Arc<Memory>, store: &mut Keyed<Dynamic<String>>) {
    let before = dump(&**backend);
    for _ in 0..2 {
        let error = store.commit("mine").unwrap_err();
        assert!(matches!(error.cause(), Cause::Fenced), "{error}");
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Invalid, Some(store.operator())));
        assert!(error.to_string().contains("open the state anew"), "{error}");
        assert_eq!(dump(&**backend), before);
    }
}

#[test]
fn of_two_backends_over_one_storage_the_first_to_commit_goes_on() {
    for (mine, others) in [("same", "same"), ("clicks", "orders")] {
        let (one, other) = two_over_one_storage();
        let (mut first, mut second) = (store(&one, mine), store(&other, others));
        see(&mut first, 1);
        see(&mut second, 2);
        first.commit("1").unwrap();
        is_fenced(&other, &mut second);
        first.commit("2").unwrap();
        drop(second);
        // Opened anew it has seen all, and takes over.
        let mut second = store(&other, others);
        see(&mut second, 3);
        second.commit("3").unwrap();
        is_fenced(&one, &mut first);
        drop((first, second));
        assert_eq!(seen(&one, others), Some(3));
    }
}

#[test]
fn a_commit_of_somebody_else_after_the_opening_is_noticed_whoever_owned_the_storage() {
    let (one, other) = two_over_one_storage();
    let mut first = store(&one, "same");
    see(&mut first, 1);
    first.commit("1").unwrap();
    let mut second = store(&other, "same");
    see(&mut second, 2);
    see(&mut first, 3);
    first.commit("2").unwrap();
    is_fenced(&other, &mut second);
    assert_eq!(seen(&Failing::new(Arc::clone(&other)), "same"), Some(3));
}

/// A first write that came through makes an owner, and one that did not makes none.
#[test]
fn a_first_commit_of_unknown_outcome_can_be_repeated() {
    for how in [Fail::Before, Fail::After] {
        let (one, other) = two_over_one_storage();
        let mut first = store(&one, "same");
        see(&mut first, 1);
        one.fail_writes(0, how);
        first.commit("1").unwrap_err();
        for n in 2..4 {
            see(&mut first, n);
            one.fail_writes(0, how);
            first.commit("1").unwrap_err();
        }
        first.commit("1").unwrap();
        first.commit("2").unwrap();
        assert_eq!(seen(&other, "same"), Some(3));
    }
}

/// Its number is what both would have taken, and yet it is not taken for its own.
#[test]
fn somebody_else_who_committed_meanwhile_is_not_taken_for_a_write_of_unknown_outcome() {
    let (one, other) = two_over_one_storage();
    let (mut first, mut second) = (store(&one, "same"), store(&other, "same"));
    see(&mut first, 1);
    one.fail_writes(0, Fail::Before);
    first.commit("1").unwrap_err();
    see(&mut second, 2);
    second.commit("2").unwrap();
    is_fenced(&one, &mut first);
}

#[test]
fn a_failed_look_at_the_owner_is_no_verdict() {
    let (one, _) = two_over_one_storage();
    let mut first = store(&one, "same");
    for n in 0..3 {
        see(&mut first, n);
        one.fail(0);
        assert_eq!(first.commit("1").unwrap_err().kind(), ErrorKind::Backend);
        assert!(one.heal());
        first.commit("1").unwrap();
    }
}

fn stores_of_one_backend_own_it_together_and_one_after_the_other<P: Place>(place: P) {
    for round in 0..3 {
        let backend = place.open();
        let (mut clicks, mut orders) = (store(&backend, "clicks"), store(&backend, "orders"));
        for n in 0..3 {
            see(&mut clicks, n);
            clicks.commit("1").unwrap();
            drop(orders);
            orders = store(&backend, "orders");
            see(&mut orders, round);
            orders.commit("1").unwrap();
        }
    }
    assert_eq!(seen(&place.open(), "orders"), Some(2));
}
on_every_backend!(stores_of_one_backend_own_it_together_and_one_after_the_other);

fn driver<B: StateBackend>(backend: &Arc<B>, operator: &str) -> Driver<Script> {
    let store = Keyed::builder().operator(operator);
    let mut driver = Driver::builder(Script).store(store).open(Arc::clone(backend)).unwrap();
    driver.event(on("a", [Act::Set(at(Event, 9))]), None).unwrap();
    driver.broadcast((vec![("*".to_owned(), 1)], None)).unwrap();
    driver
}

#[track_caller]
fn is_nested(result: Result<impl Sized, StateError>) {
    let Err(error) = result else { panic!("a commit inside another") };
    assert!(matches!(error.cause(), Cause::NestedCommit), "{error}");
    assert_eq!((error.kind(), error.operator()), (ErrorKind::Invalid, Some("inner")));
    assert!(error.to_string().contains("hand that `Commit` on"), "{error}");
}

fn a_commit_inside_another_is_an_error<P: Place>(place: P) {
    let backend = place.open();
    let (mut outer, mut inner) = (driver(&backend, "outer"), driver(&backend, "inner"));
    let mut plain = Keyed::<Scripted>::builder().operator("plain").open(Arc::clone(&backend)).unwrap();
    for _ in 0..2 {
        let then = |commit: Commit| {
            is_nested(inner.commit("1"));
            is_nested(inner.store_mut().commit("1"));
            is_nested(inner.commit_then(Commit::new("1"), Commit::write));
            assert!(matches!(plain.commit("1").unwrap_err().cause(), Cause::NestedCommit));
            commit.write()
        };
        outer.commit_then(Commit::new("1"), then).unwrap();
        assert_eq!((inner.store().position(), plain.position()), (None, None));
    }
    // What was refused is still there, and so is what a panic has interrupted.
    let panics = |_| std::panic::resume_unwind(Box::new("on purpose"));
    let outcome = std::panic::AssertUnwindSafe(|| outer.commit_then(Commit::new("2"), panics));
    assert!(std::panic::catch_unwind(outcome).is_err());
    outer.commit_then(Commit::new("2"), |commit| inner.commit_then(commit, Commit::write)).unwrap();
    plain.commit("2").unwrap();
    drop((outer, inner, plain, backend));
    let backend = place.open();
    for operator in ["outer", "inner", "plain"] {
        let store = Keyed::<Scripted>::builder().operator(operator).open(Arc::clone(&backend)).unwrap();
        assert_eq!(store.position(), Some(&b"2"[..]), "{operator}");
    }
}
on_every_backend!(a_commit_inside_another_is_an_error);

#[test]
fn a_commit_of_another_backend_inside_is_none_of_its_business() {
    let (one, other) = (Arc::new(InMemoryStateBackend::new()), Arc::new(InMemoryStateBackend::new()));
    let (mut outer, mut inner) = (driver(&one, "outer"), driver(&other, "inner"));
    let then = |commit: Commit| {
        inner.commit("1")?;
        commit.write()
    };
    outer.commit_then(Commit::new("1"), then).unwrap();
    assert_eq!((outer.store().position(), inner.store().position()), (Some(&b"1"[..]), Some(&b"1"[..])));
}

#[test]
fn a_commit_of_another_thread_does_not_wait_for_a_commit_that_is_being_put_together() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let (mut outer, mut inner) = (driver(&backend, "outer"), driver(&backend, "inner"));
    let then = |commit: Commit| {
        std::thread::scope(|threads| threads.spawn(|| inner.commit("1")).join().unwrap())?;
        commit.write()
    };
    outer.commit_then(Commit::new("1"), then).unwrap();
    assert_eq!((outer.store().position(), inner.store().position()), (Some(&b"1"[..]), Some(&b"1"[..])));
}

/// Nothing is written by that, and so nothing may count as committed.
#[test]
fn a_committed_of_another_commit_is_refused() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut outer = driver(&backend, "outer");
    let nothing = |_| -> Result<Committed, StateError> { Commit::new("1").write() };
    let Err(error) = outer.commit_then(Commit::new("1"), nothing) else { panic!("nothing was written") };
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(outer.store().position(), None);
    outer.commit("2").unwrap();
    drop(outer);
    let store = Keyed::<Scripted>::builder().operator("outer").open(backend).unwrap();
    assert_eq!(store.position(), Some(&b"2"[..]));
}
