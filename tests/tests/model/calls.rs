//! The calls on handles: how the store answers them, and how the model does.

use crate::Everything;
use crate::world::{LATEST, LISTS, List, MAPS, MERGED, Map, Now, Row, VALUES, Value, View};
use krishiv_api::{BroadcastState, ListState, MapState, ReducingState, StateError, ValueState};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a call returned, as text, so that all of them compare alike.
pub type Answer = String;

fn show(answer: impl Debug) -> Answer {
    format!("{answer:?}")
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    what: What,
    /// Through a handle made by name, although the struct may declare the state.
    by_name: bool,
    /// By the `try_` twin.
    twin: bool,
}

#[derive(Clone, Debug)]
enum What {
    Value(usize, ValueCall),
    List(usize, ListCall),
    Map(usize, MapCall),
    Merged(usize, MergedCall),
    Rules(RulesCall),
}

#[derive(Clone, Debug)]
enum ValueCall {
    Get,
    GetJson,
    GetOr(String),
    With,
    Exists,
    Set(String),
    SetJson(String),
    Append(String),
    Forget,
    Take,
    Clear,
    PanicInWith,
    PanicInUpdate,
}

#[derive(Clone, Debug)]
enum ListCall {
    Get,
    GetJson,
    ForEach,
    Length,
    IsEmpty,
    First,
    Last,
    Add(i32),
    AddJson(i32),
    AddAll(Vec<i32>),
    TruncateFront(usize),
    RetainBelow(i32),
    Replace(Vec<i32>),
    Clear,
    PanicInForEach,
    PanicInRetain,
}

#[derive(Clone, Debug)]
enum MapCall {
    Get(String),
    GetJson(String),
    Contains(String),
    Keys,
    Values,
    Entries,
    ForEach,
    Length,
    IsEmpty,
    Put(String, u32),
    PutJson(String, u32),
    PutAll(Vec<(String, u32)>),
    Increment(String),
    Forget(String),
    Remove(String),
    RetainBelow(u32),
    Clear,
    PanicInForEach,
    PanicInUpdate(String),
    PanicInRetain,
}

#[derive(Clone, Debug)]
enum MergedCall {
    Get,
    Merge(String),
    Clear,
    PanicInMerge,
}

#[derive(Clone, Debug)]
enum RulesCall {
    Get(String),
    Contains(String),
    Entries,
    Length,
}

fn text() -> impl Strategy<Value = String> {
    // A long one lies apart from the other values of its row.
    prop_oneof![9 => select(vec!["", "x", "xy", "y"]).prop_map(str::to_owned), 1 => Just("z".repeat(600))]
}

/// Calls of one event: now on all states, now on a single one, where they meet what the others have left.
pub fn calls() -> impl Strategy<Value = Vec<Call>> {
    prop_oneof![vec(what(0..2), 0..6).prop_map(|whats| whats.concat()), what(1..6)]
        .prop_flat_map(|whats| {
            let length = whats.len();
            (Just(whats), vec(any::<(bool, bool)>(), length))
        })
        .prop_map(|(whats, ways)| {
            let calls = whats.into_iter().zip(ways);
            calls.map(|(what, (by_name, twin))| Call { what, by_name, twin }).collect()
        })
}

/// Calls on one state.
fn what(count: Range<usize>) -> impl Strategy<Value = Vec<What>> {
    fn on<C: Debug + Clone>(
        states: usize,
        calls: impl Strategy<Value = Vec<C>>,
        what: fn(usize, C) -> What,
    ) -> impl Strategy<Value = Vec<What>> {
        (0..states, calls).prop_map(move |(which, calls)| calls.into_iter().map(|call| what(which, call)).collect())
    }
    prop_oneof![
        on(VALUES.len(), vec(value_call(), count.clone()), What::Value),
        on(LISTS.len(), vec(list_call(), count.clone()), What::List),
        on(MAPS.len(), vec(map_call(), count.clone()), What::Map),
        on(MERGED.len(), vec(merged_call(), count.clone()), What::Merged),
        on(1, vec(rules_call(), count), |_, call| What::Rules(call)),
    ]
}

fn value_call() -> impl Strategy<Value = ValueCall> {
    use ValueCall::*;
    prop_oneof![
        Just(Get),
        Just(GetJson),
        text().prop_map(GetOr),
        Just(With),
        Just(Exists),
        text().prop_map(Set),
        text().prop_map(SetJson),
        text().prop_map(Append),
        Just(Forget),
        Just(Take),
        Just(Clear),
        Just(PanicInWith),
        Just(PanicInUpdate),
    ]
}

