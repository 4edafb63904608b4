//! What was stored stays readable: the formats are frozen in the files of `tests/golden`.
//!
//! Each file holds one backend, a record a line: key and value in hexadecimal, and above it in words what the
//! format says of it. Today's code must write the newest version of a file byte for byte, and read all versions.
//!
//! A change of format is a new version: add its folder to [`VERSIONS`], run the tests once with `KRISHIV_BLESS=1`,
//! which writes the files that are not there, and look at every line of them. Files that are there are never
//! written: those of older versions are what users have on their disks.

use krishiv_api::{
    BoxError, BroadcastState, Driver, Dynamic, EventContext, InMemoryStateBackend, Keyed, KeyedState, ListState,
    ManualClock, MapState, Operator, ReducingState, StateBackend, StateError, Timer, TimerKind, TtlConfig,
    TtlStateBackend, ValueState, Volatile, WriteBatch,
};
use krishiv_tests::row::{InRow, values};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

/// Folders of `tests/golden`, oldest first; the last is what is written today.
const VERSIONS: [&str; 7] = ["format-1", "format-2", "format-3", "format-4", "format-5", "format-6", "format-7"];

type Backend = Arc<InMemoryStateBackend>;

fn path(version: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(version).join(name).with_extension("txt")
}

/// Compares `text` with the newest file called `name`.
fn is_frozen(name: &str, text: &str) {
    let path = path(VERSIONS[VERSIONS.len() - 1], name);
    if std::env::var_os("KRISHIV_BLESS").is_some() && !path.exists() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let frozen = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (written, frozen) in text.lines().zip(frozen.lines()) {
        assert_eq!(written, frozen, "what is written is no longer what {} holds", path.display());
    }
    assert_eq!(text, frozen);
}

/// What `write` leaves behind is the newest file, `read` understands every version of it, and `write` can go on from it.
fn stays_readable(name: &str, words: fn(&[u8], &[u8]) -> String, write: fn(Backend), read: fn(Backend)) {
    stays_readable_since(VERSIONS[0], name, words, write, read);
}

/// The same for what has been there since the version `first` alone.
fn stays_readable_since(
    first: &str,
    name: &str,
    words: fn(&[u8], &[u8]) -> String,
    write: fn(Backend),
    read: fn(Backend),
) {
    let backend = Backend::default();
    write(Arc::clone(&backend));
    is_frozen(name, &lines(&backend, words));
    let since = VERSIONS.iter().position(|version| *version == first).unwrap();
    for version in &VERSIONS[since..] {
        let frozen = fs::read_to_string(path(version, name)).unwrap();
        let backend = load(&frozen);
        read(Arc::clone(&backend));
        assert_eq!(lines(&backend, words), frozen, "reading has written");
        write(Arc::clone(&backend));
        for before in load(&frozen).scan(b"").map(|record| record.unwrap().0) {
            let found = backend.get(&before).unwrap().is_some() || is_in_its_row(&backend, &before);
            assert!(found, "going on has lost {}", words(&before, b""));
        }
    }
}

