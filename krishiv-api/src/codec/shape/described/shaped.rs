//! From what is [known](super::known) of a type to its [shape](super::super::Shape).

use super::known::{Body, Known};
use crate::codec::shape::{Field, Form, Layout, Shape, Variant};
use std::collections::BTreeMap;

/// The shape of a type; none if nothing is known of it.
pub(super) fn shape(known: &Known) -> Option<Shape> {
    if matches!(known, Known::Nothing | Known::Varies) {
        return None;
    }
    let mut shaper = Shaper { types: BTreeMap::new(), given: Vec::new() };
    let root = shaper.form(known);
    Some(Shape { root, types: shaper.types })
}

struct Shaper<'k> {
    types: BTreeMap<String, Layout>,
    given: Vec<(&'k Known, String)>,
}

impl<'k> Shaper<'k> {
    fn form(&mut self, known: &'k Known) -> Form {
        match known {
            Known::Nothing | Known::Varies => Form::Unknown,
            Known::Any => Form::Any,
            Known::OneOf(of, count) => Form::OneOf { of: self.forms(of), all: of.len() >= *count },
            Known::Leaf(form) => form.clone(),
            Known::Option(of) => Form::Option(Box::new(self.form(of))),
            Known::Seq(of) => Form::Seq(Box::new(self.form(of))),
            Known::Tuple(of) => Form::tuple(self.forms(of)),
            Known::Map(key, value) => {
                let key = self.form(key);
                Form::Map(Box::new(key), Box::new(self.form(value)))
            }
            Known::Named(name, body) => Form::Type(self.name(name, body, known)),
        }
    }

    fn forms(&mut self, known: &'k [Known]) -> Vec<Form> {
        known.iter().map(|known| self.form(known)).collect()
    }

    fn name(&mut self, name: &str, body: &'k Body, known: &'k Known) -> String {
        let same = |(other, _): &&(&Known, String)| match other {
            Known::Named(other_name, other_body) => {
                *other_name == name && other_body.outline() == body.outline() && other.has(known)
            }
            _ => false,
        };
        if let Some((_, name)) = self.given.iter().find(same) {
            return name.clone();
        }
        let taken = |name: &String| self.given.iter().any(|(_, given)| given == name);
        let mut free = name.to_owned();
        let mut number = 2;
        while taken(&free) {
            free = format!("{name}#{number}");
            number += 1;
        }
        self.given.push((known, free.clone()));
        let layout = self.layout(body);
        self.types.insert(free.clone(), layout);
        free
    }

    fn fields(&mut self, fields: &'k [(String, Known)]) -> Vec<Field> {
        fields.iter().map(|(name, known)| Field { name: name.clone(), is: self.form(known) }).collect()
    }

    fn layout(&mut self, body: &'k Body) -> Layout {
        match body {
            Body::Unknown => Layout::Newtype(Form::Unknown),
            Body::Unit => Layout::Unit,
            Body::Newtype(of) => Layout::Newtype(self.form(of)),
            Body::Tuple(of) => Layout::Tuple(self.forms(of)),
            Body::Struct(fields) => Layout::Struct(self.fields(fields)),
            Body::Enum(variants) => {
                let variants = variants.values();
                Layout::Enum(variants.map(|(name, body)| self.variant(name, body)).collect())
            }
            Body::Flattened(fields, rest) => {
                let fields = self.fields(fields);
                Layout::Flattened { fields, rest: rest.as_ref().map(|rest| self.form(rest)) }
            }
            Body::Tagged(tag, variants) => {
                let mut variants: Vec<_> = variants.iter().map(|(name, body)| self.variant(name, body)).collect();
                // They are found by name, so their order means nothing.
                variants.sort();
                Layout::Tagged { tag: tag.clone(), variants }
            }
        }
    }

    fn variant(&mut self, name: &str, body: &'k Body) -> Variant {
        Variant { name: name.to_owned(), is: self.layout(body) }
    }
}
