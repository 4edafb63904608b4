#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{Codec, FREE_ELEMENTS, decode, encode};
use Codec::{Json, MessagePack, Postcard};
use serde::de::DeserializeOwned;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

fn used<T: Serialize + DeserializeOwned>(value: &T, wanted: Codec) -> (Codec, T) {
    let mut bytes = b"before".to_vec();
    let codec = encode(value, wanted, &mut bytes).unwrap();
    let payload = bytes.strip_prefix(b"before").unwrap();
    (codec, decode(codec, payload).unwrap())
}

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, wanted: Codec, expected: Codec) {
    assert_eq!(used(&value, wanted), (expected, value));
}

#[test]
fn clean_values_use_the_wanted_codec() {
    for codec in [Postcard, Json, MessagePack] {
        check((), codec, codec);
        check((1_u8, -1_i64, "x".to_owned(), 'c'), codec, codec);
        check(Some(vec![Some(1_u8), None]), codec, codec);
        check(HashMap::from([(1_u32, "a".to_owned()), (2, "b".to_owned())]), codec, codec);
        check("::1".parse::<IpAddr>().unwrap(), codec, codec);
        check((0.1_f32, -0.0_f64, f64::MIN_POSITIVE, u64::MAX, i64::MIN), codec, codec);
        check((u128::from(u64::MAX), i128::from(i64::MIN)), codec, codec);
        check(Ok::<(), Duration>(()), codec, codec);
        check([3_u8; 32], codec, codec);
    }
    for codec in [Postcard, MessagePack] {
        check((u128::MAX, i128::MIN, [Some(Some(1)), Some(None), None]), codec, codec);
        check([Some(Some(())), Some(None), None], codec, codec);
        check([Some(Some(Some(()))), Some(Some(None)), Some(None), None], codec, codec);
        check(BTreeMap::from([((1_u32, "a".to_owned()), vec![f32::INFINITY])]), codec, codec);
    }
}

#[test]
fn postcard_bytes_are_those_of_the_crate() {
    let value = (1_u64, "x".to_owned(), vec![Some(-3_i16), None], BTreeMap::from([('c', 0.5_f32)]));
    let mut bytes = Vec::new();
    encode(&value, Postcard, &mut bytes).unwrap();
    assert_eq!(bytes, postcard::to_allocvec(&value).unwrap());
}

#[track_caller]
fn packs_as_the_crate<T: Serialize>(value: &T) {
    let mut bytes = Vec::new();
    super::write(value, MessagePack, &mut bytes).unwrap();
    let mut theirs = Vec::new();
    value.serialize(&mut rmp_serde::Serializer::new(&mut theirs).with_struct_map()).unwrap();
    assert_eq!(bytes, theirs);
}

/// What was stored by way of the crate's own serializer is what is stored now.
#[test]
fn message_pack_bytes_are_those_of_the_crate() {
    for number in [0, 1, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        packs_as_the_crate(&(number, number as u8, number as u16, number as u32));
        packs_as_the_crate(&(number as i8, number as i16, number as i32, number as i64, -(number as i8 as i64)));
        packs_as_the_crate(&(u128::from(number) << 40, -i128::from(number), number as f32, number as f64));
    }
    for length in [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536] {
        packs_as_the_crate(&"x".repeat(length));
        packs_as_the_crate(&vec![length % 3 == 0; length]);
        packs_as_the_crate(&(0..length).map(|at| (at, ())).collect::<BTreeMap<_, _>>());
    }
    packs_as_the_crate(&('é', true, Some(Some(1)), None::<u8>, ((), [1_u8; 3])));
    packs_as_the_crate(&(Skipping::default(), Wrapped(Some(1)), Wrapped(None)));
    packs_as_the_crate(&[Variants::Skipping { name: None, id: 1 }, Variants::Nested(Vec::new(), [7].into())]);
    packs_as_the_crate(&Flat { id: 1, rest: [("a".to_owned(), 2), ("b".to_owned(), 3)].into() });
    packs_as_the_crate(&serde_json::json!({"a": [null, 1, -1, 0.5, "x", {"b": {}}], "c": u64::MAX}));
    packs_as_the_crate(&chain(100));
}

