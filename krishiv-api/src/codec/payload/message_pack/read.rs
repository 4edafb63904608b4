//! Reads MessagePack.
//!
//! What the crate reads is bounded here, as it is for [postcard](crate::codec::payload::reader): a length is no more than the bytes
//! that are left, and nesting has a limit. A null inside of `Some` is the extension that [`write`](super::write) makes.

use crate::codec::faithful::{MAX_PACK_DEPTH, NULL_IN_SOME};
use crate::codec::pull::{Ask, Asker, Source, Token, pull};
use crate::codec::unreadable::{Result, Unreadable, unreadable};
use rmp::Marker;
use rmp::decode::{RmpRead, read_marker};
use serde::de::{DeserializeSeed, Error as _, Unexpected};

pub(in crate::codec::payload) fn read<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value> {
    let mut reader = Reader::new(bytes);
    let value = pull(&mut reader, seed)?;
    reader.end()?;
    Ok(value)
}

pub(in crate::codec) struct Reader<'de> {
    rest: &'de [u8],
    /// Elements or entries that are left of each sequence and map that is open, and none of what is nested otherwise.
    open: Vec<usize>,
    pending: Pending<'de>,
}

/// What comes before what stands at the front of the bytes.
#[derive(Clone, Copy)]
enum Pending<'de> {
    Item,
    /// A null inside of so many `Some`.
    Null(u8),
    /// The name of a variant without content.
    Name(&'de str),
    /// Nothing: the content of such a variant.
    NoContent,
    /// The name of a variant, and its content behind it.
    NameOf,
}

