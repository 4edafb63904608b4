//! What collections call otherwise than handles do: a call by such a name does not compile, and the message has the name here.
//!
//! `#[doc(alias)]` is for those who search. The compiler does not read it in another crate, and would say only that there is
//! no such method. Names near ours, like `len`, it finds by itself.

use crate::state::{BroadcastState, ListState, MapState, ReducingState, ValueState};

#[diagnostic::on_unimplemented(
    message = "an element is added to a `ListState` by `add`, and many of them by `add_all`",
    label = "write `add`, or `add_all` for many"
)]
pub trait CalledAdd {}

#[allow(missing_docs, reason = "nobody can call them")]
impl<T> ListState<T> {
    #[doc(hidden)]
    pub fn push(&self, _: impl Sized)
    where
        Self: CalledAdd,
    {
    }

    #[doc(hidden)]
    pub fn append(&self, _: impl Sized)
    where
        Self: CalledAdd,
    {
    }

    #[doc(hidden)]
    pub fn extend(&self, _: impl Sized)
    where
        Self: CalledAdd,
    {
    }
}

#[diagnostic::on_unimplemented(
    message = "an entry of a `MapState` is set by `put`, and many of them by `put_all`",
    label = "write `put`, or `put_all` for many"
)]
pub trait CalledPut {}

#[allow(missing_docs, reason = "nobody can call them")]
impl<K, V> MapState<K, V> {
    #[doc(hidden)]
    pub fn insert(&self, _: impl Sized, _: impl Sized)
    where
        Self: CalledPut,
    {
    }

    #[doc(hidden)]
    pub fn extend(&self, _: impl Sized)
    where
        Self: CalledPut,
    {
    }
}

#[diagnostic::on_unimplemented(
    message = "an entry of a `BroadcastState` is set by `put`, in the scope of a broadcast",
    label = "write `put`"
)]
pub trait CalledPutInScope {}

#[allow(missing_docs, reason = "nobody can call them")]
impl<K, V> BroadcastState<K, V> {
    #[doc(hidden)]
    pub fn insert(&self, _: impl Sized, _: impl Sized)
    where
        Self: CalledPutInScope,
    {
    }
}

#[diagnostic::on_unimplemented(message = "a `ReducingState` takes in a value by `merge`", label = "write `merge`")]
pub trait CalledMerge {}

#[allow(missing_docs, reason = "nobody can call them")]
impl<T> ReducingState<T> {
    #[doc(hidden)]
    pub fn add(&self, _: impl Sized)
    where
        Self: CalledMerge,
    {
    }

    #[doc(hidden)]
    pub fn push(&self, _: impl Sized)
    where
        Self: CalledMerge,
    {
    }
}

#[diagnostic::on_unimplemented(message = "the value of a `ValueState` is set by `set`", label = "write `set`")]
pub trait CalledSet {}

#[allow(missing_docs, reason = "nobody can call them")]
impl<T> ValueState<T> {
    #[doc(hidden)]
    pub fn put(&self, _: impl Sized)
    where
        Self: CalledSet,
    {
    }

    #[doc(hidden)]
    pub fn insert(&self, _: impl Sized)
    where
        Self: CalledSet,
    {
    }
}
