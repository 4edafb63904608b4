//! Numbers of one type as those of another: the same number, or an error. Serde's own types round floats without a word.

use crate::codec::pull::{Ask, Asker, Token};
use crate::codec::unreadable::{Result, Unreadable};
use serde::de::{Error as _, Unexpected};
use std::fmt;

/// A whole number, of the first kind here that holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Int {
    Unsigned(u64),
    Signed(i64),
    U128(u128),
    I128(i128),
}

impl From<u64> for Int {
    fn from(value: u64) -> Self {
        Self::Unsigned(value)
    }
}

impl From<i64> for Int {
    fn from(value: i64) -> Self {
        u64::try_from(value).map_or(Self::Signed(value), Self::Unsigned)
    }
}

impl From<u128> for Int {
    fn from(value: u128) -> Self {
        u64::try_from(value).map_or(Self::U128(value), Self::Unsigned)
    }
}

impl From<i128> for Int {
    fn from(value: i128) -> Self {
        match (u128::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => Self::from(value),
            (_, Ok(value)) => Self::Signed(value),
            _ => Self::I128(value),
        }
    }
}

impl Int {
    /// It, for whoever takes any.
    pub(super) fn token<'de>(self) -> Token<'de> {
        match self {
            Self::Unsigned(value) => Token::Unsigned(value),
            Self::Signed(value) => Token::Signed(value),
            Self::U128(value) => Token::U128(value),
            Self::I128(value) => Token::I128(value),
        }
    }

    /// It as a text, as it is where it is a key.
    pub(super) fn text<'de>(self) -> Token<'de> {
        match self {
            Self::Unsigned(value) => Token::TextOf(value.into()),
            Self::U128(value) => Token::TextOf(value),
            Self::Signed(value) => Token::TextOfSigned(value.into()),
            Self::I128(value) => Token::TextOfSigned(value),
        }
    }

    /// It, for whoever asks for this. What is too great for an integer of up to 64 bits is refused by whoever asks.
    pub(super) fn asked<'de>(self, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
        match (ask, self) {
            (Ask::I8 | Ask::I16 | Ask::I32 | Ask::I64, Self::Unsigned(value)) => {
                Ok(i64::try_from(value).map_or(self.token(), Token::Signed))
            }
            (Ask::I8 | Ask::I16 | Ask::I32 | Ask::I64, Self::Signed(_)) => Ok(self.token()),
            (Ask::U8 | Ask::U16 | Ask::U32 | Ask::U64, Self::Unsigned(_) | Self::Signed(_)) => Ok(self.token()),
            (Ask::I128, _) => self.signed().map_or_else(|| self.refuse(asker), |value| Ok(Token::I128(value))),
            (Ask::U128, _) => self.unsigned().map_or_else(|| self.refuse(asker), |value| Ok(Token::U128(value))),
            (Ask::F64, _) => self.f64().map_or_else(|| self.refuse(asker), |value| Ok(Token::F64(value))),
            (Ask::F32, _) => match self.f64().map(to_f32) {
                Some(Some(value)) => Ok(Token::F32(value)),
                _ => self.refuse(asker),
            },
            (
                Ask::I8 | Ask::I16 | Ask::I32 | Ask::I64 | Ask::U8 | Ask::U16 | Ask::U32 | Ask::U64 | Ask::Identifier,
                _,
            ) => self.refuse(asker),
            _ => Ok(self.token()),
        }
    }

    fn signed(self) -> Option<i128> {
        match self {
            Self::Unsigned(value) => Some(value.into()),
            Self::Signed(value) => Some(value.into()),
            Self::U128(value) => value.try_into().ok(),
            Self::I128(value) => Some(value),
        }
    }

    fn unsigned(self) -> Option<u128> {
        match self {
            Self::Unsigned(value) => Some(value.into()),
            Self::U128(value) => Some(value),
            Self::Signed(_) | Self::I128(_) => None,
        }
    }

    /// The float that is exactly it: one of as many digits as a float has, and zeros behind them.
    fn f64(self) -> Option<f64> {
        let (magnitude, value) = match self {
            Self::Unsigned(value) => (u128::from(value), value as f64),
            Self::Signed(value) => (u128::from(value.unsigned_abs()), value as f64),
            Self::U128(value) => (value, value as f64),
            Self::I128(value) => (value.unsigned_abs(), value as f64),
        };
        let digits = u128::BITS.saturating_sub(magnitude.leading_zeros() + magnitude.trailing_zeros());
        (digits <= f64::MANTISSA_DIGITS).then_some(value)
    }

    #[cold]
    pub(super) fn refuse<T>(self, asker: &Asker<'_>) -> Result<T> {
        let text;
        let unexpected = match self {
            Self::Unsigned(value) => Unexpected::Unsigned(value),
            Self::Signed(value) => Unexpected::Signed(value),
            Self::U128(_) | Self::I128(_) => {
                text = format!("integer `{self}`");
                Unexpected::Other(&text)
            }
        };
        Err(Unreadable::invalid_value(unexpected, asker.expected))
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::U128(value) => value.fmt(f),
            Self::I128(value) => value.fmt(f),
        }
    }
}

/// What a text stands for, for whoever asks for a number; the text for all others.
pub(super) fn of_text<'de>(text: &'de str, ask: Ask, asker: &Asker<'_>) -> Result<Token<'de>> {
    let int = || text.parse::<i128>().map(Int::from).or_else(|_| text.parse::<u128>().map(Int::from)).ok();
    let token = match ask {
        Ask::I8 | Ask::I16 | Ask::I32 | Ask::I64 | Ask::I128 => int().map(|int| int.asked(ask, asker)),
        Ask::U8 | Ask::U16 | Ask::U32 | Ask::U64 | Ask::U128 => int().map(|int| int.asked(ask, asker)),
        Ask::Bool => text.parse().ok().map(|value| Ok(Token::Bool(value))),
        Ask::F32 => text.parse().ok().map(|value| Ok(Token::F32(value))),
        Ask::F64 => text.parse().ok().map(|value| Ok(Token::F64(value))),
        _ => None,
    };
    token.unwrap_or(Ok(Token::Str(text)))
}

/// A float as one of half the size, for whoever asks for that.
pub(super) fn narrowed<'de>(value: f64, asker: &Asker<'_>) -> Result<Token<'de>> {
    match to_f32(value) {
        Some(value) => Ok(Token::F32(value)),
        None => {
            let text = format!("floating point `{value:?}`");
            Err(Unreadable::invalid_value(Unexpected::Other(&text), asker.expected))
        }
    }
}

/// The same number; any NaN is as good as another.
fn to_f32(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (f64::from(narrow) == value || value.is_nan()).then_some(narrow)
}
