//! Samples as postcard, by the plan of what they are samples of.

use super::super::plan::{Id, Node, Plan};
use super::super::tree::Tree;

/// Appends a sample of this node; none if it is not one.
pub(super) fn write(plan: &Plan, id: Id, tree: &Tree<'_>, out: &mut Vec<u8>) -> Option<()> {
    match (plan.node(id), tree) {
        (Node::Unit, Tree::Null(_)) => {}
        (Node::Bool, Tree::Bool(value)) => out.push(u8::from(*value)),
        (Node::U8, Tree::Unsigned(value)) => out.push(u8::try_from(*value).ok()?),
        (Node::I8, value) => out.push(i8::try_from(signed(value)?).ok()?.to_le_bytes()[0]),
        (Node::U16 | Node::U32 | Node::U64, Tree::Unsigned(value)) => varint((*value).into(), out),
        (Node::I16 | Node::I32 | Node::I64, value) => varint(zigzag(signed(value)?.into()), out),
        (Node::U128, Tree::Bytes(bytes)) => varint(u128::from_be_bytes(bytes.as_ref().try_into().ok()?), out),
        (Node::I128, Tree::Bytes(bytes)) => varint(zigzag(i128::from_be_bytes(bytes.as_ref().try_into().ok()?)), out),
        (Node::F32, Tree::F32(value)) => out.extend(value.to_le_bytes()),
        (Node::F64, Tree::F64(value)) => out.extend(value.to_le_bytes()),
        (Node::Char | Node::Str, Tree::Str(text)) => counted(text.as_bytes(), out),
        (Node::Bytes, Tree::Bytes(bytes)) => counted(bytes, out),
        (Node::Option(_), Tree::Null(0)) => out.push(0),
        (Node::Option(of), Tree::Null(levels)) => {
            out.push(1);
            write(plan, *of, &Tree::Null(levels - 1), out)?;
        }
        (Node::Option(of), tree) => {
            out.push(1);
            write(plan, *of, tree, out)?;
        }
        (Node::Seq(of), Tree::Seq(items)) => {
            varint(items.len() as u128, out);
            items.iter().try_for_each(|item| write(plan, *of, item, out))?;
        }
        (Node::Array(of, length), Tree::Seq(items)) if items.len() == *length => {
            items.iter().try_for_each(|item| write(plan, *of, item, out))?;
        }
        (Node::Tuple(of), Tree::Seq(items)) if items.len() == of.len() => {
            of.iter().zip(items).try_for_each(|(of, item)| write(plan, *of, item, out))?;
        }
        (Node::Map(key, value), Tree::Map(entries)) => {
            varint(entries.len() as u128, out);
            for entry in entries {
                write(plan, *key, &entry.0, out)?;
                write(plan, *value, &entry.1, out)?;
            }
        }
        (Node::Struct(fields), Tree::Map(entries)) if entries.len() == fields.len() => {
            fields.iter().zip(entries).try_for_each(|(field, (_, value))| write(plan, field.is, value, out))?;
        }
        (Node::Enum(variants), Tree::Str(name)) => {
            let index = variants.iter().position(|variant| variant.name == *name && variant.content.is_none())?;
            varint(index as u128, out);
        }
        (Node::Enum(variants), Tree::Map(entries)) => {
            let [(Tree::Str(name), value)] = entries.as_slice() else { return None };
            let index = variants.iter().position(|variant| variant.name == *name)?;
            varint(index as u128, out);
            write(plan, variants.get(index)?.content?, value, out)?;
        }
        _ => return None,
    }
    Some(())
}

fn signed(tree: &Tree<'_>) -> Option<i64> {
    match tree {
        Tree::Unsigned(value) => i64::try_from(*value).ok(),
        Tree::Signed(value) => Some(*value),
        _ => None,
    }
}

fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

fn varint(mut value: u128, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn counted(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as u128, out);
    out.extend(bytes);
}
