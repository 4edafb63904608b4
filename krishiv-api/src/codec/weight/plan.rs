//! How much of a type lies in one place, as far as its shape tells.
//!
//! serde shows values, not types: of a list of absent values it shows nothing, and each takes as much memory as a present one.

use crate::codec::shape::{Form, Layout, Shape, Variant};
use std::collections::BTreeMap;

/// Sizes of 64-bit machines, in bytes.
pub(super) const VEC: usize = 24;
const MAP: usize = 48;
/// A `serde_json::Value`, the most common of what says itself what it is.
const ANY: usize = 32;

/// The parts of a type.
#[derive(Debug, Default)]
pub struct Plan {
    nodes: Vec<Node>,
    root: Option<At>,
}

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(usize);

#[derive(Debug)]
struct Node {
    /// Bytes in place.
    size: usize,
    align: usize,
    /// Whether some bits mean nothing, so that an `Option` of it takes no more.
    has_niche: bool,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
    None,
    /// Whatever there is inside is again one of these.
    Any,
    /// An option, a newtype, or the elements of a sequence.
    One(At),
    Map(At, At),
    All(Vec<At>),
    Variants(Vec<Vec<At>>),
    /// A type inside itself, which has to lie somewhere else.
    Boxed(At),
}

impl Plan {
    pub(crate) fn of(shape: &Shape) -> Self {
        let mut building = Building { shape, nodes: Vec::new(), types: BTreeMap::new() };
        let root = building.form(shape.root());
        Self { nodes: building.nodes, root: Some(root) }
    }

    pub(super) fn root(&self) -> Option<At> {
        self.root
    }

    fn node(&self, at: Option<At>) -> Option<&Node> {
        self.nodes.get(at?.0)
    }

    /// Bytes that it takes where it lies; 0 if that is not known.
    pub(super) fn size(&self, at: Option<At>) -> usize {
        self.node(at).map_or(0, |node| node.size)
    }

    /// Bytes that whatever lies here takes at least, where the value does not tell.
    pub(super) fn least(&self, at: Option<At>) -> usize {
        self.node(at).filter(|node| matches!(node.parts, Parts::Any)).map_or(0, |node| node.size)
    }

    /// Where to go on with what lies here: itself, or what is behind a pointer, and how much of that lies there.
    pub(super) fn behind(&self, at: Option<At>) -> (Option<At>, usize) {
        match self.node(at) {
            Some(Node { parts: Parts::Boxed(of), .. }) => (Some(*of), self.size(Some(*of))),
            _ => (at, 0),
        }
    }

    /// What is inside of an option, a newtype or a sequence.
    pub(super) fn inside(&self, at: Option<At>) -> Option<At> {
        match &self.node(at)?.parts {
            Parts::One(of) => Some(*of),
            Parts::Any => at,
            _ => None,
        }
    }

    /// Keys and values of a map.
    pub(super) fn entry(&self, at: Option<At>) -> (Option<At>, Option<At>) {
        match self.node(at).map(|node| &node.parts) {
            Some(Parts::Map(key, value)) => (Some(*key), Some(*value)),
            Some(Parts::Any) => (at, at),
            _ => (None, None),
        }
    }

    /// The part of a tuple or struct at this place.
    pub(super) fn part(&self, at: Option<At>, place: usize) -> Option<At> {
        match &self.node(at)?.parts {
            Parts::All(parts) => parts.get(place).copied(),
            Parts::Any => at,
            _ => None,
        }
    }

    /// The part at this place of a variant.
    pub(super) fn variant(&self, at: Option<At>, variant: u32, place: usize) -> Option<At> {
        match &self.node(at)?.parts {
            Parts::Variants(variants) => variants.get(usize::try_from(variant).ok()?)?.get(place).copied(),
            Parts::Any => at,
            _ => None,
        }
    }
}

struct Building<'s> {
    shape: &'s Shape,
    nodes: Vec<Node>,
    /// Nodes of the types that were met, and whether they are finished.
    types: BTreeMap<&'s str, (At, bool)>,
}

impl<'s> Building<'s> {
    fn add(&mut self, size: usize, align: usize, has_niche: bool, parts: Parts) -> At {
        self.nodes.push(Node { size, align, has_niche, parts });
        At(self.nodes.len() - 1)
    }

    fn look(&self, at: At) -> (usize, usize, bool) {
        self.nodes.get(at.0).map_or((0, 1, false), |node| (node.size, node.align, node.has_niche))
    }