#[test]
fn json_that_would_lose_something_becomes_postcard() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from_bits(0x7ff8_0000_0000_1234)] {
        let (codec, back) = used(&number, Json);
        assert_eq!((codec, back.to_bits()), (Postcard, number.to_bits()));
        assert_eq!(used(&number, Postcard).1.to_bits(), number.to_bits());
    }
    check(vec![f32::INFINITY], Json, Postcard);
    check(Some(None::<u8>), Json, Postcard);
    check(Some(Some(1_u8)), Json, Json);
    check(Some(()), Json, Postcard);
    check((1_u8, vec![Some(Some(None::<u8>))]), Json, Postcard);
    check(BTreeMap::from([((1_u32, "a".to_owned()), 0.5)]), Json, Postcard);
    check(BTreeMap::from([(vec![1_u8], 1_u8)]), Json, Postcard);
    check(u128::MAX, Json, Postcard);
    check(i128::MIN, Json, Postcard);
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Wrapped(Option<u8>);

#[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
struct Skipping {
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default)]
    speed: f64,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Variants {
    Skipping {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        id: u32,
    },
    Nested(Vec<Skipping>, HashSet<u32>),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

#[test]
fn postcard_that_would_lose_something_becomes_message_pack() {
    let full = || Skipping { name: Some("x".to_owned()), ..Skipping::default() };
    check(full(), Postcard, Postcard);
    check(Skipping::default(), Postcard, MessagePack);
    check(vec![full(), Skipping::default(), full()], Postcard, MessagePack);
    check(Variants::Skipping { name: None, id: 1 }, Postcard, MessagePack);
    check(Variants::Nested(vec![full()], [1, 2].into()), Postcard, Postcard);
    check(Variants::Nested(vec![Skipping::default()], (0..100).collect()), Postcard, MessagePack);
    check(Flat { id: 1, rest: [("a".to_owned(), 2)].into() }, Postcard, MessagePack);
    check(Some(Wrapped(None)), Json, Postcard);
    check(vec![(); FREE_ELEMENTS], Postcard, Postcard);
    check(vec![(); FREE_ELEMENTS + 10], Postcard, MessagePack);
}

#[track_caller]
fn refused<T: Serialize + DeserializeOwned>(value: &T, parts: [&str; 3]) {
    for wanted in [Postcard, Json, MessagePack] {
        let mut bytes = b"before".to_vec();
        let error = encode(value, wanted, &mut bytes).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert_eq!(bytes, b"before");
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Default5 {
    #[serde(default = "five", skip_serializing_if = "zero")]
    number: u32,
}

fn five() -> u32 {
    5
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn zero(number: &u32) -> bool {
    *number == 0
}

/// Says that it has two elements, and has three.
#[derive(PartialEq, Debug)]
struct Liar;

impl Serialize for Liar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(2))?;
        (0..3).try_for_each(|element| seq.serialize_element(&element))?;
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Liar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<i32>::deserialize(deserializer).map(|_| Self)
    }
}

#[test]
fn what_no_codec_can_give_back_is_refused_with_all_reasons() {
    refused(&Default5 { number: 0 }, ["a field is skipped", "not JSON, because it reads back as {", "not MessagePack"]);
    refused(&Liar, ["more or fewer elements", "not JSON", "not MessagePack"]);
    check(Some(serde_json::Value::Null), Json, MessagePack);
    check(Skipping { speed: f64::INFINITY, ..Skipping::default() }, Postcard, MessagePack);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Chain {
    Link(Box<Chain>),
    End,
}

fn chain(length: usize) -> Chain {
    (0..length).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
}

#[test]
fn what_is_written_is_not_nested_deeper_than_what_is_read() {
    for wanted in [Postcard, Json, MessagePack] {
        for length in [1, 100, 125, 126, 127, 128, 129, 254, 255, 256, 257, 400, 500] {
            let value = chain(length);
            assert!(used(&value, wanted).1 == value, "{length}");
        }
        for length in 505..520 {
            let mut bytes = Vec::new();
            if let Ok(codec) = encode(&chain(length), wanted, &mut bytes) {
                decode::<Chain>(codec, &bytes).unwrap();
            }
        }
        refused(&chain(1000), ["not JSON, because it is nested too deeply", "not postcard", "not MessagePack"]);
    }
    let arrays = (0..300).fold(serde_json::json!(1), |value, _| serde_json::json!([value]));
    encode(&arrays, Json, &mut Vec::new()).unwrap_err();
}

#[test]
fn bytes_have_to_be_used_up() {
    assert!(decode::<u8>(Postcard, &[1, 2]).unwrap_err().contains("left over"));
    assert!(decode::<u8>(Postcard, &[]).unwrap_err().contains("end too early"));
    assert!(decode::<u8>(Json, b"1 2").is_err());
    assert!(decode::<u8>(Json, b"").is_err());
    assert!(decode::<u8>(MessagePack, &[1, 2]).unwrap_err().contains("left over"));
    assert!(decode::<u8>(MessagePack, &[]).unwrap_err().contains("end too early"));
    assert_eq!(decode::<()>(Postcard, &[]), Ok(()));
}

fn hostile<T: DeserializeOwned>(bytes: &[u8]) {
    // Whoever believes such a length does not come back, or runs out of memory.
    assert!(decode::<T>(Postcard, bytes).is_err());
}

#[derive(Serialize, Deserialize)]
struct Endless(Option<Box<Endless>>);

#[test]
fn hostile_lengths_and_depths_are_errors_at_once() {
    let mut length = postcard::to_allocvec(&(1_u64 << 60)).unwrap();
    length.extend([0; 20]);
    hostile::<Vec<()>>(&length);
    hostile::<Vec<u8>>(&length);
    hostile::<Vec<[u64; 4]>>(&length);
    hostile::<String>(&length);
    hostile::<HashMap<u64, u64>>(&length);
    hostile::<HashMap<(), ()>>(&length);
    hostile::<HashSet<()>>(&length);
    hostile::<Vec<Vec<()>>>(&length);
    hostile::<(Vec<Vec<u8>>, String)>(&[&[1][..], &length].concat());
    hostile::<Option<Box<Vec<String>>>>(&[&[1, 1][..], &length].concat());
    hostile::<Chain>(&vec![0; 1_000_000]);
    assert!(decode::<serde_json::Value>(Json, &vec![b'['; 1_000_000]).is_err());
    assert!(decode::<serde_json::Value>(MessagePack, &vec![0x91; 1_000_000]).is_err());
    // Nothing is taken off the bytes on the way down.
    assert!(decode::<Endless>(MessagePack, &[5]).is_err());
    for head in [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff]] {
        assert!(decode::<serde_json::Value>(MessagePack, &head).is_err());
        assert!(decode::<Vec<u64>>(MessagePack, &[&head[..], &[0; 1_000]].concat()).is_err());
    }
    // Many lengths, each of them just small enough.
    let many = postcard::to_allocvec(&60_000_u32).unwrap().repeat(1000);
    hostile::<Vec<Vec<()>>>(&[&[200, 1][..], &many].concat());
}

/// A small generator of the same noise in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 40;
        // Small bytes make valid tags and lengths more likely.
        let small = self.next().is_multiple_of(2);
        (0..length).map(|_| (self.next() % if small { 4 } else { 256 }) as u8).collect()
    }
}

