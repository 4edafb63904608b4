//! One key of `#[state(…)]`, and what is given for it.

use crate::errors::{self, Errors};
use crate::setting::{Given, Names, Setting};
use crate::tokens;
use crate::value::{self, Value};
use proc_macro2::Ident;
use syn::Token;
use syn::parse::ParseStream;

/// A key that is about to be read.
pub(crate) struct Entry<'i, 'e> {
    pub(crate) key: Ident,
    pub(crate) example: &'static str,
    /// The key was not written like this: what it says counts, and its mistakes do not.
    pub(crate) guessed: bool,
    pub(crate) input: ParseStream<'i>,
    pub(crate) errors: &'e mut Errors,
}

impl<'i> Entry<'i, '_> {
    /// Reads `= value`.
    pub(crate) fn fill<T>(mut self, slot: &mut Setting<T>, read: fn(&mut Value<'_, '_>) -> Option<T>) {
        let value = self.quietly_if_guessed(|entry| {
            let equals = entry.input.parse::<Option<Token![=]>>().ok().flatten();
            if equals.is_some() && !entry.input.is_empty() && !entry.input.peek(Token![,]) {
                let Entry { key, example, input, errors, .. } = entry;
                return read(&mut Value { key, example, input, errors });
            }
            let key = &entry.key;
            entry.errors.on(key, format_args!("`{key}` needs a value; write `{}`", entry.example));
            if entry.input.peek(syn::token::Paren) {
                tokens::skip_entry(entry.input);
            }
            None
        });
        self.put(slot, value);
    }

    /// Reads `= "name"` or `("name", "name")`.
    pub(crate) fn name(mut self, slot: &mut Setting<Names>) {
        if !self.input.peek(syn::token::Paren) {
            return self.fill(slot, |value| value::text(value).map(|name| vec![name]));
        }
        let names = self.inside(|entry, input| {
            let (mut names, was_empty) = (Vec::new(), input.is_empty());
            while !input.is_empty() {
                let Entry { key, example, errors, .. } = entry;
                names.extend(value::text(&mut Value { key, example, input, errors }));
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    let found = tokens::skip_entry(input);
                    entry.errors.on(found, "expected `,` between two names");
                }
            }
            if was_empty {
                let Entry { key, example, errors, .. } = entry;
                errors.on(&*key, format_args!("`{key}` needs a name; write `{example}`"));
            }
            (!names.is_empty()).then_some(names)
        });
        self.put(slot, names);
    }

    /// Reads what stands in parentheses, one of any number under this key.
    pub(crate) fn add<T>(
        mut self,
        list: &mut Vec<Given<T>>,
        read: fn(&mut Entry<'i, '_>, ParseStream<'_>) -> Option<T>,
    ) {
        let value = if self.input.peek(syn::token::Paren) {
            self.inside(read)
        } else {
            let value = tokens::skip_entry(self.input);
            let (key, example) = (&self.key, self.example);
            self.errors
                .on(quote::quote!(#key #value), format_args!("`{key}` takes a list in parentheses; write `{example}`"));
            None
        };
        list.push(Given { key: self.key, value });
    }

    /// Reads what stands in the parentheses that come next.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Entry<'i, '_>, ParseStream<'_>) -> Option<T>) -> Option<T> {
        self.quietly_if_guessed(|entry| {
            let group = entry.input.parse::<proc_macro2::Group>().ok()?;
            let mut value = None;
            let reader = |input: ParseStream<'_>| {
                value = read(entry, input);
                Ok(())
            };
            // What is left unread has been reported.
            let _left = syn::parse::Parser::parse2(reader, group.stream());
            value
        })
    }

    /// Reads a flag, which has no value.
    pub(crate) fn raise(mut self, slot: &mut Setting<()>) {
        let value = self.quietly_if_guessed(|entry| {
            if !entry.input.peek(Token![=]) && !entry.input.peek(syn::token::Paren) {
                return Some(());
            }
            let value = tokens::skip_entry(entry.input);
            let key = &entry.key;
            entry
                .errors
                .on(value, format_args!("`{key}` is a flag and takes no value; write `{key}`, or leave it out"));
            None
        });
        self.put(slot, value);
    }

    /// Reads a value; that it does not fit a key that was only guessed is no mistake of its own.
    fn quietly_if_guessed<T>(&mut self, read: impl FnOnce(&mut Entry<'i, '_>) -> Option<T>) -> Option<T> {
        let Self { key, example, guessed, input, errors } = self;
        let read_with = |errors: &mut Errors| {
            let key = key.clone();
            read(&mut Entry { key, example, guessed: *guessed, input, errors })
        };
        if *guessed { errors::gather(read_with).0 } else { read_with(errors) }
    }

    /// Keeps the value, unless the key was given before.
    fn put<T>(self, slot: &mut Setting<T>, value: Option<T>) {
        match slot {
            Some(first) if first.key == self.key => {
                self.errors.on(&self.key, format_args!("`{}` is given twice; keep one of them", self.key));
                self.errors.on(&first.key, format_args!("`{}` is given here first", first.key));
            }
            Some(_) if self.guessed => {}
            // What is there was only a guess.
            _ => *slot = Some(Given { key: self.key, value }),
        }
    }
}
