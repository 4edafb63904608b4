//! Structs and enums: fields and variants by their names.

use super::words::{of_layout, word};
use super::{NEW, Pair, Seen, see};
use crate::codec::evolution::sample::join;
use crate::codec::shape::{Field, Form, Layout, Variant};
use std::collections::BTreeSet;

impl<'s> Pair<'s> {
    pub(super) fn types(
        &mut self,
        path: &str,
        (was, written): (&'s str, &'s Layout),
        (is, declared): (&'s str, &'s Layout),
    ) {
        if self.met.insert((was, is, self.buffered)) {
            self.layouts(path, written, declared);
        }
    }

    fn layouts(&mut self, path: &str, written: &'s Layout, declared: &'s Layout) {
        let before = self.buffered;
        self.buffered |= matches!(declared, Layout::Tagged { .. } | Layout::Flattened { .. });
        match (written, declared) {
            (Layout::Unit, Layout::Unit) => {}
            (Layout::Newtype(was), Layout::Newtype(is)) => self.forms(path, was, is),
            (Layout::Newtype(was), _) => self.unwrapped(path, was, declared),
            (_, Layout::Newtype(is)) => self.wrapped(path, written, is),
            (Layout::Tuple(was), Layout::Tuple(is)) => self.row(path, was, is),
            (Layout::Tuple(was), Layout::Struct(is)) => {
                self.found.is_unsure |= was.len() != is.len();
                self.say(path, "had its parts in a row, and has names for them".to_owned(), false);
                was.iter().zip(is).for_each(|(was, is)| self.forms(&join(path, &is.name), was, &is.is));
            }
            (
                Layout::Struct(was) | Layout::Flattened { fields: was, .. },
                Layout::Struct(is) | Layout::Flattened { fields: is, .. },
            ) => {
                self.fields(path, was, is);
                self.rest(path, written, declared);
            }
            (Layout::Enum(was), Layout::Enum(is)) => self.variants(path, was, is),
            (Layout::Tagged { tag, variants: was }, Layout::Tagged { tag: other, variants: is }) => {
                if tag != other {
                    self.retyped(path, &format!("an enum by `{tag}`"), &format!("one by `{other}`"));
                }
                self.variants(path, was, is);
            }
            _ => {
                self.retyped(path, of_layout(written), of_layout(declared));
                self.guard(path, written, declared);
            }
        }
        self.buffered = before;
    }

    /// The rest of a struct with flattened parts takes what no field takes.
    fn rest(&mut self, path: &str, written: &'s Layout, declared: &'s Layout) {
        match (written, declared) {
            (Layout::Flattened { rest: Some(was), .. }, Layout::Flattened { rest: Some(is), .. }) => {
                self.forms(path, was, is)
            }
            (_, Layout::Flattened { rest: Some(rest), .. }) => {
                self.guard(path, written, rest);
                self.found.is_unsure = true;
                self.say(path, "keeps what no field takes now".to_owned(), false);
            }
            (Layout::Flattened { rest: Some(rest), .. }, _) => {
                self.guard(path, rest, declared);
                self.say(path, "keeps nothing but its fields any more: the rest is passed by".to_owned(), false);
            }
            _ => {}
        }
    }

    /// The content of a variant that was one value, and is several: where that value has as many.
    fn unwrapped(&mut self, path: &str, was: &'s Form, declared: &'s Layout) {
        match see(self.written, was) {
            Seen::Named(_, layout) if !matches!(layout, Layout::Enum(_)) => self.layouts(path, layout, declared),
            Seen::Form(Form::Unit) if *declared == Layout::Unit => {}
            Seen::Form(was) => match declared {
                Layout::Tuple(is) => self.tuple(path, was, is),
                _ => {
                    self.retyped(path, &word(was), of_layout(declared));
                    self.guard(path, was, declared);
                }
            },
            Seen::Named(name, layout) => {
                self.retyped(path, name, of_layout(declared));
                self.guard(path, layout, declared);
            }
        }
    }

