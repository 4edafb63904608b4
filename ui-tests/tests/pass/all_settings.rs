//! Every setting that there is, and what the constants say of it.

use krishiv_api::{
    BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState, ReducingState,
    StateKind, TtlClock, TtlUpdate, ValueState,
};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String)]
struct HTTPServer {
    late_streak: ValueState<u32>,
    #[state(ttl = "7d", clock = "event", ttl_update = "read_and_write")]
    recent_delays: ListState<i32>,
    #[state(ttl = "90m")]
    destinations: MapState<String, u32>,
    #[state(reduce = i32::max, name = "worst-delay.max")]
    worst_delay: ReducingState<i32>,
    merged: ReducingState<i32>,
    #[state(name = "rule")]
    #[state(clock = "processing", ttl = "1ms", ttl_update = "create_and_write")]
    rules: ValueState<u8>,
    broadcast: BroadcastState<String, i32>,
    #[state(skip)]
    note: String,
}

#[derive(KeyedState)]
#[state(key = (String, u32))]
#[state(name = "planes", durable, crate = krishiv_api,)]
struct Aircraft {
    seen: ValueState<u32>,
}

fn main() {
    assert_eq!(HTTPServer::OPERATOR, "http_server");
    assert!(!HTTPServer::DURABLE);
    let names: Vec<&str> = HTTPServer::DESCRIPTORS.iter().map(|state| state.name()).collect();
    assert_eq!(names, ["late_streak", "recent_delays", "destinations", "worst-delay.max", "merged", "rule", "broadcast"]);
    let kinds: Vec<StateKind> = HTTPServer::DESCRIPTORS.iter().map(|state| state.kind()).collect();
    use StateKind::{Broadcast, List, Map, Reducing, Value};
    assert_eq!(kinds, [Value, List, Map, Reducing, Reducing, Value, Broadcast]);

    let ttl = |index: usize| HTTPServer::DESCRIPTORS[index].ttl().map(|ttl| (ttl.ttl_ms(), ttl.clock(), ttl.update()));
    assert_eq!(ttl(0), None);
    assert_eq!(ttl(1), Some((604_800_000, TtlClock::Event, TtlUpdate::ReadAndWrite)));
    assert_eq!(ttl(2), Some((5_400_000, TtlClock::Processing, TtlUpdate::CreateAndWrite)));
    assert_eq!(ttl(5), Some((1, TtlClock::Processing, TtlUpdate::CreateAndWrite)));

    assert_eq!(Aircraft::OPERATOR, "planes");
    assert!(Aircraft::DURABLE);

    let clock = Arc::new(ManualClock::new(0));
    let builder = Keyed::<HTTPServer>::builder().clock(Arc::clone(&clock));
    let mut store = builder.open(Arc::new(InMemoryStateBackend::new())).unwrap();
    store.set_watermark(0);
    store.broadcast(|state, scope| state.broadcast.put(scope, "a".to_owned(), 1)).unwrap();
    for delay in [20, 35, -3] {
        let event = |state: &HTTPServer| {
            assert_eq!(state.note, "");
            state.late_streak.set(1);
            state.recent_delays.add(delay);
            state.destinations.put("IAH".to_owned(), 1);
            state.worst_delay.merge(delay);
            state.merged.merge(delay);
            state.rules.set(1);
        };
        store.with_key("N14228", event).unwrap();
    }
    let merged = |state: &HTTPServer| (state.worst_delay.get(), state.merged.get(), state.broadcast.get("a"));
    assert_eq!(store.with_key("N14228", merged).unwrap(), (Some(35), Some(-3), Some(1)));
    let alive = |state: &HTTPServer| {
        let (list, map) = (state.recent_delays.length(), state.destinations.length());
        (state.late_streak.exists(), list, map, state.rules.exists())
    };
    clock.advance(1);
    assert_eq!(store.with_key("N14228", alive).unwrap(), (true, 3, 1, false));
    clock.advance(90 * 60_000);
    assert_eq!(store.with_key("N14228", alive).unwrap(), (true, 3, 0, false));
    // Reading it above was a refresh, so it is the watermark and not the clock that ends it.
    store.set_watermark(604_800_000);
    assert_eq!(store.with_key("N14228", alive).unwrap(), (true, 0, 0, false));
}