/// What stands at the front of the bytes.
enum Item<'de> {
    Null,
    /// A null inside of so many `Some`.
    NullInSome(u8),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Str(&'de str),
    Bytes(&'de [u8]),
    Seq(usize),
    Map(usize),
}

impl<'de> Reader<'de> {
    pub(in crate::codec) fn new(bytes: &'de [u8]) -> Self {
        Self { rest: bytes, open: Vec::new(), pending: Pending::Item }
    }

    fn marker(&mut self) -> Result<Marker> {
        read_marker(&mut self.rest).or_else(|_| ends())
    }

    fn number<const N: usize, T>(&mut self, read: impl FnOnce([u8; N]) -> T) -> Result<T> {
        let mut bytes = [0; N];
        self.rest.read_exact_buf(&mut bytes).or_else(|_| ends())?;
        Ok(read(bytes))
    }

    fn length<const N: usize>(&mut self, read: impl FnOnce([u8; N]) -> u32) -> Result<usize> {
        let length = self.number(read)?;
        usize::try_from(length).or_else(|_| ends())
    }

    fn take(&mut self, length: usize) -> Result<&'de [u8]> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => ends(),
        }
    }

    fn text(&mut self, length: usize) -> Result<Item<'de>> {
        match str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(Item::Str(text)),
            Err(error) => unreadable(format!("a text is not UTF-8: {error}")),
        }
    }

    /// A number of elements, each of which takes at least so many bytes.
    fn elements(&self, length: usize, each: usize) -> Result<usize> {
        match length.checked_mul(each).is_some_and(|bytes| bytes <= self.rest.len()) {
            true => Ok(length),
            false => unreadable(format!("a length of {length} is more than the bytes can hold")),
        }
    }

    fn seq(&self, length: usize) -> Result<Item<'de>> {
        self.elements(length, 1).map(Item::Seq)
    }

    fn map(&self, length: usize) -> Result<Item<'de>> {
        self.elements(length, 2).map(Item::Map)
    }

    fn item(&mut self) -> Result<Item<'de>> {
        let be16 = |bytes| u32::from(u16::from_be_bytes(bytes));
        Ok(match self.marker()? {
            Marker::Null => Item::Null,
            Marker::False => Item::Bool(false),
            Marker::True => Item::Bool(true),
            Marker::FixPos(number) => Item::Unsigned(number.into()),
            Marker::FixNeg(number) => Item::Signed(number.into()),
            Marker::U8 => Item::Unsigned(self.number(u8::from_be_bytes)?.into()),
            Marker::U16 => Item::Unsigned(self.number(u16::from_be_bytes)?.into()),
            Marker::U32 => Item::Unsigned(self.number(u32::from_be_bytes)?.into()),
            Marker::U64 => Item::Unsigned(self.number(u64::from_be_bytes)?),
            Marker::I8 => Item::Signed(self.number(i8::from_be_bytes)?.into()),
            Marker::I16 => Item::Signed(self.number(i16::from_be_bytes)?.into()),
            Marker::I32 => Item::Signed(self.number(i32::from_be_bytes)?.into()),
            Marker::I64 => Item::Signed(self.number(i64::from_be_bytes)?),
            Marker::F32 => Item::F32(self.number(f32::from_be_bytes)?),
            Marker::F64 => Item::F64(self.number(f64::from_be_bytes)?),
            Marker::FixStr(length) => self.text(length.into())?,
            Marker::Str8 => {
                let length = self.length(|[byte]| byte.into())?;
                self.text(length)?
            }
            Marker::Str16 => {
                let length = self.length(be16)?;
                self.text(length)?
            }
            Marker::Str32 => {
                let length = self.length(u32::from_be_bytes)?;
                self.text(length)?
            }
            Marker::Bin8 => {
                let length = self.length(|[byte]| byte.into())?;
                Item::Bytes(self.take(length)?)
            }
            Marker::Bin16 => {
                let length = self.length(be16)?;
                Item::Bytes(self.take(length)?)
            }
            Marker::Bin32 => {
                let length = self.length(u32::from_be_bytes)?;
                Item::Bytes(self.take(length)?)
            }
            Marker::FixArray(length) => self.seq(length.into())?,
            Marker::Array16 => {
                let length = self.length(be16)?;
                self.seq(length)?
            }
            Marker::Array32 => {
                let length = self.length(u32::from_be_bytes)?;
                self.seq(length)?
            }
            Marker::FixMap(length) => self.map(length.into())?,
            Marker::Map16 => {
                let length = self.length(be16)?;
                self.map(length)?
            }
            Marker::Map32 => {
                let length = self.length(u32::from_be_bytes)?;
                self.map(length)?
            }
            Marker::FixExt1 => match self.take(2)? {
                [kind, levels] if i8::from_be_bytes([*kind]) == NULL_IN_SOME && *levels > 0 => {
                    Item::NullInSome(*levels)
                }
                other => return unreadable(format!("the extension {other:02x?} is none of ours")),
            },
            other => return unreadable(format!("{other:?} begins nothing that is written here")),
        })
    }

    fn open(&mut self, left: usize, token: Token<'de>) -> Result<Token<'de>> {
        if self.open.len() == MAX_PACK_DEPTH {
            return unreadable("it is nested too deeply");
        }
        self.open.push(left);
        Ok(token)
    }

    fn token(&mut self, item: Item<'de>) -> Result<Token<'de>> {
        Ok(match item {
            Item::Null => Token::Unit,
            Item::NullInSome(levels) => {
                self.pending = Pending::Null(levels - 1);
                self.open(0, Token::Some)?
            }
            Item::Bool(value) => Token::Bool(value),
            Item::Unsigned(value) => Token::Unsigned(value),
            Item::Signed(value) => Token::Signed(value),
            Item::F32(value) => Token::F32(value),
            Item::F64(value) => Token::F64(value),
            Item::Str(text) => Token::Str(text),
            Item::Bytes(bytes) => Token::Bytes(bytes),
            Item::Seq(length) => self.open(length, Token::Seq)?,
            Item::Map(length) => self.open(length, Token::Map)?,
        })
    }

    /// What comes of a null inside of so many `Some`.
    fn null(&mut self, levels: u8, ask: Ask) -> Result<Token<'de>> {
        match (levels.checked_sub(1), ask) {
            (_, Ask::Newtype(_)) => self.open(0, Token::Newtype),
            (Some(inside), _) => {
                self.pending = Pending::Null(inside);
                self.open(0, Token::Some)
            }
            (None, Ask::Option) => {
                self.pending = Pending::Item;
                Ok(Token::None)
            }
            (None, _) => {
                self.pending = Pending::Item;
                Ok(Token::Unit)
            }
        }
    }

    fn option(&mut self) -> Result<Token<'de>> {
        match self.rest.first().map(|byte| Marker::from_u8(*byte)) {
            Some(Marker::Null) => {
                self.item()?;
                Ok(Token::None)
            }
            Some(Marker::FixExt1) => {
                let item = self.item()?;
                self.token(item)
            }
            _ => self.open(0, Token::Some),
        }
    }

    /// An integer of 128 bits, which is written as its bytes.
    fn wide(&mut self, read: impl FnOnce([u8; 16]) -> Token<'de>) -> Result<Token<'de>> {
        match self.item()? {
            Item::Bytes(bytes) => match bytes.try_into() {
                Ok(bytes) => Ok(read(bytes)),
                Err(_) => Ok(Token::Bytes(bytes)),
            },
            item => self.token(item),
        }
    }

    fn variant(&mut self) -> Result<Token<'de>> {
        self.pending = match self.item()? {
            Item::Str(name) => Pending::Name(name),
            Item::Map(1) => Pending::NameOf,
            _ => return unreadable("a variant is a name, or a map of one name"),
        };
        self.open(0, Token::Enum)
    }

    /// The content of a variant.
    fn content(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        if matches!(self.pending, Pending::NoContent) {
            self.pending = Pending::Item;
            return match ask {
                Ask::UnitVariant => Ok(Token::Unit),
                _ => Err(Unreadable::invalid_type(Unexpected::UnitVariant, asker.expected)),
            };
        }
        match ask {
            Ask::NewtypeVariant => Ok(Token::Content),
            _ => {
                let item = self.item()?;
                self.token(item)
            }
        }
    }

    pub(in crate::codec) fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => unreadable(format!("{left} bytes are left over at the end")),
        }
    }
}