fn lines(backend: &InMemoryStateBackend, words: fn(&[u8], &[u8]) -> String) -> String {
    let mut text = String::new();
    for record in backend.scan(b"") {
        let (key, value) = record.unwrap();
        writeln!(text, "# {}\n{} {}", words(&key, &value), hex(&key), hex(&value)).unwrap();
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn load(text: &str) -> Backend {
    let backend = Backend::default();
    let mut batch = WriteBatch::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once(' ').expect("a line is a key and a value");
        batch.put(&bytes(key), &bytes(value));
    }
    backend.write(batch).unwrap();
    backend
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Whether what lay under `key`, a record of before format 5, has come to lie in the record of its row.
fn is_in_its_row(backend: &InMemoryStateBackend, key: &[u8]) -> bool {
    let Some((row, slot)) = key.split_last_chunk::<2>() else { return false };
    let record = backend.get(&[row, &[0, 0]].concat()).unwrap().unwrap_or_default();
    values(&record).iter().any(|value| value.slot == u16::from_be_bytes(*slot))
}

/// The key of a typed record in words, by the format alone; of the catalog, the whole record, which is JSON.
fn typed(key: &[u8], value: &[u8]) -> String {
    let number = |at: usize| u16::from_be_bytes([key[at], key[at + 1]]);
    if number(0) == 0 {
        return format!("catalog {}: {}", key[2..].escape_ascii(), String::from_utf8_lossy(value));
    }
    let (mut length, mut at) = (0, 4);
    loop {
        length |= usize::from(key[at] & 0x7f) << (7 * (at - 4));
        at += 1;
        if key[at - 1] & 0x80 == 0 {
            break;
        }
    }
    let (slot, layout) = match number(at + length) {
        slot @ 0..0x8000 => (slot, "plain"),
        slot => (slot - 0x8000, "stamped"),
    };
    if slot == 0 && key.len() == at + length + 2 {
        let values = values(value).into_iter().map(|InRow { slot, apart, record }| {
            if slot == 0 {
                return format!("timers `{}`", hex(&record));
            }
            let layout = ["plain", "stamped"][usize::from(slot >= 0x8000)];
            let shown = if record.len() > 64 { format!("{} bytes", record.len()) } else { hex(&record) };
            format!("slot {} {layout}{} `{shown}`", slot & 0x7fff, if apart { " apart" } else { "" })
        });
        let (row, values) = (key[at..at + length].escape_ascii(), values.collect::<Vec<_>>().join(", "));
        return format!("operator {}, group {}, key `{row}`, values: {values}", number(0), number(2));
    }
    if slot == 0 {
        let kind = ["event", "processing"][usize::from(key[at + 2])];
        let time = i64::from_be_bytes(key[at + 3..at + 11].try_into().unwrap()) ^ i64::MIN;
        let of = key[at + 11..].escape_ascii();
        return format!("operator {}, group {}, {kind} timer at {time} of key `{of}`", number(0), number(2));
    }
    let (row, suffix) = (key[at..at + length].escape_ascii(), key[at + length + 2..].escape_ascii());
    format!("operator {}, group {}, key `{row}`, slot {slot} {layout}, suffix `{suffix}`", number(0), number(2))
}

fn raw(key: &[u8], _: &[u8]) -> String {
    format!("`{}`", key.escape_ascii())
}

#[derive(KeyedState)]
#[state(key = String)]
struct Aircraft {
    late_streak: ValueState<u32>,
    recent_delays: ListState<i32>,
    destinations: MapState<String, u32>,
    #[state(reduce = i32::max)]
    worst_delay: ReducingState<i32>,
    rules: BroadcastState<String, i32>,
}

#[test]
fn all_five_handles_with_catalog_position_and_watermark() {
    fn write(backend: Backend) {
        let mut store = Keyed::<Aircraft>::builder().clock(Arc::new(ManualClock::new(3))).open(backend).unwrap();
        store.set_watermark(1_357_000_000_000);
        store
            .broadcast(|state, scope| {
                state.rules.put(scope, "*".into(), 15);
                state.rules.put(scope, "EV".into(), 30);
            })
            .unwrap();
        for (tail, delays) in [("N14228", [20, -3, 300]), ("", [0, 1, i32::MIN])] {
            store
                .with_key(tail, |state| {
                    state.late_streak.set(delays[2].unsigned_abs());
                    state.recent_delays.add_all(delays);
                    state.destinations.put_all([("IAH".into(), 1), ("".into(), 128)]);
                    delays.into_iter().for_each(|delay| state.worst_delay.merge(delay));
                })
                .unwrap();
            // Lists are numbered in the order of commits.
            store.commit(b"row \xff").unwrap();
        }
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<Aircraft>::open(backend).unwrap();
        assert_eq!(store.position(), Some(&b"row \xff"[..]));
        assert_eq!(store.watermark(), Some(1_357_000_000_000));
        assert_eq!(store.undeclared(), []);
        let mut keys = store.keys().unwrap();
        keys.sort();
        assert_eq!(keys, ["", "N14228"]);
        for (tail, delays) in [("N14228", [20, -3, 300]), ("", [0, 1, i32::MIN])] {
            store
                .with_key(tail, |state| {
                    assert_eq!(state.late_streak.get(), Some(delays[2].unsigned_abs()));
                    assert_eq!(state.recent_delays.get(), delays);
                    assert_eq!(state.destinations.entries(), [("".to_owned(), 128), ("IAH".to_owned(), 1)]);
                    assert_eq!(state.worst_delay.get(), delays.into_iter().max());
                    assert_eq!(state.rules.entries(), [("*".to_owned(), 15), ("EV".to_owned(), 30)]);
                })
                .unwrap();
        }
    }
    stays_readable("handles", typed, write, read);
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Flight {
    carrier: String,
    number: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Place {
    Nowhere,
    Airport(String),
    Field { x: i32, y: i32 },
}

/// Its bytes would say nothing without its type: it is MessagePack, and JSON before format 4.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u32),
    Text(String),
}

#[derive(KeyedState)]
#[state(key = Flight)]
struct Stops {
    by_place: MapState<Place, u32>,
    by_pair: MapState<(u8, Option<bool>), u32>,
    by_id: MapState<Id, u32>,
    once: MapState<(), u32>,
}

const FLIGHT: fn() -> Flight = || Flight { carrier: "UA".into(), number: 1545 };

#[test]
fn keys_and_map_keys_of_many_types() {
    fn write(backend: Backend) {
        let mut store = Keyed::<Stops>::open(backend).unwrap();
        store
            .with_key(&FLIGHT(), |state| {
                let airport = Place::Airport("IAH".into());
                state.by_place.put_all([(Place::Nowhere, 1), (airport, 2), (Place::Field { x: -1, y: 300 }, 3)]);
                state.by_pair.put_all([((7, None), 4), ((7, Some(true)), 5)]);
                state.by_id.put_all([(Id::Number(0), 6), (Id::Text("0".into()), 7)]);
                state.once.put((), 8);
            })
            .unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<Stops>::open(backend).unwrap();
        assert_eq!(store.keys().unwrap(), [FLIGHT()]);
        store
            .with_key(&FLIGHT(), |state| {
                assert_eq!(state.by_place.get(&Place::Nowhere), Some(1));
                assert_eq!(state.by_place.get(&Place::Airport("IAH".into())), Some(2));
                assert_eq!(state.by_place.get(&Place::Field { x: -1, y: 300 }), Some(3));
                assert_eq!(state.by_place.length(), 3);
                assert_eq!(state.by_pair.entries(), [((7, None), 4), ((7, Some(true)), 5)]);
                assert_eq!(state.by_id.get(&Id::Number(0)), Some(6));
                assert_eq!(state.by_id.get(&Id::Text("0".into())), Some(7));
                assert_eq!(state.by_id.length(), 2);
                assert_eq!(state.once.entries(), [((), 8)]);
            })
            .unwrap();
    }
    stays_readable("keys", typed, write, read);
}

#[derive(KeyedState)]
#[state(key = Id)]
struct ById {
    seen: ValueState<u32>,
}

#[test]
fn keys_in_json() {
    fn write(backend: Backend) {
        let mut store = Keyed::<ById>::open(backend).unwrap();
        store.with_key(&Id::Number(0), |state| state.seen.set(1)).unwrap();
        store.with_key(&Id::Text("0".into()), |state| state.seen.set(2)).unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<ById>::open(backend).unwrap();
        assert_eq!(store.keys().unwrap().len(), 2);
        assert_eq!(store.with_key(&Id::Number(0), |state| state.seen.get()).unwrap(), Some(1));
        assert_eq!(store.with_key(&Id::Text("0".into()), |state| state.seen.get()).unwrap(), Some(2));
    }
    stays_readable("keys-in-json", typed, write, read);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    unit: (),
    numbers: (bool, u8, i16, u32, i64, u128, f32, f64),
    text: Option<String>,
    letter: char,
    array: [u8; 6],
    map: BTreeMap<u8, Vec<Place>>,
    inside: Option<Box<Everything>>,
}

fn everything(inside: Option<Everything>) -> Everything {
    Everything {
        unit: (),
        numbers: (true, 255, -300, 70_000, i64::MIN, u128::MAX, 0.5, f64::INFINITY),
        text: Some("é".into()),
        letter: '𝄞',
        array: [0, 1, 2, 3, 4, 255],
        map: BTreeMap::from([(9, vec![Place::Nowhere, Place::Field { x: 1, y: -1 }])]),
        inside: inside.map(Box::new),
    }
}

#[derive(KeyedState)]
#[state(key = u64)]
struct Values {
    everything: ValueState<Everything>,
    any: ValueState<Value>,
    json: ValueState<Flight>,
    numbers: ListState<f64>,
    entries: MapState<u8, Flight>,
}

#[test]
fn values_in_postcard_and_in_json() {
    fn write(backend: Backend) {
        let mut store = Keyed::<Values>::open(backend).unwrap();
        store
            .with_key(&u64::MAX, |state| {
                state.everything.set(everything(Some(everything(None))));
                state.any.set(json!({ "a": [null, 1.5, "x"] }));
                state.json.set_json(FLIGHT());
                // JSON has no infinity: that one is postcard.
                state.numbers.add_json(0.1);
                state.numbers.add_json(f64::INFINITY);
                state.numbers.add(-0.0);
                state.entries.put_json(1, FLIGHT());
                state.entries.put(2, FLIGHT());
            })
            .unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<Values>::open(backend).unwrap();
        store
            .with_key(&u64::MAX, |state| {
                assert_eq!(state.everything.get(), Some(everything(Some(everything(None)))));
                assert_eq!(state.any.get(), Some(json!({ "a": [null, 1.5, "x"] })));
                assert_eq!(state.json.get(), Some(FLIGHT()));
                assert_eq!(format!("{:?}", state.numbers.get()), "[0.1, inf, -0.0]");
                assert_eq!(state.entries.entries(), [(1, FLIGHT()), (2, FLIGHT())]);
            })
            .unwrap();
    }
    stays_readable("values", typed, write, read);
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Lists {
    long: ListState<u32>,
    by_both: ListState<u32>,
    #[state(ttl = "1s", clock = "processing")]
    brief: ListState<u32>,
    read: ListState<u32>,
}

/// What one commit appends is one record for each codec and stamp, up to a bound; what is read is appended to.
#[test]
fn lists_of_one_commit_and_of_several() {
    fn write(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_000));
        let mut store = Keyed::<Lists>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        let append = |state: &Lists| {
            state.long.add_all(0..300);
            state.by_both.add_all([1, 200]);
            state.by_both.add_json(3);
            state.by_both.add_json(4);
            state.by_both.add(5);
            state.brief.add_all([6, 7]);
            state.read.add_all([8, 9]);
        };
        store.with_key(&1, append).unwrap();
        clock.advance(1);
        store.with_key(&1, |state| state.brief.add(10)).unwrap();
        store.commit("").unwrap();
        store
            .with_key(&1, |state| {
                state.read.length();
                state.read.add(11);
            })
            .unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_999));
        let mut store = Keyed::<Lists>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        let mut brief = || store.with_key(&1, |state| state.brief.get()).unwrap();
        assert_eq!(brief(), [6, 7, 10]);
        clock.advance(1);
        assert_eq!(brief(), [10]);
        let event = |state: &Lists| {
            assert_eq!(state.long.get(), (0..300).collect::<Vec<_>>());
            assert_eq!(state.by_both.get(), [1, 200, 3, 4, 5]);
            assert_eq!(state.read.get(), [8, 9, 11]);
        };
        store.with_key(&1, event).unwrap();
    }
    stays_readable_since("format-3", "lists", typed, write, read);
}

