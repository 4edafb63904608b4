//! Damaged bytes under a typed store: an error that says where, never a panic, a wrong value or a huge allocation.

use krishiv_api::{
    BroadcastState, Cause, ErrorKind, InMemoryStateBackend, Keyed, KeyedState, ListState, ManualClock, MapState,
    Record, ReducingState, RocksDbStateBackend, StateBackend, StateError, ValueState, WriteBatch,
};
use krishiv_tests::row::{self, InRow};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something of everything that has a length or a tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rich {
    number: u64,
    name: String,
    tags: Vec<String>,
    marks: BTreeMap<String, Vec<u8>>,
    units: Vec<()>,
    either: Result<u8, char>,
    inside: Option<Box<Rich>>,
}

fn rich(number: u64) -> Rich {
    let inside = (number > 0).then(|| Box::new(rich(0)));
    Rich {
        number,
        name: format!("name {number}"),
        tags: vec!["a".into(), "bc".into()],
        marks: BTreeMap::from([("mark".into(), vec![1, 2, 3])]),
        units: vec![(); 3],
        either: Err('é'),
        inside,
    }
}

#[derive(KeyedState)]
#[state(key = String)]
struct All {
    value: ValueState<Rich>,
    json: ValueState<Rich>,
    list: ListState<Rich>,
    map: MapState<String, Rich>,
    reducing: ReducingState<Rich>,
    broadcast: BroadcastState<String, Rich>,
    #[state(ttl = "1h", clock = "processing")]
    stamped: ValueState<Rich>,
    #[state(ttl = "1h", clock = "processing")]
    expiring: MapState<u8, Rich>,
    safe: ValueState<u32>,
}

impl All {
    /// Reads all of one state.
    fn read(&self, name: &str) {
        let complete = match name {
            "value" => self.value.get() == Some(rich(1)),
            "json" => self.json.get() == Some(rich(2)),
            "list" => self.list.get() == [rich(3), rich(4)],
            "map" => self.map.entries() == [("k".to_owned(), rich(5))],
            "reducing" => self.reducing.get() == Some(rich(6)),
            "broadcast" => self.broadcast.get("rule") == Some(rich(7)),
            "stamped" => self.stamped.get() == Some(rich(8)),
            "expiring" => self.expiring.get(&1) == Some(rich(9)),
            "safe" => self.safe.get() == Some(10),
            other => panic!("no state is called {other}"),
        };
        // A failure reads as absent until the event has ended.
        assert!(complete || !self.exists(name), "{name} shows what was never written");
    }

    fn exists(&self, name: &str) -> bool {
        match name {
            "value" => self.value.exists(),
            "json" => self.json.exists(),
            "list" => self.list.length() > 0,
            "map" => self.map.length() > 0,
            "reducing" => self.reducing.get().is_some(),
            "broadcast" => self.broadcast.length() > 0,
            "stamped" => self.stamped.exists(),
            "expiring" => self.expiring.length() > 0,
            _ => self.safe.exists(),
        }
    }

    fn write(&self, with_json: bool) {
        self.value.set(rich(1));
        if with_json {
            self.json.set_json(rich(2))
        } else {
            self.json.set(rich(2))
        }
        self.list.replace([rich(3), rich(4)]);
        self.map.clear();
        self.map.put("k".into(), rich(5));
        self.reducing.merge(rich(6));
        self.stamped.set(rich(8));
        self.expiring.clear();
        self.expiring.put(1, rich(9));
        self.safe.set(10);
    }
}

type Backend = Arc<InMemoryStateBackend>;

fn open(backend: &Backend) -> Result<Keyed<All>, StateError> {
    Keyed::<All>::builder().clock(Arc::new(ManualClock::new(5))).open(Arc::clone(backend))
}

/// Two keys with all their states, as records.
fn records() -> Vec<Record> {
    let backend = Backend::default();
    let mut store = open(&backend).unwrap();
    store.broadcast(|state, scope| state.broadcast.put(scope, "rule".into(), rich(7))).unwrap();
    for key in ["ann", "bob"] {
        store.with_key(key, |state| state.write(true)).unwrap();
    }
    store.set_watermark(7);
    store.commit("position").unwrap();
    backend.scan(b"").map(Result::unwrap).collect()
}

