//! Goes through bytes that describe themselves, and knows by the plan of what wrote them what these do not say: how wide a number was,
//! and which text stands for one.

mod cursor;
mod hints;

use super::number::Int;
use super::plan::{Id, NOWHERE, Node, Plan};
use super::source::{Head, MAX_DEPTH};
use super::tree::Tree;
use crate::codec::unreadable::{Result, unreadable};
use hints::{By, narrow, wide};

pub(super) struct Reader<'de> {
    plan: &'de Plan,
    here: Here<'de>,
    open: Vec<Open<'de>>,
    /// What was met last, of each kind of suspect.
    met: Met<'de>,
    /// It is text, where keys are texts, and numbers do not say how wide they are.
    is_text: bool,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Here<'de> {
    Nothing,
    Value(&'de Tree<'de>, &'de Node),
    Key(&'de Tree<'de>, &'de Node),
    /// A null inside of so many `Some`.
    Null(u8),
    Name(&'de str),
    Byte(u8),
}

/// What a refusal may be about: a value, a variant, a number of elements.
#[derive(Clone, Copy, Default)]
pub(super) struct Met<'de> {
    pub(super) leaf: Option<&'de Node>,
    pub(super) variant: Option<&'de Node>,
    pub(super) list: Option<&'de Node>,
    pub(super) map: Option<&'de Node>,
    /// What the leaf may be left out of.
    pub(super) around: Option<&'de Node>,
}

/// What is open, and how far.
enum Open<'de> {
    Around,
    Bare,
    Bytes(&'de [u8]),
    /// With what they are, and what that is of.
    Each(&'de [Tree<'de>], &'de Node, &'de Node),
    Row(&'de [Tree<'de>], &'de [Id]),
    Entries(Entries<'de>),
}

struct Entries<'de> {
    of: &'de [(Tree<'de>, Tree<'de>)],
    node: &'de Node,
    by: By<'de>,
    /// The one that has come last.
    now: Option<&'de (Tree<'de>, Tree<'de>)>,
    /// Its value comes next.
    value: bool,
}

impl<'de> Reader<'de> {
    pub(super) fn new(plan: &'de Plan, node: &'de Node, tree: &'de Tree<'de>, is_text: bool) -> Self {
        Self { plan, here: Here::Value(tree, node), open: Vec::new(), met: Met::default(), is_text }
    }

    pub(super) fn met(&self) -> Met<'de> {
        let (list, map) = match self.open.last() {
            Some(Open::Each(_, _, list)) => (Some(*list), None),
            Some(Open::Entries(Entries { by: By::Place(..), node, .. })) => (None, Some(*node)),
            _ => (None, None),
        };
        Met { list, map, around: self.met.around.or(list).or(map), ..self.met }
    }

    fn opened(&mut self, open: Open<'de>, head: Head<'de>) -> Result<Head<'de>> {
        if self.open.len() >= MAX_DEPTH {
            return unreadable("it is nested too deeply");
        }
        self.open.push(open);
        Ok(head)
    }

    fn null(&mut self, levels: u8) -> Head<'de> {
        match levels.checked_sub(1) {
            Some(inside) => {
                self.here = Here::Null(inside);
                Head::Some
            }
            None => Head::Null,
        }
    }

    fn tree(&mut self, tree: &'de Tree<'de>, node: &'de Node) -> Result<Head<'de>> {
        let whole = node;
        let node = hints::present(self.plan, node);
        match node {
            Node::Enum(_) | Node::Tagged { .. } | Node::OneOf(_) => self.met.variant = Some(node),
            _ => {}
        }
        if !matches!(tree, Tree::Seq(_) | Tree::Map(_)) {
            self.met.leaf = Some(node);
            self.met.around = Some(whole).filter(|node| matches!(node, Node::Option(_)));
        }
        Ok(match tree {
            Tree::Null(levels) => self.null(*levels),
            Tree::Bool(value) => Head::Bool(*value),
            Tree::Unsigned(value) => Head::Int(Int::from(*value)),
            Tree::Signed(value) => Head::Int(Int::from(*value)),
            Tree::F32(value) => Head::F32(*value),
            Tree::F64(value) if self.is_text && matches!(node, Node::F32) => narrow(*value),
            Tree::F64(value) => Head::F64(*value),
            Tree::Str(text) => Head::Str(text),
            Tree::Bytes(bytes) => wide(bytes, node).map_or(Head::Bytes(bytes), Head::Int),
            Tree::Seq(items) => {
                let open = match node {
                    Node::Seq(of) | Node::Array(of, _) => Open::Each(items, self.plan.node(*of), node),
                    Node::Tuple(of) => Open::Row(items, of),
                    _ => Open::Each(items, NOWHERE, node),
                };
                self.opened(open, Head::Seq)?
            }
            Tree::Map(entries) => {
                let by = hints::by(self.plan, entries, node);
                self.opened(Open::Entries(Entries { of: entries, node, by, now: None, value: false }), Head::Map)?
            }
        })
    }

    fn step(&mut self) -> bool {
        self.here = match self.open.last_mut() {
            Some(Open::Bytes(bytes)) => match bytes.split_first() {
                Some((byte, rest)) => {
                    *bytes = rest;
                    Here::Byte(*byte)
                }
                None => Here::Nothing,
            },
            Some(Open::Each(items, node, _)) => match items.split_first() {
                Some((item, rest)) => {
                    *items = rest;
                    Here::Value(item, node)
                }
                None => Here::Nothing,
            },
            Some(Open::Row(items, ids)) => match items.split_first() {
                Some((item, rest)) => {
                    let node = ids.first().map_or(NOWHERE, |id| self.plan.node(*id));
                    (*items, *ids) = (rest, ids.get(1..).unwrap_or_default());
                    Here::Value(item, node)
                }
                None => Here::Nothing,
            },
            Some(Open::Entries(entries)) => match entries.of.split_first() {
                Some((entry, rest)) => {
                    (entries.of, entries.now, entries.value) = (rest, Some(entry), true);
                    Here::Key(&entry.0, if let By::Place(key, _) = entries.by { key } else { &Node::Str })
                }
                None => {
                    (entries.now, entries.value) = (None, false);
                    Here::Nothing
                }
            },
            Some(Open::Around | Open::Bare) | None => Here::Nothing,
        };
        !matches!(self.here, Here::Nothing)
    }
}
