//! `#[state(…)]`: which keys there are and where, and what was given.

use crate::errors::{self, Errors};
use crate::keys::{ON_FIELD, ON_STRUCT, Place, list_of};
use crate::names;
use crate::value::{self, Value};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ExprPath, LitStr, Meta, Path, Token, Type};

/// A key that was given, and its value unless a mistake in it was reported already.
pub(crate) struct Given<T> {
    pub(crate) key: Ident,
    pub(crate) value: Option<T>,
}

/// What a key of an attribute says.
pub(crate) type Setting<T> = Option<Given<T>>;

/// The key of a setting that was given.
pub(crate) fn key<T>(setting: &Setting<T>) -> Option<&Ident> {
    setting.as_ref().map(|given| &given.key)
}

/// The value of a setting that was given without a mistake.
pub(crate) fn value<T>(setting: &Setting<T>) -> Option<&T> {
    setting.as_ref()?.value.as_ref()
}

/// The attributes of the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) key: Setting<Type>,
    pub(crate) name: Setting<LitStr>,
    pub(crate) durable: Setting<()>,
    pub(crate) runtime: Setting<Path>,
    /// An attribute could not be read at all, and may have held anything.
    pub(crate) malformed: bool,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) name: Setting<LitStr>,
    pub(crate) ttl: Setting<u64>,
    pub(crate) clock: Setting<Clock>,
    pub(crate) ttl_update: Setting<Update>,
    pub(crate) reduce: Setting<ExprPath>,
    pub(crate) skip: Setting<()>,
}

impl FieldAttrs {
    /// The keys that were given beside `skip`.
    pub(crate) fn beside_skip(&self) -> impl Iterator<Item = &Ident> {
        let Self { name, ttl, clock, ttl_update, reduce, skip: _ } = self;
        [key(name), key(ttl), key(clock), key(ttl_update), key(reduce)].into_iter().flatten()
    }
}

/// The clock of a time to live.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    Event,
    Processing,
}

/// What starts a time to live anew.
#[derive(Clone, Copy)]
pub(crate) enum Update {
    CreateAndWrite,
    ReadAndWrite,
}

/// Reads the attributes of the struct.
pub(crate) fn on_struct(attrs: &[Attribute], errors: &mut Errors) -> StructAttrs {
    let mut found = StructAttrs::default();
    let malformed = scan(attrs, &ON_STRUCT, errors, |name, entry| match name {
        "key" => entry.fill(&mut found.key, value::key_type),
        "name" => entry.fill(&mut found.name, value::text),
        "durable" => entry.raise(&mut found.durable),
        _ => entry.fill(&mut found.runtime, value::module),
    });
    found.malformed = malformed;
    found
}

/// Reads the attributes of a field.
pub(crate) fn on_field(attrs: &[Attribute], errors: &mut Errors) -> FieldAttrs {
    let mut found = FieldAttrs::default();
    scan(attrs, &ON_FIELD, errors, |name, entry| match name {
        "name" => entry.fill(&mut found.name, value::text),
        "ttl" => entry.fill(&mut found.ttl, value::ttl),
        "clock" => entry.fill(&mut found.clock, value::clock),
        "ttl_update" => entry.fill(&mut found.ttl_update, value::update),
        "reduce" => entry.fill(&mut found.reduce, value::function),
        _ => entry.raise(&mut found.skip),
    });
    found
}

/// A key that is about to be read.
struct Entry<'i, 'e> {
    key: Ident,
    example: &'static str,
    /// The key was not written like this: what it says counts, and its mistakes do not.
    guessed: bool,
    input: ParseStream<'i>,
    errors: &'e mut Errors,
}

