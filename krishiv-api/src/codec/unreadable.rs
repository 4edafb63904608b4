//! What readers fail with, and what serde and the code that it derives say about a sample: errors, those that are swallowed too.

use serde::de::{self, Expected, Unexpected};
use std::cell::RefCell;
use std::fmt;

/// Notes of one reading; more say nothing new.
const MAX_NOTES: usize = 4096;

/// One error that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    Missing(&'static str),
    Duplicate(&'static str),
    Variant {
        got: String,
        known: &'static [&'static str],
    },
    Field,
    /// What was found, and what was expected instead, in serde's words.
    Invalid {
        got: String,
        expected: String,
    },
    Length {
        got: usize,
    },
    Custom(String),
}

thread_local! {
    // Errors are made by functions without a receiver, and an untagged enum drops those of its variants.
    static NOTES: RefCell<Option<Vec<Note>>> = const { RefCell::new(None) };
}

/// Runs `read`, and returns the errors that were made meanwhile, in their order.
pub(crate) fn listen<R>(read: impl FnOnce() -> R) -> (R, Vec<Note>) {
    NOTES.set(Some(Vec::new()));
    let value = read();
    (value, NOTES.take().unwrap_or_default())
}

/// The error of a reader.
///
/// Boxed twice over, so that a result is no bigger than a pair of registers: it is passed up from every element.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.0)]
pub(crate) struct Unreadable(Box<Reason>);

#[derive(Debug)]
struct Reason(String);

pub(crate) type Result<T> = std::result::Result<T, Unreadable>;

#[cold]
pub(crate) fn unreadable<T>(message: impl Into<String>) -> Result<T> {
    Err(Unreadable(Box::new(Reason(message.into()))))
}

impl Unreadable {
    #[cold]
    fn note(message: String, note: impl FnOnce(&str) -> Note) -> Self {
        NOTES.with_borrow_mut(|notes| {
            if let Some(notes) = notes.as_mut().filter(|notes| notes.len() < MAX_NOTES) {
                notes.push(note(&message));
            }
        });
        Self(Box::new(Reason(message)))
    }

    fn invalid(what: &str, got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let note = |_: &str| Note::Invalid { got: got.to_string(), expected: expected.to_string() };
        Self::note(format!("invalid {what}: {got}, expected {expected}"), note)
    }
}

/// Names as serde lists them.
fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [one, other] => format!("`{one}` or `{other}`"),
        _ => format!("one of `{}`", names.join("`, `")),
    }
}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::note(message.to_string(), |message| Note::Custom(message.to_owned()))
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid("type", got, expected)
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid("value", got, expected)
    }

    fn invalid_length(got: usize, expected: &dyn Expected) -> Self {
        Self::note(format!("invalid length {got}, expected {expected}"), |_| Note::Length { got })
    }

    fn unknown_variant(got: &str, known: &'static [&'static str]) -> Self {
        let message = match known {
            [] => format!("unknown variant `{got}`, there are no variants"),
            known => format!("unknown variant `{got}`, expected {}", one_of(known)),
        };
        Self::note(message, |_| Note::Variant { got: Unexpected::Str(got).to_string(), known })
    }

    fn unknown_field(got: &str, known: &'static [&'static str]) -> Self {
        let message = match known {
            [] => format!("unknown field `{got}`, there are no fields"),
            known => format!("unknown field `{got}`, expected {}", one_of(known)),
        };
        Self::note(message, |_| Note::Field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::note(format!("missing field `{field}`"), |_| Note::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::note(format!("duplicate field `{field}`"), |_| Note::Duplicate(field))
    }
}
