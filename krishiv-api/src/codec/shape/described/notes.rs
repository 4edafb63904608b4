//! What serde and the code it derives say about a sample: errors, those that are swallowed too.

use serde::de::{self, Expected, Unexpected};
use std::cell::RefCell;
use std::fmt;

/// Notes of one reading; more say nothing new.
const MAX_NOTES: usize = 4096;

/// One error that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
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
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Runs `read`, and returns the errors that were made meanwhile, in their order.
pub(super) fn listen<R>(read: impl FnOnce() -> R) -> (R, Vec<Note>) {
    NOTES.with_borrow_mut(Vec::clear);
    let value = read();
    (value, NOTES.take())
}

/// The error of a sample that does not fit; what it says is in the notes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(String);

impl Refused {
    fn note(note: Note) -> Self {
        let text = format!("{note:?}");
        NOTES.with_borrow_mut(|notes| {
            if notes.len() < MAX_NOTES {
                notes.push(note);
            }
        });
        Self(text)
    }
}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::note(Note::Custom(message.to_string()))
    }

    fn invalid_type(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::note(Note::Invalid { got: got.to_string(), expected: expected.to_string() })
    }

    fn invalid_value(got: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(got, expected)
    }

    fn invalid_length(got: usize, _: &dyn Expected) -> Self {
        Self::note(Note::Length { got })
    }

    fn unknown_variant(got: &str, known: &'static [&'static str]) -> Self {
        Self::note(Note::Variant { got: Unexpected::Str(got).to_string(), known })
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::note(Note::Field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::note(Note::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::note(Note::Duplicate(field))
    }
}