fn load(records: &[Record]) -> Backend {
    let backend = Backend::default();
    let mut batch = WriteBatch::default();
    records.iter().for_each(|(key, value)| batch.put(key, value));
    backend.write(batch).unwrap();
    backend
}

/// Whose record this is: of the catalog (`None`), or of a state, by its slot.
fn state_of(key: &[u8]) -> Option<&'static str> {
    let row = |name: &[u8]| key[4..].starts_with(&[name, b"\0"].concat()).then_some(4 + name.len());
    let at = match key {
        [0, 0, ..] => return None,
        [_, _, 0xff, 0xff, ..] => 5,
        _ => row(b"\x04\x03ann").or(row(b"\x04\x03bob")).unwrap_or(9),
    };
    let slot = u16::from_be_bytes([key[at] & 0x7f, key[at + 1]]);
    Some(name(slot))
}

fn name(slot: u16) -> &'static str {
    All::DESCRIPTORS[usize::from(slot & 0x7fff) - 1].name()
}

/// All that can be damaged by itself: records that are no rows, and the values in those that are. Each with what makes of it, once
/// damaged, the value of its record.
fn pieces(records: &[Record]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, (key, value)) in records.iter().enumerate() {
        if is_of_bob(key) {
            continue;
        }
        if !row::is_row(key) {
            pieces.push(Piece { index, place: None, state: state_of(key), bytes: value.clone() });
            continue;
        }
        for (place, value) in row::values(value).into_iter().enumerate() {
            pieces.push(Piece { index, place: Some(place), state: Some(name(value.slot)), bytes: value.record });
        }
    }
    pieces
}

/// Something stored that can be damaged by itself.
struct Piece {
    /// Its record.
    index: usize,
    /// Its place in that, if it is a value of a row.
    place: Option<usize>,
    state: Option<&'static str>,
    bytes: Vec<u8>,
}

impl Piece {
    /// The records with `bytes` in its place.
    fn replaced(&self, records: &[Record], bytes: Vec<u8>) -> Vec<Record> {
        let mut records = records.to_vec();
        let value = &mut records[self.index].1;
        *value = match self.place {
            None => bytes,
            Some(place) => {
                let mut values = row::values(value);
                values[place].record = bytes;
                row::record(&values)
            }
        };
        records
    }
}

fn is_of_bob(key: &[u8]) -> bool {
    key.get(4..8).is_some_and(|row| row == b"\x04\x03bo")
}

/// A store on `backend`, where bytes of `state` (`None` is the catalog) are damaged under the key `ann`, says so.
#[track_caller]
fn says_so(backend: &Backend, state: Option<&str>, what: &str) {
    let corrupt = |error: StateError| {
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Corrupt, Some("all")), "{what}: {error}");
        assert_eq!(error.state(), state, "{what}: {error}");
        error
    };
    let mut store = match open(backend) {
        Err(error) => {
            corrupt(error);
            assert!(matches!(state, None | Some("broadcast")), "{what}: what belongs to a key is read with the key");
            return;
        }
        Ok(store) => store,
    };
    let Some(state) = state else { panic!("{what}: the store opens") };
    // It disturbs no event that does not touch it, and is not forgotten by one.
    store.with_key("ann", |all| all.read("safe")).unwrap();
    for _ in 0..2 {
        let event = store.with_key("ann", |all| {
            all.safe.set(99);
            all.list.add(rich(99));
            all.read(state);
        });
        let error = corrupt(event.expect_err(what));
        assert_eq!(error.key(), Some("\"ann\""), "{what}: {error}");
        assert!(error.to_string().starts_with("operator `all`, state `"), "{error}");
    }
    let names: Vec<_> = All::DESCRIPTORS.iter().map(|descriptor| descriptor.name()).collect();
    store.with_key("ann", |all| names.iter().filter(|name| **name != state).for_each(|name| all.read(name))).unwrap();
    store.with_key("bob", |all| names.iter().for_each(|name| all.read(name))).unwrap();
    // What is written over it is whole again.
    store.with_key("ann", |all| all.write(false)).unwrap();
    store.commit("healed").unwrap();
    drop(store);
    let mut store = open(backend).unwrap();
    store.with_key("ann", |all| names.iter().for_each(|name| all.read(name))).unwrap();
    store.with_key("ann", |all| names.iter().for_each(|name| assert!(all.exists(name), "{what}: {name}"))).unwrap();
}