fn ends<T>() -> Result<T> {
    unreadable("the bytes end too early")
}

impl<'de> Source<'de> for Reader<'de> {
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        match self.pending {
            Pending::Item => {}
            Pending::Null(levels) => return self.null(levels, ask),
            Pending::Name(name) => {
                self.pending = Pending::NoContent;
                return Ok(Token::Str(name));
            }
            Pending::NameOf => {
                self.pending = Pending::Item;
                return match self.item()? {
                    Item::Str(name) => Ok(Token::Str(name)),
                    _ => unreadable("the name of a variant is a text"),
                };
            }
            Pending::NoContent => return self.content(ask, asker),
        }
        match ask {
            Ask::U128 => self.wide(|bytes| Token::U128(u128::from_be_bytes(bytes))),
            Ask::I128 => self.wide(|bytes| Token::I128(i128::from_be_bytes(bytes))),
            Ask::Option => self.option(),
            Ask::Newtype(_) => self.open(0, Token::Newtype),
            Ask::Enum(..) => self.variant(),
            Ask::UnitVariant | Ask::NewtypeVariant | Ask::TupleVariant(_) | Ask::StructVariant(_) => {
                self.content(ask, asker)
            }
            _ => {
                let item = self.item()?;
                self.token(item)
            }
        }
    }

    fn depth(&self) -> usize {
        self.open.len()
    }

    fn part(&mut self, depth: usize) -> Result<bool> {
        self.open.truncate(depth);
        self.pending = Pending::Item;
        Ok(match self.open.last_mut() {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        })
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
        self.pending = Pending::Item;
        Ok(())
    }

    fn left(&self, depth: usize) -> Option<usize> {
        self.open.get(depth.checked_sub(1)?).copied()
    }

    fn close(&mut self, depth: usize) -> Result<()> {
        self.open.truncate(depth);
        self.pending = Pending::Item;
        match self.open.pop() {
            Some(left) if left > 0 => unreadable(format!("{left} elements are left over")),
            _ => Ok(()),
        }
    }
}
