//! Every golden folder, from format 1 on, is opened by structs whose types have changed since.

use krishiv_api::{
    BroadcastState, InMemoryStateBackend, Keyed, KeyedState, ListState, MapState, ReducingState, StateBackend,
    ValueState, WriteBatch,
};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

type Backend = Arc<InMemoryStateBackend>;

/// The state in the file `name` of each format, with the number of that.
fn each(name: &str) -> impl Iterator<Item = (u32, Backend)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let of_format = move |format| {
        let text = fs::read_to_string(folder.join(format!("format-{format}/{name}.txt"))).ok()?;
        Some((format, load(&text)))
    };
    (1..).map_while(of_format)
}

fn load(text: &str) -> Backend {
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    };
    let backend = Backend::default();
    let mut batch = WriteBatch::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').unwrap();
        batch.put(&bytes(key), &bytes(value));
    }
    backend.write(batch).unwrap();
    backend
}

#[derive(KeyedState)]
#[state(key = String, name = "aircraft")]
struct Before {
    late_streak: ValueState<u32>,
    recent_delays: ListState<i32>,
    destinations: MapState<String, u32>,
    #[state(reduce = i32::max)]
    worst_delay: ReducingState<i32>,
    rules: BroadcastState<String, i32>,
}

/// All numbers are wider, one is in a struct of its own, and one state has another name.
#[derive(KeyedState)]
#[state(key = String, name = "aircraft")]
struct Wider {
    late_streak: ValueState<Streak>,
    #[state(renamed_from = "recent_delays")]
    delays: ListState<i64>,
    destinations: MapState<String, u64>,
    #[state(reduce = i64::max)]
    worst_delay: ReducingState<i64>,
    rules: BroadcastState<String, i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Streak(u64);

#[test]
fn numbers_of_all_five_handles_are_wider() {
    let mut formats = 0;
    for (format, backend) in each("handles") {
        formats += 1;
        for round in 0..2 {
            let mut store = Keyed::<Wider>::open(Arc::clone(&backend)).unwrap();
            assert_eq!(store.position(), Some(&b"row \xff"[..]), "{format}");
            for (tail, delays) in [("N14228", [20, -3, 300]), ("", [0, 1, i32::MIN])] {
                store
                    .with_key(tail, |state| {
                        let streak = u64::from(delays[2].unsigned_abs());
                        assert_eq!(state.late_streak.get(), Some(Streak(streak)), "{format}");
                        assert_eq!(state.delays.get()[..3], delays.map(i64::from), "{format}");
                        assert_eq!(state.destinations.get("IAH"), Some(1));
                        assert_eq!(state.worst_delay.get(), delays.into_iter().max().map(i64::from));
                        assert_eq!(state.rules.entries(), [("*".to_owned(), 15), ("EV".to_owned(), 30)]);
                        state.late_streak.update(|streak| streak.as_mut().unwrap().0 += 0);
                        state.delays.add(round);
                        state.destinations.put(format!("round {round}"), 1);
                    })
                    .unwrap();
            }
            store.commit(b"row \xff").unwrap();
        }
        // The program of before goes on with it.
        let mut store = Keyed::<Before>::open(backend).unwrap();
        store
            .with_key("N14228", |state| {
                assert_eq!((state.late_streak.get(), state.worst_delay.get()), (Some(300), Some(300)));
                assert_eq!(state.recent_delays.get(), [20, -3, 300, 0, 1]);
                assert_eq!(state.destinations.length(), 4);
                assert_eq!(state.rules.get("EV"), Some(30));
            })
            .unwrap();
    }
    assert!(formats >= 7, "only {formats}");
}

/// A flight with a field more, in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flight {
    number: u32,
    #[serde(default)]
    gate: Option<String>,
    carrier: String,
}

#[derive(KeyedState)]
#[state(key = u64, name = "values", dropped("everything", "any"))]
struct Values {
    json: ValueState<Flight>,
    numbers: ListState<Option<f64>>,
    entries: MapState<u8, Flight>,
}

#[test]
fn values_in_postcard_and_in_json_have_a_field_more() {
    let flight = || Flight { number: 1545, gate: None, carrier: "UA".into() };
    for (format, backend) in each("values") {
        for round in 0..2 {
            let mut store = Keyed::<Values>::open(Arc::clone(&backend)).unwrap();
            assert_eq!(store.undeclared(), []);
            store
                .with_key(&u64::MAX, |state| {
                    let gate = (round > 0).then(|| "C4".to_owned());
                    assert_eq!(state.json.get(), Some(Flight { gate: gate.clone(), ..flight() }), "{format}");
                    let numbers = state.numbers.get();
                    assert_eq!(numbers[..2], [Some(0.1), Some(f64::INFINITY)], "{format}");
                    assert_eq!(numbers[2].map(f64::to_bits), Some((-0.0_f64).to_bits()));
                    assert_eq!(state.entries.entries(), [(1, Flight { gate, ..flight() }), (2, flight())], "{format}");
                    state.json.update(|flight| flight.as_mut().unwrap().gate = Some("C4".into()));
                    state.entries.put(1, Flight { gate: Some("C4".into()), ..flight() });
                    state.numbers.add(None);
                })
                .unwrap();
            store.commit("").unwrap();
        }
    }
}
