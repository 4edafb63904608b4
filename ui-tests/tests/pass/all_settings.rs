//! Every setting that there is, and what the constants say of it.

use krishiv_api::{
    BroadcastState, KeyedState, ListState, MapState, ReducingState, StateKind, TtlClock, TtlUpdate, ValueState,
};

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
    let _ = |server: &HTTPServer| server.note.len();
}
