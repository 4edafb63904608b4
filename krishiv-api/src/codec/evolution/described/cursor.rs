//! What a type is told of a tree.

use super::hints::{self, By};
use super::{Entries, Here, Open, Reader};
use crate::codec::evolution::number::Int;
use crate::codec::evolution::source::{Cursor, Head};
use crate::codec::evolution::tree::Tree;
use crate::codec::unreadable::{Result, unreadable};

impl<'de> Cursor<'de> for Reader<'de> {
    fn head(&mut self) -> Result<Head<'de>> {
        match std::mem::replace(&mut self.here, Here::Nothing) {
            Here::Value(tree, node) => self.tree(tree, node),
            Here::Key(tree, node) => match hints::key(self.plan, tree, node).filter(|_| self.is_text) {
                Some(head) => Ok(head),
                None => self.tree(tree, node),
            },
            Here::Null(levels) => Ok(self.null(levels)),
            Here::Name(name) => Ok(Head::Str(name)),
            Here::Byte(byte) => Ok(Head::Int(Int::from(u64::from(byte)))),
            Here::Nothing => unreadable("the type reads more than was written"),
        }
    }

    fn present(&mut self) -> Result<bool> {
        let inside = match self.here {
            Here::Null(levels) => levels.checked_sub(1),
            Here::Value(Tree::Null(levels), _) => levels.checked_sub(1),
            _ => return Ok(true),
        };
        self.here = inside.map_or(Here::Nothing, Here::Null);
        Ok(inside.is_some())
    }

    fn skip(&mut self) -> Result<()> {
        self.here = Here::Nothing;
        Ok(())
    }

    fn around(&mut self) -> Result<()> {
        self.opened(Open::Around, Head::Some).map(drop)
    }

    fn bytes(&mut self, bytes: &'de [u8]) -> Result<()> {
        self.opened(Open::Bytes(bytes), Head::Seq).map(drop)
    }

    fn bare(&mut self, name: &'de str) -> Result<()> {
        self.here = Here::Name(name);
        self.opened(Open::Bare, Head::Seq).map(drop)
    }

    fn is_bare(&self) -> bool {
        matches!(self.open.last(), Some(Open::Bare))
    }

    fn is_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Entries(Entries { value: true, .. })))
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    fn part(&mut self, depth: usize) -> Result<bool> {
        self.open.truncate(depth);
        Ok(self.step())
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
        self.here = match self.open.last_mut() {
            Some(Open::Entries(entries)) if entries.value => {
                entries.value = false;
                let by = entries.by;
                entries.now.map_or(Here::Nothing, |(key, value)| Here::Value(value, hints::behind(self.plan, by, key)))
            }
            _ => Here::Nothing,
        };
        Ok(())
    }

    fn left(&self, depth: usize) -> Option<usize> {
        match self.open.get(depth.checked_sub(1)?)? {
            Open::Bytes(bytes) => Some(bytes.len()),
            Open::Each(items, ..) | Open::Row(items, _) => Some(items.len()),
            Open::Entries(entries) => Some(entries.of.len()),
            Open::Around | Open::Bare => None,
        }
    }

    fn close(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
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
        self.is_text
    }

    fn path(&self) -> String {
        let names = self.open.iter().filter_map(|open| match open {
            // Of what is in a map its keys are data, and no names.
            Open::Entries(Entries { by: By::Name(..) | By::Variant(_), now, .. }) => {
                now.and_then(|(key, _)| key.text())
            }
            _ => None,
        });
        names.collect::<Vec<_>>().join(".")
    }
}
