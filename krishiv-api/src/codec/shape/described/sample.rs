//! Samples: values without a type, and the deserializer that reads one as serde's own buffer of content is read.

use crate::codec::pull::{Ask, Asker, Source, Token};
use crate::codec::unreadable::{Result, Unreadable};
use serde::de::{Error as _, Expected, Unexpected};
use std::borrow::Cow;

/// A type that reads itself from what it was given would never end.
const MAX_DEPTH: usize = 200;

/// A value that says itself what it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Sample {
    #[default]
    Unit,
    Bool(bool),
    Integer(u64),
    Negative(i64),
    Float(f64),
    Text(Cow<'static, str>),
    Bytes(usize),
    Seq(Vec<Sample>),
    Map(Vec<(Sample, Sample)>),
}

/// A part of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Item(usize),
    Key(usize),
    Value(usize),
}

const ZEROS: [u8; 64] = [0; 64];

impl Sample {
    pub(super) fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(super) fn name(name: &str) -> Self {
        Self::Text(Cow::Owned(name.to_owned()))
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Unit => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Integer(value) => Unexpected::Unsigned(*value),
            Self::Negative(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(text) => Unexpected::Str(text),
            Self::Bytes(length) => Unexpected::Bytes(ZEROS.get(..*length).unwrap_or_default()),
            Self::Seq(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
        }
    }

    /// How an error names it.
    pub(super) fn described(&self) -> String {
        self.unexpected().to_string()
    }

    pub(super) fn at(&self, path: &[Step]) -> Option<&Self> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        match (self, *step) {
            (Self::Seq(items), Step::Item(at)) => items.get(at)?.at(rest),
            (Self::Map(entries), Step::Key(at)) => entries.get(at)?.0.at(rest),
            (Self::Map(entries), Step::Value(at)) => entries.get(at)?.1.at(rest),
            _ => None,
        }
    }

    pub(super) fn at_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        match (self, *step) {
            (Self::Seq(items), Step::Item(at)) => items.get_mut(at)?.at_mut(rest),
            (Self::Map(entries), Step::Key(at)) => entries.get_mut(at)?.0.at_mut(rest),
            (Self::Map(entries), Step::Value(at)) => entries.get_mut(at)?.1.at_mut(rest),
            _ => None,
        }
    }

    /// The same with another sample at `path`.
    pub(super) fn with(&self, path: &[Step], sample: Self) -> Self {
        let mut whole = self.clone();
        if let Some(place) = whole.at_mut(path) {
            *place = sample;
        }
        whole
    }

    /// The place in a map of the entry that is called `name`.
    pub(super) fn entry(&self, name: &str) -> Option<usize> {
        let Self::Map(entries) = self else {
            return None;
        };
        entries.iter().position(|(key, _)| matches!(key, Self::Text(key) if key == name))
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { next: self, open: Vec::new(), content: None }
    }
}

/// Reads a sample.
pub(super) struct Reader<'s> {
    /// What comes next.
    next: &'s Sample,
    open: Vec<Open<'s>>,
    /// What comes behind the name of a variant.
    content: Option<&'s Sample>,
}

/// What is open, and how many of its parts are taken.
enum Open<'s> {
    Seq(&'s [Sample], usize),
    Map(&'s [(Sample, Sample)], usize),
    /// One part, which is itself.
    Around,
}

/// How many there should have been.
struct Parts(usize);

impl Expected for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} parts", self.0)
    }
}

impl<'s> Reader<'s> {
    fn refuse<T>(&self, asker: &Asker<'_>) -> Result<T> {
        Err(Unreadable::invalid_type(self.next.unexpected(), asker.expected))
    }

