use krishiv_api::{BoxError, Driver, EventContext, InMemoryStateBackend, KeyedState, Operator, ValueState};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = String, durable)]
struct Aircraft {
    late: ValueState<u32>,
}

struct Count;

impl Operator for Count {
    type State = Aircraft;
    type In = String;
    type Out = u32;

    fn key(&self, tail: &String) -> String {
        tail.clone()
    }

    fn on_event(&mut self, state: &Aircraft, _: String, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        state.late.set(1);
        Ok(())
    }
}

fn main() {
    let _driver = Driver::builder(Count).open(Arc::new(InMemoryStateBackend::new()));
}