    fn form(&mut self, form: &'s Form) -> At {
        let number = |building: &mut Self, size: usize| building.add(size, size, false, Parts::None);
        match form {
            Form::Unit => self.add(0, 1, false, Parts::None),
            Form::Bool => self.add(1, 1, true, Parts::None),
            Form::I8 | Form::U8 => number(self, 1),
            Form::I16 | Form::U16 => number(self, 2),
            Form::I32 | Form::U32 | Form::F32 => number(self, 4),
            Form::I64 | Form::U64 | Form::F64 => number(self, 8),
            Form::I128 | Form::U128 => number(self, 16),
            Form::Char => self.add(4, 4, true, Parts::None),
            Form::Str | Form::Bytes => self.add(VEC, 8, true, Parts::None),
            Form::Any | Form::OneOf { .. } => self.add(ANY, 8, true, Parts::Any),
            Form::Option(of) => {
                let of = self.form(of);
                let (size, align, has_niche) = self.look(of);
                self.add(if has_niche { size } else { size + align }, align, true, Parts::One(of))
            }
            Form::Seq(of) => {
                let of = self.form(of);
                self.add(VEC, 8, true, Parts::One(of))
            }
            Form::Map(key, value) => {
                let (key, value) = (self.form(key), self.form(value));
                self.add(MAP, 8, true, Parts::Map(key, value))
            }
            Form::Tuple(of) => {
                let parts = of.iter().map(|of| self.form(of)).collect();
                self.all(parts)
            }
            Form::Array(of, length) => {
                let of = self.form(of);
                let (size, align, has_niche) = self.look(of);
                // Parts that no list of them needs to hold.
                let parts = Parts::All(vec![of; (*length).min(64)]);
                self.add(size.saturating_mul(*length), align, has_niche, parts)
            }
            Form::Type(name) => self.named(name),
            Form::Opaque(_) | Form::Unknown => self.add(0, 1, false, Parts::None),
        }
    }

    fn named(&mut self, name: &'s str) -> At {
        match self.types.get(name) {
            Some((at, true)) => return *at,
            Some((at, false)) => return self.add(8, 8, true, Parts::Boxed(*at)),
            None => {}
        }
        let at = self.add(0, 1, false, Parts::None);
        self.types.insert(name, (at, false));
        if let Some(layout) = self.shape.layout(name) {
            self.layout(layout);
            // Its place was taken before its parts were known, which may lead back to it.
            if let (Some(made), Some(place)) = (self.nodes.pop(), self.nodes.get_mut(at.0)) {
                *place = made;
            }
        }
        self.types.insert(name, (at, true));
        at
    }

    /// The node of a layout, the last of all.
    fn layout(&mut self, layout: &'s Layout) -> At {
        match layout {
            Layout::Enum(variants) => {
                let (size, align, variants) = self.variants(variants);
                self.add(size, align, true, Parts::Variants(variants))
            }
            Layout::Newtype(of) => {
                let of = self.form(of);
                let (size, align, has_niche) = self.look(of);
                self.add(size, align, has_niche, Parts::One(of))
            }
            // What it writes is found by name, and not by the places of its parts.
            Layout::Flattened { .. } => {
                let parts = self.parts(layout);
                let (size, align, has_niche) = self.extent(&parts);
                self.add(size, align, has_niche, Parts::None)
            }
            Layout::Tagged { variants, .. } => {
                let (size, align, _) = self.variants(variants);
                self.add(size, align, true, Parts::None)
            }
            Layout::Unit | Layout::Tuple(_) | Layout::Struct(_) => {
                let parts = self.parts(layout);
                self.all(parts)
            }
        }
    }

    /// Size and alignment of an enum, and the parts of its variants.
    fn variants(&mut self, variants: &'s [Variant]) -> (usize, usize, Vec<Vec<At>>) {
        let variants: Vec<_> = variants.iter().map(|variant| self.parts(&variant.is)).collect();
        let sizes = variants.iter().map(|parts| self.extent(parts));
        let (size, align) = sizes.fold((0, 1), |(size, align), (s, a, _)| (size.max(s), align.max(a)));
        ((size + align).next_multiple_of(align), align, variants)
    }

    fn parts(&mut self, layout: &'s Layout) -> Vec<At> {
        match layout {
            Layout::Newtype(of) => vec![self.form(of)],
            Layout::Tuple(of) => of.iter().map(|of| self.form(of)).collect(),
            Layout::Struct(fields) | Layout::Flattened { fields, .. } => {
                fields.iter().map(|field| self.form(&field.is)).collect()
            }
            Layout::Unit | Layout::Enum(_) | Layout::Tagged { .. } => Vec::new(),
        }
    }

    fn all(&mut self, parts: Vec<At>) -> At {
        let (size, align, has_niche) = self.extent(&parts);
        self.add(size, align, has_niche, Parts::All(parts))
    }

    /// Size, alignment, and whether there is a niche, of parts side by side.
    fn extent(&self, parts: &[At]) -> (usize, usize, bool) {
        let parts = parts.iter().map(|at| self.look(*at));
        let add = |(size, align, niche): (usize, usize, bool), (s, a, n): (usize, usize, bool)| {
            (size.saturating_add(s), align.max(a), niche | n)
        };
        let (size, align, has_niche) = parts.fold((0, 1, false), add);
        (size.next_multiple_of(align), align, has_niche)
    }
}