    fn wrapped(&mut self, path: &str, written: &'s Layout, is: &'s Form) {
        match see(self.declared, is) {
            Seen::Named(_, layout) if !matches!(layout, Layout::Enum(_)) => self.layouts(path, written, layout),
            Seen::Form(is) => match written {
                Layout::Tuple(was) => self.rows(path, was, is),
                _ => {
                    self.retyped(path, of_layout(written), &word(is));
                    self.guard(path, written, is);
                }
            },
            Seen::Named(name, layout) => {
                self.retyped(path, of_layout(written), name);
                self.guard(path, written, layout);
            }
        }
    }

    fn fields(&mut self, path: &str, was: &'s [Field], is: &'s [Field]) {
        let gone: Vec<_> = was.iter().filter(|was| is.iter().all(|is| is.name != was.name)).collect();
        let new: Vec<_> = is.iter().filter(|is| was.iter().all(|was| is.name != was.name)).collect();
        if self.buffered {
            // From a copy, a type does not say what other names it knows.
            let pairs = gone.iter().flat_map(|was| new.iter().map(move |is| (was, is)));
            pairs.for_each(|(was, is)| self.guard(&join(path, &is.name), &was.is, &is.is));
        }
        let mut renamed = BTreeSet::new();
        for was in gone {
            let names = new.iter().map(|is| is.name.as_str());
            let at = &join(path, &was.name);
            let alias = self.alias(&was.name, names);
            match alias.and_then(|name| new.iter().find(|is| is.name == name)) {
                Some(is) => {
                    renamed.insert(is.name.as_str());
                    self.say(at, format!("is `{}` now", is.name), false);
                    self.forms(&join(path, &is.name), &was.is, &is.is);
                }
                None => self.say(at, "is gone: what was stored is passed by".to_owned(), false),
            }
        }
        for is in new.into_iter().filter(|is| !renamed.contains(is.name.as_str())) {
            self.found.is_unsure |= !matches!(is.is, Form::Option(_));
            self.say(&join(path, &is.name), NEW.to_owned(), false);
        }
        for was in was {
            if let Some(is) = is.iter().find(|is| is.name == was.name) {
                self.forms(&join(path, &was.name), &was.is, &is.is);
            }
        }
    }

    fn variants(&mut self, path: &str, was: &'s [Variant], is: &'s [Variant]) {
        let new: Vec<_> = is.iter().filter(|is| was.iter().all(|was| is.name != was.name)).collect();
        if self.buffered {
            let gone = was.iter().filter(|was| is.iter().all(|is| is.name != was.name));
            let pairs = gone.flat_map(|was| new.iter().map(move |is| (was, is)));
            pairs.for_each(|(was, is)| self.guard(&join(path, &is.name), &was.is, &is.is));
        }
        let mut renamed = BTreeSet::new();
        for was in was {
            let at = &join(path, &was.name);
            let same = is.iter().find(|is| is.name == was.name);
            let alias = || self.alias(&was.name, new.iter().map(|is| is.name.as_str()));
            match same.or_else(|| is.iter().find(|is| Some(is.name.as_str()) == alias())) {
                Some(is) => {
                    if is.name != was.name {
                        renamed.insert(is.name.as_str());
                        self.say(at, format!("is `{}` now", is.name), false);
                    }
                    self.layouts(&join(path, &is.name), &was.is, &is.is);
                }
                None => {
                    self.say(at, "is no variant any more: a value of it is refused when it is read".to_owned(), true)
                }
            }
        }
        for is in new.into_iter().filter(|is| !renamed.contains(is.name.as_str())) {
            self.say(&join(path, &is.name), "is a new variant".to_owned(), false);
        }
    }

    /// Which of the `new` names is that of what was called `old`: the one next to it where a type lists all that it knows.
    fn alias<'n>(&self, old: &str, new: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
        self.heard.iter().find_map(|names| {
            let at = names.iter().position(|name| *name == old)?;
            let distance = |new: &str| Some(names.iter().position(|name| *name == new)?.abs_diff(at));
            new.clone().filter_map(|new| Some((distance(new)?, new))).min().map(|(_, new)| new)
        })
    }
}
