use krishiv_api::KeyedState;

#[derive(KeyedState)]
#[state(key = u64)]
struct Aircraft {
    #[state(skip, name = "x", ttl = "7d", reduce = i32::max)]
    note: String,
}

fn main() {}
