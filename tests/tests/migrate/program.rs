//! An operator with a state of each kind and timers, before and after its keys were migrated, and what can be seen of it.

use krishiv_api::Timer;
use std::collections::BTreeMap;

/// Text that lies apart from its row.
pub fn long(number: u32) -> String {
    format!("{number} ").repeat(20_000)
}

/// What can be seen of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub seen: Option<u64>,
    pub page: Option<String>,
    pub total: Option<u64>,
    pub recent: Option<u32>,
    pub delays: Vec<i32>,
    pub by_status: BTreeMap<String, u64>,
    pub timers: Vec<Timer>,
}

/// What can be seen of the whole operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    pub rows: BTreeMap<String, Row>,
    pub rules: BTreeMap<String, i32>,
    pub position: Option<Vec<u8>>,
    pub watermark: Option<i64>,
}

macro_rules! program {
    ($name:ident, $key:ty, $status:ty, $seen:ty) => {
        pub mod $name {
            use super::{Row, World};
            use krishiv_api::{
                BoxError, BroadcastContext, BroadcastOperator, BroadcastState, Driver, EventContext, KeyedState,
                ListState, MapState, Operator, ReducingState, StateBackend, StateError, Timer, ValueState,
            };
            use std::sync::Arc;

            #[derive(KeyedState)]
            #[state(key = $key, name = "visits")]
            pub struct Visits {
                pub seen: ValueState<$seen>,
                pub page: ValueState<String>,
                #[state(reduce = u64::max)]
                pub total: ReducingState<u64>,
                #[state(ttl = "1h", clock = "event")]
                pub recent: ValueState<u32>,
                pub delays: ListState<i32>,
                pub by_status: MapState<$status, u64>,
                pub rules: BroadcastState<String, i32>,
            }

            /// Does with the state of a key, and its timers, what it is told.
            pub struct Count;

            /// What is done at a key.
            pub type Act = Box<dyn FnOnce(&Visits, &mut EventContext<'_, Count>)>;

            impl Operator for Count {
                type State = Visits;
                type In = ($key, Act);
                type Out = ($key, Timer, Option<u64>);

                fn key(&self, (key, _): &Self::In) -> $key {
                    key.clone()
                }

                fn on_event(
                    &mut self,
                    state: &Visits,
                    (_, act): Self::In,
                    ctx: &mut EventContext<'_, Self>,
                ) -> Result<(), BoxError> {
                    act(state, ctx);
                    Ok(())
                }

                fn on_timer(
                    &mut self,
                    state: &Visits,
                    timer: Timer,
                    ctx: &mut EventContext<'_, Self>,
                ) -> Result<(), BoxError> {
                    let key = ctx.current_key().clone();
                    ctx.emit((key, timer, state.seen.get().map(|seen| seen as u64)));
                    Ok(())
                }
            }

            impl BroadcastOperator for Count {
                type Broadcast = (String, i32);

                fn on_broadcast(
                    &mut self,
                    state: &Visits,
                    (rule, limit): (String, i32),
                    ctx: &mut BroadcastContext<'_, Self>,
                ) -> Result<(), BoxError> {
                    state.rules.put(ctx.scope(), rule, limit);
                    Ok(())
                }
            }

            pub fn open<B: StateBackend>(backend: Arc<B>) -> Result<Driver<Count>, StateError> {
                Driver::builder(Count).open(backend)
            }

            /// Looks at everything; `name` is what a key is called, on either side.
            pub fn look(driver: &mut Driver<Count>, name: impl Fn(&$key) -> String) -> World {
                let (position, watermark) = (driver.store().position().map(<[u8]>::to_vec), driver.watermark());
                let mut world = World { position, watermark, ..World::default() };
                for key in driver.store_mut().keys().unwrap() {
                    let (row, rules) = driver.store_mut().with_key(&key, read).unwrap();
                    world.rows.insert(name(&key), row);
                    world.rules = rules.into_iter().collect();
                }
                let mut timers = driver.timers().unwrap();
                timers.sort_by_key(|(_, timer)| *timer);
                for (key, timer) in timers {
                    world.rows.entry(name(&key)).or_default().timers.push(timer);
                }
                world
            }

            fn read(state: &Visits) -> (Row, Vec<(String, i32)>) {
                let row = Row {
                    seen: state.seen.get().map(|seen| seen as u64),
                    page: state.page.get(),
                    total: state.total.get(),
                    recent: state.recent.get(),
                    delays: state.delays.get(),
                    by_status: state
                        .by_status
                        .entries()
                        .into_iter()
                        .map(|(key, value)| (key.to_string(), value))
                        .collect(),
                    timers: Vec::new(),
                };
                (row, state.rules.entries())
            }
        }
    };
}

program!(old, u32, u16, u64);
program!(new, String, String, u128);

/// The name of a key by the new program.
pub fn name(id: u32) -> String {
    format!("visitor-{}", id.wrapping_mul(2_654_435_761))
}
