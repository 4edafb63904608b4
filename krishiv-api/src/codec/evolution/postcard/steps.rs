//! From part to part.

use super::{Here, Open, Reader};
use crate::codec::evolution::source::Cursor;
use crate::codec::unreadable::{Result, unreadable};

impl<'de> Reader<'de> {
    /// Goes on to the next part of what was opened last, the value of an entry behind its key; false if there is none.
    #[inline]
    pub(super) fn step(&mut self) -> Result<bool> {
        match self.parts.checked_sub(1) {
            Some(left) => self.parts = left,
            None => return unreadable("it has too many parts that take no bytes"),
        }
        let plan = self.plan;
        self.here = match self.open.last_mut() {
            Some(Open::Fields { now: Some(field), value: value @ true, .. }) => {
                *value = false;
                Here::Value(plan.node(field.is))
            }
            Some(Open::Fields { of, now, value }) => match of.split_first() {
                Some((field, rest)) => {
                    (*of, *now, *value) = (rest, Some(field), true);
                    Here::Name(&field.name)
                }
                None => {
                    *now = None;
                    Here::Nothing
                }
            },
            Some(Open::Each(of, left)) => match left.checked_sub(1) {
                Some(fewer) => {
                    *left = fewer;
                    Here::Value(of)
                }
                None => Here::Nothing,
            },
            Some(Open::Row(of)) => match of.split_first() {
                Some((id, rest)) => {
                    *of = rest;
                    Here::Value(plan.node(*id))
                }
                None => Here::Nothing,
            },
            Some(Open::Entries { of, value: value @ true, .. }) => {
                *value = false;
                Here::Value(of.1)
            }
            Some(Open::Entries { of, left, value }) => match left.checked_sub(1) {
                Some(fewer) => {
                    (*left, *value) = (fewer, true);
                    Here::Value(of.0)
                }
                None => Here::Nothing,
            },
            Some(Open::Variant { of, value: value @ true, .. }) => {
                *value = false;
                of.content.map_or(Here::Nothing, |content| Here::Value(plan.node(content)))
            }
            Some(Open::Variant { of, left, value }) if *left > 0 => {
                (*left, *value) = (0, true);
                Here::Name(&of.name)
            }
            Some(Open::Bytes(bytes)) => match bytes.split_first() {
                Some((byte, rest)) => {
                    *bytes = rest;
                    Here::Byte(*byte)
                }
                None => Here::Nothing,
            },
            Some(Open::Variant { .. } | Open::Around | Open::Bare) | None => Here::Nothing,
        };
        Ok(!matches!(self.here, Here::Nothing))
    }

    /// Goes by what comes next, and by what is left of all that is open deeper than this.
    #[inline]
    pub(super) fn leave(&mut self, depth: usize) -> Result<()> {
        while self.open.len() > depth || matches!(self.here, Here::Value(_)) {
            if matches!(self.here, Here::Value(_)) {
                self.head()?;
            } else if !self.step()? {
                self.open.pop();
            }
        }
        Ok(())
    }

    /// The same, and by the value of the entry whose key has come last.
    pub(super) fn leave_part(&mut self, depth: usize) -> Result<()> {
        self.leave(depth)?;
        if self.is_at_value() {
            self.step()?;
            self.leave(depth)?;
        }
        Ok(())
    }

    /// Whether the value of an entry comes next, and not a key.
    pub(super) fn is_at_value(&self) -> bool {
        matches!(
            self.open.last(),
            Some(
                Open::Fields { value: true, .. }
                    | Open::Entries { value: true, .. }
                    | Open::Variant { value: true, .. }
            )
        )
    }
}