fn survives_noise<T: Serialize + DeserializeOwned>(noise: &mut Noise) {
    for _ in 0..2000 {
        let bytes = noise.bytes();
        for codec in [Postcard, Json, MessagePack] {
            // Whatever decodes is a value like any other.
            if let Ok(value) = decode::<T>(codec, &bytes) {
                let mut again = Vec::new();
                let codec = encode(&value, codec, &mut again).unwrap();
                decode::<T>(codec, &again).map(|_| ()).unwrap();
            }
        }
    }
}

#[test]
fn noise_is_an_error_or_a_value() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    survives_noise::<u8>(&mut noise);
    survives_noise::<(u16, i32, u64, i128, u128, char, bool, f32, f64)>(&mut noise);
    survives_noise::<String>(&mut noise);
    survives_noise::<Vec<()>>(&mut noise);
    survives_noise::<Vec<u8>>(&mut noise);
    survives_noise::<Vec<Vec<String>>>(&mut noise);
    survives_noise::<HashMap<u32, Vec<u8>>>(&mut noise);
    survives_noise::<BTreeMap<(u8, String), f64>>(&mut noise);
    survives_noise::<Option<Option<Box<[u16]>>>>(&mut noise);
    survives_noise::<Result<[u8; 8], Duration>>(&mut noise);
    survives_noise::<IpAddr>(&mut noise);
    survives_noise::<Chain>(&mut noise);
    survives_noise::<Variants>(&mut noise);
    survives_noise::<Flat>(&mut noise);
    survives_noise::<serde_json::Value>(&mut noise);
}