/// A store of before keeps its number until a record is written that older programs do not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    grams: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LaterParcel {
    fragile: Option<bool>,
    grams: u64,
}

#[derive(KeyedState)]
#[state(key = u8, name = "shipments")]
struct Shipments {
    parcel: ValueState<Parcel>,
    stops: ListState<u16>,
    note: ValueState<String>,
}

#[derive(KeyedState)]
#[state(key = u8, name = "shipments", dropped("note"))]
struct LaterShipments {
    parcel: ValueState<LaterParcel>,
    #[state(renamed_from = "stops")]
    halts: ListState<u32>,
}

/// A later program has other types and another name, and one state less: what it has not written again is as it was.
#[test]
fn types_of_two_versions() {
    fn write(backend: Backend) {
        let mut store = Keyed::<Shipments>::open(Arc::clone(&backend)).unwrap();
        for key in [1, 2] {
            store
                .with_key(&key, |state| {
                    state.parcel.set(Parcel { grams: 300 });
                    state.stops.add_all([7, 8]);
                    state.note.set("none".into());
                })
                .unwrap();
        }
        store.commit("before").unwrap();
        drop(store);
        let mut store = Keyed::<LaterShipments>::open(backend).unwrap();
        store
            .with_key(&1, |state| {
                state.parcel.set(LaterParcel { fragile: Some(true), grams: 1 << 40 });
                state.halts.add_all([9, 70_000]);
            })
            .unwrap();
        store.commit("after").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<LaterShipments>::open(backend).unwrap();
        let read = |state: &LaterShipments| (state.parcel.get(), state.halts.get());
        let found = store.with_key(&1, read).unwrap();
        assert_eq!(found, (Some(LaterParcel { fragile: Some(true), grams: 1 << 40 }), vec![7, 8, 9, 70_000]));
        let found = store.with_key(&2, read).unwrap();
        assert_eq!(found, (Some(LaterParcel { fragile: None, grams: 300 }), vec![7, 8]));
    }
    stays_readable_since("format-7", "types", typed, write, read);
}