fn list_call() -> impl Strategy<Value = ListCall> {
    use ListCall::*;
    let items = || vec(0..9, 0..4);
    prop_oneof![
        1 => Just(Get),
        1 => Just(GetJson),
        1 => Just(ForEach),
        1 => Just(Length),
        1 => Just(IsEmpty),
        1 => Just(First),
        1 => Just(Last),
        5 => (0..9).prop_map(Add),
        2 => (0..9).prop_map(AddJson),
        2 => items().prop_map(AddAll),
        1 => (0..4_usize).prop_map(TruncateFront),
        1 => (0..9).prop_map(RetainBelow),
        1 => items().prop_map(Replace),
        1 => Just(Clear),
        1 => Just(PanicInForEach),
        1 => Just(PanicInRetain),
    ]
}

fn map_call() -> impl Strategy<Value = MapCall> {
    use MapCall::*;
    prop_oneof![
        1 => text().prop_map(Get),
        1 => text().prop_map(GetJson),
        1 => text().prop_map(Contains),
        1 => Just(Keys),
        1 => Just(Values),
        1 => Just(Entries),
        1 => Just(ForEach),
        1 => Just(Length),
        1 => Just(IsEmpty),
        5 => (text(), 0..9_u32).prop_map(|(key, value)| Put(key, value)),
        2 => (text(), 0..9_u32).prop_map(|(key, value)| PutJson(key, value)),
        2 => vec((text(), 0..9_u32), 0..4).prop_map(PutAll),
        2 => text().prop_map(Increment),
        1 => text().prop_map(Forget),
        2 => text().prop_map(Remove),
        1 => (0..9_u32).prop_map(RetainBelow),
        1 => Just(Clear),
        1 => Just(PanicInForEach),
        1 => text().prop_map(PanicInUpdate),
        1 => Just(PanicInRetain),
    ]
}

fn merged_call() -> impl Strategy<Value = MergedCall> {
    use MergedCall::*;
    prop_oneof![2 => Just(Get), 4 => text().prop_map(Merge), 1 => Just(Clear), 1 => Just(PanicInMerge)]
}

fn rules_call() -> impl Strategy<Value = RulesCall> {
    use RulesCall::*;
    prop_oneof![text().prop_map(Get), text().prop_map(Contains), Just(Entries), Just(Length)]
}

/// Calls the method, or its twin.
macro_rules! either {
    ($twin:expr, $handle:ident.$plain:ident|$try:ident($($argument:expr),*)) => {
        if $twin { $handle.$try($($argument),*)? } else { $handle.$plain($($argument),*) }
    };
}

/// Runs what panics, as a caller does who goes on regardless.
fn caught<R>(f: impl FnOnce() -> R) {
    drop(catch_unwind(AssertUnwindSafe(f)));
}

/// A panic without a message on the screen.
fn panic<R>() -> R {
    resume_unwind(Box::new("on purpose"))
}

/// Merges by appending, where the order matters; a text with a `!` makes it panic.
pub fn join(a: String, b: String) -> String {
    if b.contains('!') { panic() } else { a + &b }
}

impl Call {
    /// What the store answers.
    pub fn run(&self, state: &Everything) -> Result<Answer, StateError> {
        let Self { what, by_name, twin } = self;
        match what {
            What::Value(which, call) => {
                let declared = [&state.value, &state.brief_value, &state.fresh_value, &state.session];
                match declared.get(*which).filter(|_| !by_name) {
                    Some(handle) => call.run(handle, *twin),
                    None => call.run(&ValueState::new(VALUES[*which].0), *twin),
                }
            }
            What::List(which, call) => {
                let declared = [&state.list, &state.brief_list, &state.fresh_list];
                match declared.get(*which).filter(|_| !by_name) {
                    Some(handle) => call.run(handle, *twin),
                    None => call.run(&ListState::new(LISTS[*which].0), *twin),
                }
            }
            What::Map(which, call) => {
                let declared = [&state.map, &state.brief_map, &state.fresh_map];
                match declared.get(*which).filter(|_| !by_name) {
                    Some(handle) => call.run(handle, *twin),
                    None => call.run(&MapState::new(MAPS[*which].0), *twin),
                }
            }
            What::Merged(which, call) => {
                let (name, _) = MERGED[*which];
                let declared = [&state.joined, &state.brief_joined, &state.latest];
                match declared.get(*which).filter(|_| !by_name) {
                    Some(handle) => call.run(handle, *twin),
                    // A handle without a reducer merges as the field does.
                    None if *which < declared.len() => call.run(&ReducingState::new(name), *twin),
                    None => call.run(&ReducingState::with_reducer(name, join), *twin),
                }
            }
            What::Rules(call) if *by_name => call.run(&BroadcastState::new("rules"), *twin),
            What::Rules(call) => call.run(&state.rules, *twin),
        }
    }

