//! What to make where a sample may be one thing or another.

use crate::codec::evolution::plan::{Id, Node, Plan};
use crate::codec::evolution::trial::Names;
use crate::codec::shape::TEXTS;
use std::collections::{BTreeMap, BTreeSet};

/// Elements of a list that has to have a certain number of them.
const MAX_ELEMENTS: usize = 33;

/// Lengths of bytes.
pub(super) const LENGTHS: [usize; 4] = [0, 16, 4, 8];

/// What to make where there is a choice.
#[derive(Clone, Default)]
pub(in crate::codec::evolution) struct Choice {
    pub(super) variants: BTreeMap<Id, usize>,
    /// Enums whose variant is not to be another.
    pub(super) fixed: BTreeSet<Id>,
    /// Options and collections that are to be empty.
    pub(super) empty: BTreeSet<Id>,
    /// Which of its samples a leaf is, and how many elements a list has.
    pub(super) leaves: BTreeMap<Id, usize>,
    /// Names that keys or texts are to be: those of fields and variants.
    pub(super) names: BTreeMap<Id, Names>,
}

impl Choice {
    /// Moves on to another sample of a part, where the type was asked about these names; false after the last.
    pub(in crate::codec::evolution) fn other(&mut self, plan: &Plan, part: Id, names: Names) -> bool {
        if let Node::Map(..) | Node::Str = plan.node(part)
            && !names.is_empty()
            && self.names.insert(part, names).is_none()
        {
            return true;
        }
        let of = match plan.node(part) {
            Node::Enum(_) | Node::Tagged { .. } | Node::OneOf(_) if self.is_fixed(part) => return false,
            Node::Enum(_) | Node::Tagged { .. } | Node::OneOf(_) => &mut self.variants,
            _ => &mut self.leaves,
        };
        let at = of.entry(part).or_default();
        *at += 1;
        *at < count(plan.node(part))
    }

    /// Leaves out what is in a part; false if it is left out already.
    pub(in crate::codec::evolution) fn hollow(&mut self, part: Id) -> bool {
        self.empty.insert(part)
    }

    fn is_fixed(&self, part: Id) -> bool {
        self.fixed.contains(&part)
    }

    /// The same, and what another one has found where this one does not say anything.
    pub(in crate::codec::evolution) fn or(mut self, other: &Self) -> Self {
        for (part, at) in &other.variants {
            self.variants.entry(*part).or_insert(*at);
        }
        self.empty.extend(&other.empty);
        self.leaves.clone_from(&other.leaves);
        self.names.clone_from(&other.names);
        self
    }
}

fn count(node: &Node) -> usize {
    match node {
        Node::Str => TEXTS.len(),
        Node::Bytes => LENGTHS.len(),
        Node::Seq(_) => MAX_ELEMENTS,
        Node::Enum(variants) | Node::Tagged { variants, .. } => variants.len(),
        Node::OneOf(of) => of.len(),
        Node::Untold => 5,
        _ => 2,
    }
}