#[test]
fn lists_of_before_there_were_runs_are_gone_on_with() {
    for version in ["format-1", "format-2"] {
        let backend = load(&fs::read_to_string(path(version, "handles")).unwrap());
        let number = version.strip_prefix("format-").unwrap();
        let event = |elements: Option<&[i32]>| {
            let mut store = Keyed::<Aircraft>::open(Arc::clone(&backend)).unwrap();
            let list = |state: &Aircraft| {
                state.recent_delays.add_all(elements.unwrap_or_default().iter().copied());
                if elements.is_some() { Vec::new() } else { state.recent_delays.get() }
            };
            let read = store.with_key("N14228", list).unwrap();
            store.commit("on").unwrap();
            read
        };
        event(Some(&[4]));
        assert_eq!(format(&backend), format!(r#"{{"format":{number}}}"#));
        event(Some(&[5, 6]));
        assert_eq!(format(&backend), r#"{"format":7}"#, "of {number}");
        assert_eq!(event(None), [20, -3, 300, 4, 5, 6]);
    }
}

#[derive(KeyedState)]
#[state(key = u8)]
struct Documents {
    text: ValueState<String>,
    #[state(ttl = "1s", clock = "processing")]
    draft: ValueState<String>,
    #[state(reduce = u32::max)]
    revision: ReducingState<u32>,
    title: ValueState<String>,
}

/// A value of more than 512 bytes lies apart, and the record of its row has what stands in front of its payload.
#[test]
fn values_of_a_row_long_and_short() {
    fn write(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_000));
        let mut store = Keyed::<Documents>::builder().clock(clock).open(backend).unwrap();
        let event = |state: &Documents| {
            state.text.set("t".repeat(510));
            state.draft.set("d".repeat(502));
            state.revision.merge(3);
        };
        store.with_key(&1, event).unwrap();
        // The greatest that lie in the row.
        let event = |state: &Documents| {
            state.text.set("t".repeat(509));
            state.draft.set("d".repeat(501));
            state.title.set(String::new());
        };
        store.with_key(&2, event).unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_999));
        let mut store = Keyed::<Documents>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        let mut all = || {
            [1, 2].map(|key| {
                let length = |text: Option<String>| text.map(|text| text.len());
                let values = |state: &Documents| {
                    (length(state.text.get()), length(state.draft.get()), state.revision.get(), state.title.get())
                };
                store.with_key(&key, values).unwrap()
            })
        };
        let title = Some(String::new());
        assert_eq!(all(), [(Some(510), Some(502), Some(3), None), (Some(509), Some(501), None, title.clone())]);
        clock.advance(1);
        assert_eq!(all(), [(Some(510), None, Some(3), None), (Some(509), None, None, title)]);
    }
    stays_readable_since("format-5", "rows", typed, write, read);
}

