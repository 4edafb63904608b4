//! What serde sees of a type: the names and kinds of everything in it, and no Rust path.
//!
//! A shape is stored with the state and compared on open. Its JSON form lives as long as the state does.

mod compare;
mod described;
mod graph;
mod naming;
mod probe;
#[cfg(test)]
mod tests;
mod trace;
mod tracer;
mod untraced;

use super::payload::Codec;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) use compare::News;
pub(super) use probe::TEXTS;
pub(crate) use trace::trace;

/// A type as serde sees it. Equal shapes are written and read alike.
///
/// As JSON: `{"root":{"type":"Position"},"types":{"Position":{"struct":[{"name":"latitude","is":"f64"}]}}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    root: Form,
    /// The structs and enums in it by serde name; a second one of the same name but another layout is `Name#2`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, Layout>,
}

/// What the tracer found out about a type.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    pub(crate) shape: Shape,
    /// The parts of the type that the shape does not show.
    pub(crate) untraced: Vec<String>,
    /// MessagePack for what only a self-describing format can give back.
    pub(crate) codec: Codec,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    /// Whatever the value itself says it is, as in `serde_json::Value`.
    Any,
    Option(Box<Form>),
    Seq(Box<Form>),
    Map(Box<Form>, Box<Form>),
    Tuple(Vec<Form>),
    /// A tuple of more than four alike.
    Array(Box<Form>, usize),
    /// A struct or enum, by its name in [`Shape::types`].
    Type(String),
    /// An untagged enum: what its variants look like, and whether these are all.
    OneOf {
        of: Vec<Form>,
        all: bool,
    },
    /// A part that no sample has shown.
    Unknown,
    /// What could not be traced, by its serde name or the kind of value it asks for first.
    Opaque(String),
}

/// A struct, an enum, or the content of a variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layout {
    Unit,
    Newtype(Form),
    Tuple(Vec<Form>),
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    /// A struct with flattened parts: all fields side by side, and the values of a map that takes what is left.
    Flattened {
        fields: Vec<Field>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest: Option<Form>,
    },
    /// An enum whose variant is the value of a field beside those of the variant.
    Tagged {
        tag: String,
        variants: Vec<Variant>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(super) name: String,
    pub(super) is: Form,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Variant {
    pub(super) name: String,
    pub(super) is: Layout,
}

/// What stands for a struct that is written as a map, and for an enum whose tag is a field: serde does not say their names.
const FLATTENED: &str = "flattened";
const TAGGED: &str = "tagged";

impl Shape {
    pub(super) fn root(&self) -> &Form {
        &self.root
    }

    pub(super) fn layout(&self, name: &str) -> Option<&Layout> {
        self.types.get(name)
    }

    /// Whether it has what only bytes that describe themselves can carry.
    pub(crate) fn is_described(&self) -> bool {
        let layouts = self.types.values();
        is_described(&self.root) || layouts.into_iter().any(Layout::is_described)
    }

    fn opaque(name: &str) -> Self {
        Self { root: Form::Opaque(name.to_owned()), types: BTreeMap::new() }
    }
}

fn is_described(form: &Form) -> bool {
    match form {
        Form::Any | Form::OneOf { .. } | Form::Unknown | Form::Opaque(_) => true,
        Form::Option(of) | Form::Seq(of) | Form::Array(of, _) => is_described(of),
        Form::Map(key, value) => is_described(key) || is_described(value),
        Form::Tuple(of) => of.iter().any(is_described),
        _ => false,
    }
}

impl Layout {
    fn is_described(&self) -> bool {
        match self {
            Self::Unit => false,
            Self::Newtype(of) => is_described(of),
            Self::Tuple(of) => of.iter().any(is_described),
            Self::Struct(fields) => fields.iter().any(|field| is_described(&field.is)),
            Self::Enum(variants) => variants.iter().any(|variant| variant.is.is_described()),
            Self::Flattened { .. } | Self::Tagged { .. } => true,
        }
    }
}

impl fmt::Display for Shape {
    /// Each struct and enum is spelled out where it is met first, and named from then on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer { types: &self.types, met: BTreeSet::new(), depth: 0, f }.form(&self.root)
    }
}

/// Types in types that are spelled out.
const MAX_SHOWN_DEPTH: usize = 128;

struct Printer<'s, 'f, 'b> {
    types: &'s BTreeMap<String, Layout>,
    met: BTreeSet<&'s str>,
    depth: usize,
    f: &'f mut fmt::Formatter<'b>,
}

