//! Shapes and bytes that nobody wrote.

use super::super::{Fit, Old, fit};
use super::traced::traced;
use super::{matrix, payload};
use crate::codec::payload::Codec;
use crate::codec::shape::{Shape, trace};
use serde::de::IgnoredAny;
use serde_json::Value;

/// A shape of its JSON.
fn of_json(shape: Value) -> Shape {
    serde_json::from_value(shape).unwrap()
}

#[test]
fn hostile_shapes_are_errors() {
    let bytes = vec![1; 100_000];
    for (root, types) in [
        (serde_json::json!({ "type": "A" }), serde_json::json!({ "A": { "newtype": { "type": "A" } } })),
        (
            serde_json::json!({ "type": "A" }),
            serde_json::json!({ "A": { "newtype": { "type": "B" } }, "B": { "newtype": { "type": "A" } } }),
        ),
        (serde_json::json!({ "type": "A" }), serde_json::json!({ "A": { "newtype": { "option": { "type": "A" } } } })),
        (serde_json::json!({ "type": "A" }), serde_json::json!({ "A": { "newtype": { "seq": { "type": "A" } } } })),
        (
            serde_json::json!({ "type": "A" }),
            serde_json::json!({ "A": { "tuple": [{ "type": "A" }, { "type": "A" }] } }),
        ),
        (
            serde_json::json!({ "type": "A" }),
            serde_json::json!({ "A": { "struct": [{ "name": "a", "is": { "type": "A" } }] } }),
        ),
        (
            serde_json::json!({ "type": "A" }),
            serde_json::json!({ "A": { "enum": [{ "name": "a", "is": { "newtype": { "type": "A" } } }] } }),
        ),
        (serde_json::json!({ "type": "gone" }), serde_json::json!({})),
        (serde_json::json!({ "array": ["unit", usize::MAX] }), serde_json::json!({})),
        (serde_json::json!({ "array": [{ "array": ["unit", 60_000] }, 60_000] }), serde_json::json!({})),
    ] {
        let shape = of_json(serde_json::json!({ "root": root, "types": types }));
        for codec in super::CODECS {
            let old = Old::new(&shape);
            for length in [0, 1, 2, 700, 100_000] {
                let read = old.decode::<Value>(codec, &bytes[..length]);
                // What describes itself may be read whatever its shape says.
                assert!(read.is_err() || codec != Codec::Postcard, "{shape}, {length}: {read:?}");
                let _ = old.decode::<IgnoredAny>(codec, &bytes[..length]);
                let _ = old.decode::<Vec<()>>(codec, &bytes[..length]);
            }
            assert!(
                matches!(fit::<matrix::Place>(&shape, codec, &traced::<matrix::Place>()), Fit::Unreadable { .. }),
                "{shape}"
            );
            let _ = fit::<matrix::List>(&shape, codec, &traced::<matrix::List>());
        }
    }
}

#[test]
fn what_takes_no_bytes_is_not_counted_for_ever() {
    let shape = of_json(serde_json::json!({ "root": { "seq": { "array": ["unit", 60_000] } } }));
    let old = Old::new(&shape);
    assert!(old.decode::<Vec<Vec<()>>>(Codec::Postcard, &[3]).is_ok_and(|read| read.len() == 3));
    let read = old.decode::<IgnoredAny>(Codec::Postcard, &[200, 1]);
    assert_eq!(read.err().as_deref(), Some("it has too many parts that take no bytes"));
}

/// Types within types as far as anybody wants, each a name of one that a type really has.
#[test]
fn no_chain_of_types_is_too_long() {
    const LENGTH: usize = 20_000;
    for link in ["option", "seq"] {
        let layout = |at: usize| {
            let next = serde_json::json!({ link: { "type": format!("List#{}", at + 1) } });
            serde_json::json!({ "struct": [{ "name": "value", "is": "u32" }, { "name": "next", "is": next }] })
        };
        let types: serde_json::Map<_, _> = (2..LENGTH).map(|at| (format!("List#{at}"), layout(at))).collect();
        let shape = of_json(serde_json::json!({ "root": { "type": "List#2" }, "types": types }));
        let _ = fit::<matrix::List>(&shape, Codec::Postcard, &traced::<matrix::List>());
        assert!(!shape.to_string().is_empty());
        let _ = Old::new(&shape).decode::<Value>(Codec::Postcard, &[1; 50_000]);
    }
    let doubled = (0..60).map(|at| {
        let next = serde_json::json!({ "type": format!("T{}", at + 1) });
        (format!("T{at}"), serde_json::json!({ "tuple": [next, next] }))
    });
    let types: serde_json::Map<_, _> = doubled.chain([("T60".to_owned(), Value::from("unit"))]).collect();
    let shape = of_json(serde_json::json!({ "root": { "type": "T0" }, "types": types }));
    assert!(Old::new(&shape).decode::<IgnoredAny>(Codec::Postcard, &[]).is_err());
    let _ = fit::<matrix::Place>(&shape, Codec::Postcard, &traced::<matrix::Place>());
}

#[test]
fn what_is_nested_is_read_as_deep_as_it_was_written() {
    let list = |length| (0..length).fold(None, |next, value| Some(Box::new(matrix::List { value, next })));
    let shape = trace::<Option<Box<matrix::List>>>().shape;
    let mut bytes = Vec::new();
    payload::write(&list(250), Codec::Postcard, &mut bytes).unwrap();
    let read = Old::new(&shape).decode::<Option<Box<matrix::ListNew>>>(Codec::Postcard, &bytes);
    assert!(read.is_ok_and(|read| read.is_some()));
    assert!(payload::write(&list(300), Codec::Postcard, &mut bytes).is_err());
    let deep = of_json(
        serde_json::json!({ "root": { "type": "A" }, "types": { "A": { "newtype": { "seq": { "type": "A" } } } } }),
    );
    assert_eq!(Old::new(&deep).decode::<Value>(Codec::Postcard, &[1; 600]), Err("it is nested too deeply".to_owned()));
}
