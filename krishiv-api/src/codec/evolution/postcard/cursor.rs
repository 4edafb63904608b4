//! What a type is told of the bytes.

use super::{Here, Open, Reader};
use crate::codec::evolution::number::Int;
use crate::codec::evolution::plan::Node;
use crate::codec::evolution::source::{Cursor, Head};
use crate::codec::payload::take;
use crate::codec::pull::{Ask, Token};
use crate::codec::unreadable::{Result, unreadable};

impl<'de> Cursor<'de> for Reader<'de> {
    #[inline]
    fn head(&mut self) -> Result<Head<'de>> {
        match std::mem::replace(&mut self.here, Here::Nothing) {
            Here::Value(node) => self.value(node),
            Here::Name(name) => Ok(Head::Str(name)),
            Here::Byte(byte) => Ok(Head::Int(Int::from(u64::from(byte)))),
            Here::Nothing => unreadable("the type reads more than was written"),
        }
    }

    #[inline]
    fn exact(&mut self, ask: Ask) -> Result<Option<Token<'de>>> {
        let rest = &mut self.rest;
        let token = match (self.here, ask) {
            (Here::Name(name), Ask::Identifier) => Token::Str(name),
            (Here::Value(node), ask) => match (node, ask) {
                (Node::Bool, Ask::Bool) => Token::Bool(take(rest)?),
                (Node::I32, Ask::I32) => Token::Signed(take::<i32>(rest)?.into()),
                (Node::I64, Ask::I64) => Token::Signed(take(rest)?),
                (Node::U8, Ask::U8) => Token::Unsigned(take::<u8>(rest)?.into()),
                (Node::U32, Ask::U32) => Token::Unsigned(take::<u32>(rest)?.into()),
                (Node::U64, Ask::U64) => Token::Unsigned(take(rest)?),
                (Node::F32, Ask::F32) => Token::F32(take(rest)?),
                (Node::F64, Ask::F64) => Token::F64(take(rest)?),
                (Node::Str, Ask::Str) => Token::Str(take(rest)?),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.here = Here::Nothing;
        Ok(Some(token))
    }

    fn present(&mut self) -> Result<bool> {
        match self.here {
            Here::Value(Node::Unit) => {
                self.here = Here::Nothing;
                Ok(false)
            }
            Here::Value(Node::Option(of)) => {
                let present = self.is_some()?;
                self.here = if present { Here::Value(self.plan.node(*of)) } else { Here::Nothing };
                Ok(present)
            }
            _ => Ok(true),
        }
    }

    fn skip(&mut self) -> Result<()> {
        self.leave(self.open.len())
    }

    fn around(&mut self) -> Result<()> {
        self.open(Open::Around)
    }

    fn bytes(&mut self, bytes: &'de [u8]) -> Result<()> {
        self.open(Open::Bytes(bytes))
    }

    fn bare(&mut self, name: &'de str) -> Result<()> {
        self.here = Here::Name(name);
        self.open(Open::Bare)
    }

    fn is_bare(&self) -> bool {
        matches!(self.open.last(), Some(Open::Bare))
    }

    fn is_key(&self) -> bool {
        self.is_at_value()
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    #[inline]
    fn part(&mut self, depth: usize) -> Result<bool> {
        if self.open.len() != depth || matches!(self.here, Here::Value(_)) || self.is_at_value() {
            self.leave_part(depth)?;
        }
        self.step()
    }

    #[inline]
    fn value(&mut self, depth: usize) -> Result<()> {
        if self.open.len() != depth {
            self.leave(depth)?;
        }
        match self.open.last_mut() {
            // As most often.
            Some(Open::Fields { now: Some(field), value: value @ true, .. }) => {
                *value = false;
                self.here = Here::Value(self.plan.node(field.is));
                Ok(())
            }
            _ => {
                self.leave(depth)?;
                if self.is_at_value() { self.step().map(drop) } else { Ok(()) }
            }
        }
    }

    fn left(&self, depth: usize) -> Option<usize> {
        match self.open.get(depth.checked_sub(1)?)? {
            Open::Each(_, left) | Open::Entries { left, .. } | Open::Variant { left, .. } => Some(*left),
            Open::Row(of) => Some(of.len()),
            Open::Fields { of, .. } => Some(of.len()),
            Open::Bytes(bytes) => Some(bytes.len()),
            Open::Around | Open::Bare => None,
        }
    }

    #[inline]
    fn close(&mut self, depth: usize) -> Result<()> {
        self.leave_part(depth)?;
        self.here = Here::Nothing;
        match self.left(depth) {
            Some(left) if left > 0 => unreadable(format!("{left} elements are left over")),
            _ => {
                self.open.pop();
                Ok(())
            }
        }
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn path(&self) -> String {
        let names = self.open.iter().filter_map(|open| match open {
            Open::Fields { now, .. } => now.map(|field| field.name.as_str()),
            Open::Variant { of, .. } => Some(of.name.as_str()),
            _ => None,
        });
        names.collect::<Vec<_>>().join(".")
    }
}
