//! What the derive asks of the types in a struct, so that each mistake is one message, in our words.
//!
//! The expansion asks everything in the length of one array, `[(); { key::<K>(); merging::<H>(); 0 }]`, and names
//! every type through [`Sound`] of that array. Where an answer is no, the length is an error, and so is each type
//! that goes through it: the compiler has said what is wrong, and says nothing more of the struct, nor of its uses.

use crate::catalog::migration::Migration;
use crate::state::ReducingState;
use crate::state::handle::Handle;
use crate::value::{StateKey, StateValue};
use std::fmt;

/// `T`, if the struct is sound.
pub trait Sound<T> {
    /// `T`, or an error.
    type Type;
}

impl<T> Sound<T> for [(); 0] {
    type Type = T;
}

/// `K` is what a struct keeps its state per.
pub const fn key<K: StateKey>() {}

/// `H` is the type of a field with a reducer.
pub const fn merging<H: Merges>()
where
    H::Value: StateValue,
{
}

/// `T` is the type of a field that is no state.
pub const fn skipped<T: Skipped>() {}

/// What a field with `#[state(skip)]` can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a skipped field",
    label = "not `Default`, or not `Send`",
    note = "a field with `#[state(skip)]` is made with `Default` when the store opens, and moves between threads with the store, so it is `Send` and owns what it holds"
)]
pub trait Skipped: Default + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Default + Send + 'static> Skipped for T {}

/// A handle that `reduce` can stand on, whatever it holds.
#[diagnostic::on_unimplemented(
    message = "`reduce` merges values into a `ReducingState<T>`, and this is a `{Self}`",
    label = "this field merges nothing",
    note = "make the field a `ReducingState<T>`, or remove `reduce`"
)]
pub trait Merges {
    /// What it merges.
    type Value;

    /// Merges by `reducer`.
    fn merged_by(self, reducer: fn(Self::Value, Self::Value) -> Self::Value) -> Self;
}

impl<T> Merges for ReducingState<T> {
    type Value = T;

    fn merged_by(self, reducer: fn(T, T) -> T) -> Self {
        self.reduced_by(reducer)
    }
}

/// A function that merges two values of `T`.
///
/// `How` is there for the compiler: of two implementations that could fit it tries both, and where neither does it
/// says that this trait is missing. With one, it would go on to say what that one lacks, in words of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not merge two values of `{T}` into one",
    label = "expected `fn({T}, {T}) -> {T}`",
    note = "a reducer takes both values by value and returns the merged one; it is not `async`, since an event does not wait"
)]
pub trait Reducer<T, How> {
    type Pointer;

    fn give<H: Merges<Value = T>>(handle: H, pointer: Self::Pointer) -> H;
}

/// It is a function of the right type.
pub struct ByCall;

#[diagnostic::do_not_recommend]
impl<T, F: Fn(T, T) -> T> Reducer<T, ByCall> for F {
    type Pointer = fn(T, T) -> T;

    fn give<H: Merges<Value = T>>(handle: H, pointer: fn(T, T) -> T) -> H {
        handle.merged_by(pointer)
    }
}

/// It is of a type that there is none of.
pub struct ByNothing;

pub trait Nothing {}

#[diagnostic::do_not_recommend]
impl<T, F: Nothing> Reducer<T, ByNothing> for F {
    type Pointer = fn(T, T) -> T;

    fn give<H: Merges<Value = T>>(handle: H, pointer: fn(T, T) -> T) -> H {
        handle.merged_by(pointer)
    }
}

/// A function that makes a `New` of an `Old`, or says why it cannot.
///
/// `How` is there for the compiler, as that of [`Reducer`] is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make a `{New}` of a `{Old}`",
    label = "expected `fn({Old}) -> {New}`, or one that returns a `Result<{New}, E>`",
    note = "the function of `migrate` takes the old value by value and returns that of today, or a `Result` whose error can be shown"
)]
pub trait Migrates<Old, New, How>: Send + Sync + 'static {
    fn migrate(&self, old: Old) -> Result<New, String>;
}

/// It returns the new value.
pub struct ByValue;

#[diagnostic::do_not_recommend]
impl<Old, New, F: Fn(Old) -> New + Send + Sync + 'static> Migrates<Old, New, ByValue> for F {
    fn migrate(&self, old: Old) -> Result<New, String> {
        Ok(self(old))
    }
}

/// It returns the new value, or an error.
pub struct ByResult<E>(E);

#[diagnostic::do_not_recommend]
impl<Old, New, E, F> Migrates<Old, New, ByResult<E>> for F
where
    E: fmt::Display,
    F: Fn(Old) -> Result<New, E> + Send + Sync + 'static,
{
    fn migrate(&self, old: Old) -> Result<New, String> {
        self(old).map_err(|error| error.to_string())
    }
}

/// What makes values of the handle `H` of those of the type `Old`.
pub fn migration<H, Old, F, How>(function: F) -> Migration
where
    H: Handle,
    Old: StateValue,
    F: Migrates<Old, H::Value, How>,
{
    Migration::new(move |old| function.migrate(old))
}

/// A handle that is about to get its reducer, a function pointer `P`.
pub struct Reducing<H, P> {
    handle: H,
    give: fn(H, P) -> H,
}

/// Asks whether `H` merges, and whether an `F` can do it: if so, the type of what comes next is known.
pub fn reducing<H, F, How>(handle: H, _: F) -> Reducing<H, F::Pointer>
where
    H: Merges,
    F: Reducer<H::Value, How>,
{
    Reducing { handle, give: F::give }
}

impl<H, P> Reducing<H, P> {
    pub fn by(self, reducer: P) -> H {
        (self.give)(self.handle, reducer)
    }
}
