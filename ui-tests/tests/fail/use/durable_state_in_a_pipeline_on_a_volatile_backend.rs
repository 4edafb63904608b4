use krishiv_api::{BoxError, EventContext, InMemoryStateBackend, KeyedState, Operator, ValueState};
use krishiv_pipeline::{IterSource, MemorySink, Pipeline};
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
    let tails = IterSource::new(["N14228".to_owned()]);
    let pipeline = Pipeline::new(Arc::new(InMemoryStateBackend::new())).source(tails).operator(Count);
    let _summary = pipeline.sink(MemorySink::new()).run();
}
