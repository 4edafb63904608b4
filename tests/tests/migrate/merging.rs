//! Keys that become one, and map keys that do.

use krishiv_api::{
    BoxError, Cause, Driver, EventContext, InMemoryStateBackend, KeyMigration, Keyed, KeyedState, ListState,
    ManualClock, MapState, Operator, ReducingState, StateBackend, Timer, TimerKind, ValueState,
};
use krishiv_tests::{Place, on_every_backend};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

macro_rules! program {
    ($name:ident, $operator:ident, $key:ty) => {
        #[derive(KeyedState)]
        #[state(key = $key, name = "visits")]
        struct $name {
            seen: ValueState<u64>,
            page: ValueState<String>,
            #[state(reduce = u64::max)]
            longest: ReducingState<u64>,
            pages: ListState<u32>,
            by_status: MapState<u16, u64>,
        }

        struct $operator;

        impl Operator for $operator {
            type State = $name;
            type In = ($key, Vec<i64>);
            type Out = ($key, i64);
            fn key(&self, (key, _): &Self::In) -> $key {
                key.clone()
            }
            fn on_event(
                &mut self,
                _: &$name,
                (_, times): Self::In,
                ctx: &mut EventContext<'_, Self>,
            ) -> Result<(), BoxError> {
                times.into_iter().for_each(|time| ctx.register_event_timer(time));
                Ok(())
            }
            fn on_timer(&mut self, _: &$name, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
                let key = ctx.current_key().clone();
                ctx.emit((key, timer.time_ms));
                Ok(())
            }
        }
    };
}

program!(ByDevice, OfDevice, (String, u32));
program!(ByUser, OfUser, String);

fn migration() -> KeyMigration<ByDevice, ByUser> {
    KeyMigration::new(|(user, _)| user)
}

fn merging() -> KeyMigration<ByDevice, ByUser> {
    let joined = |one: String, other: String| {
        let mut both = [one, other];
        both.sort();
        both.concat()
    };
    migration()
        .merge("seen", |one: u64, other: u64| one + other)
        .merge("page", joined)
        .merge("longest", u64::max)
        .append("pages")
        .merge("by_status", |one: u64, other: u64| one + other)
}

/// What a user is to have.
#[derive(Debug, Default, PartialEq)]
struct User {
    seen: Option<u64>,
    page: Vec<String>,
    longest: Option<u64>,
    pages: BTreeSet<Vec<u32>>,
    by_status: BTreeMap<u16, u64>,
    timers: BTreeSet<i64>,
}

fn two_keys_become_one_as_the_functions_say<P: Place>(place: P) {
    let backend = place.open();
    let mut users: BTreeMap<String, User> = BTreeMap::new();
    let mut store = Keyed::<ByDevice>::open(backend.clone()).unwrap();
    for number in 0..200_u32 {
        let (name, device) = (format!("user {}", number % 40), number / 40);
        let user = users.entry(name.clone()).or_default();
        // Each has some of the states, short and long.
        let has = |state: u32| !(number * 7 + number / 40 + state).is_multiple_of(3);
        let page = format!("{number:03}").repeat(if number % 4 == 0 { 300 } else { 1 });
        store
            .with_key(&(name, device), |state| {
                if has(0) {
                    state.seen.set(u64::from(number));
                    *user.seen.get_or_insert(0) += u64::from(number);
                }
                if has(1) {
                    state.page.set(page.clone());
                    user.page.push(page);
                }
                if has(2) {
                    state.longest.merge(u64::from(number));
                    user.longest = user.longest.max(Some(u64::from(number)));
                }
                if has(3) {
                    state.pages.add_all([number, number + 1_000]);
                    user.pages.insert(vec![number, number + 1_000]);
                }
                for status in [200, 300 + number as u16 % 2] {
                    if has(u32::from(status)) {
                        state.by_status.put(status, 1);
                        *user.by_status.entry(status).or_default() += 1;
                    }
                }
            })
            .unwrap();
    }
    store.commit("here").unwrap();
    drop(store);
    let mut driver = Driver::builder(OfDevice).open(backend.clone()).unwrap();
    for number in 0..200_u32 {
        let (name, device) = (format!("user {}", number % 40), number / 40);
        // Some more than lie in a row, and some that both have.
        let times: Vec<i64> = (0..i64::from(number % 50)).map(|time| time * i64::from(1 + device % 2)).collect();
        users.entry(name.clone()).or_default().timers.extend(&times);
        driver.event(((name, device), times), None).unwrap();
    }
    driver.commit("here").unwrap();
    drop(driver);

    let refused = migration().run(&backend).unwrap_err();
    assert!(matches!(refused.cause(), Cause::KeyMigration { .. }), "{refused}");
    merging().run(&backend).unwrap();

    let mut driver = Driver::builder(OfUser).open(backend.clone()).unwrap();
    let mut timers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (key, timer) in driver.timers().unwrap() {
        assert_eq!(timer.kind, TimerKind::Event);
        timers.entry(key).or_default().push(timer.time_ms);
    }
    for (name, user) in &users {
        let read = driver.store_mut().with_key(name.as_str(), |state| {
            let pages = state.pages.get();
            User {
                seen: state.seen.get(),
                page: state.page.get().into_iter().collect(),
                longest: state.longest.get(),
                pages: pages.chunks(2).map(<[u32]>::to_vec).collect(),
                by_status: state.by_status.entries().into_iter().collect(),
                timers: BTreeSet::new(),
            }
        });
        let mut told = timers.remove(name).unwrap_or_default();
        told.sort_unstable();
        // The functions sort what they join, two at a time: the same letters, in any order.
        let letters = |pages: &[String]| {
            let mut all: Vec<_> = pages.concat().into_bytes();
            all.sort_unstable();
            all
        };
        let read = read.unwrap();
        assert_eq!(letters(&read.page), letters(&user.page), "{name}");
        assert_eq!(
            User { page: Vec::new(), timers: told.iter().copied().collect(), ..read },
            User { page: Vec::new(), timers: user.timers.clone(), ..take(user) },
        );
        assert_eq!(told.len(), user.timers.len(), "{name}: each timer once");
    }
    assert!(timers.is_empty(), "{timers:?}");
    driver.advance(1_000).unwrap();
    let fired: BTreeSet<_> = driver.drain().map(|record| record.value).collect();
    let expected = users.iter().flat_map(|(name, user)| user.timers.iter().map(|time| (name.clone(), *time)));
    assert_eq!(fired, expected.collect());
    driver.store_mut().with_key("user 1", |state| state.pages.add(9)).unwrap();
    assert_eq!(driver.store_mut().with_key("user 1", |state| state.pages.last()).unwrap(), Some(9));
    driver.commit("all fired").unwrap();
    drop(driver);
    let mut driver = Driver::builder(OfUser).open(backend).unwrap();
    assert_eq!(driver.timers().unwrap(), []);
    assert_eq!(driver.store_mut().with_key("user 1", |state| state.pages.last()).unwrap(), Some(9));
}

