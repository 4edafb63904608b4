//! What may be a value and what may be a key.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Borrow;
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
    note = "a value is written by serde (`Serialize`), read back without borrowing (`DeserializeOwned`), and `Send`: `#[derive(serde::Serialize, serde::Deserialize)]`"
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
    label = "`{Self}` cannot be a key",
    note = "a key is a value that is `Hash`, `Eq` and `Clone`: `#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]`",
    note = "a floating-point number is not, since NaN equals nothing: count in integers, such as cents, or wrap it in a type that orders all its values"
)]
pub trait StateKey: StateValue + Hash + Eq + Clone {}

#[diagnostic::do_not_recommend]
impl<T: StateValue + Hash + Eq + Clone> StateKey for T {}

/// A form in which a store takes a key `K`: the key itself, or what it can be borrowed as, like `str` for `String`.
///
/// Implemented for all of them.
///
/// ```
/// fn form<K, Q: krishiv_api::AsKey<K> + ?Sized>(_: &Q) {}
/// form::<String, _>("N14228");
/// form::<u64, _>(&14228);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the key of this state",
    label = "the key is a `{K}`",
    note = "pass `&{K}`, or what it can be borrowed as, like `&str` for `String`"
)]
pub trait AsKey<K>: Hash + Eq + ToOwned<Owned = K> {
    #[doc(hidden)]
    fn borrowed(key: &K) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<K: Borrow<Q>, Q: Hash + Eq + ToOwned<Owned = K> + ?Sized> AsKey<K> for Q {
    #[inline]
    fn borrowed(key: &K) -> &Q {
        key.borrow()
    }
}
