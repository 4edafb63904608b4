//! `migrate(from = OldType, with = function)`: what stands in its parentheses.

use crate::entry::Entry;
use crate::setting::{Migrate, Setting, value};
use crate::{tokens, value};
use proc_macro2::Ident;
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::ParseStream;

/// Reads the old type and the function.
pub(crate) fn parts(entry: &mut Entry<'_, '_>, input: ParseStream<'_>) -> Option<Migrate> {
    let (mut from, mut with, mut sound): (Setting<_>, Setting<_>, _) = (None, None, true);
    while !input.is_empty() {
        let found = input.fork().call(Ident::parse_any).map(|key| key.to_string()).unwrap_or_default();
        let key = match found.as_str() {
            "from" | "with" => input.call(Ident::parse_any).ok()?,
            _ => {
                let found = tokens::skip_entry(input);
                entry
                    .errors
                    .on(found, format_args!("expected `from = OldType` or `with = function` in `{}`", entry.example));
                sound = false;
                let _comma = input.parse::<Option<Token![,]>>();
                continue;
            }
        };
        let is_type = key == "from";
        let example = if is_type { "from = OldType" } else { "with = function" };
        let part = Entry { key, example, guessed: entry.guessed, input, errors: &mut *entry.errors };
        match is_type {
            true => part.fill(&mut from, value::old_type),
            false => part.fill(&mut with, value::function),
        }
        if !input.is_empty() && input.parse::<Token![,]>().is_err() {
            let next = tokens::next_token(input);
            entry.errors.on(&next, format_args!("expected `,` before `{next}`"));
            sound = false;
        }
    }
    for (given, what, example) in
        [(from.is_some(), "the old type", "from = OldType"), (with.is_some(), "a function", "with = function")]
    {
        if !given && sound {
            entry.errors.on(&entry.key, format_args!("`{}` needs {what}; add `{example}`", entry.key));
        }
    }
    Some(Migrate { from: value(&from)?.clone(), with: value(&with)?.clone() })
}