fn take(user: &User) -> User {
    User {
        seen: user.seen,
        longest: user.longest,
        pages: user.pages.clone(),
        by_status: user.by_status.clone(),
        ..User::default()
    }
}

on_every_backend!(two_keys_become_one_as_the_functions_say);

fn visited() -> Arc<InMemoryStateBackend> {
    let backend = Arc::new(InMemoryStateBackend::new());
    let mut store = Keyed::<ByDevice>::open(backend.clone()).unwrap();
    for device in [1, 2] {
        store.with_key(&("ann".to_owned(), device), |state| state.seen.set(u64::from(device))).unwrap();
    }
    store.with_key(&("bob".to_owned(), 1), |state| state.by_status.put_all([(200, 1), (201, 2)])).unwrap();
    store.commit("here").unwrap();
    backend
}

fn records(backend: &Arc<InMemoryStateBackend>) -> Vec<(Vec<u8>, Vec<u8>)> {
    // Who writes is not part of the state.
    backend.scan(b"").map(Result::unwrap).filter(|(key, _)| !key.starts_with(b"\0\0w")).collect()
}

#[test]
fn keys_that_become_one_are_refused_by_name_and_the_state_stays() {
    let backend = visited();
    let before = records(&backend);
    let error = migration().run(&backend).unwrap_err();
    let said = error.to_string();
    assert_eq!((error.operator(), error.state()), (Some("visits"), Some("seen")));
    assert!(said.contains(r#"["ann",1]"#) && said.contains(r#"["ann",2]"#) && said.contains("merge("), "{said}");
    // All but one is not enough.
    let most = migration().merge("seen", u64::max).merge("page", |one: String, _| one).merge("longest", u64::max);
    let error = most.append("pages").run(&backend).unwrap_err();
    assert_eq!(error.state(), Some("by_status"));
    let mut store = Keyed::<ByDevice>::open(backend.clone()).unwrap();
    assert_eq!(store.with_key(&("ann".to_owned(), 2), |state| state.seen.get()).unwrap(), Some(2));
    store.commit("here").unwrap();
    drop(store);
    assert_eq!(records(&backend).len(), before.len(), "nothing is left over");
}

#[derive(KeyedState)]
#[state(key = (String, u32), name = "visits")]
struct ByClass {
    seen: ValueState<u64>,
    by_status: MapState<String, u64>,
}

#[test]
fn map_keys_that_become_one_are_refused_by_name_or_merged() {
    let backend = visited();
    let migration = || {
        KeyMigration::<ByDevice, ByClass>::new(|key| key)
            .map_keys("by_status", |status: u16| format!("{}xx", status / 100))
    };
    let error = migration().run(&backend).unwrap_err();
    let said = error.to_string();
    assert_eq!((error.state(), error.key()), (Some("by_status"), Some(r#"["bob",1]"#)));
    assert!(said.contains("200") && said.contains("201"), "{said}");
    migration().merge("by_status", |one: u64, other: u64| one + other).run(&backend).unwrap();
    let mut store = Keyed::<ByClass>::open(backend).unwrap();
    let entries = store.with_key(&("bob".to_owned(), 1), |state| state.by_status.entries()).unwrap();
    assert_eq!(entries, [("2xx".to_owned(), 3)]);
    assert_eq!(store.with_key(&("ann".to_owned(), 1), |state| state.seen.get()).unwrap(), Some(1));
}

macro_rules! ending {
    ($name:ident, $key:ty) => {
        #[derive(KeyedState)]
        #[state(key = $key, name = "ending")]
        struct $name {
            #[state(ttl = "60s", clock = "processing")]
            seen: ValueState<u64>,
            ever: ValueState<u64>,
        }
    };
}
ending!(EndingByDevice, (String, u32));
ending!(EndingByUser, String);

#[test]
fn what_has_ended_is_not_merged_and_what_has_not_ends_with_the_later() {
    let backend = Arc::new(InMemoryStateBackend::new());
    let clock = Arc::new(ManualClock::new(0));
    let mut store = Keyed::<EndingByDevice>::builder().clock(clock.clone()).open(backend.clone()).unwrap();
    for (device, time) in [(1, 0), (2, 30_000), (3, 50_000)] {
        clock.set(time);
        store
            .with_key(&("ann".to_owned(), device), |state| {
                state.seen.set(1 << device);
                state.ever.set(1 << device);
            })
            .unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    clock.set(60_000);
    let migration = KeyMigration::<EndingByDevice, EndingByUser>::new(|(user, _)| user).clock(clock.clone());
    let add = |one: u64, other: u64| one + other;
    migration.merge("seen", add).merge("ever", add).run(&backend).unwrap();
    let mut store = Keyed::<EndingByUser>::builder().clock(clock.clone()).open(backend).unwrap();
    for (time, seen) in [(60_000, Some(12)), (109_999, Some(12)), (110_000, None)] {
        clock.set(time);
        let read = store.with_key("ann", |state| (state.seen.get(), state.ever.get())).unwrap();
        assert_eq!(read, (seen, Some(14)), "{time}");
    }
}

macro_rules! paged {
    ($name:ident, $key:ty) => {
        #[derive(KeyedState)]
        #[state(key = $key, name = "paged")]
        struct $name {
            page: ValueState<String>,
        }
    };
}
paged!(PagedByDevice, (String, u32));
paged!(PagedByUser, String);

/// Values of two keys, put together by `merge`, and what comes of them, short or long.
fn paged<P: Place>(place: &P, pages: [&str; 2], merge: fn(String, String) -> String) {
    let backend = place.open();
    let mut store = Keyed::<PagedByDevice>::open(backend.clone()).unwrap();
    for (device, page) in (1..).zip(pages) {
        store.with_key(&("ann".to_owned(), device), |state| state.page.set(page.to_owned())).unwrap();
    }
    store.commit("").unwrap();
    drop(store);
    let migration = KeyMigration::<PagedByDevice, PagedByUser>::new(|(user, _)| user).merge("page", merge);
    migration.run(&backend).unwrap();
    let read = |store: &mut Keyed<PagedByUser>| store.with_key("ann", |state| state.page.get()).unwrap();
    let expected = [merge(pages[0].into(), pages[1].into()), merge(pages[1].into(), pages[0].into())];
    let rows = backend.scan(b"").filter(|record| !record.as_ref().unwrap().0.starts_with(b"\0\0")).count();
    assert!(rows <= 1 + usize::from(expected[0].len() > 512), "what lay apart is gone, if it does not any more");
    let mut store = Keyed::<PagedByUser>::open(backend.clone()).unwrap();
    assert!(expected.contains(&read(&mut store).unwrap()));
    drop(store);
    // Set without being read, and cleared: nothing of it comes back.
    let mut store = Keyed::<PagedByUser>::open(backend.clone()).unwrap();
    store.with_key("ann", |state| state.page.set("short".to_owned())).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<PagedByUser>::open(backend.clone()).unwrap();
    assert_eq!(read(&mut store).as_deref(), Some("short"));
    store.with_key("ann", |state| state.page.clear()).unwrap();
    store.commit("").unwrap();
    drop(store);
    let mut store = Keyed::<PagedByUser>::open(backend).unwrap();
    assert_eq!((store.keys().unwrap(), read(&mut store)), (Vec::new(), None));
}

fn what_comes_of_two_values_is_long_or_short<P: Place>(place: P) {
    let (long, other) = ("long ".repeat(300), "other ".repeat(300));
    paged(&place, ["a", "b"], |one, other| [one, other].concat().repeat(1_000));
    for pages in [[long.as_str(), "b"], ["a", other.as_str()], [long.as_str(), other.as_str()]] {
        paged(&P::new(), pages, |one, other| one[..1].to_owned() + &other[..1]);
        paged(&P::new(), pages, |one, other| one + &other);
    }
}

on_every_backend!(what_comes_of_two_values_is_long_or_short);
