//! How deep the least value of each node is.

use crate::codec::evolution::plan::{Id, Node, Plan};
use std::collections::BTreeMap;

/// Looks at a plan until all depths in it are known.
const MAX_PASSES: usize = 256;

/// How deep the least value of each node of a plan is; nothing of those that have no end.
pub(in crate::codec::evolution) struct Depths(BTreeMap<Id, usize>);

impl Depths {
    pub(in crate::codec::evolution) fn new(plan: &Plan) -> Self {
        let mut depths = Self(BTreeMap::new());
        // What is in a type mostly comes behind it, and is seen first.
        for _ in 0..MAX_PASSES {
            if !depths.deepen(plan) {
                break;
            }
        }
        depths
    }

    pub(super) fn of(&self, id: Id) -> Option<usize> {
        self.0.get(&id).copied()
    }

    /// Finds nodes whose least value is now known; false if there is none.
    fn deepen(&mut self, plan: &Plan) -> bool {
        let before = self.0.len();
        for (id, node) in plan.nodes().rev() {
            if !self.0.contains_key(&id)
                && let Some(depth) = self.least(node)
            {
                self.0.insert(id, depth);
            }
        }
        self.0.len() > before
    }

    fn least(&self, node: &Node) -> Option<usize> {
        let deepest = |ids: &mut dyn Iterator<Item = Id>| {
            ids.map(|id| self.0.get(&id).map(|depth| depth + 1)).try_fold(0, |most, depth| Some(most.max(depth?)))
        };
        match node {
            Node::Array(_, 0) => Some(0),
            Node::Array(of, _) => deepest(&mut [*of].into_iter()),
            Node::Tuple(of) => deepest(&mut of.iter().copied()),
            Node::Struct(fields) | Node::Flattened { fields, .. } => deepest(&mut fields.iter().map(|field| field.is)),
            Node::Enum(variants) | Node::Tagged { variants, .. } => {
                variants.iter().filter_map(|variant| deepest(&mut variant.content.into_iter())).min()
            }
            Node::OneOf(of) if !of.is_empty() => of.iter().filter_map(|of| deepest(&mut [*of].into_iter())).min(),
            Node::Broken(_) => None,
            _ => Some(0),
        }
    }
}
