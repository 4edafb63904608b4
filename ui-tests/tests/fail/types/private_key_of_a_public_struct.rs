use krishiv_api::KeyedState;

pub mod operators {
    use krishiv_api::ValueState;

    #[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Eq, Hash)]
    struct Tail(String);

    #[derive(krishiv_api::KeyedState)]
    #[state(key = Tail)]
    pub struct Aircraft {
        pub late: ValueState<u32>,
    }
}

fn main() {
    let _ = <operators::Aircraft as KeyedState>::OPERATOR;
}
