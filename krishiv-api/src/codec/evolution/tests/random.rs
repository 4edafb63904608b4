//! Random shapes, and values of them.

use super::super::plan::{Id, Named, Node, Plan};
use super::super::tree::Tree;
use crate::codec::shape::Shape;
use serde_json::Value;
use std::borrow::Cow;

/// Makes choices of bytes, so that a failure shrinks.
pub(super) struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(Vec::from(bytes).into_iter())
    }

    pub(super) fn of(&mut self, count: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % count
    }

    pub(super) fn bits(&mut self) -> u64 {
        (0..8).fold(0, |all, _| all << 8 | u64::from(self.0.next().unwrap_or_default()))
    }

    /// Small numbers, and those at the ends.
    pub(super) fn number(&mut self) -> u64 {
        let bits = self.bits();
        bits >> (8 * self.of(8))
    }
}

const LEAVES: [&str; 17] = [
    "unit", "bool", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128", "f32", "f64", "char", "str",
    "bytes",
];
const KEYS: [&str; 7] = ["str", "u8", "i64", "u128", "bool", "char", "i16"];
const NAMES: [&str; 6] = ["a", "b", "latitude", "longitude", "of", "kind"];

/// A form as JSON, which is how shapes are stored.
fn form(dice: &mut Dice, depth: usize, hostile: bool) -> Value {
    let leaf = |dice: &mut Dice| Value::from(LEAVES[dice.of(LEAVES.len())]);
    if depth > 3 {
        return leaf(dice);
    }
    match dice.of(if hostile { 13 } else { 10 }) {
        0..=2 => leaf(dice),
        3 => serde_json::json!({ "option": form(dice, depth + 1, hostile) }),
        4 => serde_json::json!({ "seq": form(dice, depth + 1, hostile) }),
        5 => serde_json::json!({ "map": [KEYS[dice.of(KEYS.len())], form(dice, depth + 1, hostile)] }),
        6 => serde_json::json!({ "tuple": forms(dice, depth, hostile) }),
        7 => serde_json::json!({ "array": [form(dice, depth + 1, hostile), dice.of(7)] }),
        8 | 9 => serde_json::json!({ "type": format!("T{}", dice.of(4)) }),
        10 => serde_json::json!({ "array": [form(dice, depth + 1, hostile), usize::MAX >> dice.of(64)] }),
        11 => serde_json::json!({ "one_of": { "of": forms(dice, depth, hostile), "all": true } }),
        _ => Value::from("unknown"),
    }
}

fn forms(dice: &mut Dice, depth: usize, hostile: bool) -> Vec<Value> {
    (0..dice.of(4)).map(|_| form(dice, depth + 1, hostile)).collect()
}

fn fields(dice: &mut Dice, hostile: bool) -> Value {
    let count = dice.of(NAMES.len());
    NAMES[..count].iter().map(|name| serde_json::json!({ "name": name, "is": form(dice, 1, hostile) })).collect()
}

fn layout(dice: &mut Dice, hostile: bool, variants: bool) -> Value {
    match dice.of(if hostile { 7 } else { 5 } + usize::from(variants)) {
        0 => Value::from("unit"),
        1 => serde_json::json!({ "newtype": form(dice, 1, hostile) }),
        2 => serde_json::json!({ "tuple": forms(dice, 1, hostile) }),
        3 | 4 => serde_json::json!({ "struct": fields(dice, hostile) }),
        5 if hostile => {
            serde_json::json!({ "flattened": { "fields": fields(dice, hostile), "rest": form(dice, 1, hostile) } })
        }
        6 if hostile => serde_json::json!({ "tagged": { "tag": "kind", "variants": enumerate(dice, hostile) } }),
        _ => serde_json::json!({ "enum": enumerate(dice, hostile) }),
    }
}

fn enumerate(dice: &mut Dice, hostile: bool) -> Value {
    let count = dice.of(4) + 1;
    NAMES[..count].iter().map(|name| serde_json::json!({ "name": name, "is": layout(dice, hostile, false) })).collect()
}