    /// What the model answers.
    pub fn expect(&self, row: &mut Row, rules: &BTreeMap<String, i32>, now: Now) -> Answer {
        match &self.what {
            What::Value(which, call) => call.expect(row.value(*which, now)),
            What::List(which, call) => call.expect(row.list(*which, now)),
            What::Map(which, call) => call.expect(row.map(*which, now)),
            What::Merged(which, call) => call.expect(row.merged(*which, now), *which == LATEST),
            What::Rules(call) => call.expect(rules),
        }
    }

    /// Turns it to the state at `which`, or near it, of its kind.
    pub fn narrow(&mut self, which: usize) {
        match &mut self.what {
            What::Value(place, _) => *place = which % VALUES.len(),
            What::List(place, _) => *place = which % LISTS.len(),
            What::Map(place, _) => *place = which % MAPS.len(),
            What::Merged(place, _) => *place = which % MERGED.len(),
            What::Rules(_) => {}
        }
    }

    /// Calls that show all there is.
    pub fn look() -> Vec<Self> {
        let mut whats = std::vec![What::Rules(RulesCall::Entries)];
        whats.extend((0..VALUES.len()).map(|which| What::Value(which, ValueCall::Get)));
        whats.extend((0..LISTS.len()).map(|which| What::List(which, ListCall::Get)));
        whats.extend((0..MAPS.len()).map(|which| What::Map(which, MapCall::Entries)));
        whats.extend((0..MERGED.len()).map(|which| What::Merged(which, MergedCall::Get)));
        whats.into_iter().map(|what| Self { what, by_name: false, twin: true }).collect()
    }
}

impl ValueCall {
    fn run(&self, handle: &ValueState<String>, twin: bool) -> Result<Answer, StateError> {
        Ok(match self.clone() {
            Self::Get => show(either!(twin, handle.get | try_get())),
            Self::GetJson => show(either!(twin, handle.get_json | try_get_json())),
            Self::GetOr(default) => show(either!(twin, handle.get_or | try_get_or(default))),
            Self::With => show(either!(twin, handle.with | try_with(|value| value.map(String::len)))),
            Self::Exists => show(either!(twin, handle.exists | try_exists())),
            Self::Set(value) => show(either!(twin, handle.set | try_set(value))),
            Self::SetJson(value) => show(either!(twin, handle.set_json | try_set_json(value))),
            Self::Append(more) => {
                show(either!(twin, handle.update | try_update(|value| value.get_or_insert_default().push_str(&more))))
            }
            Self::Forget => show(either!(twin, handle.update | try_update(|value| *value = None))),
            Self::Take => show(either!(twin, handle.take | try_take())),
            Self::Clear => show(either!(twin, handle.clear | try_clear())),
            Self::PanicInWith => {
                caught(|| handle.with(|_| panic::<()>()));
                show(())
            }
            Self::PanicInUpdate => {
                caught(|| {
                    handle.update(|value| {
                        value.take();
                        panic::<()>()
                    })
                });
                show(())
            }
        })
    }

    fn expect(&self, mut view: View<'_, Value>) -> Answer {
        match self.clone() {
            Self::Get | Self::GetJson | Self::Take => {
                let value = view.get();
                if matches!(self, Self::Take) {
                    view.put(None);
                }
                show(value)
            }
            Self::GetOr(default) => show(view.get().unwrap_or(default)),
            Self::With => show(view.get().map(|value| value.len())),
            Self::Exists => show(view.get().is_some()),
            Self::Set(value) | Self::SetJson(value) => {
                view.put(Some(value));
                show(())
            }
            Self::Append(more) => {
                let value = view.get().unwrap_or_default() + &more;
                view.put(Some(value));
                show(())
            }
            Self::Forget | Self::Clear => {
                view.put(None);
                show(())
            }
            Self::PanicInWith | Self::PanicInUpdate => {
                view.get();
                show(())
            }
        }
    }
}