#[derive(KeyedState)]
#[state(key = String)]
struct Expiring {
    #[state(ttl = "1s", clock = "processing")]
    processing: ValueState<u32>,
    #[state(ttl = "2s", clock = "event", ttl_update = "read_and_write")]
    event: ListState<u32>,
    #[state(ttl = "3s", clock = "event")]
    map: MapState<u8, u32>,
    #[state(ttl = "1s", clock = "processing")]
    reducing: ReducingState<u32>,
}

#[test]
fn stamps_of_both_clocks_and_of_none_yet() {
    fn write(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_000));
        let mut store = Keyed::<Expiring>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        let write = |state: &Expiring| {
            state.processing.set(1);
            state.event.add_all([2, 3]);
            state.map.put(4, 5);
            state.reducing.merge(6);
        };
        store.with_key("before the first watermark", write).unwrap();
        store.set_watermark(500);
        clock.advance(1);
        store.with_key("after it", write).unwrap();
        store.set_watermark(600);
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_999));
        let mut store = Keyed::<Expiring>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        let mut at = |now: i64, watermark: i64| {
            clock.set(now);
            store.set_watermark(watermark);
            ["before the first watermark", "after it"].map(|key| {
                let found = |state: &Expiring| {
                    (state.processing.get(), state.reducing.get(), state.event.length(), state.map.get(&4))
                };
                store.with_key(key, found).unwrap()
            })
        };
        assert_eq!(at(10_999, 2_499), [(Some(1), Some(6), 2, Some(5)); 2]);
        assert_eq!(at(11_000, 2_499), [(None, None, 2, Some(5)), (Some(1), Some(6), 2, Some(5))]);
        // The map's entries end 3 s after the first watermark, the list has been renewed by reading it.
        assert_eq!(at(11_001, 3_499), [(None, None, 2, Some(5)); 2]);
        assert_eq!(at(11_001, 3_500), [(None, None, 2, None); 2]);
        assert_eq!(at(11_001, 5_500), [(None, None, 0, None); 2]);
    }
    stays_readable("ttl", typed, write, read);
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Nothing,
    Counts { by_number: BTreeMap<u32, bool>, deep: Vec<Option<Option<()>>> },
}

#[derive(KeyedState)]
#[state(key = Tagged)]
struct Described {
    value: ValueState<Tagged>,
    #[state(ttl = "1s", clock = "event")]
    list: ListState<Tagged>,
    map: MapState<Tagged, f64>,
    rules: BroadcastState<Tagged, Tagged>,
}

#[test]
fn keys_and_values_that_describe_themselves() {
    fn counts() -> Tagged {
        let by_number = [(7, true), (70_000, false)].into();
        Tagged::Counts { by_number, deep: vec![None, Some(None), Some(Some(()))] }
    }
    fn write(backend: Backend) {
        let mut store = Keyed::<Described>::open(backend).unwrap();
        store.set_watermark(5);
        store.broadcast(|state, scope| state.rules.put(scope, counts(), Tagged::Nothing)).unwrap();
        for key in [Tagged::Nothing, counts()] {
            store
                .with_key(&key, |state| {
                    state.value.set(counts());
                    state.list.add_all([Tagged::Nothing, counts()]);
                    state.map.put_all([(Tagged::Nothing, 0.5), (counts(), f64::INFINITY)]);
                })
                .unwrap();
        }
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<Described>::open(backend).unwrap();
        for key in [Tagged::Nothing, counts()] {
            store
                .with_key(&key, |state| {
                    assert_eq!(state.value.get(), Some(counts()));
                    assert!(state.list.get().starts_with(&[Tagged::Nothing, counts()]));
                    assert_eq!(state.map.get(&Tagged::Nothing), Some(0.5));
                    assert_eq!(state.map.get(&counts()), Some(f64::INFINITY));
                    assert_eq!(state.rules.entries(), [(counts(), Tagged::Nothing)]);
                })
                .unwrap();
        }
        assert_eq!(store.keys().unwrap().len(), 2);
    }
    stays_readable_since("format-4", "described", typed, write, read);
}

#[test]
fn a_state_whose_ttl_was_switched_on_and_off() {
    #[derive(KeyedState)]
    #[state(key = u8, name = "switched")]
    struct With {
        #[state(ttl = "1s", clock = "processing")]
        map: MapState<u8, u32>,
    }
    #[derive(KeyedState)]
    #[state(key = u8, name = "switched")]
    struct Without {
        map: MapState<u8, u32>,
    }
    fn write(backend: Backend) {
        let clock = Arc::new(ManualClock::new(10_000));
        let mut store = Keyed::<Without>::builder().clock(Arc::clone(&clock)).open(Arc::clone(&backend)).unwrap();
        store.with_key(&1, |state| state.map.put(1, 1)).unwrap();
        store.commit("").unwrap();
        drop(store);
        clock.advance(1);
        let mut store = Keyed::<With>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        store.with_key(&1, |state| state.map.put(2, 2)).unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let clock = Arc::new(ManualClock::new(11_000));
        let mut store = Keyed::<With>::builder().clock(Arc::clone(&clock)).open(backend).unwrap();
        assert_eq!(store.with_key(&1, |state| state.map.entries()).unwrap(), [(1, 1), (2, 2)]);
        clock.set(11_001);
        assert_eq!(store.with_key(&1, |state| state.map.entries()).unwrap(), []);
    }
    stays_readable("ttl-switched", typed, write, read);
}

