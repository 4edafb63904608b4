//! Random shapes and values, against `serde_json` as the model: what was written by a shape reads back as it would from JSON.

use super::super::plan::{Id, Node, Plan};
use super::super::tree::Tree;
use super::super::{Fit, Old, fit};
use super::own_shape::Nested;
use super::random::{Dice, shape, value};
use super::traced::traced;
use super::write::write;
use super::{matrix, payload};
use crate::codec::payload::Codec;
use crate::codec::shape::Shape;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What JSON makes of it.
fn model(plan: &Plan, id: Id, tree: &Tree<'_>) -> Value {
    let wide = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).unwrap();
    let node = match plan.node(id) {
        Node::Option(of) if !matches!(tree, Tree::Null(_)) => return model(plan, *of, tree),
        node => node,
    };
    match (node, tree) {
        (_, Tree::Null(_)) => Value::Null,
        (_, Tree::Bool(value)) => (*value).into(),
        (_, Tree::Unsigned(value)) => (*value).into(),
        (_, Tree::Signed(value)) => (*value).into(),
        (_, Tree::F32(value)) => f64::from(*value).into(),
        (_, Tree::F64(value)) => (*value).into(),
        (_, Tree::Str(text)) => text.as_ref().into(),
        (Node::I128, Tree::Bytes(bytes)) => i64::try_from(i128::from_be_bytes(wide(bytes))).unwrap().into(),
        (Node::U128, Tree::Bytes(bytes)) => u64::try_from(u128::from_be_bytes(wide(bytes))).unwrap().into(),
        (_, Tree::Bytes(bytes)) => bytes.to_vec().into(),
        (Node::Seq(of) | Node::Array(of, _), Tree::Seq(items)) => {
            items.iter().map(|item| model(plan, *of, item)).collect()
        }
        (Node::Tuple(of), Tree::Seq(items)) => of.iter().zip(items).map(|(of, item)| model(plan, *of, item)).collect(),
        (Node::Map(key, of), Tree::Map(entries)) => {
            let key = |tree: &Tree<'_>| match model(plan, *key, tree) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            entries.iter().map(|(name, item)| (key(name), model(plan, *of, item))).collect()
        }
        (Node::Struct(fields), Tree::Map(entries)) => {
            let fields = fields.iter().zip(entries);
            fields.map(|(field, (_, item))| (field.name.clone(), model(plan, field.is, item))).collect()
        }
        (Node::Enum(variants), Tree::Map(entries)) => {
            let (Tree::Str(name), item) = &entries[0] else { panic!("a name") };
            let variant = variants.iter().find(|variant| variant.name == *name).unwrap();
            [(name.to_string(), model(plan, variant.content.unwrap(), item))].into_iter().collect()
        }
        (node, _) => panic!("{node:?}"),
    }
}

/// Writes a sample as bytes that describe themselves.
struct Written<'t>(&'t Tree<'t>);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Tree::Null(0) => serializer.serialize_none(),
            Tree::Null(levels) => serializer.serialize_some(&Written(&Tree::Null(levels - 1))),
            Tree::Bool(value) => value.serialize(serializer),
            Tree::Unsigned(value) => value.serialize(serializer),
            Tree::Signed(value) => value.serialize(serializer),
            Tree::F32(value) => value.serialize(serializer),
            Tree::F64(value) => value.serialize(serializer),
            Tree::Str(text) => text.serialize(serializer),
            Tree::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Tree::Seq(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| seq.serialize_element(&Written(item)))?;
                seq.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, item)| map.serialize_entry(&Written(key), &Written(item)))?;
                map.end()
            }
        }
    }
}

/// The bytes of a value in each codec that can hold it.
fn stored(plan: &Plan, tree: &Tree<'_>, json: &Value) -> Vec<(Codec, Vec<u8>)> {
    let mut postcard = Vec::new();
    write(plan, plan.root_id(), tree, &mut postcard).expect("what was made by the plan is written by it");
    let mut pack = Vec::new();
    payload::write(&Written(tree), Codec::MessagePack, &mut pack).unwrap();
    vec![(Codec::Postcard, postcard), (Codec::MessagePack, pack), (Codec::Json, serde_json::to_vec(json).unwrap())]
}

fn reads<T: DeserializeOwned + Serialize + 'static>(
    shape: &Shape,
    stored: &[(Codec, Vec<u8>)],
) -> Result<(), TestCaseError> {
    let declared = traced::<T>();
    for (codec, bytes) in stored {
        let fit = fit::<T>(shape, *codec, &declared);
        let read = Old::new(shape).decode::<T>(*codec, bytes);
        if let Fit::Readable { changes } = &fit
            && changes.iter().all(|change| !change.checked)
        {
            prop_assert!(read.is_ok(), "{codec:?}, {shape} to {declared}: {changes:?}, {:?}", read.err());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_shape_wrote_reads_back_as_from_json(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut dice = Dice::new(&bytes);
        let shape = shape(&mut dice, false);
        let plan = Plan::new(&shape);
        if let Some(tree) = value(&plan, plan.root_id(), &mut dice, 0) {
            let expected = model(&plan, plan.root_id(), &tree);
            let old = Old::new(&shape);
            for (codec, bytes) in stored(&plan, &tree, &expected) {
                let read = old.decode::<Value>(codec, &bytes);
                prop_assert_eq!(read.as_ref(), Ok(&expected), "{:?}, {}", codec, shape);
                prop_assert!(old.decode::<IgnoredAny>(codec, &bytes).is_ok());
            }
        }
    }

    #[test]
    fn no_bytes_and_no_shape_do_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        other in prop::collection::vec(any::<u8>(), 0..100),
        small in prop::collection::vec(0_u8..3, 0..100),
    ) {
        let shape = shape(&mut Dice::new(&bytes), true);
        let old = Old::new(&shape);
        for codec in super::CODECS {
            for bytes in [&other, &small] {
                let _ = old.decode::<Value>(codec, bytes);
                let _ = old.decode::<IgnoredAny>(codec, bytes);
                let _ = old.decode::<Nested>(codec, bytes);
                let _ = old.decode::<Vec<Option<u64>>>(codec, bytes);
                let _ = old.decode_run::<matrix::Trip>(codec, bytes, &mut Default::default());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_checked_is_always_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut dice = Dice::new(&bytes);
        let shape = shape(&mut dice, false);
        let plan = Plan::new(&shape);
        if let Some(tree) = value(&plan, plan.root_id(), &mut dice, 0) {
            let json = model(&plan, plan.root_id(), &tree);
            let stored = stored(&plan, &tree, &json);
            reads::<Value>(&shape, &stored)?;
            reads::<matrix::Place>(&shape, &stored)?;
            reads::<matrix::AllDefault>(&shape, &stored)?;
            reads::<Option<u64>>(&shape, &stored)?;
            reads::<Vec<f64>>(&shape, &stored)?;
            reads::<matrix::KindMore>(&shape, &stored)?;
        }
    }

    #[test]
    fn no_shape_is_too_odd_to_be_judged(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let shape = shape(&mut Dice::new(&bytes), true);
        for codec in super::CODECS {
            let _ = fit::<Value>(&shape, codec, &traced::<Value>());
            let _ = fit::<Nested>(&shape, codec, &traced::<Nested>());
        }
    }
}
