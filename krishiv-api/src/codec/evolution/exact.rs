//! The short way through bytes that describe themselves: as they are read where nothing has changed, but for numbers that are not the
//! same.
//!
//! What is refused here is read again by the shape that wrote it, which knows more. So this may refuse what it likes, and may let
//! through only what is the same there.

use super::number::{self, Int};
use crate::codec::pull::{Ask, Asker, Source, Token};
use crate::codec::unreadable::{Result, unreadable};

pub(super) struct Exact<S>(pub(super) S);

impl<'de, S: Source<'de>> Source<'de> for Exact<S> {
    fn next(&mut self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        let token = self.0.next(ask, asker)?;
        match (ask, token) {
            (Ask::F32, Token::F64(value)) => number::narrowed(value, asker),
            (Ask::F32 | Ask::F64, Token::Unsigned(value)) => Int::from(value).asked(ask, asker),
            (Ask::F32 | Ask::F64, Token::Signed(value)) => Int::from(value).asked(ask, asker),
            // The bytes do not say which of these they are.
            (_, Token::U128(_) | Token::I128(_)) => unreadable("an integer of 128 bits"),
            (ask, Token::Bytes(_)) if !matches!(ask, Ask::Bytes) => unreadable("bytes"),
            // A number is no name, and not the place of one.
            (Ask::Identifier, token @ Token::Str(_)) => Ok(token),
            (Ask::Identifier, _) => unreadable("a key that is no text"),
            (_, token) => Ok(token),
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

    fn refused(&mut self) {
        self.0.refused();
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}
