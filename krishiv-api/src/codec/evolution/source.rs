//! What a type asks for, and what was written: an answer where the two go together.
//!
//! The rules are those by which `serde_json` reads, and where the same would be another number, an error. They are written once, for
//! whatever a [`Cursor`] goes through.

use super::number::{self, Int};
use crate::codec::pull::{Ask, Asker, Source, Token};
use crate::codec::unreadable::{Result, Unreadable, unreadable};
use serde::de::{Error as _, Unexpected};

/// Nesting of what is read, and of what is passed by.
pub(super) const MAX_DEPTH: usize = 512;

/// What was written, as JSON would show it: a newtype is what is in it, a variant with content is a map of its name, and one
/// without is a text.
pub(super) enum Head<'de> {
    /// A unit, or what is absent.
    Null,
    /// What is there, and could have been absent, comes next.
    Some,
    Bool(bool),
    Int(Int),
    F32(f32),
    F64(f64),
    Char(char),
    Str(&'de str),
    /// A text that may stand for a number, since all keys are texts.
    Key(&'de str),
    Bytes(&'de [u8]),
    /// Open.
    Seq,
    /// Open.
    Map,
}

/// A way through what was written, part by part.
pub(super) trait Cursor<'de> {
    /// What comes next.
    fn head(&mut self) -> Result<Head<'de>>;

    /// What comes next, if it is known to be what is asked for and has no parts: the short way for what has not changed.
    fn exact(&mut self, ask: Ask) -> Result<Option<Token<'de>>> {
        let _ = ask;
        Ok(None)
    }

    /// Whether what comes next is there, which is then what comes next.
    fn present(&mut self) -> Result<bool>;

    /// Goes by what comes next.
    fn skip(&mut self) -> Result<()>;

    /// Opens what has one part, which is what comes next.
    fn around(&mut self) -> Result<()>;

    /// Opens bytes, as numbers.
    fn bytes(&mut self, bytes: &'de [u8]) -> Result<()>;

    /// Opens a variant without content, whose name comes next.
    fn bare(&mut self, name: &'de str) -> Result<()>;

    /// Whether that was opened last.
    fn is_bare(&self) -> bool;

    /// Whether what came last is a key, if it has no parts.
    fn is_key(&self) -> bool;

    fn depth(&self) -> usize;

    fn part(&mut self, depth: usize) -> Result<bool>;

    fn value(&mut self, depth: usize) -> Result<()>;

    fn left(&self, depth: usize) -> Option<usize>;

    fn close(&mut self, depth: usize) -> Result<()>;

    fn is_human_readable(&self) -> bool;

    /// The names of fields and variants on the way to where it is.
    fn path(&self) -> String;
}

/// Answers by what a cursor finds.
pub(super) struct ByName<C>(pub(super) C);

impl<'de, C: Cursor<'de>> ByName<C> {
    /// An error in words, with the place where it happened.
    pub(super) fn explain(&self, error: &Unreadable) -> String {
        let path = self.0.path();
        if path.is_empty() { error.to_string() } else { format!("`{path}`: {error}") }
    }

    /// What comes next, whether it could have been absent or not.
    fn head(&mut self) -> Result<Head<'de>> {
        loop {
            match self.0.head()? {
                Head::Some => {}
                head => return Ok(head),
            }
        }
    }

    fn any(&mut self) -> Result<Token<'de>> {
        match self.0.head()? {
            Head::Some => {
                self.0.around()?;
                Ok(Token::Some)
            }
            Head::Null => Ok(Token::Unit),
            Head::Int(int) => Ok(int.token()),
            head => self.token(head),
        }
    }

    fn token(&mut self, head: Head<'de>) -> Result<Token<'de>> {
        Ok(match head {
            Head::Null | Head::Some => Token::None,
            Head::Bool(value) => Token::Bool(value),
            Head::Int(int) => int.token(),
            Head::F32(value) => Token::F32(value),
            Head::F64(value) => Token::F64(value),
            Head::Char(value) => Token::Char(value),
            Head::Str(text) | Head::Key(text) => Token::Str(text),
            Head::Bytes(bytes) => {
                self.0.bytes(bytes)?;
                Token::Seq
            }
            Head::Seq => Token::Seq,
            Head::Map => Token::Map,
        })
    }

    /// Opens a variant; its name comes next.
    fn variant(&mut self, asker: &Asker<'_>) -> Result<Token<'de>> {
        match self.head()? {
            Head::Str(name) | Head::Key(name) => self.0.bare(name)?,
            Head::Map => {
                let depth = self.0.depth();
                if self.0.left(depth) != Some(1) || !self.0.part(depth)? {
                    return unreadable("a variant is a name, or a map of one name");
                }
            }
            head => return refuse(&head, asker),
        }
        Ok(Token::Enum)
    }

    /// Goes on to the content of the variant that is open.
    fn content(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        if self.0.is_bare() {
            return match ask {
                Ask::UnitVariant => Ok(Token::Unit),
                _ => Err(Unreadable::invalid_type(Unexpected::UnitVariant, asker.expected)),
            };
        }
        self.0.value(self.0.depth())?;
        match ask {
            Ask::NewtypeVariant => Ok(Token::Content),
            Ask::TupleVariant(_) => self.next(Ask::Seq, asker),
            Ask::StructVariant(fields) => self.next(Ask::Struct("", fields), asker),
            _ => self.next(Ask::Unit, asker),
        }
    }
}

/// What it is, where something else is needed.
fn refuse<T>(head: &Head<'_>, asker: &Asker<'_>) -> Result<T> {
    let got = match *head {
        Head::Null | Head::Some => Unexpected::Other("`None`"),
        Head::Bool(value) => Unexpected::Bool(value),
        Head::Int(int) => return int.refuse(asker),
        Head::F32(value) => Unexpected::Float(value.into()),
        Head::F64(value) => Unexpected::Float(value),
        Head::Char(value) => Unexpected::Char(value),
        Head::Str(text) | Head::Key(text) => Unexpected::Str(text),
        Head::Bytes(bytes) => Unexpected::Bytes(bytes),
        Head::Seq => Unexpected::Seq,
        Head::Map => Unexpected::Map,
    };
    Err(Unreadable::invalid_type(got, asker.expected))
}

impl<'de, C: Cursor<'de>> Source<'de> for ByName<C> {
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        if let Some(token) = self.0.exact(ask)? {
            return Ok(token);
        }
        match ask {
            Ask::Any => return self.any(),
            Ask::Ignored => {
                self.0.skip()?;
                return Ok(Token::Unit);
            }
            Ask::Newtype(_) => {
                self.0.around()?;
                return Ok(Token::Newtype);
            }
            Ask::Option => {
                if !self.0.present()? {
                    return Ok(Token::None);
                }
                self.0.around()?;
                return Ok(Token::Some);
            }
            Ask::Enum(..) => return self.variant(asker),
            Ask::UnitVariant | Ask::NewtypeVariant | Ask::TupleVariant(_) | Ask::StructVariant(_) => {
                return self.content(ask, asker);
            }
            _ => {}
        }
        match (self.head()?, ask) {
            (Head::Null, Ask::Unit | Ask::UnitStruct(_)) => Ok(Token::Unit),
            (Head::Bytes(bytes), Ask::Bytes) => Ok(Token::Bytes(bytes)),
            // In JSON all keys are texts.
            (Head::Int(int), Ask::Str) if self.0.is_key() => Ok(int.text()),
            (Head::Bool(value), Ask::Str) if self.0.is_key() => Ok(Token::Str(if value { "true" } else { "false" })),
            (Head::Key(text), ask) => number::of_text(text, ask, asker),
            (Head::Int(int), _) => int.asked(ask, asker),
            (Head::F64(value), Ask::F32) => number::narrowed(value, asker),
            // The place of a field in its struct is nothing that a key says.
            (head @ (Head::Null | Head::Some | Head::Bool(_) | Head::Bytes(_)), Ask::Identifier) => {
                refuse(&head, asker)
            }
            (head @ (Head::Null | Head::Some), _) => refuse(&head, asker),
            (head, _) => self.token(head),
        }
    }

    fn depth(&self) -> usize {
        self.0.depth()
    }

    fn part(&mut self, depth: usize) -> Result<bool> {
        self.0.part(depth)
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.0.value(depth)
    }

    fn left(&self, depth: usize) -> Option<usize> {
        self.0.left(depth)
    }

    fn close(&mut self, depth: usize) -> Result<()> {
        self.0.close(depth)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}
