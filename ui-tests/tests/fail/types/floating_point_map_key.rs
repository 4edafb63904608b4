use krishiv_api::{KeyedState, MapState};

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    by_delay: MapState<f32, u8>,
}

fn main() {}