/// Damages every record but bob's and the safe one, each in all the ways that `damage` makes of its value.
fn damage_every_record(damage: impl Fn(&[u8], bool) -> Vec<(String, Vec<u8>)>) {
    let records = records();
    let mut damaged = HashSet::new();
    for piece in pieces(&records) {
        let state = piece.state;
        if state == Some("safe") {
            continue;
        }
        let stamped = matches!(state, Some("stamped" | "expiring"));
        for (what, bytes) in damage(&piece.bytes, stamped) {
            let what = format!("{} {what}", records[piece.index].0.escape_ascii());
            says_so(&load(&piece.replaced(&records, bytes)), state, &what);
        }
        damaged.insert(state);
    }
    // The catalog, and every state but the one that is left alone.
    assert_eq!(damaged.len(), All::DESCRIPTORS.len(), "{damaged:?}");
}

#[test]
fn a_record_cut_short_anywhere_is_an_error() {
    damage_every_record(|value, _| {
        (0..value.len()).map(|length| (format!("cut to {length}"), value[..length].to_vec())).collect()
    });
}

#[test]
fn a_record_with_bytes_after_its_end_is_an_error() {
    damage_every_record(|value, _| vec![("longer".into(), [value, b"\0"].concat()), ("twice".into(), value.repeat(2))]);
}

#[test]
fn noise_in_place_of_a_record_is_an_error() {
    // Xorshift, so that every run meets the same noise.
    let noise = |length: usize, seed: u64| {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect::<Vec<u8>>()
    };
    damage_every_record(|value, stamped| {
        let whole = (0..20).map(|seed| ("noise".into(), noise(value.len() + 8, seed)));
        // With a header (and a stamp) that is in order.
        let head = if stamped { 9 } else { 1 };
        let tail = (20..60).map(|seed| ("noise".into(), [&value[..head], &noise(value.len(), seed)].concat()));
        whole.chain(tail).collect()
    });
}

#[test]
fn a_flipped_bit_in_a_header_is_an_error() {
    damage_every_record(|value, stamped| {
        let header = if stamped { 8 } else { 0 };
        // All but the bit that tells the clock of the stamp, which has both its values.
        let bits = (0..8).filter(|bit| *bit != 2);
        bits.map(|bit| {
            let mut value = value.to_vec();
            value[header] ^= 1 << bit;
            (format!("bit {bit}"), value)
        })
        .collect()
    });
}

/// Not every flipped bit can be told from a value, where nothing below keeps checksums; but none may panic.
#[test]
fn a_flipped_byte_anywhere_is_no_panic() {
    let records = records();
    for index in 0..records.len() {
        for at in 0..records[index].0.len() + records[index].1.len() {
            let mut records = records.clone();
            let (key, value) = &mut records[index];
            let mask = [0x01, 0x80, 0xff, 0x10][at % 4];
            match at.checked_sub(key.len()) {
                None => key[at] ^= mask,
                Some(at) => value[at] ^= mask,
            }
            let Ok(mut store) = open(&load(&records)) else { continue };
            for key in ["ann", "bob"] {
                for descriptor in All::DESCRIPTORS {
                    let _ = store.with_key(key, |all| all.exists(descriptor.name()));
                }
            }
            let _ = store.keys();
            let _ = store.with_key("ann", |all| all.write(true)).and_then(|()| store.commit("again"));
        }
    }
}