    fn around(&mut self, token: Token<'s>) -> Result<Token<'s>> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Unreadable::custom("too deep"));
        }
        self.open.push(Open::Around);
        Ok(token)
    }

    fn any(&mut self) -> Token<'s> {
        match self.next {
            Sample::Unit => Token::Unit,
            Sample::Bool(value) => Token::Bool(*value),
            Sample::Integer(value) => Token::Unsigned(*value),
            Sample::Negative(value) => Token::Signed(*value),
            Sample::Float(value) => Token::F64(*value),
            Sample::Text(text) => Token::Str(text),
            Sample::Bytes(length) => Token::Bytes(ZEROS.get(..*length).unwrap_or_default()),
            Sample::Seq(items) => {
                self.open.push(Open::Seq(items, 0));
                Token::Seq
            }
            Sample::Map(entries) => {
                self.open.push(Open::Map(entries, 0));
                Token::Map
            }
        }
    }

    /// Whether it is of a kind that is taken by whoever asks like this.
    fn fits(&self, ask: Ask) -> bool {
        use Sample::{Bool, Bytes, Float, Integer, Map, Negative, Seq, Text, Unit};
        match ask {
            Ask::Unit | Ask::UnitStruct(_) | Ask::UnitVariant => matches!(self.next, Unit),
            Ask::Bool => matches!(self.next, Bool(_)),
            Ask::I8 | Ask::I16 | Ask::I32 | Ask::I64 | Ask::I128 => matches!(self.next, Integer(_) | Negative(_)),
            Ask::U8 | Ask::U16 | Ask::U32 | Ask::U64 | Ask::U128 => matches!(self.next, Integer(_) | Negative(_)),
            Ask::F32 | Ask::F64 => matches!(self.next, Float(_) | Integer(_) | Negative(_)),
            Ask::Char => matches!(self.next, Text(_)),
            Ask::Str => matches!(self.next, Text(_) | Bytes(_)),
            Ask::Bytes => matches!(self.next, Text(_) | Bytes(_) | Seq(_)),
            Ask::Identifier => matches!(self.next, Text(_) | Bytes(_) | Integer(_)),
            Ask::Seq | Ask::Tuple(_) | Ask::TupleStruct(..) | Ask::TupleVariant(_) => matches!(self.next, Seq(_)),
            Ask::Map => matches!(self.next, Map(_)),
            Ask::Struct(..) | Ask::StructVariant(_) => matches!(self.next, Seq(_) | Map(_)),
            Ask::Any | Ask::Ignored | Ask::Option | Ask::Newtype(_) | Ask::NewtypeVariant | Ask::Enum(..) => true,
        }
    }

    fn variant(&mut self) -> Result<Token<'s>> {
        match self.next {
            Sample::Text(_) => self.content = None,
            Sample::Map(entries) => match entries.as_slice() {
                [(variant, content)] => (self.next, self.content) = (variant, Some(content)),
                _ => return Err(Unreadable::invalid_value(Unexpected::Map, &"map with a single key")),
            },
            other => return Err(Unreadable::invalid_type(other.unexpected(), &"string or map")),
        }
        self.around(Token::Enum)
    }

    /// Goes on to the content of a variant, if it has any.
    fn content(&mut self, ask: Ask) -> Result<Option<Token<'s>>> {
        let expected = match ask {
            Ask::UnitVariant => "unit variant",
            Ask::NewtypeVariant => "newtype variant",
            Ask::TupleVariant(_) => "tuple variant",
            _ => "struct variant",
        };
        match (self.content.take(), ask) {
            (Some(content), _) => {
                self.next = content;
                Ok(matches!(ask, Ask::NewtypeVariant).then_some(Token::Content))
            }
            (None, Ask::UnitVariant) => Ok(Some(Token::Unit)),
            (None, _) => Err(Unreadable::invalid_type(Unexpected::UnitVariant, &expected)),
        }
    }
}

impl<'s> Source<'s> for Reader<'s> {
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'s>> {
        if let Ask::UnitVariant | Ask::NewtypeVariant | Ask::TupleVariant(_) | Ask::StructVariant(_) = ask
            && let Some(token) = self.content(ask)?
        {
            return Ok(token);
        }
        if !self.fits(ask) {
            return self.refuse(asker);
        }
        match ask {
            Ask::Option if matches!(self.next, Sample::Unit) => Ok(Token::Unit),
            Ask::Option => self.around(Token::Some),
            Ask::Newtype(_) => self.around(Token::Newtype),
            Ask::Enum(..) => self.variant(),
            _ => Ok(self.any()),
        }
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    fn part(&mut self, depth: usize) -> Result<bool> {
        self.open.truncate(depth);
        let next = match self.open.last_mut() {
            Some(Open::Seq(items, taken)) => items.get(*taken).inspect(|_| *taken += 1),
            Some(Open::Map(entries, taken)) => entries.get(*taken).map(|(key, _)| key).inspect(|_| *taken += 1),
            Some(Open::Around) | None => None,
        };
        self.next = next.unwrap_or(self.next);
        Ok(next.is_some())
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
        if let Some(Open::Map(entries, taken)) = self.open.last()
            && let Some((_, value)) = taken.checked_sub(1).and_then(|last| entries.get(last))
        {
            self.next = value;
        }
        Ok(())
    }

    fn left(&self, depth: usize) -> Option<usize> {
        match self.open.get(depth.checked_sub(1)?)? {
            Open::Seq(items, taken) => Some(items.len() - taken),
            Open::Map(entries, taken) => Some(entries.len() - taken),
            Open::Around => None,
        }
    }

    fn close(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
        let (all, taken) = match self.open.pop() {
            Some(Open::Seq(items, taken)) => (items.len(), taken),
            Some(Open::Map(entries, taken)) => (entries.len(), taken),
            Some(Open::Around) | None => (0, 0),
        };
        if taken < all { Err(Unreadable::invalid_length(all, &Parts(taken))) } else { Ok(()) }
    }
}
