//! `#[state(…)]` as a list of keys: which there are, where they may stand, and what was meant.

use crate::entry::Entry;
use crate::errors::Errors;
use crate::keys::{Place, list_of};
use crate::{guess, tokens};
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Meta, Token};

/// Reads every `#[state(…)]` among `attrs`; says whether one could not be read at all.
pub(crate) fn scan(
    attrs: &[Attribute],
    place: &Place,
    errors: &mut Errors,
    mut each: impl FnMut(&str, Entry<'_, '_>),
) -> bool {
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
                let found = tokens::skip_entry(input);
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
        let next = tokens::next_token(input);
        errors.on(&next, format_args!("expected `,` before `{next}`"));
        if !place.keys.iter().any(|(key, _)| next.to_string() == *key) {
            tokens::skip_entry(input);
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
        tokens::skip_entry(input);
        return;
    }
    let synonym = place.synonyms.iter().find(|(wrong, _)| *wrong == name).map(|(_, right)| *right);
    match synonym.or_else(|| guess::closest(&name, keys.iter().map(|(known, _)| *known))) {
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
            tokens::skip_entry(input);
        }
    }
}
