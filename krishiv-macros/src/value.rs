//! The value behind `key =`: a type, a text, a path.

use crate::errors::Errors;
use crate::setting::{Clock, Update};
use crate::{duration, guess, hint, tokens};
use proc_macro2::{Ident, TokenTree};
use syn::parse::ParseStream;
use syn::{ExprPath, LitStr, Path, Token, Type};

/// A value that is about to be read, and the key it belongs to.
pub(crate) struct Value<'i, 'e> {
    pub(crate) key: &'e Ident,
    /// How the key is used, as in `ttl = "7d"`.
    pub(crate) example: &'static str,
    pub(crate) input: ParseStream<'i>,
    pub(crate) errors: &'e mut Errors,
}

impl Value<'_, '_> {
    /// Reports that the value is not what the key takes, and passes over it.
    fn refuse<T>(&mut self, expected: &str) -> Option<T> {
        let example = self.example.to_owned();
        self.refuse_and_suggest(expected, &example)
    }

    fn refuse_and_suggest<T>(&mut self, expected: &str, instead: &str) -> Option<T> {
        let found = tokens::skip_entry(self.input);
        self.errors.on(found, format_args!("`{}` takes {expected}; write `{instead}`", self.key));
        None
    }

    /// The text of a string literal, where the key takes no text.
    fn quoted(&self) -> Option<String> {
        self.input.fork().parse::<LitStr>().ok().map(|text| text.value())
    }
}

/// A type that state can be kept per, as far as its spelling tells.
pub(crate) fn key_type(value: &mut Value<'_, '_>) -> Option<Type> {
    if let Some(text) = value.quoted() {
        let suggestion = match syn::parse_str::<Type>(&text) {
            Ok(_) => format!("key = {text}"),
            Err(_) => value.example.to_owned(),
        };
        return value.refuse_and_suggest("a type, not a text", &suggestion);
    }
    let ahead = value.input.fork();
    match ahead.parse::<Type>() {
        Ok(ty) if hint::parts(&ty).iter().any(|part| matches!(part, Type::Reference(_))) => {
            value.refuse("an owned type, since the key is stored and read back")
        }
        Ok(_) => value.input.parse().ok(),
        Err(_) => value.refuse("a type"),
    }
}

/// A type that values had.
pub(crate) fn old_type(value: &mut Value<'_, '_>) -> Option<Type> {
    if let Some(text) = value.quoted() {
        let suggestion = match syn::parse_str::<Type>(&text) {
            Ok(_) => format!("from = {text}"),
            Err(_) => value.example.to_owned(),
        };
        return value.refuse_and_suggest("a type, not a text", &suggestion);
    }
    match value.input.fork().parse::<Type>() {
        Ok(_) => value.input.parse().ok(),
        Err(_) => value.refuse("a type"),
    }
}

/// A text in quotes.
pub(crate) fn text(value: &mut Value<'_, '_>) -> Option<LitStr> {
    if value.input.peek(LitStr) {
        let text: LitStr = value.input.parse().ok()?;
        if text.suffix().is_empty() {
            return Some(text);
        }
        value.errors.on(&text, format_args!("a text ends with its quote; remove `{}`", text.suffix()));
        return None;
    }
    let mut tokens = tokens::entry_ahead(value.input).into_iter();
    let suggestion = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(word)), None) => format!("{} = \"{word}\"", value.key),
        (Some(TokenTree::Literal(literal)), None) => {
            let literal = literal.to_string();
            // What is between the quotes of `b"log"` and of `'x'`.
            let inner = literal.split(['"', '\'']).nth(1).unwrap_or(&literal);
            format!("{} = \"{inner}\"", value.key)
        }
        _ => value.example.to_owned(),
    };
    value.refuse_and_suggest("a text in quotes", &suggestion)
}

/// A duration, in milliseconds.
pub(crate) fn ttl(value: &mut Value<'_, '_>) -> Option<u64> {
    let literal = text(value)?;
    match duration::parse(&literal.value()) {
        Ok(ms) => Some(ms),
        Err(reason) => {
            value.errors.on(&literal, reason);
            None
        }
    }
}

/// `"event"` or `"processing"`.
pub(crate) fn clock(value: &mut Value<'_, '_>) -> Option<Clock> {
    one_of(value, &[("event", Clock::Event), ("processing", Clock::Processing)])
}

/// `"create_and_write"` or `"read_and_write"`.
pub(crate) fn update(value: &mut Value<'_, '_>) -> Option<Update> {
    one_of(value, &[("create_and_write", Update::CreateAndWrite), ("read_and_write", Update::ReadAndWrite)])
}

fn one_of<T: Copy>(value: &mut Value<'_, '_>, choices: &[(&str, T)]) -> Option<T> {
    let literal = text(value)?;
    let given = literal.value();
    if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == given) {
        return Some(*choice);
    }
    let guess = match guess::closest(&given, choices.iter().map(|(name, _)| *name)) {
        Some(guess) => format!(", did you mean \"{guess}\"? Expected"),
        None => ", expected".to_owned(),
    };
    let known: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let known = known.join(" or ");
    value.errors.on(&literal, format_args!("unknown {} \"{given}\"{guess} {known}", value.key));
    None
}

/// The path of a function.
pub(crate) fn function(value: &mut Value<'_, '_>) -> Option<ExprPath> {
    if let Some(text) = value.quoted() {
        let suggestion = match syn::parse_str::<ExprPath>(&text) {
            Ok(_) => format!("{} = {text}", value.key),
            Err(_) => value.example.to_owned(),
        };
        return value.refuse_and_suggest("the path of a function, not a text", &suggestion);
    }
    if value.input.peek(Token![|]) || value.input.peek(Token![||]) || value.input.peek(Token![move]) {
        let named = match value.key == "reduce" {
            true => "fn merge(a: T, b: T) -> T { … }` and `reduce = merge",
            false => "fn newer(old: OldType) -> NewType { … }` and `with = newer",
        };
        return value.refuse_and_suggest("the path of a function, not a closure", named);
    }
    let ahead = value.input.fork();
    match ahead.parse::<ExprPath>() {
        Ok(path) if ahead.peek(syn::token::Paren) => {
            let suggestion = format!("{} = {}", value.key, tokens::spelled(&path));
            value.refuse_and_suggest("a function, not the result of a call", &suggestion)
        }
        Ok(_) if ahead.peek(Token![!]) => value.refuse("the path of a function, not a macro"),
        Ok(_) => value.input.parse().ok(),
        Err(_) => value.refuse("the path of a function"),
    }
}

/// The path of a module.
pub(crate) fn module(value: &mut Value<'_, '_>) -> Option<Path> {
    if let Some(text) = value.quoted() {
        let path = syn::parse::Parser::parse_str(Path::parse_mod_style, &text);
        let suggestion = if path.is_ok() { format!("crate = {text}") } else { value.example.to_owned() };
        return value.refuse_and_suggest("a path, not a text", &suggestion);
    }
    match Path::parse_mod_style(&value.input.fork()) {
        Ok(_) => Path::parse_mod_style(value.input).ok(),
        Err(_) => value.refuse("the path of a module"),
    }
}
