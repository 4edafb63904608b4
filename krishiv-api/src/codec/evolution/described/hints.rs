//! What a plan tells of a part that the bytes do not.

use crate::codec::evolution::number::Int;
use crate::codec::evolution::plan::{NOWHERE, Named, Node, Plan, Variant};
use crate::codec::evolution::source::{Head, MAX_DEPTH};
use crate::codec::evolution::tree::Tree;

/// By what it is known what the value of an entry is.
#[derive(Clone, Copy)]
pub(super) enum By<'de> {
    Place(&'de Node, &'de Node),
    Name(&'de [Named], &'de Node),
    Variant(&'de [Variant]),
}

const NONE: By<'_> = By::Place(NOWHERE, NOWHERE);

/// What the value is if it is there.
pub(super) fn present<'de>(plan: &'de Plan, mut node: &'de Node) -> &'de Node {
    // A plan may say that a type is an option of itself.
    for _ in 0..MAX_DEPTH {
        match node {
            Node::Option(of) => node = plan.node(*of),
            other => return other,
        }
    }
    NOWHERE
}

/// By what the values of these entries are known.
pub(super) fn by<'de>(plan: &'de Plan, entries: &[(Tree<'_>, Tree<'_>)], node: &'de Node) -> By<'de> {
    match node {
        Node::Map(key, value) => By::Place(plan.node(*key), plan.node(*value)),
        Node::Struct(fields) => By::Name(fields, NOWHERE),
        Node::Flattened { fields, rest } => By::Name(fields, rest.map_or(NOWHERE, |rest| plan.node(rest))),
        Node::Enum(variants) => By::Variant(variants),
        Node::Tagged { tag, variants } => {
            let value = entries.iter().find(|(key, _)| key.text() == Some(tag)).and_then(|(_, value)| value.text());
            let variant = variants.iter().find(|variant| Some(variant.name.as_str()) == value);
            match variant.and_then(|variant| variant.content).map(|content| plan.node(content)) {
                Some(Node::Struct(fields)) => By::Name(fields, NOWHERE),
                Some(Node::Flattened { fields, rest }) => {
                    By::Name(fields, rest.map_or(NOWHERE, |rest| plan.node(rest)))
                }
                _ => NONE,
            }
        }
        _ => NONE,
    }
}

/// What the value behind this key is.
pub(super) fn behind<'de>(plan: &'de Plan, by: By<'de>, key: &Tree<'_>) -> &'de Node {
    let known = match by {
        By::Place(_, value) => return value,
        By::Name(fields, rest) => match fields.iter().find(|field| Some(field.name.as_str()) == key.text()) {
            Some(field) => Some(field.is),
            None => return rest,
        },
        By::Variant(variants) => {
            let variant = variants.iter().find(|variant| Some(variant.name.as_str()) == key.text());
            variant.and_then(|variant| variant.content)
        }
    };
    known.map_or(NOWHERE, |id| plan.node(id))
}

/// A key as what it stands for.
pub(super) fn key<'de>(plan: &'de Plan, tree: &'de Tree<'de>, node: &'de Node) -> Option<Head<'de>> {
    let text = tree.text()?;
    Some(match present(plan, node) {
        Node::Bool => Head::Bool(text.parse().ok()?),
        Node::I8 | Node::I16 | Node::I32 | Node::I64 | Node::I128 => Head::Int(text.parse::<i128>().ok()?.into()),
        Node::U8 | Node::U16 | Node::U32 | Node::U64 | Node::U128 => Head::Int(text.parse::<u128>().ok()?.into()),
        Node::F32 => Head::F32(text.parse().ok()?),
        Node::F64 => Head::F64(text.parse().ok()?),
        Node::Untold => Head::Key(text),
        _ => return None,
    })
}

/// A number of which the digits of the narrower kind have been written.
pub(super) fn narrow<'de>(value: f64) -> Head<'de> {
    let narrow = value as f32;
    match narrow.to_string().parse::<f64>() {
        Ok(written) if value == written => Head::F32(narrow),
        _ => Head::F64(value),
    }
}

/// An integer of 128 bits, which is written as its bytes.
pub(super) fn wide(bytes: &[u8], node: &Node) -> Option<Int> {
    let bytes = bytes.try_into().ok()?;
    match node {
        Node::I128 => Some(i128::from_be_bytes(bytes).into()),
        Node::U128 => Some(u128::from_be_bytes(bytes).into()),
        _ => None,
    }
}

impl Tree<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }
}
