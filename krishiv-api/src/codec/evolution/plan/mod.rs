//! A shape, made ready to read by: names are looked up once, and newtypes are what is in them.

mod maker;
mod node;

use crate::codec::shape::Shape;

pub(super) use node::{Id, NOWHERE, Named, Node, Variant};

pub(super) struct Plan {
    nodes: Vec<Node>,
    root: Id,
    run: Id,
}

impl Plan {
    pub(super) fn new(shape: &Shape) -> Self {
        let (nodes, root, run) = maker::make(shape);
        let mut plan = Self { nodes, root, run };
        plan.see_through();
        plan
    }

    /// What one value is.
    pub(super) fn root(&self) -> &Node {
        self.node(self.root)
    }

    /// What several values are that were written together.
    pub(super) fn run(&self) -> &Node {
        self.node(self.run)
    }

    #[inline]
    pub(super) fn node(&self, id: Id) -> &Node {
        self.nodes.get(id.0).unwrap_or(NOWHERE)
    }

    /// Replaces each node that is the same as another one by that; what is only itself is broken.
    fn see_through(&mut self) {
        let targets: Vec<Id> = (0..self.nodes.len()).map(|at| self.target(Id(at))).collect();
        let to = |id: &mut Id| *id = targets.get(id.0).copied().unwrap_or(*id);
        for (at, node) in self.nodes.iter_mut().enumerate() {
            match node {
                Node::Same(_) if targets.get(at) == Some(&Id(at)) => {
                    *node = Node::Broken("the stored shape says that a type is itself".to_owned());
                }
                Node::Option(of) | Node::Seq(of) | Node::Array(of, _) => to(of),
                Node::Map(key, value) => [key, value].into_iter().for_each(to),
                Node::Tuple(of) | Node::OneOf(of) => of.iter_mut().for_each(to),
                Node::Struct(fields) => fields.iter_mut().for_each(|field| to(&mut field.is)),
                Node::Enum(variants) | Node::Tagged { variants, .. } => {
                    variants.iter_mut().flat_map(|variant| &mut variant.content).for_each(to);
                }
                Node::Flattened { fields, rest } => {
                    fields.iter_mut().map(|field| &mut field.is).chain(rest).for_each(to);
                }
                _ => {}
            }
        }
        to(&mut self.root);
    }

    /// All that can be met, each with its place.
    pub(super) fn nodes(&self) -> impl DoubleEndedIterator<Item = (Id, &Node)> {
        let all = self.nodes.iter().enumerate().map(|(at, node)| (Id(at), node));
        all.filter(|(_, node)| !matches!(node, Node::Same(_)))
    }

    /// Whether there is a part that only bytes that describe themselves can be of.
    pub(super) fn needs_description(&self) -> bool {
        let needs = |node: &Node| {
            matches!(
                node,
                Node::Flattened { .. } | Node::Tagged { .. } | Node::OneOf(_) | Node::Untold | Node::Broken(_)
            )
        };
        self.nodes().any(|(_, node)| needs(node))
    }

    pub(super) fn root_id(&self) -> Id {
        self.root
    }

    /// The place of a node of this plan.
    pub(super) fn place(&self, node: &Node) -> Option<Id> {
        self.nodes().find(|(_, other)| std::ptr::eq(node, *other)).map(|(id, _)| id)
    }

    /// What it is in the end; itself if that has no end.
    fn target(&self, id: Id) -> Id {
        let mut target = id;
        for _ in 0..=self.nodes.len() {
            match self.node(target) {
                Node::Same(of) => target = *of,
                _ => return target,
            }
        }
        id
    }
}
