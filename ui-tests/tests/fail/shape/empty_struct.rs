use krishiv_api::KeyedState;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {}

fn main() {}
