//! Makes a sample.

use super::choice::{Choice, LENGTHS};
use super::depths::Depths;
use crate::codec::evolution::plan::{Id, Named, Node, Plan};
use crate::codec::evolution::tree::Tree;
use crate::codec::shape::TEXTS;
use std::borrow::Cow;

/// Parts of one sample: a shape that nobody wrote by hand can ask for as many as there are.
const MAX_PARTS: usize = 1 << 14;

/// How deep a sample is nested: what can be left out is, from half of it on.
const MAX_DEPTH: usize = 128;

const ZEROS: [u8; 16] = [0; 16];

/// A value; none if there is none, or it would be too large.
pub(in crate::codec::evolution) fn make(plan: &Plan, depths: &Depths, choice: &Choice) -> Option<Tree<'static>> {
    Making { plan, depths, choice, busy: Vec::new(), parts: 0 }.node(plan.root_id())
}

struct Making<'s> {
    plan: &'s Plan,
    depths: &'s Depths,
    choice: &'s Choice,
    /// What is being made: it is made in itself only where there is no other way.
    busy: Vec<Id>,
    parts: usize,
}

impl Making<'_> {
    fn node(&mut self, id: Id) -> Option<Tree<'static>> {
        self.parts += 1;
        if self.parts > MAX_PARTS || self.busy.len() > MAX_DEPTH || self.depths.of(id).is_none() {
            return None;
        }
        self.busy.push(id);
        let tree = self.inside(id);
        self.busy.pop();
        tree
    }

    /// Whether to make what may be left out.
    fn enters(&self, id: Id, of: Id) -> bool {
        let is_shallow = self.busy.len() < MAX_DEPTH / 2;
        !self.choice.empty.contains(&id) && is_shallow && !self.busy.contains(&of) && self.depths.of(of).is_some()
    }

    fn inside(&mut self, id: Id) -> Option<Tree<'static>> {
        let plan = self.plan;
        let at = self.choice.leaves.get(&id).copied().unwrap_or_default();
        let one = || if at == 0 { 1_u8 } else { 0 };
        Some(match plan.node(id) {
            Node::Unit => Tree::Null(0),
            Node::Bool => Tree::Bool(at > 0),
            Node::I8 | Node::I16 | Node::I32 | Node::I64 => Tree::Unsigned(one().into()),
            Node::U8 | Node::U16 | Node::U32 | Node::U64 => Tree::Unsigned(one().into()),
            Node::I128 => Tree::Bytes(Cow::Owned(i128::from(one()).to_be_bytes().into())),
            Node::U128 => Tree::Bytes(Cow::Owned(u128::from(one()).to_be_bytes().into())),
            Node::F32 => Tree::F32(one().into()),
            Node::F64 => Tree::F64(one().into()),
            Node::Char => Tree::Str(Cow::Borrowed(if at == 0 { "A" } else { "0" })),
            Node::Str => Tree::Str(Cow::Borrowed(match self.choice.names.get(&id) {
                Some(names) if at == 0 => names.first()?,
                _ => TEXTS.get(at)?,
            })),
            Node::Bytes => Tree::Bytes(Cow::Borrowed(ZEROS.get(..*LENGTHS.get(at)?)?)),
            Node::Option(of) if self.enters(id, *of) => match self.node(*of)? {
                Tree::Null(levels) => Tree::Null(levels.checked_add(1)?),
                tree => tree,
            },
            Node::Option(_) => Tree::Null(0),
            Node::Seq(of) if self.enters(id, *of) => {
                // One, and then none, and more and more.
                let length = match at {
                    0 => 1,
                    1 => 0,
                    more => more,
                };
                Tree::Seq(self.times(*of, length)?)
            }
            Node::Array(of, length) => Tree::Seq(self.times(*of, *length)?),
            Node::Map(key, value) if self.enters(id, *key) && self.enters(id, *value) => {
                Tree::Map(match self.choice.names.get(&id) {
                    Some(names) => {
                        names.iter().map(|name| Some((named(name), self.node(*value)?))).collect::<Option<_>>()?
                    }
                    None => vec![(self.node(*key)?, self.node(*value)?)],
                })
            }
            Node::Seq(_) => Tree::Seq(Vec::new()),
            Node::Map(..) => Tree::Map(Vec::new()),
            Node::Tuple(of) => Tree::Seq(of.iter().map(|of| self.node(*of)).collect::<Option<_>>()?),
            Node::Struct(fields) | Node::Flattened { fields, .. } => {
                let mut field = |field: &Named| Some((named(&field.name), self.node(field.is)?));
                Tree::Map(fields.iter().map(&mut field).collect::<Option<_>>()?)
            }
            Node::Enum(variants) => {
                let variant = variants.get(self.choose(id, variants.iter().map(|variant| variant.content)))?;
                match variant.content {
                    None => named(&variant.name),
                    Some(content) => Tree::Map(vec![(named(&variant.name), self.node(content)?)]),
                }
            }
            Node::Tagged { tag, variants } => {
                let variant = variants.get(self.choose(id, variants.iter().map(|variant| variant.content)))?;
                let content = variant.content.map(|content| self.node(content)).unwrap_or(Some(Tree::Null(0)))?;
                let entries = if let Tree::Map(entries) = content { entries } else { Vec::new() };
                Tree::Map(std::iter::once((named(tag), named(&variant.name))).chain(entries).collect())
            }
            Node::OneOf(of) if of.is_empty() => Tree::Null(0),
            Node::OneOf(of) => {
                let of = of.get(self.choose(id, of.iter().map(|of| Some(*of))))?;
                self.node(*of)?
            }
            Node::Untold => match at {
                0 => Tree::Null(0),
                1 => Tree::Unsigned(1),
                2 => Tree::Str(Cow::Borrowed("")),
                3 => Tree::Seq(Vec::new()),
                _ => Tree::Map(Vec::new()),
            },
            Node::Same(_) | Node::Broken(_) => return None,
        })
    }

    fn times(&mut self, of: Id, length: usize) -> Option<Vec<Tree<'static>>> {
        if length > MAX_PARTS {
            return None;
        }
        (0..length).map(|_| self.node(of)).collect()
    }

    /// The variant to make: the one that is chosen or, of an enum in itself, the one that ends first.
    fn choose(&self, id: Id, contents: impl Iterator<Item = Option<Id>>) -> usize {
        let is_inside = self.busy.iter().filter(|busy| **busy == id).count() > 1;
        if let Some(index) = self.choice.variants.get(&id).filter(|_| !is_inside) {
            return *index;
        }
        let depth = |content: Option<Id>| content.map_or(Some(0), |of| self.depths.of(of).map(|depth| depth + 1));
        let known = contents.enumerate().filter_map(|(index, content)| Some((depth(content)?, index)));
        known.min().map_or(0, |(_, index)| index)
    }
}

fn named(name: &str) -> Tree<'static> {
    Tree::Str(Cow::Owned(name.to_owned()))
}
