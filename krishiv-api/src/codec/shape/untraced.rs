//! What a shape does not show of its type.

use super::{Field, Form, Layout, Shape, Variant};
use std::collections::BTreeSet;

impl Shape {
    /// The parts that are unknown, in words; `buffered` if any of it is kept for an untagged or tagged enum.
    pub(super) fn untraced(&self, buffered: bool) -> Vec<String> {
        let mut finder = Finder { shape: self, met: BTreeSet::new(), path: Vec::new(), found: Vec::new(), buffered };
        finder.form(&self.root);
        finder.found
    }
}

struct Finder<'s> {
    shape: &'s Shape,
    met: BTreeSet<&'s str>,
    path: Vec<&'s str>,
    found: Vec<String>,
    buffered: bool,
}

impl<'s> Finder<'s> {
    fn say(&mut self, what: &str) {
        let path = self.path.join(".");
        self.found.push(if path.is_empty() { what.to_owned() } else { format!("`{path}`: {what}") });
    }

    fn at(&mut self, name: &'s str, go: impl FnOnce(&mut Self)) {
        self.path.push(name);
        go(self);
        self.path.pop();
    }

    fn form(&mut self, form: &'s Form) {
        match form {
            Form::Opaque(_) => self.say("names and kinds of all of it"),
            Form::Unknown => self.say("names and kinds of this part"),
            Form::Any if self.buffered => self.say("the variants of an untagged enum, if this is one"),
            Form::OneOf { of, all } => {
                if !all {
                    self.say("variants of an untagged enum that are never read, or only from some values");
                }
                of.iter().for_each(|of| self.form(of));
            }
            Form::Option(of) | Form::Seq(of) | Form::Array(of, _) => self.form(of),
            Form::Map(key, value) => {
                self.form(key);
                self.form(value);
            }
            Form::Tuple(of) => of.iter().for_each(|of| self.form(of)),
            Form::Type(name) => {
                if self.met.insert(name)
                    && let Some(layout) = self.shape.types.get(name)
                {
                    self.layout(layout);
                }
            }
            _ => {}
        }
    }

    fn layout(&mut self, layout: &'s Layout) {
        match layout {
            Layout::Unit => {}
            Layout::Newtype(of) => self.form(of),
            Layout::Tuple(of) => of.iter().for_each(|of| self.form(of)),
            Layout::Struct(fields) => self.fields(fields),
            Layout::Enum(variants) | Layout::Tagged { variants, .. } => self.variants(variants),
            Layout::Flattened { fields, rest } => {
                self.say(
                    "fields beside or inside a `flatten` that are left out when they are empty, and variants in it",
                );
                self.fields(fields);
                if let Some(rest) = rest {
                    self.form(rest);
                }
            }
        }
    }

    fn fields(&mut self, fields: &'s [Field]) {
        for Field { name, is } in fields {
            self.at(name, |finder| finder.form(is));
        }
    }

    fn variants(&mut self, variants: &'s [Variant]) {
        for Variant { name, is } in variants {
            self.at(name, |finder| finder.layout(is));
        }
    }
}
