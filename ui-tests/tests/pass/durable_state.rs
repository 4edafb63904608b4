//! Durable state opens on a durable backend, whatever opens it: a store, a driver, a harness, a pipeline, code that knows neither.

use krishiv_api::{
    BoxError, Driver, Durable, EventContext, Harness, InMemoryStateBackend, Keeps, Keyed, KeyedState, Operator, Scan,
    StateBackend, StateError, TtlConfig, TtlStateBackend, ValueState, WriteBatch,
};
use krishiv_pipeline::{IterSource, MemorySink, Pipeline, PipelineError};
use std::sync::Arc;

#[derive(KeyedState)]
#[state(key = u64, durable)]
struct Balances {
    cents: ValueState<u64>,
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Visits {
    seen: ValueState<u64>,
}

/// A backend of a user's own, that says of itself what it does.
struct OnDisk(InMemoryStateBackend);

impl StateBackend for OnDisk {
    type Survival = Durable;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.0.get(key)
    }

    fn scan<'a>(&'a self, prefix: &[u8]) -> Scan<'a> {
        self.0.scan(prefix)
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        self.0.write(batch)
    }
}

struct Add;

impl Operator for Add {
    type State = Balances;
    type In = u64;
    type Out = u64;

    fn key(&self, event: &u64) -> u64 {
        *event
    }

    fn on_event(&mut self, state: &Balances, event: u64, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        state.cents.set(state.cents.get_or(0) + event);
        Ok(())
    }
}

fn on_disk<S: KeyedState>(backend: Arc<OnDisk>) -> Result<Keyed<S>, StateError> {
    Keyed::open(backend)
}

fn under_a_ttl<S: KeyedState>(backend: Arc<OnDisk>) -> Result<Keyed<S>, StateError> {
    Keyed::open(Arc::new(TtlStateBackend::new(backend, TtlConfig::new(1))))
}

fn on_any<B: StateBackend>(backend: Arc<B>) -> Result<Keyed<Visits>, StateError> {
    Keyed::open(backend)
}

fn any_on_any<S: KeyedState, B: StateBackend + Keeps<S>>(backend: Arc<B>) -> Result<Keyed<S>, StateError> {
    Keyed::builder().open(backend)
}

fn any_driven_on_any<O: Operator, B>(operator: O, backend: Arc<B>) -> Result<Driver<O>, StateError>
where
    B: StateBackend + Keeps<O::State>,
{
    Driver::builder(operator).open(backend)
}

fn any_in_a_harness<O: Operator + 'static>(operator: fn() -> O) -> Result<Harness<O>, StateError> {
    Harness::new(operator)
}

fn run<B: StateBackend + Keeps<Balances>>(backend: Arc<B>) -> Result<(), PipelineError> {
    let pipeline = Pipeline::new(backend).source(IterSource::new([7])).operator(Add);
    pipeline.sink(MemorySink::new()).run().map(|_| ())
}

fn main() {
    let disk = || Arc::new(OnDisk(InMemoryStateBackend::new()));
    on_disk::<Balances>(disk()).unwrap();
    on_disk::<Visits>(disk()).unwrap();
    under_a_ttl::<Balances>(disk()).unwrap();
    under_a_ttl::<Visits>(disk()).unwrap();
    on_any(disk()).unwrap();
    on_any(Arc::new(InMemoryStateBackend::new())).unwrap();
    any_on_any::<Balances, _>(disk()).unwrap();
    any_on_any::<Visits, _>(Arc::new(InMemoryStateBackend::new())).unwrap();
    any_driven_on_any(Add, disk()).unwrap();
    run(disk()).unwrap();

    let backend = disk();
    let again = move || Ok(Arc::clone(&backend));
    Harness::builder(|| Add).shared_backend(again).open().unwrap().event(7).unwrap();
    Harness::builder(|| Add).backend(|| Ok(OnDisk(InMemoryStateBackend::new()))).open().unwrap();
    any_in_a_harness(|| Add).unwrap().event(7).unwrap();
}
