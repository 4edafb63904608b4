use krishiv_api::{BroadcastState, KeyedState, ListState, MapState, ReducingState, ValueState};

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late: ValueState<u32>,
    delays: ListState<i32>,
    destinations: MapState<String, u32>,
    worst: ReducingState<i32>,
    rules: BroadcastState<String, i32>,
}

fn write(state: &Aircraft) {
    state.late.insert(1);
    state.late.put(1);
    state.delays.push(20);
    state.delays.append(&mut vec![20]);
    state.delays.extend([20, 35]);
    state.destinations.insert("ORD".to_owned(), 1);
    state.destinations.extend([("ORD".to_owned(), 1)]);
    state.worst.add(20);
    state.worst.push(20);
    state.rules.insert("EV".to_owned(), 15);
}

fn read(state: &Aircraft) -> bool {
    let is_known = state.destinations.contains_key("ORD");
    state.delays.len() > 0 && state.destinations.len() > 0 && state.rules.len() > 0 && is_known
}

fn main() {}
