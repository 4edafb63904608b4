use krishiv_api::{
    BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState, ReducingState,
    StateError, ValueState,
};
use std::sync::Arc;

/// Every kind of state, with every setting.
#[derive(KeyedState)]
#[state(key = String, name = "planes")]
pub struct Aircraft {
    pub late_streak: ValueState<u32>,
    #[state(ttl = "7d", clock = "event", ttl_update = "read_and_write")]
    pub recent_delays: ListState<i32>,
    #[state(name = "airports", ttl = "90m")]
    pub destinations: MapState<String, u32>,
    #[state(reduce = i32::max)]
    pub worst_delay: ReducingState<i32>,
    pub rules: BroadcastState<String, i32>,
}

pub fn run() -> Result<String, StateError> {
    let clock = Arc::new(ManualClock::new(0));
    let builder = Keyed::<Aircraft>::builder().clock(Arc::clone(&clock));
    let mut store = builder.open(Arc::new(InMemoryStateBackend::new()))?;
    store.set_watermark(0);
    store.broadcast(|state, scope| state.rules.put(scope, "EV".to_owned(), 30))?;
    for delay in [20, 35, -3] {
        store.with_key("N14228", |state| {
            state.late_streak.update(|streak| *streak.get_or_insert(0) += 1);
            state.recent_delays.add(delay);
            state.destinations.put("IAH".to_owned(), 1);
            state.worst_delay.merge(delay);
        })?;
    }
    let seen = store.with_key("N14228", |state| {
        let (streak, worst, rule) = (state.late_streak.get(), state.worst_delay.get(), state.rules.get("EV"));
        format!("{streak:?} {:?} {:?} {worst:?} {rule:?}", state.recent_delays.get(), state.destinations.keys())
    })?;
    store.set_watermark(7 * 86_400_000);
    clock.advance(90 * 60_000);
    let later = store.with_key("N14228", |state| (state.recent_delays.length(), state.destinations.length()))?;
    Ok(format!("{} {:?} {seen} {later:?}", Aircraft::OPERATOR, Aircraft::DESCRIPTORS))
}