#[derive(KeyedState)]
#[state(key = String)]
struct Counted {
    count: ValueState<usize>,
}

/// The outer length is that of the encoded key, which begins with a length of its own.
#[test]
fn key_lengths_around_a_byte_of_a_varint() {
    const LENGTHS: [usize; 6] = [0, 125, 126, 127, 128, 300];
    fn write(backend: Backend) {
        let mut store = Keyed::<Counted>::open(backend).unwrap();
        for length in LENGTHS {
            store.with_key(&"x".repeat(length), |state| state.count.set(length)).unwrap();
        }
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = Keyed::<Counted>::open(backend).unwrap();
        for length in LENGTHS {
            let count = store.with_key(&"x".repeat(length), |state| state.count.get()).unwrap();
            assert_eq!(count, Some(length));
        }
        assert_eq!(store.keys().unwrap().len(), LENGTHS.len());
    }
    stays_readable("key-lengths", typed, write, read);
}

#[test]
fn positions_of_several_ranges_and_operators() {
    fn write(backend: Backend) {
        for (operator, range, watermark) in [("a", 0..20_000, 7), ("a", 20_000..32_768, -7), ("b.ü", 0..32_768, 1)] {
            let builder = Keyed::<Dynamic<u8>>::builder().operator(operator).max_parallelism(32_768);
            let mut store = builder.key_groups(range.clone()).open(Arc::clone(&backend)).unwrap();
            store.set_watermark(watermark);
            store.commit(range.start.to_le_bytes()).unwrap();
        }
    }
    fn read(backend: Backend) {
        let open =
            |operator: &str| Keyed::<Dynamic<u8>>::builder().operator(operator).open(Arc::clone(&backend)).unwrap();
        let store = open("a");
        assert_eq!(store.key_groups(), 0..32_768);
        assert_eq!((store.position(), store.watermark()), (None, Some(-7)));
        let positions = [(20_000..32_768, 20_000_u16), (0..20_000, 0)];
        assert_eq!(store.positions(), positions.map(|(range, position)| (range, position.to_le_bytes().to_vec())));
        let store = open("b.ü");
        assert_eq!((store.position(), store.watermark()), (Some(&[0, 0][..]), Some(1)));
    }
    stays_readable("positions", typed, write, read);
}

/// Names had no rule at first: what was stored then is still found, and nothing new gets such a name.
#[test]
fn names_of_before_there_was_a_rule() {
    let backend = load(&fs::read_to_string(path("format-1", "names-of-before-the-rule")).unwrap());
    let open = |operator: &str| Keyed::<Dynamic<u8>>::builder().operator(operator).open(Arc::clone(&backend));
    let mut store = open("b/ü").unwrap();
    assert_eq!((store.position(), store.watermark()), (Some(&[0, 0][..]), Some(1)));
    let refused = store.with_key(&1, |_| ValueState::<u8>::new("c/d").set(1)).unwrap_err().to_string();
    assert!(refused.contains("has '/'"), "{refused}");
    let refused = open("b/v").err().unwrap().to_string();
    assert!(refused.contains("has '/'"), "{refused}");
}

/// `[8-byte LE expires_at_ms][raw bytes]`.
#[test]
fn raw_records_of_the_ttl_wrapper() {
    fn wrapped(backend: Backend, ttl_ms: u64, now: i64) -> TtlStateBackend<InMemoryStateBackend> {
        TtlStateBackend::new(backend, TtlConfig::new(ttl_ms)).with_clock(Arc::new(ManualClock::new(now)))
    }
    fn write(backend: Backend) {
        for (ttl_ms, now, key, value) in [(60_000, 1, "a", "value"), (u64::MAX, 1, "b", ""), (1, -2, "c", "\u{ff}")] {
            let mut batch = WriteBatch::default();
            batch.put(key.as_bytes(), value.as_bytes());
            wrapped(Arc::clone(&backend), ttl_ms, now).write(batch).unwrap();
        }
    }
    fn read(backend: Backend) {
        let at = |now| {
            let ttl = wrapped(Arc::clone(&backend), 60_000, now);
            ["a", "b", "c"].map(|key| ttl.get(key.as_bytes()).unwrap())
        };
        assert_eq!(at(-2), [Some(b"value".to_vec()), Some(vec![]), Some("\u{ff}".as_bytes().to_vec())]);
        assert_eq!(at(-1), [Some(b"value".to_vec()), Some(vec![]), None]);
        assert_eq!(at(60_001), [None, Some(vec![]), None]);
    }
    stays_readable("wrapper", raw, write, read);
}

#[test]
fn raw_records_of_the_ttl_wrapper_in_event_time() {
    fn write(backend: Backend) {
        let ttl = TtlStateBackend::new(backend, TtlConfig::new(60_000)).with_clock(Arc::new(ManualClock::new(5)));
        ttl.set_watermark(1_000);
        let mut batch = WriteBatch::default();
        batch.put(b"a", b"value");
        ttl.write(batch).unwrap();
    }
    fn read(backend: Backend) {
        // The clock is far beyond, but time is that of the watermark, which is stored.
        let ttl = TtlStateBackend::new(backend, TtlConfig::new(1)).with_clock(Arc::new(ManualClock::new(i64::MAX)));
        assert_eq!(ttl.get(b"a").unwrap(), Some(b"value".to_vec()));
        ttl.set_watermark(61_000);
        assert_eq!(ttl.get(b"a").unwrap(), None);
    }
    stays_readable("wrapper-event-time", raw, write, read);
}

