//! Values, and those that are in them.

use super::words::word;
use super::{Pair, Seen, see};
use crate::codec::evolution::width::{self, Width};
use crate::codec::shape::{Form, Layout};

impl<'s> Pair<'s> {
    pub(super) fn forms(&mut self, path: &str, written: &'s Form, declared: &'s Form) {
        self.deeper(|pair| match (see(pair.written, written), see(pair.declared, declared)) {
            (Seen::Named(was, written), Seen::Named(is, declared)) => pair.types(path, (was, written), (is, declared)),
            (Seen::Form(written), Seen::Form(declared)) => pair.plain(path, written, declared),
            (Seen::Form(Form::Option(of)), Seen::Named(..)) => pair.needed(path, of, declared),
            (Seen::Named(..), Seen::Form(Form::Option(of))) => pair.optional(path, written, of),
            (Seen::Named(_, Layout::Tuple(was)), Seen::Form(is)) => pair.rows(path, was, is),
            (
                Seen::Form(was @ (Form::Tuple(_) | Form::Seq(_) | Form::Array(..))),
                Seen::Named(_, Layout::Tuple(is)),
            ) => {
                pair.tuple(path, was, is);
            }
            (Seen::Form(Form::Unit), Seen::Named(_, Layout::Unit)) => {}
            (Seen::Named(_, Layout::Unit), Seen::Form(Form::Unit)) => {}
            (Seen::Form(Form::OneOf { .. } | Form::Any | Form::Unknown | Form::Opaque(_)), Seen::Named(..)) => {
                pair.blank(path, written, declared);
            }
            (Seen::Named(..), Seen::Form(Form::Unknown | Form::Opaque(_) | Form::Any)) => {
                pair.unseen(path, written, declared);
            }
            _ => pair.another(path, written, declared),
        });
    }

    fn plain(&mut self, path: &str, written: &'s Form, declared: &'s Form) {
        match (written, declared) {
            (Form::Option(was), Form::Option(is)) => self.forms(path, was, is),
            (Form::Option(was), _) => self.needed(path, was, declared),
            (_, Form::Option(is)) => self.optional(path, written, is),
            (Form::Seq(was), Form::Seq(is)) => self.forms(path, was, is),
            (Form::Map(key, value), Form::Map(is_key, is_value)) => {
                self.forms(path, key, is_key);
                self.forms(path, value, is_value);
            }
            (Form::Array(was, length), Form::Array(is, other)) if length == other => self.forms(path, was, is),
            (Form::Array(was, _) | Form::Seq(was), Form::Array(is, length)) => {
                self.length(path, written, *length);
                self.forms(path, was, is);
            }
            (Form::Array(was, _), Form::Seq(is)) => self.forms(path, was, is),
            (Form::Tuple(was), _) => self.rows(path, was, declared),
            (Form::Seq(_) | Form::Array(..), Form::Tuple(is)) => self.tuple(path, written, is),
            (Form::Unknown | Form::Opaque(_) | Form::Any | Form::OneOf { .. }, _) => {
                self.blank(path, written, declared)
            }
            _ if written == declared => {}
            _ => self.leaves(path, written, declared),
        }
    }

    fn leaves(&mut self, path: &str, written: &'s Form, declared: &'s Form) {
        let (was, is) = (word(written), word(declared));
        match width::compare(written, declared) {
            Some(Width::Holds) => self.say(path, format!("was {was}, and is {is}"), false),
            Some(Width::Narrower) => {
                self.say(path, format!("was {was}, and is {is}: what does not fit is refused when it is read"), true);
                if self.buffered && width::loses(written, declared) {
                    self.lossy(path, &was, &is);
                }
            }
            None => self.another(path, written, declared),
        }
    }

    /// Nothing says what was written.
    fn blank(&mut self, path: &str, written: &'s Form, declared: &'s Form) {
        if let (Form::OneOf { of, .. }, Form::OneOf { of: is, .. }) = (written, declared)
            && of.len() == is.len()
        {
            let before = std::mem::replace(&mut self.buffered, true);
            of.iter().zip(is).for_each(|(was, is)| self.forms(path, was, is));
            self.buffered = before;
            return;
        }
        self.found.is_blank |= !matches!(written, Form::OneOf { .. });
        if written != declared {
            self.another(path, written, declared);
        }
    }

    /// Another thing altogether, as far as can be seen.
    fn another(&mut self, path: &str, written: &'s Form, declared: &'s Form) {
        self.retyped(path, &word(written), &word(declared));
        self.guard(path, written, declared);
    }

    /// Nothing says what is read.
    fn unseen(&mut self, path: &str, written: &'s Form, declared: &'s Form) {
        self.retyped(path, &word(written), &word(declared));
        if !matches!(declared, Form::Any) {
            self.lossy(path, &word(written), "what cannot be traced");
        }
    }

    fn optional(&mut self, path: &str, written: &'s Form, of: &'s Form) {
        self.say(path, "may be absent now".to_owned(), false);
        self.forms(path, written, of);
    }

    fn needed(&mut self, path: &str, of: &'s Form, declared: &'s Form) {
        self.say(path, "may not be absent any more: a value without it is refused when it is read".to_owned(), true);
        self.forms(path, of, declared);
    }

    fn length(&mut self, path: &str, written: &Form, length: usize) {
        self.found.is_unsure |= !matches!(written, Form::Seq(_));
        self.found.is_retyped |= !matches!(written, Form::Seq(_));
        self.say(path, format!("has {length} elements now: others than so many are refused when they are read"), true);
    }

    pub(super) fn rows(&mut self, path: &str, was: &'s [Form], declared: &'s Form) {
        match declared {
            Form::Tuple(is) => self.row(path, was, is),
            Form::Seq(is) => was.iter().for_each(|was| self.forms(path, was, is)),
            Form::Array(is, length) => {
                if *length != was.len() {
                    self.length(path, &Form::Unit, *length);
                }
                was.iter().for_each(|was| self.forms(path, was, is));
            }
            Form::Option(is) => {
                self.say(path, "may be absent now".to_owned(), false);
                self.rows(path, was, is);
            }
            _ => {
                self.retyped(path, "a tuple", &word(declared));
                was.iter().for_each(|was| self.guard(path, was, declared));
            }
        }
    }

    pub(super) fn tuple(&mut self, path: &str, written: &'s Form, is: &'s [Form]) {
        match written {
            Form::Tuple(was) => self.row(path, was, is),
            Form::Seq(was) | Form::Array(was, _) => {
                if !matches!(written, Form::Array(_, length) if *length == is.len()) {
                    self.length(path, written, is.len());
                }
                is.iter().for_each(|is| self.forms(path, was, is));
            }
            _ => self.retyped(path, &word(written), "a tuple"),
        }
    }

    pub(super) fn row(&mut self, path: &str, was: &'s [Form], is: &'s [Form]) {
        if was.len() != is.len() {
            self.retyped(path, &format!("{} in a row", was.len()), &format!("{} in a row", is.len()));
        }
        was.iter().zip(is).for_each(|(was, is)| self.forms(path, was, is));
    }
}
