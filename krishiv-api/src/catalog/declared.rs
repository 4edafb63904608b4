//! States and keys as the program declares them.

use crate::catalog::expiry::Ttl;
use crate::catalog::today::Today;
use crate::codec::{Codec, News, Shape, trace};
use crate::descriptor::{StateDescriptor, StateKind};
use crate::error::{Cause, StateError};
use crate::names;
use crate::value::StateValue;
use serde::{Deserialize, Serialize};

/// A key or map key: what it looks like, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) shape: Shape,
    pub(crate) codec: Codec,
}

impl KeyRecord {
    /// The record of a type, and the parts of it that its shape does not show.
    pub(crate) fn of<K: StateValue>() -> (Self, Vec<String>) {
        let traced = trace::<K>();
        (Self { shape: traced.shape, codec: traced.codec }, traced.untraced)
    }

    /// Takes over what `declared` knows and this, which was stored by an older version, does not; tells whether there is any.
    pub(crate) fn fit(&mut self, what: &'static str, declared: &Self) -> Result<bool, StateError> {
        // How keys are written stays: those that are stored are found by their bytes.
        fit(what, &mut self.shape, &declared.shape)
    }
}

/// Checks that a stored shape and the declared one are of one type, and takes over what only the latter knows.
fn fit(what: &'static str, stored: &mut Shape, declared: &Shape) -> Result<bool, StateError> {
    let Some(news) = stored.compare(declared) else {
        return mismatch(what, stored, declared);
    };
    if news == News::More {
        stored.clone_from(declared);
    }
    Ok(news == News::More)
}

/// The name of a state, and what else is known of names where it is declared.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) name: &'a str,
    /// Whether it is one that the library keeps for itself.
    pub(crate) own: bool,
    /// The names that the state may have had before.
    pub(crate) renamed_from: &'a [&'a str],
    /// The states that the same struct declares, this one included; none where it is not in a struct.
    pub(crate) beside: &'a [StateDescriptor],
}

/// A state as the program declares it.
pub(crate) struct Declared<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) kind: StateKind,
    pub(crate) value: Today,
    pub(crate) map_key: Option<KeyRecord>,
    pub(crate) ttl: Option<Ttl>,
}

/// A state's type, as messages name it.
pub(crate) fn describe(kind: StateKind, map_key: Option<&Shape>, value: &Shape) -> String {
    match map_key {
        Some(key) => format!("{kind}<{key}, {value}>"),
        None => format!("{kind}<{value}>"),
    }
}

/// The error of two sides that do not fit.
pub(crate) fn mismatch<T>(
    what: &'static str,
    stored: &impl ToString,
    declared: &impl ToString,
) -> Result<T, StateError> {
    let rekey = if what == "key" { "; `krishiv_api::migrate` gives all of it other keys" } else { "" };
    let why = format!("nothing was written; declare what is stored, or use another name{rekey}");
    Err(Cause::Mismatch { what, stored: stored.to_string(), declared: declared.to_string(), why }.into())
}

/// Refuses names that break the rule of [`names`]; what was stored before there was a rule is still found.
pub(crate) fn check_name(what: &str, name: &str, known: bool) -> Result<(), StateError> {
    let refused = names::refuse(name, what).filter(|_| !known || names::is_reserved(name));
    refused.map_or(Ok(()), |reason| Err(Cause::Setting { reason }.into()))
}