impl ListCall {
    fn run(&self, handle: &ListState<i32>, twin: bool) -> Result<Answer, StateError> {
        Ok(match self.clone() {
            Self::Get => show(either!(twin, handle.get | try_get())),
            Self::GetJson => show(either!(twin, handle.get_json | try_get_json())),
            Self::ForEach => {
                let mut seen = Vec::new();
                either!(twin, handle.for_each | try_for_each(|item| seen.push(*item)));
                show(seen)
            }
            Self::Length => show(either!(twin, handle.length | try_length())),
            Self::IsEmpty => show(either!(twin, handle.is_empty | try_is_empty())),
            Self::First => show(either!(twin, handle.first | try_first())),
            Self::Last => show(either!(twin, handle.last | try_last())),
            Self::Add(item) => show(either!(twin, handle.add | try_add(item))),
            Self::AddJson(item) => show(either!(twin, handle.add_json | try_add_json(item))),
            Self::AddAll(items) => show(either!(twin, handle.add_all | try_add_all(items))),
            Self::TruncateFront(keep) => show(either!(twin, handle.truncate_front | try_truncate_front(keep))),
            Self::RetainBelow(limit) => show(either!(twin, handle.retain | try_retain(|item| *item < limit))),
            Self::Replace(items) => show(either!(twin, handle.replace | try_replace(items))),
            Self::Clear => show(either!(twin, handle.clear | try_clear())),
            Self::PanicInForEach => {
                caught(|| handle.for_each(|_| panic()));
                show(())
            }
            Self::PanicInRetain => {
                let mut asked = 0;
                caught(|| {
                    handle.retain(|_| {
                        asked += 1;
                        if asked > 1 { panic() } else { false }
                    });
                });
                show(asked)
            }
        })
    }

    fn expect(&self, mut view: View<'_, List>) -> Answer {
        match self.clone() {
            Self::Get | Self::GetJson | Self::ForEach => show(view.get()),
            Self::Length => show(view.get().len()),
            Self::IsEmpty => show(view.get().is_empty()),
            Self::First => show(view.get().first()),
            Self::Last => show(view.get().last()),
            Self::Add(item) | Self::AddJson(item) => {
                view.add(&[item]);
                show(())
            }
            Self::AddAll(items) => {
                view.add(&items);
                show(())
            }
            Self::TruncateFront(keep) => {
                view.truncate_front(keep);
                show(())
            }
            Self::RetainBelow(limit) => {
                view.retain(|item| *item < limit);
                show(())
            }
            Self::Replace(items) => {
                view.cell.clear();
                view.add(&items);
                show(())
            }
            Self::Clear => {
                view.cell.clear();
                show(())
            }
            Self::PanicInForEach => {
                view.get();
                show(())
            }
            Self::PanicInRetain => {
                // The second element panics, so that only a lonely one is dropped.
                let length = view.get().len();
                if length == 1 {
                    view.cell.clear();
                }
                show(length.min(2))
            }
        }
    }
}

impl MapCall {
    fn run(&self, handle: &MapState<String, u32>, twin: bool) -> Result<Answer, StateError> {
        Ok(match self.clone() {
            Self::Get(key) => show(either!(twin, handle.get | try_get(&key))),
            Self::GetJson(key) => show(either!(twin, handle.get_json | try_get_json(key.as_str()))),
            Self::Contains(key) => show(either!(twin, handle.contains | try_contains(key.as_str()))),
            Self::Keys => show(sorted(either!(twin, handle.keys | try_keys()))),
            Self::Values => show(sorted(either!(twin, handle.values | try_values()))),
            Self::Entries => show(sorted(either!(twin, handle.entries | try_entries()))),
            Self::ForEach => {
                let mut seen = Vec::new();
                either!(twin, handle.for_each | try_for_each(|key, value| seen.push((key.clone(), *value))));
                show(sorted(seen))
            }
            Self::Length => show(either!(twin, handle.length | try_length())),
            Self::IsEmpty => show(either!(twin, handle.is_empty | try_is_empty())),
            Self::Put(key, value) => show(either!(twin, handle.put | try_put(key, value))),
            Self::PutJson(key, value) => show(either!(twin, handle.put_json | try_put_json(key, value))),
            Self::PutAll(entries) => show(either!(twin, handle.put_all | try_put_all(entries))),
            Self::Increment(key) => {
                show(either!(twin, handle.update | try_update(key, |value| *value.get_or_insert(0) += 1)))
            }
            Self::Forget(key) => show(either!(twin, handle.update | try_update(key, |value| *value = None))),
            Self::Remove(key) => show(either!(twin, handle.remove | try_remove(key.as_str()))),
            Self::RetainBelow(limit) => show(either!(twin, handle.retain | try_retain(|_, value| *value < limit))),
            Self::Clear => show(either!(twin, handle.clear | try_clear())),
            Self::PanicInForEach => {
                caught(|| handle.for_each(|_, _| panic()));
                show(())
            }
            Self::PanicInUpdate(key) => {
                caught(|| {
                    handle.update(key, |value| {
                        *value = Some(99);
                        panic::<()>()
                    })
                });
                show(())
            }
            Self::PanicInRetain => {
                caught(|| handle.retain(|_, _| panic()));
                show(())
            }
        })
    }

