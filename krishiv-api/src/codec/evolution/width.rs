//! Which kinds of number hold which.

use crate::codec::shape::Form;

/// How two kinds of number go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// All numbers of the one are numbers of the other.
    Holds,
    /// Not all are.
    Narrower,
}

/// How many bits a kind of number has for its digits, and what else it is.
enum Kind {
    Unsigned(u32),
    Signed(u32),
    Float(u32),
}

fn kind(form: &Form) -> Option<Kind> {
    Some(match form {
        Form::U8 => Kind::Unsigned(8),
        Form::U16 => Kind::Unsigned(16),
        Form::U32 => Kind::Unsigned(32),
        Form::U64 => Kind::Unsigned(64),
        Form::U128 => Kind::Unsigned(128),
        Form::I8 => Kind::Signed(7),
        Form::I16 => Kind::Signed(15),
        Form::I32 => Kind::Signed(31),
        Form::I64 => Kind::Signed(63),
        Form::I128 => Kind::Signed(127),
        Form::F32 => Kind::Float(f32::MANTISSA_DIGITS),
        Form::F64 => Kind::Float(f64::MANTISSA_DIGITS),
        _ => return None,
    })
}

/// How numbers of one kind are numbers of the other; none if they never are.
pub(super) fn compare(written: &Form, declared: &Form) -> Option<Width> {
    let holds = match (kind(written)?, kind(declared)?) {
        (Kind::Unsigned(was), Kind::Unsigned(is) | Kind::Signed(is) | Kind::Float(is)) => was <= is,
        (Kind::Signed(was), Kind::Signed(is) | Kind::Float(is)) => was <= is,
        (Kind::Signed(_), Kind::Unsigned(_)) => false,
        (Kind::Float(was), Kind::Float(is)) => was <= is,
        // A float is never taken for an integer, whatever it is.
        (Kind::Float(_), _) => return None,
    };
    Some(if holds { Width::Holds } else { Width::Narrower })
}

/// Whether a number may become another one on the way, if nobody looks.
pub(super) fn loses(written: &Form, declared: &Form) -> bool {
    matches!(declared, Form::F32 | Form::F64) && compare(written, declared) == Some(Width::Narrower)
}
