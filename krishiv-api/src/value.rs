//! What may be a value and what may be a key.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::hash::Hash;

/// A type that a state can hold: every type that serde reads and writes.
///
/// Implemented for all of them; there is nothing to derive but serde's own traits.
///
/// ```
/// use krishiv_api::StateValue;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Position { latitude: f64, longitude: f64 }
///
/// fn storable<T: StateValue>() {}
/// storable::<Position>();
/// storable::<(u128, Vec<u8>)>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a state",
    label = "a state cannot store `{Self}`",
    note = "a value is owned and `Send`, and serde writes and reads it: `#[derive(serde::Serialize, serde::Deserialize)]`"
)]
pub trait StateValue: Serialize + DeserializeOwned + Send + 'static {}

// Without this line the compiler names serde's traits one by one, and never this one.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> StateValue for T {}

/// A type that state can be kept per: every serde type that is hashable, clonable, and always serializes
/// the same way.
///
/// Equal keys must serialize to equal bytes. A `HashMap` or `HashSet` inside a key breaks that, since
/// their order varies; use `BTreeMap` and `BTreeSet` there.
///
/// ```
/// fn key<K: krishiv_api::StateKey>() {}
/// key::<String>();
/// key::<(String, u32)>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "state cannot be kept per `{Self}`",
    note = "a key is a value that is `Hash`, `Eq` and `Clone` as well; a floating-point number is not, since NaN equals nothing"
)]
pub trait StateKey: StateValue + Hash + Eq + Clone {}

#[diagnostic::do_not_recommend]
impl<T: StateValue + Hash + Eq + Clone> StateKey for T {}