/// A shape; a hostile one may say what no type is.
pub(super) fn shape(dice: &mut Dice, hostile: bool) -> Shape {
    let count = if hostile { 1 + dice.of(4) } else { 4 };
    let types: serde_json::Map<_, _> = (0..count).map(|at| (format!("T{at}"), layout(dice, hostile, true))).collect();
    let shape = serde_json::json!({ "root": form(dice, 0, hostile), "types": types });
    serde_json::from_value(shape).unwrap()
}

/// A random value of a node; none if it has no end.
pub(super) fn value(plan: &Plan, id: Id, dice: &mut Dice, depth: usize) -> Option<Tree<'static>> {
    if depth > 20 {
        return None;
    }
    let deep = depth > 5;
    let count = |dice: &mut Dice| if deep { 0 } else { dice.of(4) };
    Some(match plan.node(id) {
        Node::Unit => Tree::Null(0),
        Node::Bool => Tree::Bool(dice.of(2) == 1),
        Node::I8 => signed(dice.bits() as i8),
        Node::I16 => signed(dice.bits() as i16),
        Node::I32 => signed(dice.bits() as i32),
        Node::I64 => signed(dice.number() as i64),
        Node::U8 => Tree::Unsigned(dice.bits() as u8 as u64),
        Node::U16 => Tree::Unsigned(dice.bits() as u16 as u64),
        Node::U32 => Tree::Unsigned(dice.bits() as u32 as u64),
        Node::U64 => Tree::Unsigned(dice.number()),
        // JSON knows no more than 64 bits.
        Node::I128 => Tree::Bytes(Cow::Owned(i128::from(dice.number() as i64).to_be_bytes().into())),
        Node::U128 => Tree::Bytes(Cow::Owned(u128::from(dice.number()).to_be_bytes().into())),
        Node::F32 => {
            Tree::F32(Some(f32::from_bits(dice.bits() as u32)).filter(|value| value.is_finite()).unwrap_or(0.1))
        }
        Node::F64 => Tree::F64(Some(f64::from_bits(dice.bits())).filter(|value| value.is_finite()).unwrap_or(0.1)),
        Node::Char => Tree::Str(Cow::Borrowed(["a", "é", "\u{10ffff}", "\""][dice.of(4)])),
        Node::Str => Tree::Str(Cow::Borrowed(["", "latitude", "a\"\n", "5"][dice.of(4)])),
        Node::Bytes => Tree::Bytes(Cow::Owned((0..dice.of(20)).map(|at| at as u8).collect())),
        Node::Option(of) if !deep && dice.of(2) == 1 => match value(plan, *of, dice, depth + 1)? {
            Tree::Null(levels) => Tree::Null(levels + 1),
            tree => tree,
        },
        Node::Option(_) => Tree::Null(0),
        Node::Seq(of) => Tree::Seq((0..count(dice)).map(|_| value(plan, *of, dice, depth + 1)).collect::<Option<_>>()?),
        Node::Array(of, length) if *length < 8 => {
            Tree::Seq((0..*length).map(|_| value(plan, *of, dice, depth + 1)).collect::<Option<_>>()?)
        }
        Node::Map(key, of) => {
            let entries = (0..count(dice))
                .map(|_| Some((value(plan, *key, dice, depth + 1)?, value(plan, *of, dice, depth + 1)?)));
            Tree::Map(entries.collect::<Option<_>>()?)
        }
        Node::Tuple(of) => Tree::Seq(of.iter().map(|of| value(plan, *of, dice, depth + 1)).collect::<Option<_>>()?),
        Node::Struct(fields) => {
            let field = |field: &Named| Some((text(&field.name), value(plan, field.is, dice, depth + 1)?));
            Tree::Map(fields.iter().map(field).collect::<Option<_>>()?)
        }
        Node::Enum(variants) => {
            let variant = &variants[dice.of(variants.len())];
            match variant.content {
                None => text(&variant.name),
                Some(content) => Tree::Map(vec![(text(&variant.name), value(plan, content, dice, depth + 1)?)]),
            }
        }
        _ => return None,
    })
}

fn signed(value: impl Into<i64>) -> Tree<'static> {
    let value = value.into();
    u64::try_from(value).map_or(Tree::Signed(value), Tree::Unsigned)
}

fn text(name: &str) -> Tree<'static> {
    Tree::Str(Cow::Owned(name.to_owned()))
}
