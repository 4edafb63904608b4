//! Whether a stored shape and that of the program are of one type.
//!
//! Shapes are traced better than they once were. What a catalog has of before is less than what is traced now, and fits what it
//! would have been then.

use super::{Field, Form, Layout, Shape, Variant};
use std::collections::BTreeSet;

/// What the program's shape of a type says beside the stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The same, or less.
    None,
    /// More: the stored one was traced by an older version.
    More,
}

impl Shape {
    /// Compares the stored shape with the `declared` one; none if they do not fit.
    pub(crate) fn compare(&self, declared: &Self) -> Option<News> {
        let mut pair = Pair { stored: self, declared, met: BTreeSet::new(), more: false, less: false, depth: 0 };
        pair.forms(&self.root, &declared.root).then_some(if pair.more && !pair.less { News::More } else { News::None })
    }
}

/// The word of versions that could not trace it for what a type is: its serde name, or the kind of value it asks for first.
fn word<'s>(shape: &'s Shape, form: &'s Form) -> &'s str {
    match form {
        Form::Opaque(name) => name,
        Form::Unknown => "any",
        Form::Type(name) => match shape.types.get(name) {
            Some(Layout::Flattened { .. }) => "map",
            Some(Layout::Tagged { .. }) if base(name) == super::TAGGED => "any",
            _ => base(name),
        },
        other => other.word(),
    }
}

/// The serde name, without the number of those that share it.
fn base(name: &str) -> &str {
    match name.rsplit_once('#') {
        Some((base, number)) if number.bytes().all(|digit| digit.is_ascii_digit()) => base,
        _ => name,
    }
}

/// Whether this stands for something that could not be seen, or not in earlier versions.
fn is_blank(form: &Form) -> bool {
    matches!(form, Form::Opaque(_) | Form::Any | Form::Unknown)
}

/// Types in types: a stored shape may have as many as it likes, and a program's own does not.
const MAX_DEPTH: usize = 256;

struct Pair<'s> {
    stored: &'s Shape,
    declared: &'s Shape,
    met: BTreeSet<(&'s str, &'s str)>,
    more: bool,
    less: bool,
    depth: usize,
}

impl<'s> Pair<'s> {
    fn forms(&mut self, stored: &'s Form, declared: &'s Form) -> bool {
        if stored == declared && is_blank(stored) {
            return true;
        }
        let same_word = word(self.stored, stored) == word(self.declared, declared);
        match (stored, declared) {
            (Form::Unknown, _) => self.learn(),
            (Form::Opaque(_), _) if same_word => self.learn(),
            (Form::Any, Form::Type(_) | Form::OneOf { .. } | Form::Unknown) if same_word => self.learn(),
            // What was traced, and cannot be traced any more.
            (Form::Type(name), blank) if is_blank(blank) && same_word && self.is_described(name) => self.forget(),
            (Form::OneOf { .. }, Form::Opaque(_) | Form::Unknown) if same_word => self.forget(),
            (Form::OneOf { of, .. }, Form::OneOf { of: others, .. }) => self.all(of, others, Self::forms),
            (Form::Option(stored), Form::Option(declared)) | (Form::Seq(stored), Form::Seq(declared)) => {
                self.forms(stored, declared)
            }
            (Form::Array(stored, length), Form::Array(declared, other)) => {
                length == other && self.forms(stored, declared)
            }
            (Form::Map(key, value), Form::Map(other_key, other_value)) => {
                self.forms(key, other_key) && self.forms(value, other_value)
            }
            (Form::Tuple(stored), Form::Tuple(declared)) => self.all(stored, declared, Self::forms),
            (Form::Type(stored), Form::Type(declared)) => self.types(stored, declared),
            _ => stored == declared,
        }
    }

    fn forget(&mut self) -> bool {
        self.less = true;
        true
    }

    fn learn(&mut self) -> bool {
        self.more = true;
        true
    }

    /// Whether the stored type is one that older versions did not trace.
    fn is_described(&self, name: &str) -> bool {
        matches!(self.stored.types.get(name), Some(Layout::Flattened { .. } | Layout::Tagged { .. }))
    }

    fn all<T>(&mut self, stored: &'s [T], declared: &'s [T], each: fn(&mut Self, &'s T, &'s T) -> bool) -> bool {
        stored.len() == declared.len() && stored.iter().zip(declared).all(|(one, other)| each(self, one, other))
    }

    fn types(&mut self, stored: &'s str, declared: &'s str) -> bool {
        if base(stored) != base(declared) {
            return false;
        }
        if !self.met.insert((stored, declared)) {
            return true;
        }
        if self.depth == MAX_DEPTH {
            return false;
        }
        self.depth += 1;
        let same = match (self.stored.types.get(stored), self.declared.types.get(declared)) {
            (Some(stored), Some(declared)) => self.layouts(stored, declared),
            (stored, declared) => stored == declared,
        };
        self.depth -= 1;
        same
    }

    fn layouts(&mut self, stored: &'s Layout, declared: &'s Layout) -> bool {
        match (stored, declared) {
            (Layout::Newtype(Form::Unknown), _) => self.learn(),
            (Layout::Newtype(stored), Layout::Newtype(declared)) => self.forms(stored, declared),
            (Layout::Tuple(stored), Layout::Tuple(declared)) => self.all(stored, declared, Self::forms),
            (Layout::Struct(stored), Layout::Struct(declared)) => self.all(stored, declared, Self::fields),
            (Layout::Enum(stored), Layout::Enum(declared)) => self.all(stored, declared, Self::variants),
            (Layout::Flattened { fields, rest }, Layout::Flattened { fields: other_fields, rest: other_rest }) => {
                let rest = match (rest, other_rest) {
                    (Some(rest), Some(other)) => self.forms(rest, other),
                    (rest, other) => rest == other,
                };
                rest && self.all(fields, other_fields, Self::fields)
            }
            (Layout::Tagged { tag, variants }, Layout::Tagged { tag: other, variants: others }) => {
                tag == other && self.all(variants, others, Self::variants)
            }
            _ => stored == declared,
        }
    }

    fn fields(&mut self, stored: &'s Field, declared: &'s Field) -> bool {
        stored.name == declared.name && self.forms(&stored.is, &declared.is)
    }

    fn variants(&mut self, stored: &'s Variant, declared: &'s Variant) -> bool {
        stored.name == declared.name && self.layouts(&stored.is, &declared.is)
    }
}