impl<'i> Entry<'i, '_> {
    /// Reads `= value`.
    fn fill<T>(mut self, slot: &mut Setting<T>, read: fn(&mut Value<'_, '_>) -> Option<T>) {
        let value = self.quietly_if_guessed(|entry| {
            let equals = entry.input.parse::<Option<Token![=]>>().ok().flatten();
            if equals.is_some() && !entry.input.is_empty() && !entry.input.peek(Token![,]) {
                let Entry { key, example, input, errors, .. } = entry;
                return read(&mut Value { key, example, input, errors });
            }
            let key = &entry.key;
            entry.errors.on(key, format_args!("`{key}` needs a value; write `{}`", entry.example));
            if entry.input.peek(syn::token::Paren) {
                value::skip_entry(entry.input);
            }
            None
        });
        self.put(slot, value);
    }

    /// Reads a flag, which has no value.
    fn raise(mut self, slot: &mut Setting<()>) {
        let value = self.quietly_if_guessed(|entry| {
            if !entry.input.peek(Token![=]) && !entry.input.peek(syn::token::Paren) {
                return Some(());
            }
            let value = value::skip_entry(entry.input);
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

/// Reads every `#[state(…)]` among `attrs`; says whether one could not be read at all.
fn scan(attrs: &[Attribute], place: &Place, errors: &mut Errors, mut each: impl FnMut(&str, Entry<'_, '_>)) -> bool {
    let mut malformed = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("state")) {
        let Meta::List(list) = &attr.meta else {
            malformed = true;
            errors.on(&attr.meta, format_args!("expected `#[state(…)]` with one of {}", list_of(place.keys)));
            continue;
        };
        let read = |input: ParseStream<'_>| {
            entries(input, place, errors, &mut each);
            Ok(())
        };
        // What `entries` leaves unread it has reported.
        if let Err(error) = read.parse2(list.tokens.clone()) {
            malformed = true;
            errors.at(error.span(), error);
        }
    }
    malformed
}

fn entries(input: ParseStream<'_>, place: &Place, errors: &mut Errors, each: &mut impl FnMut(&str, Entry<'_, '_>)) {
    while !input.is_empty() {
        match input.call(Ident::parse_any) {
            Ok(key) => entry(key, input, place, errors, each),
            Err(_) => {
                let found = value::skip_entry(input);
                if found.is_empty() {
                    errors.at(input.span(), "expected a key before this comma");
                } else {
                    errors.on(found, format_args!("expected one of {}", list_of(place.keys)));
                }
            }
        }
        if input.is_empty() || input.parse::<Token![,]>().is_ok() {
            continue;
        }
        let next = value::next_token(input);
        errors.on(&next, format_args!("expected `,` before `{next}`"));
        if !place.keys.iter().any(|(key, _)| next.to_string() == *key) {
            value::skip_entry(input);
            let _comma = input.parse::<Option<Token![,]>>();
        }
    }
}

fn entry(
    key: Ident,
    input: ParseStream<'_>,
    place: &Place,
    errors: &mut Errors,
    each: &mut impl FnMut(&str, Entry<'_, '_>),
) {
    let name = key.to_string();
    let entry = |guessed, example, errors| Entry { key: key.clone(), example, guessed, input, errors };
    if let Some((known, example)) = place.keys.iter().find(|(known, _)| *known == name) {
        return each(known, entry(false, example, errors));
    }
    let Place { here, there, keys, .. } = place;
    if let Some((known, _)) = place.elsewhere.iter().find(|(known, _)| *known == name) {
        errors.on(&key, format_args!("`{known}` belongs on {there}, not on {here}; {here} takes {}", list_of(keys)));
        value::skip_entry(input);
        return;
    }
    let synonym = place.synonyms.iter().find(|(wrong, _)| *wrong == name).map(|(_, right)| *right);
    match synonym.or_else(|| names::closest(&name, keys.iter().map(|(known, _)| *known))) {
        Some(guess) => {
            errors.on(
                &key,
                format_args!("unknown key `{name}`, did you mean `{guess}`? Expected one of {}", list_of(keys)),
            );
            let example = keys.iter().find(|(known, _)| *known == guess).map_or("", |(_, example)| example);
            each(guess, entry(true, example, errors));
        }
        None => {
            errors.on(&key, format_args!("unknown key `{name}`, expected one of {}", list_of(keys)));
            value::skip_entry(input);
        }
    }
}