    fn expect(&self, mut view: View<'_, Map>) -> Answer {
        match self.clone() {
            Self::Get(key) | Self::GetJson(key) => show(view.get(&key)),
            Self::Contains(key) => show(view.get(&key).is_some()),
            Self::Keys => show(view.all().into_keys().collect::<Vec<_>>()),
            Self::Values => show(sorted(view.all().into_values().collect())),
            Self::Entries | Self::ForEach => show(view.all().into_iter().collect::<Vec<_>>()),
            Self::Length => show(view.all().len()),
            Self::IsEmpty => show(view.all().is_empty()),
            Self::Put(key, value) | Self::PutJson(key, value) => {
                view.put(&key, Some(value));
                show(())
            }
            Self::PutAll(entries) => {
                entries.iter().for_each(|(key, value)| view.put(key, Some(*value)));
                show(())
            }
            Self::Increment(key) => {
                let value = view.get(&key).unwrap_or(0) + 1;
                view.put(&key, Some(value));
                show(())
            }
            Self::Forget(key) => {
                view.put(&key, None);
                show(())
            }
            Self::Remove(key) => {
                let value = view.get(&key);
                view.put(&key, None);
                show(value)
            }
            Self::RetainBelow(limit) => {
                view.retain(|value| *value < limit);
                show(())
            }
            Self::Clear => {
                view.cell.clear();
                show(())
            }
            Self::PanicInForEach | Self::PanicInRetain => {
                view.all();
                show(())
            }
            Self::PanicInUpdate(key) => {
                view.get(&key);
                show(())
            }
        }
    }
}

impl MergedCall {
    fn run(&self, handle: &ReducingState<String>, twin: bool) -> Result<Answer, StateError> {
        Ok(match self.clone() {
            Self::Get => show(either!(twin, handle.get | try_get())),
            Self::Merge(value) => show(either!(twin, handle.merge | try_merge(value))),
            Self::Clear => show(either!(twin, handle.clear | try_clear())),
            Self::PanicInMerge => {
                // Only a merge with something calls the reducer.
                let merges = either!(twin, handle.get | try_get()).is_some();
                if merges {
                    caught(|| handle.merge("!".to_owned()));
                }
                show(())
            }
        })
    }

    fn expect(&self, mut view: View<'_, Value>, replaces: bool) -> Answer {
        match self.clone() {
            Self::Get => show(view.get()),
            Self::Merge(value) => {
                let old = if replaces { None } else { view.get() };
                view.put(Some(old.unwrap_or_default() + &value));
                show(())
            }
            Self::Clear => {
                view.put(None);
                show(())
            }
            Self::PanicInMerge => {
                if view.get().is_some() && replaces {
                    view.put(Some("!".to_owned()));
                }
                show(())
            }
        }
    }
}

impl RulesCall {
    fn run(&self, handle: &BroadcastState<String, i32>, twin: bool) -> Result<Answer, StateError> {
        Ok(match self {
            Self::Get(key) => show(either!(twin, handle.get | try_get(key))),
            Self::Contains(key) => show(either!(twin, handle.contains | try_contains(key))),
            Self::Entries => show(sorted(either!(twin, handle.entries | try_entries()))),
            Self::Length => show(either!(twin, handle.length | try_length())),
        })
    }

    fn expect(&self, rules: &BTreeMap<String, i32>) -> Answer {
        match self {
            Self::Get(key) => show(rules.get(key)),
            Self::Contains(key) => show(rules.contains_key(key)),
            Self::Entries => show(rules.iter().collect::<Vec<_>>()),
            Self::Length => show(rules.len()),
        }
    }
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}
