//! What a value writes: names and kinds, as its `Serialize` hands them over.

use crate::codec::shape::Form;
use crate::codec::walk::{Group, Leaf, Stop, Variant, Visit, walk};
use serde::Serialize;
use serde::ser::Error as _;

/// How deep it may be nested; a sample is small.
const MAX_DEPTH: usize = 256;

/// One written value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// What is in an empty option.
    Nothing,
    Leaf(Form),
    Text(String),
    Option(Box<Written>),
    Seq(Vec<Written>),
    Tuple(Vec<Written>),
    Map {
        entries: Vec<(Written, Written)>,
        /// A collection says how many there are; a struct with flattened parts does not know.
        counted: bool,
    },
    Named(&'static str, Content),
    Variant {
        name: &'static str,
        index: u32,
        variant: &'static str,
        content: Content,
    },
}

/// What is in a struct or variant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Unit,
    Newtype(Box<Written>),
    Tuple(Vec<Written>),
    Struct(Vec<(String, Written)>),
}

/// Writes down what `value` writes; nothing if it cannot be written.
pub(super) fn write<T: Serialize>(value: &T) -> Option<Written> {
    let mut writer = Writer::default();
    walk(value, &mut writer).ok()?;
    writer.written
}

#[derive(Default)]
struct Writer {
    open: Vec<Open>,
    written: Option<Written>,
}

/// What is being written in parts.
struct Open {
    group: Group,
    items: Vec<Written>,
    fields: Vec<(String, Written)>,
    entries: Vec<(Written, Written)>,
    /// What waits for its value.
    key: Option<Written>,
    name: Option<&'static str>,
}

impl Writer {
    fn put(&mut self, written: Written) {
        let Some(open) = self.open.last_mut() else {
            self.written = Some(written);
            return;
        };
        match (open.group, open.name.take(), open.key.take()) {
            (Group::Map(_), _, None) => open.key = Some(written),
            (Group::Map(_), _, Some(key)) => open.entries.push((key, written)),
            (_, Some(name), _) => open.fields.push((name.to_owned(), written)),
            _ => open.items.push(written),
        }
    }
}

fn of_variant(Variant { name, index, variant }: Variant, content: Content) -> Written {
    Written::Variant { name, index, variant, content }
}

impl Visit for Writer {
    fn leaf(&mut self, leaf: Leaf<'_>) -> Result<(), Stop> {
        self.put(match leaf {
            Leaf::None => Written::Option(Box::new(Written::Nothing)),
            Leaf::Str(text) => Written::Text(text.to_owned()),
            Leaf::UnitStruct(name) => Written::Named(name, Content::Unit),
            Leaf::UnitVariant(variant) => of_variant(variant, Content::Unit),
            Leaf::Unit => Written::Leaf(Form::Unit),
            Leaf::Bool(_) => Written::Leaf(Form::Bool),
            Leaf::I8(_) => Written::Leaf(Form::I8),
            Leaf::I16(_) => Written::Leaf(Form::I16),
            Leaf::I32(_) => Written::Leaf(Form::I32),
            Leaf::I64(_) => Written::Leaf(Form::I64),
            Leaf::I128(_) => Written::Leaf(Form::I128),
            Leaf::U8(_) => Written::Leaf(Form::U8),
            Leaf::U16(_) => Written::Leaf(Form::U16),
            Leaf::U32(_) => Written::Leaf(Form::U32),
            Leaf::U64(_) => Written::Leaf(Form::U64),
            Leaf::U128(_) => Written::Leaf(Form::U128),
            Leaf::F32(_) => Written::Leaf(Form::F32),
            Leaf::F64(_) => Written::Leaf(Form::F64),
            Leaf::Char(_) => Written::Leaf(Form::Char),
            Leaf::Bytes(_) => Written::Leaf(Form::Bytes),
        });
        Ok(())
    }

    fn open(&mut self, group: Group) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Stop::custom("too deep"));
        }
        let (items, fields, entries) = (Vec::new(), Vec::new(), Vec::new());
        self.open.push(Open { group, items, fields, entries, key: None, name: None });
        Ok(())
    }

    fn field(&mut self, name: &'static str) -> Result<(), Stop> {
        if let Some(open) = self.open.last_mut() {
            open.name = Some(name);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(Open { group, mut items, fields, entries, key, .. }) = self.open.pop() else { return Ok(()) };
        if key.is_some() {
            return Err(Stop::custom("a key without a value"));
        }
        let mut only = || items.pop().map(Box::new).ok_or_else(|| Stop::custom("nothing is inside"));
        let written = match group {
            Group::Some => Written::Option(only()?),
            Group::Newtype(name) => Written::Named(name, Content::Newtype(only()?)),
            Group::NewtypeVariant(variant) => of_variant(variant, Content::Newtype(only()?)),
            Group::Seq(_) => Written::Seq(items),
            Group::Map(length) => Written::Map { entries, counted: length.is_some() },
            Group::Tuple(_) => Written::Tuple(items),
            Group::TupleStruct(name, _) => Written::Named(name, Content::Tuple(items)),
            Group::Struct(name, _) => Written::Named(name, Content::Struct(fields)),
            Group::TupleVariant(variant, _) => of_variant(variant, Content::Tuple(items)),
            Group::StructVariant(variant, _) => of_variant(variant, Content::Struct(fields)),
        };
        self.put(written);
        Ok(())
    }
}
