//! From a shape to a plan.

use super::node::{Id, Named, Node, Variant};
use crate::codec::shape::{self, Field, Form, Layout, Shape};
use std::collections::{BTreeMap, VecDeque};

/// A stored shape is read by a parser with a limit of its own, which is less.
const MAX_DEPTH: usize = 512;

/// The nodes of a shape, that of its root, and that of several values of this kind.
pub(super) fn make(shape: &Shape) -> (Vec<Node>, Id, Id) {
    let mut maker = Maker { nodes: Vec::new(), named: BTreeMap::new(), ahead: VecDeque::new() };
    let root = maker.form(shape.root(), 0);
    let run = maker.add(Node::Seq(root));
    while let Some((id, name)) = maker.ahead.pop_front() {
        let node = match shape.layout(name) {
            Some(layout) => maker.layout(layout),
            None => Node::Broken(format!("the stored shape does not say what `{name}` is")),
        };
        maker.set(id, node);
    }
    (maker.nodes, root, run)
}

/// Makes nodes of forms. Types come later, each once, since they may contain themselves.
struct Maker<'s> {
    nodes: Vec<Node>,
    named: BTreeMap<&'s str, Id>,
    ahead: VecDeque<(Id, &'s str)>,
}

impl<'s> Maker<'s> {
    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        Id(self.nodes.len() - 1)
    }

    fn set(&mut self, id: Id, node: Node) {
        if let Some(place) = self.nodes.get_mut(id.0) {
            *place = node;
        }
    }

    fn form(&mut self, form: &'s Form, depth: usize) -> Id {
        if let Form::Type(name) = form {
            return self.named(name);
        }
        let node = if depth < MAX_DEPTH {
            self.node(form, depth + 1)
        } else {
            Node::Broken("the stored shape is nested too deeply".to_owned())
        };
        self.add(node)
    }

    fn named(&mut self, name: &'s str) -> Id {
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        let id = self.add(Node::Untold);
        self.named.insert(name, id);
        self.ahead.push_back((id, name));
        id
    }

    fn node(&mut self, form: &'s Form, depth: usize) -> Node {
        match form {
            Form::Unit => Node::Unit,
            Form::Bool => Node::Bool,
            Form::I8 => Node::I8,
            Form::I16 => Node::I16,
            Form::I32 => Node::I32,
            Form::I64 => Node::I64,
            Form::I128 => Node::I128,
            Form::U8 => Node::U8,
            Form::U16 => Node::U16,
            Form::U32 => Node::U32,
            Form::U64 => Node::U64,
            Form::U128 => Node::U128,
            Form::F32 => Node::F32,
            Form::F64 => Node::F64,
            Form::Char => Node::Char,
            Form::Str => Node::Str,
            Form::Bytes => Node::Bytes,
            Form::Option(of) => Node::Option(self.form(of, depth)),
            Form::Seq(of) => Node::Seq(self.form(of, depth)),
            Form::Array(of, length) => Node::Array(self.form(of, depth), *length),
            Form::Map(key, value) => Node::Map(self.form(key, depth), self.form(value, depth)),
            Form::Tuple(of) => Node::Tuple(of.iter().map(|of| self.form(of, depth)).collect()),
            Form::Type(name) => Node::Same(self.named(name)),
            Form::OneOf { of, .. } => Node::OneOf(of.iter().map(|of| self.form(of, depth)).collect()),
            Form::Any | Form::Unknown | Form::Opaque(_) => Node::Untold,
        }
    }

    fn layout(&mut self, layout: &'s Layout) -> Node {
        match layout {
            Layout::Unit => Node::Unit,
            Layout::Newtype(of) => Node::Same(self.form(of, 0)),
            Layout::Tuple(of) => Node::Tuple(of.iter().map(|of| self.form(of, 0)).collect()),
            Layout::Struct(fields) => Node::Struct(self.fields(fields)),
            Layout::Enum(variants) => Node::Enum(variants.iter().map(|variant| self.variant(variant)).collect()),
            Layout::Flattened { fields, rest } => {
                let fields = self.fields(fields);
                Node::Flattened { fields, rest: rest.as_ref().map(|rest| self.form(rest, 0)) }
            }
            Layout::Tagged { tag, variants } => Node::Tagged {
                tag: tag.clone(),
                variants: variants.iter().map(|variant| self.variant(variant)).collect(),
            },
        }
    }

    fn fields(&mut self, fields: &'s [Field]) -> Vec<Named> {
        fields.iter().map(|field| Named { name: field.name.clone(), is: self.form(&field.is, 0) }).collect()
    }

    /// A variant that contains a variant is in no shape of ours, but a stored one may be nested like that.
    fn variant(&mut self, variant: &'s shape::Variant) -> Variant {
        let content = match &variant.is {
            Layout::Unit => None,
            Layout::Newtype(of) => Some(self.form(of, 0)),
            Layout::Enum(_) => Some(self.add(Node::Broken("the stored shape has an enum for a variant".to_owned()))),
            plain => {
                let node = self.layout(plain);
                Some(self.add(node))
            }
        };
        Variant { name: variant.name.clone(), content }
    }
}