/// What describes itself is read back by way of a copy, which knows less than the type.
mod named {
    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
    #[serde(tag = "kind")]
    enum Tagged {
        Empty,
        Counts { by_number: BTreeMap<u32, u64>, by_truth: BTreeMap<bool, char>, rest: f32 },
        Deep { one: Option<Option<Option<u8>>>, two: Vec<Option<()>> },
        Wide { number: u128 },
        Again { inside: Box<Tagged>, bytes: Bytes, pair: (i8, String) },
    }

    #[derive(PartialEq, Debug, Clone)]
    struct Bytes(Vec<u8>);

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl serde::de::Visitor<'_> for Visit {
                type Value = Bytes;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_byte_buf(Visit)
        }
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Flattened {
        #[serde(flatten)]
        rest: BTreeMap<u32, Option<Option<f64>>>,
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Unit,
        New(u128),
        Pair(u8, f64),
        Struct { map: BTreeMap<i8, Tagged> },
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Loose {
        Float(f64),
        Int(i64),
        Value { value: u8 },
        WithUnit { value: u8, unit: String },
    }

    fn counts() -> Tagged {
        let by_number = [(1, 2), (u32::MAX, u64::MAX)].into();
        Tagged::Counts { by_number, by_truth: [(true, 'x'), (false, '\u{1f600}')].into(), rest: f32::INFINITY }
    }

    #[test]
    fn comes_back_exactly() {
        let deep = |one| Tagged::Deep { one, two: vec![Some(()), None] };
        for value in [
            Tagged::Empty,
            counts(),
            deep(None),
            deep(Some(None)),
            deep(Some(Some(None))),
            deep(Some(Some(Some(1)))),
            Tagged::Again { inside: Box::new(counts()), bytes: Bytes(vec![0, 255]), pair: (-1, "é".to_owned()) },
        ] {
            check(value.clone(), MessagePack, MessagePack);
            check(vec![value.clone(); 3], MessagePack, MessagePack);
            check(Adjacent::Struct { map: [(-1, value)].into() }, MessagePack, MessagePack);
        }
        check(Adjacent::Unit, MessagePack, MessagePack);
        check(Adjacent::New(u128::MAX), MessagePack, MessagePack);
        check(Adjacent::Pair(1, f64::MIN_POSITIVE), MessagePack, MessagePack);
        let rest = [(7, Some(Some(f64::NEG_INFINITY))), (8, Some(None)), (9, None)].into();
        check(Flattened { rest }, MessagePack, MessagePack);
        check(Loose::Float(5.0), MessagePack, MessagePack);
        check(Loose::Value { value: 1 }, MessagePack, MessagePack);
        let json = serde_json::json!({"a": [null, 1, -1, 0.5, "x", {"b": {}}], "c": u64::MAX});
        check(json.clone(), MessagePack, MessagePack);
        check(Some(json), MessagePack, MessagePack);
    }

    #[test]
    fn is_refused_where_serde_makes_something_else_of_it() {
        let deep = (0..300).fold(Tagged::Empty, |inside, _| Tagged::Again {
            inside: Box::new(inside),
            bytes: Bytes(Vec::new()),
            pair: (0, String::new()),
        });
        for (value, reason) in [(Tagged::Wide { number: 5 }, "does not read back"), (deep, "nested too deeply")] {
            for wanted in [MessagePack, Json] {
                let error = encode(&value, wanted, &mut Vec::new()).unwrap_err();
                assert!(error.contains(reason), "{error}");
            }
        }
        for (value, back) in [
            (Loose::Int(9_007_199_254_740_993), "9007199254740992.0"),
            (Loose::Int(5), "5.0"),
            (Loose::WithUnit { value: 1, unit: "kg".to_owned() }, "{\"value\":1}"),
        ] {
            let error = encode(&value, MessagePack, &mut Vec::new()).unwrap_err();
            assert!(error.contains(&format!("it reads back as {back}")), "{error}");
        }
    }
}