#[test]
fn a_damaged_list_position_or_map_key_is_an_error_that_names_the_state() {
    let records = records();
    for state in ["list", "map", "expiring"] {
        let found = |(key, _): &Record| !row::is_row(key) && state_of(key) == Some(state) && !is_of_bob(key);
        let index = records.iter().position(found).unwrap();
        let whole = records[index].0.len();
        let row = b"\0\0\0\0\x04\x03ann\0\0".len();
        let longer = [&records[index].0[..], b"\xff"].concat();
        let shorter = (row..whole).map(|length| records[index].0[..length].to_vec());
        for key in shorter.chain([longer]) {
            let mut records = records.clone();
            records[index].0 = key;
            let mut store = open(&load(&records)).unwrap();
            let error = store
                .with_key("ann", |all| {
                    let _ = all.exists(state);
                })
                .unwrap_err();
            assert_eq!((error.kind(), error.state(), error.key()), (ErrorKind::Corrupt, Some(state), Some("\"ann\"")));
        }
    }
}

#[test]
fn a_damaged_row_key_is_an_error_when_keys_are_listed() {
    let [operator, group] = [b"\0\x01", b"\0\x05"];
    for (row, what) in [
        (&b""[..], "nothing"),
        (b"\x04\x03an", "cut short"),
        (b"\x04\x03ann\0", "half a slot"),
        (b"\x04\x09ann\0\x01", "a text longer than its key"),
        (b"\x04\x03\xff\xff\xff\0\x01", "no UTF-8"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\x0fann\0\x01", "2^60 bytes"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01ann\0\x01", "2^64 bytes"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "an endless length"),
    ] {
        let backend = load(&records());
        let mut batch = WriteBatch::default();
        batch.put(&[&operator[..], group, row].concat(), b"\x08\x01");
        backend.write(batch).unwrap();
        let mut store = open(&backend).unwrap();
        let error = store.keys().expect_err(what);
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Corrupt, Some("all")), "{what}: {error}");
        store.with_key("ann", |all| all.read("value")).unwrap();
    }
}