#[test]
fn typed_rows_on_the_ttl_wrapper() {
    fn open(backend: Backend, now: i64) -> Keyed<Counted> {
        let clock = Arc::new(ManualClock::new(now));
        Keyed::open(Arc::new(TtlStateBackend::new(backend, TtlConfig::new(60_000)).with_clock(clock))).unwrap()
    }
    fn write(backend: Backend) {
        let mut store = open(backend, 1_000);
        store.with_key("ann", |state| state.count.set(1)).unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let count = |now| open(Arc::clone(&backend), now).with_key("ann", |state| state.count.get()).unwrap();
        assert_eq!((count(60_999), count(61_000)), (Some(1), None));
    }
    stays_readable("wrapper-typed", typed, write, read);
}

/// What the clock has stamped before the first watermark counts as written then; both moments are stored.
#[test]
fn typed_rows_on_the_ttl_wrapper_in_event_time() {
    fn open(backend: Backend, now: i64) -> Keyed<Counted> {
        let clock = Arc::new(ManualClock::new(now));
        Keyed::open(Arc::new(TtlStateBackend::new(backend, TtlConfig::new(60_000)).with_clock(clock))).unwrap()
    }
    fn write(backend: Backend) {
        let mut store = open(backend, 1_000);
        store.with_key("before", |state| state.count.set(1)).unwrap();
        store.set_watermark(500);
        store.with_key("at", |state| state.count.set(2)).unwrap();
        store.set_watermark(600);
        store.with_key("after", |state| state.count.set(3)).unwrap();
        store.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut store = open(backend, i64::MAX - 1);
        let mut at = |watermark| {
            store.set_watermark(watermark);
            ["before", "at", "after"].map(|key| store.with_key(key, |state| state.count.get()).unwrap())
        };
        assert_eq!(at(60_499), [Some(1), Some(2), Some(3)]);
        assert_eq!(at(60_500), [None, None, Some(3)]);
        assert_eq!(at(60_600), [None; 3]);
    }
    stays_readable("wrapper-typed-event-time", typed, write, read);
}

/// Which key belongs to which group decides which instance finds it.
#[test]
fn keys_never_change_their_group() {
    let keys: Vec<String> = (0..40).map(|number| format!("N{}", number * number * 37)).chain([String::new()]).collect();
    let mut table = String::from("# key, its group of 128, its group of 32768\n");
    let groups = [128, 32_768].map(|max_parallelism| {
        let backend = Backend::default();
        let builder = Keyed::<Counted>::builder().max_parallelism(max_parallelism);
        let mut store = builder.open(Arc::clone(&backend)).unwrap();
        for (number, key) in keys.iter().enumerate() {
            store.with_key(key, |state| state.count.set(number)).unwrap();
        }
        store.commit("").unwrap();
        let rows = backend.scan(&[0, 1]).map(|record| {
            let (key, value) = record.unwrap();
            // One byte each of tag, length, header and value.
            (value[3], u16::from_be_bytes([key[2], key[3]]))
        });
        rows.collect::<BTreeMap<u8, u16>>()
    });
    for (number, key) in (0..).zip(&keys) {
        writeln!(table, "{key:?} {} {}", groups[0][&number], groups[1][&number]).unwrap();
    }
    is_frozen("key-groups", &table);
}

/// Sets the timers that an event asks for, and emits those that fire.
struct Wake<S>(PhantomData<S>);

impl<S: KeyedState> Operator for Wake<S> {
    type State = S;
    type In = (S::Key, Vec<Timer>);
    type Out = (S::Key, Timer);

    fn key(&self, (key, _): &Self::In) -> S::Key {
        key.clone()
    }

    fn on_event(&mut self, _: &S, (_, timers): Self::In, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        for Timer { kind, time_ms } in timers {
            match kind {
                TimerKind::Event => ctx.register_event_timer(time_ms),
                TimerKind::Processing => ctx.register_processing_timer(time_ms),
            }
        }
        Ok(())
    }

    fn on_timer(&mut self, _: &S, timer: Timer, ctx: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
        let key = ctx.current_key().clone();
        ctx.emit((key, timer));
        Ok(())
    }
}

fn wake<S: KeyedState<Needs = Volatile>>(backend: &Backend, clock: i64) -> Result<Driver<Wake<S>>, StateError> {
    let store = Keyed::builder().clock(Arc::new(ManualClock::new(clock)));
    Driver::builder(Wake(PhantomData)).store(store).open(Arc::clone(backend))
}

const TIMES: [i64; 5] = [i64::MIN, -1, 0, 1_357_000_000_000, i64::MAX];

fn timers(kind: TimerKind) -> impl Iterator<Item = Timer> {
    TIMES.into_iter().map(move |time_ms| Timer { kind, time_ms })
}

