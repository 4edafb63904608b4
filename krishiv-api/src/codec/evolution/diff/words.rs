//! Kinds of values in a word or two.

use crate::codec::shape::{Form, Layout};

/// A form in a word or two.
pub(super) fn word(form: &Form) -> String {
    match form {
        Form::Type(name) => name.clone(),
        Form::Option(of) => format!("an optional {}", word(of)),
        Form::Tuple(of) => format!("{} in a row", of.len()),
        Form::Array(_, length) => format!("{length} in a row"),
        Form::Seq(_) => "a list".to_owned(),
        Form::Map(..) => "a map".to_owned(),
        Form::OneOf { .. } => "one of several".to_owned(),
        Form::Unknown => "unknown".to_owned(),
        Form::Opaque(name) => format!("{name}, of which nothing is known"),
        leaf => leaf.word().to_owned(),
    }
}

pub(super) fn of_layout(layout: &Layout) -> &'static str {
    match layout {
        Layout::Unit => "without content",
        Layout::Newtype(_) => "one value",
        Layout::Tuple(_) => "values in a row",
        Layout::Struct(_) | Layout::Flattened { .. } => "fields",
        Layout::Enum(_) => "an enum",
        Layout::Tagged { .. } => "an enum whose tag is a field",
    }
}