#[test]
fn a_catalog_that_makes_no_sense_is_an_error() {
    let whole = records();
    let replace = |key: &[u8], from: &str, to: &str| {
        let mut records = whole.clone();
        let record = records.iter_mut().find(|(found, _)| found.starts_with(key)).unwrap();
        let text = String::from_utf8(record.1.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        record.1 = text.replacen(from, to, 1).into_bytes();
        open(&load(&records)).err()
    };
    for (key, from, to) in [
        (&b"\0\0f"[..], "7", "\"7\""),
        (b"\0\0f", "7", "-7"),
        (b"\0\0f", "format", "form"),
        (b"\0\0o", "\"id\":1", "\"id\":65536"),
        (b"\0\0o", "\"kind\":\"value\"", "\"kind\":\"valve\""),
        (b"\0\0o", "\"root\"", "\"boot\""),
        (b"\0\0o", "\"version\":1", "\"version\":2"),
        (b"\0\0p", "\"start\":0", "\"start\":null"),
        (b"\0\0p", "\"next_position\":", "\"next_position\":-"),
    ] {
        let error = replace(key, from, to).unwrap_or_else(|| panic!("{to} is accepted"));
        assert_eq!((error.kind(), error.operator()), (ErrorKind::Corrupt, Some("all")), "{to}: {error}");
    }
}

/// Types that allocate, or loop, by a length that they read.
#[derive(KeyedState)]
#[state(key = u8)]
struct Lengths {
    text: ValueState<String>,
    numbers: ValueState<Vec<u64>>,
    units: ValueState<Vec<()>>,
    units_of_units: ValueState<Vec<Vec<()>>>,
    texts: ValueState<VecDeque<String>>,
    map: ValueState<BTreeMap<u64, u64>>,
    unit_map: ValueState<BTreeMap<(), ()>>,
    set: ValueState<HashSet<String>>,
    boxed: ValueState<Box<[[u64; 32]]>>,
    nested: ValueState<Option<(u8, Vec<Vec<u64>>)>>,
    list: ListState<Vec<u64>>,
    entries: MapState<u8, Vec<()>>,
    reducing: ReducingState<String>,
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// The most memory that this process ever asked for, in bytes, where the system tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[test]
fn a_length_far_beyond_the_bytes_is_an_error_and_no_allocation() {
    let before = peak();
    for length in [1 << 20, 1 << 32, 1 << 60, u64::MAX] {
        for lead in [&b"\x08"[..], b"\x08\x01\x01", b"\x08\x01\x01\x01"] {
            let backend = Backend::default();
            Keyed::<Lengths>::open(Arc::clone(&backend)).unwrap().commit("").unwrap();
            let payload = [lead, &varint(length), b"\x01\x01\x01\x01\x01\x01\x01\x01\x01"].concat();
            let mut batch = WriteBatch::default();
            for slot in 1..=Lengths::DESCRIPTORS.len() as u16 {
                // All groups, since the test does not know that of the key.
                for group in 0..128_u16 {
                    let suffix: &[u8] = match slot {
                        11 => &[0, 0, 0, 0, 0, 0, 0, 1],
                        12 => &[7],
                        _ => continue,
                    };
                    let parts = [&1_u16.to_be_bytes()[..], &group.to_be_bytes(), &[1, 7], &slot.to_be_bytes(), suffix];
                    batch.put(&parts.concat(), &payload);
                }
            }
            let slots = (1..=Lengths::DESCRIPTORS.len() as u16).filter(|slot| !(11..13).contains(slot));
            let values = slots.map(|slot| InRow { slot, apart: false, record: payload.clone() });
            let values = row::record(&values.collect::<Vec<_>>());
            for group in 0..128_u16 {
                batch.put(&[&1_u16.to_be_bytes()[..], &group.to_be_bytes(), &[1, 7, 0, 0]].concat(), &values);
            }
            backend.write(batch).unwrap();
            let mut store = Keyed::<Lengths>::open(backend).unwrap();
            let mut refused = |name: &str, read: fn(&Lengths)| {
                let error = store.with_key(&7, read).expect_err(name);
                assert_eq!((error.kind(), error.state()), (ErrorKind::Corrupt, Some(name)), "{length}: {error}");
                assert_eq!((error.operator(), error.key()), (Some("lengths"), Some("7")));
            };
            refused("text", |state| state.text.with(|_| ()));
            refused("numbers", |state| state.numbers.with(|_| ()));
            refused("units", |state| state.units.with(|_| ()));
            refused("units_of_units", |state| state.units_of_units.with(|_| ()));
            refused("texts", |state| state.texts.with(|_| ()));
            refused("map", |state| state.map.with(|_| ()));
            refused("unit_map", |state| state.unit_map.with(|_| ()));
            refused("set", |state| state.set.with(|_| ()));
            refused("boxed", |state| state.boxed.with(|_| ()));
            refused("nested", |state| state.nested.with(|_| ()));
            refused("list", |state| state.list.for_each(|_| ()));
            refused("entries", |state| state.entries.for_each(|_, _| ()));
            refused("reducing", |state| drop(state.reducing.get()));
        }
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < 2 << 30, "{} MB were asked for", (after - before) >> 20);
    }
}

#[test]
fn nesting_far_beyond_the_stack_is_an_error() {
    #[derive(Serialize, Deserialize)]
    struct Link {
        tail: Option<Box<Link>>,
    }
    #[derive(KeyedState)]
    #[state(key = u8)]
    struct Chains {
        chain: ValueState<Link>,
        any: ValueState<serde_json::Value>,
    }
    let depth = 1_000_000;
    for (slot, record) in [
        (1, [b"\x08".to_vec(), vec![1; depth], vec![0]].concat()),
        (1, [b"\x09".to_vec(), br#"{"tail":"#.repeat(depth)].concat()),
        (2, [b"\x09".to_vec(), vec![b'['; depth], vec![b']'; depth]].concat()),
    ] {
        let backend = Backend::default();
        let mut store = Keyed::<Chains>::builder().max_parallelism(1).open(Arc::clone(&backend)).unwrap();
        store.commit("").unwrap();
        let mut batch = WriteBatch::default();
        let value = InRow { slot: slot.into(), apart: true, record: record[..1].to_vec() };
        batch.put(&[0, 1, 0, 0, 1, 7, 0, 0], &row::record(&[value]));
        batch.put(&[0, 1, 0, 0, 1, 7, 0, slot], &record);
        backend.write(batch).unwrap();
        let error = store
            .with_key(&7, |state| {
                state.chain.exists();
                state.any.exists();
            })
            .unwrap_err();
        let state = if slot == 1 { "chain" } else { "any" };
        assert_eq!((error.kind(), error.state()), (ErrorKind::Corrupt, Some(state)), "{error}");
    }
}

#[derive(KeyedState)]
#[state(key = String)]
struct Folder {
    value: ValueState<u32>,
    list: ListState<u32>,
    map: MapState<u32, String>,
}

const NEWEST: u32 = 12;

/// Commits, the first of them in a table file and the last in the log.
fn fill(folder: &Path) {
    let backend = Arc::new(RocksDbStateBackend::open(folder).unwrap());
    let mut store = Keyed::<Folder>::open(Arc::clone(&backend)).unwrap();
    for number in 1..=NEWEST {
        for key in ["ann", "bob"] {
            store
                .with_key(key, |state| {
                    state.value.set(number);
                    state.list.add(number);
                    state.list.truncate_front(3);
                    state.map.put(number % 3, number.to_string());
                })
                .unwrap();
        }
        store.commit(number.to_be_bytes()).unwrap();
        if number == NEWEST / 2 {
            backend.compact().unwrap();
        }
    }
}

/// Reads everything: whatever is not an error must be of the newest commit.
fn read_newest(folder: &Path) -> Result<(), StateError> {
    let backend = Arc::new(RocksDbStateBackend::open(folder)?);
    let mut store = Keyed::<Folder>::open(backend)?;
    assert_eq!(store.position(), Some(&NEWEST.to_be_bytes()[..]));
    for key in ["ann", "bob"] {
        store.with_key(key, |state| {
            let (value, list, map) = (state.value.try_get()?, state.list.try_get()?, state.map.try_values()?);
            assert_eq!(value, Some(NEWEST));
            assert_eq!(list, [NEWEST - 2, NEWEST - 1, NEWEST]);
            assert_eq!(map, [NEWEST, NEWEST - 2, NEWEST - 1].map(|number| number.to_string()));
            Ok::<_, StateError>(())
        })??;
    }
    Ok(())
}

#[test]
fn a_flipped_byte_in_a_folder_is_an_error_or_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let files = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
    };
    let (mut flips, mut errors) = (0, BTreeMap::<String, u32>::new());
    for file in files(folder.path()) {
        let length = fs::metadata(&file).unwrap().len() as usize;
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if length == 0 || name.starts_with("LOG") {
            continue;
        }
        let kind = name.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned();
        let kind = kind.rsplit('.').next().unwrap().to_owned();
        // A prime, so that all places of a record are met; fewer where there is more.
        for at in (flips % 7..length).step_by((length / 40).max(1) | 1) {
            let copy = tempfile::tempdir().unwrap();
            for file in files(folder.path()) {
                fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
            }
            let mut bytes = fs::read(&file).unwrap();
            bytes[at] ^= [0xff, 0x01, 0x80][flips % 3];
            fs::write(copy.path().join(&name), bytes).unwrap();
            flips += 1;
            if let Err(error) = read_newest(copy.path()) {
                let known = matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Incompatible | ErrorKind::Backend);
                assert!(known && !matches!(error.cause(), Cause::Decode { .. }), "{name} at {at}: {error}");
                *errors.entry(kind.clone()).or_default() += 1;
            }
        }
    }
    for kind in ["sst", "log", "MANIFEST-", "CURRENT"] {
        assert!(errors.contains_key(kind), "no damage in a {kind} was found: {errors:?}");
    }
}
