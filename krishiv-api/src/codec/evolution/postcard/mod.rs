//! Goes through postcard bytes by the plan of what wrote them.
//!
//! Neither bytes nor plan are believed: what they announce together may not exceed what the bytes can hold (and a little, for what
//! takes none), and nesting has a limit. Passing by goes from part to part, and not deeper and deeper.

mod cursor;
mod steps;

use super::number::Int;
use super::plan::{Id, Named, Node, Plan, Variant};
use super::source::{Head, MAX_DEPTH};
use crate::codec::payload::{FREE_ELEMENTS, take};
use crate::codec::unreadable::{Result, unreadable};

/// Parts that take no bytes, for each byte and each element that takes none: the fields of a struct are no elements.
const PARTS_EACH: usize = 64;

pub(super) struct Reader<'de> {
    rest: &'de [u8],
    plan: &'de Plan,
    here: Here<'de>,
    open: Vec<Open<'de>>,
    /// Elements that sequences and maps may still announce.
    elements: usize,
    /// Parts that may still be gone to.
    parts: usize,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Here<'de> {
    Nothing,
    Value(&'de Node),
    /// A name, of a field or a variant.
    Name(&'de str),
    Byte(u8),
}

/// What is open, and how far.
enum Open<'de> {
    /// One part, which has come next.
    Around,
    /// The name of a variant has come next, and there is nothing behind it.
    Bare,
    Bytes(&'de [u8]),
    Each(&'de Node, usize),
    Row(&'de [Id]),
    Fields {
        of: &'de [Named],
        now: Option<&'de Named>,
        value: bool,
    },
    Entries {
        of: (&'de Node, &'de Node),
        left: usize,
        value: bool,
    },
    Variant {
        of: &'de Variant,
        left: usize,
        value: bool,
    },
}

impl<'de> Reader<'de> {
    pub(super) fn new(plan: &'de Plan, node: &'de Node, bytes: &'de [u8]) -> Self {
        let elements = bytes.len().saturating_add(FREE_ELEMENTS);
        let parts = elements.saturating_mul(PARTS_EACH);
        Self { rest: bytes, plan, here: Here::Value(node), open: Vec::new(), elements, parts }
    }

    pub(super) fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => unreadable(format!("{left} bytes are left over at the end")),
        }
    }

    #[inline]
    fn length(&mut self) -> Result<usize> {
        let length = take::<usize>(&mut self.rest)?;
        match self.elements.checked_sub(length) {
            Some(left) => {
                self.elements = left;
                Ok(length)
            }
            None => unreadable(format!("a length of {length} is more than the bytes can hold")),
        }
    }

    fn open(&mut self, open: Open<'de>) -> Result<()> {
        if self.open.len() >= MAX_DEPTH {
            return unreadable("it is nested too deeply");
        }
        self.open.push(open);
        Ok(())
    }

    fn opened(&mut self, open: Open<'de>, head: Head<'de>) -> Result<Head<'de>> {
        self.open(open)?;
        Ok(head)
    }

    /// What stands at the front of the bytes, which is this.
    fn value(&mut self, node: &'de Node) -> Result<Head<'de>> {
        let rest = &mut self.rest;
        Ok(match node {
            Node::Unit => Head::Null,
            Node::Bool => Head::Bool(take(rest)?),
            Node::I8 => Head::Int(Int::from(i64::from(take::<i8>(rest)?))),
            Node::I16 => Head::Int(Int::from(i64::from(take::<i16>(rest)?))),
            Node::I32 => Head::Int(Int::from(i64::from(take::<i32>(rest)?))),
            Node::I64 => Head::Int(Int::from(take::<i64>(rest)?)),
            Node::I128 => Head::Int(Int::from(take::<i128>(rest)?)),
            Node::U8 => Head::Int(Int::from(u64::from(take::<u8>(rest)?))),
            Node::U16 => Head::Int(Int::from(u64::from(take::<u16>(rest)?))),
            Node::U32 => Head::Int(Int::from(u64::from(take::<u32>(rest)?))),
            Node::U64 => Head::Int(Int::from(take::<u64>(rest)?)),
            Node::U128 => Head::Int(Int::from(take::<u128>(rest)?)),
            Node::F32 => Head::F32(take(rest)?),
            Node::F64 => Head::F64(take(rest)?),
            Node::Char => Head::Char(take(rest)?),
            Node::Str => Head::Str(take(rest)?),
            Node::Bytes => Head::Bytes(take(rest)?),
            Node::Option(of) => {
                if !self.is_some()? {
                    return Ok(Head::Null);
                }
                match self.plan.node(*of) {
                    // What is there may look as if it were not.
                    inside @ (Node::Option(_) | Node::Unit) => {
                        self.here = Here::Value(inside);
                        Head::Some
                    }
                    inside => return self.value(inside),
                }
            }
            Node::Seq(of) => {
                let length = self.length()?;
                self.opened(Open::Each(self.plan.node(*of), length), Head::Seq)?
            }
            Node::Array(of, length) if *length <= rest.len().saturating_add(FREE_ELEMENTS) => {
                self.opened(Open::Each(self.plan.node(*of), *length), Head::Seq)?
            }
            Node::Array(_, length) => return unreadable(format!("{length} elements are more than the bytes can hold")),
            Node::Tuple(of) => self.opened(Open::Row(of), Head::Seq)?,
            Node::Map(key, value) => {
                let (of, left) = ((self.plan.node(*key), self.plan.node(*value)), self.length()?);
                self.opened(Open::Entries { of, left, value: false }, Head::Map)?
            }
            Node::Struct(fields) => self.opened(Open::Fields { of: fields, now: None, value: false }, Head::Map)?,
            Node::Enum(variants) => self.variant(variants)?,
            Node::Flattened { .. } | Node::Tagged { .. } | Node::OneOf(_) | Node::Untold | Node::Same(_) => {
                return unreadable("postcard does not say what its bytes are, and neither does the stored shape");
            }
            Node::Broken(reason) => return unreadable(reason.clone()),
        })
    }

    fn is_some(&mut self) -> Result<bool> {
        match take::<u8>(&mut self.rest)? {
            0 => Ok(false),
            1 => Ok(true),
            other => unreadable(format!("{other} is neither absent (0) nor present (1)")),
        }
    }

    fn variant(&mut self, variants: &'de [Variant]) -> Result<Head<'de>> {
        let index = take::<u32>(&mut self.rest)?;
        let variant = usize::try_from(index).ok().and_then(|index| variants.get(index));
        match variant {
            Some(Variant { name, content: None }) => Ok(Head::Str(name)),
            Some(variant) => self.opened(Open::Variant { of: variant, left: 1, value: false }, Head::Map),
            None => unreadable(format!("the stored shape has {} variants, and none at {index}", variants.len())),
        }
    }
}