#[test]
fn timers_of_both_kinds() {
    fn keys() -> [String; 3] {
        ["N14228".into(), "".into(), "x".repeat(130)]
    }
    fn write(backend: Backend) {
        let mut driver = wake::<Aircraft>(&backend, 0).unwrap();
        let all: Vec<_> = timers(TimerKind::Event).chain(timers(TimerKind::Processing)).collect();
        driver.event((keys()[0].clone(), all), None).unwrap();
        for key in &keys()[1..] {
            driver.event((key.clone(), timers(TimerKind::Event).skip(2).take(1).collect()), None).unwrap();
        }
        driver.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut driver = wake::<Aircraft>(&backend, i64::MAX).unwrap();
        assert_eq!(driver.store().undeclared(), []);
        driver.tick().unwrap();
        driver.advance(i64::MAX).unwrap();
        let fired: Vec<_> = driver.drain().map(|record| record.value).collect();
        let [plane, empty, long] = keys();
        let of_plane = |timer| (plane.clone(), timer);
        let mut expected: Vec<_> = timers(TimerKind::Processing).map(of_plane).collect();
        for timer in timers(TimerKind::Event) {
            // Ties by the encoded key, which begins with its length.
            if timer.time_ms == 0 {
                expected.push((empty.clone(), timer));
            }
            expected.push((plane.clone(), timer));
            if timer.time_ms == 0 {
                expected.push((long.clone(), timer));
            }
        }
        assert_eq!(fired, expected);
        assert_eq!(driver.timers().unwrap(), []);
    }
    stays_readable_since("format-2", "timers", typed, write, read);
}

#[derive(KeyedState)]
#[state(key = ())]
struct Alone {
    seen: ValueState<u32>,
}

/// The row of a key of no bytes begins like the timers of its key group.
#[test]
fn timers_of_a_key_of_no_bytes() {
    fn write(backend: Backend) {
        let mut driver = wake::<Alone>(&backend, 0).unwrap();
        driver.event(((), timers(TimerKind::Event).collect()), None).unwrap();
        driver.store_mut().with_key(&(), |state| state.seen.set(7)).unwrap();
        driver.commit("").unwrap();
    }
    fn read(backend: Backend) {
        let mut driver = wake::<Alone>(&backend, 0).unwrap();
        assert_eq!(driver.store_mut().keys().unwrap(), [()]);
        assert_eq!(driver.store_mut().with_key(&(), |state| state.seen.get()).unwrap(), Some(7));
        driver.advance(i64::MAX).unwrap();
        let fired: Vec<_> = driver.drain().map(|record| record.value.1).collect();
        assert_eq!(fired, timers(TimerKind::Event).collect::<Vec<_>>());
    }
    stays_readable_since("format-2", "timers-no-key", typed, write, read);
}

fn format(backend: &Backend) -> String {
    String::from_utf8(backend.get(b"\0\0f").unwrap().unwrap()).unwrap()
}

/// What was written before there were timers takes some in, and stays readable by older programs until then.
#[test]
fn timers_are_set_on_state_of_before_there_were_any() {
    /// `as_it_was` is the format of its catalog once it has been committed without a timer.
    fn goes_on<S: KeyedState<Needs = Volatile>>(name: &str, as_it_was: &str) {
        let backend = load(&fs::read_to_string(path("format-1", name)).unwrap());
        let rows = || -> BTreeMap<_, _> {
            backend.scan(b"").map(|record| record.unwrap()).filter(|(key, _)| !key.starts_with(&[0, 0])).collect()
        };
        let before = rows();
        let mut driver = wake::<S>(&backend, 0).unwrap();
        let watermark = driver.watermark();
        let keys = driver.store_mut().keys().unwrap();
        assert!(!keys.is_empty(), "{name}");
        driver.advance(watermark.unwrap_or(0)).unwrap();
        driver.commit("on").unwrap();
        assert_eq!(format(&backend), as_it_was, "{name}");
        let timer = Timer { kind: TimerKind::Event, time_ms: i64::MAX };
        for key in &keys {
            driver.event((key.clone(), vec![timer]), None).unwrap();
        }
        driver.commit("and on").unwrap();
        assert_eq!(format(&backend), r#"{"format":7}"#, "{name}");
        drop(driver);
        let mut driver = wake::<S>(&backend, 0).unwrap();
        assert_eq!(driver.timers().unwrap().len(), keys.len());
        driver.advance(i64::MAX).unwrap();
        let mut fired: Vec<_> = driver.drain().map(|record| record.value.0).collect();
        assert!(keys.iter().all(|key| fired.contains(key)), "{name}");
        fired.dedup();
        assert_eq!(fired.len(), keys.len(), "{name}");
        driver.commit("to the end").unwrap();
        assert_eq!(rows(), before, "{name}");
    }
    goes_on::<Aircraft>("handles", r#"{"format":1}"#);
    // The catalog learns what the untagged keys are made of, which programs of before cannot read.
    goes_on::<Stops>("keys", r#"{"format":7}"#);
    goes_on::<ById>("keys-in-json", r#"{"format":7}"#);
    goes_on::<Values>("values", r#"{"format":1}"#);
    goes_on::<Counted>("key-lengths", r#"{"format":1}"#);
    goes_on::<Expiring>("ttl", r#"{"format":1}"#);
}