impl<'s> Printer<'s, '_, '_> {
    fn form(&mut self, form: &'s Form) -> fmt::Result {
        match form {
            Form::Option(of) => self.around("Option<", std::slice::from_ref(of.as_ref()), ">"),
            Form::Seq(of) => self.around("Vec<", std::slice::from_ref(of.as_ref()), ">"),
            Form::Tuple(of) => self.around("(", of, ")"),
            Form::Map(key, value) => {
                self.f.write_str("map<")?;
                self.form(key)?;
                self.f.write_str(", ")?;
                self.form(value)?;
                self.f.write_str(">")
            }
            Form::Array(of, length) => {
                self.f.write_str("[")?;
                self.form(of)?;
                write!(self.f, "; {length}]")
            }
            Form::OneOf { of, all } => {
                self.around("one of (", of, ")")?;
                if *all { Ok(()) } else { self.f.write_str(" and others") }
            }
            Form::Type(name) => match self.types.get(name) {
                Some(layout) if self.depth < MAX_SHOWN_DEPTH && self.met.insert(name) => {
                    self.depth += 1;
                    self.named(name, layout)?;
                    self.depth -= 1;
                    Ok(())
                }
                _ => self.f.write_str(name),
            },
            Form::Opaque(name) => write!(self.f, "opaque {name}"),
            leaf => self.f.write_str(leaf.word()),
        }
    }

    fn named(&mut self, name: &'s str, layout: &'s Layout) -> fmt::Result {
        match layout {
            // Serde does not say the names of these.
            Layout::Flattened { .. } => self.f.write_str("flattened")?,
            Layout::Tagged { .. } if name.starts_with(TAGGED) => self.f.write_str("enum")?,
            Layout::Enum(_) | Layout::Tagged { .. } => write!(self.f, "enum {name}")?,
            _ => write!(self.f, "struct {name}")?,
        }
        self.layout(layout)
    }

    fn layout(&mut self, layout: &'s Layout) -> fmt::Result {
        match layout {
            Layout::Unit => Ok(()),
            Layout::Newtype(of) => self.around("(", std::slice::from_ref(of), ")"),
            Layout::Tuple(of) => self.around("(", of, ")"),
            Layout::Struct(fields) => self.fields(fields),
            Layout::Flattened { fields, rest: None } => self.fields(fields),
            Layout::Flattened { fields, rest: Some(rest) } => {
                self.fields(fields)?;
                self.f.write_str(" and any other: ")?;
                self.form(rest)
            }
            Layout::Enum(variants) => self.variants(variants),
            Layout::Tagged { tag, variants } => {
                write!(self.f, " by {tag}")?;
                self.variants(variants)
            }
        }
    }

    fn fields(&mut self, fields: &'s [Field]) -> fmt::Result {
        self.braced(fields, |printer, field| {
            write!(printer.f, "{}: ", field.name)?;
            printer.form(&field.is)
        })
    }

    fn variants(&mut self, variants: &'s [Variant]) -> fmt::Result {
        self.braced(variants, |printer, variant| {
            printer.f.write_str(&variant.name)?;
            printer.layout(&variant.is)
        })
    }

    fn around(&mut self, open: &str, forms: &'s [Form], close: &str) -> fmt::Result {
        self.f.write_str(open)?;
        self.list(forms, |printer, form| printer.form(form))?;
        self.f.write_str(close)
    }

    fn braced<T>(&mut self, parts: &'s [T], each: impl Fn(&mut Self, &'s T) -> fmt::Result) -> fmt::Result {
        if parts.is_empty() {
            return self.f.write_str(" {}");
        }
        self.f.write_str(" { ")?;
        self.list(parts, each)?;
        self.f.write_str(" }")
    }

    fn list<T>(&mut self, parts: &'s [T], each: impl Fn(&mut Self, &'s T) -> fmt::Result) -> fmt::Result {
        parts.iter().enumerate().try_for_each(|(at, part)| {
            if at > 0 {
                self.f.write_str(", ")?;
            }
            each(self, part)
        })
    }
}

impl Form {
    /// The word for a form without its parts.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Bool => "bool",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U128 => "u128",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::Str => "str",
            Self::Bytes => "bytes",
            Self::Any => "any",
            Self::Option(_) => "option",
            Self::Seq(_) => "seq",
            Self::Map(..) => "map",
            Self::Tuple(_) | Self::Array(..) => "tuple",
            Self::Type(_) => "type",
            Self::OneOf { .. } => "any",
            Self::Unknown => "unknown",
            Self::Opaque(_) => "opaque",
        }
    }
}
