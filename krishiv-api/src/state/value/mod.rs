//! One value per key.

mod cell;
mod core;
mod steps;

use crate::codec::Codec;
use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::scope::slot::Slot;
use crate::state::calls::Calls;
use crate::state::handle::{Binding, Handle, Shapes};
use crate::value::StateValue;

pub(super) use cell::Cell;
pub(super) use core::Value;

/// One value per key: the most common state.
///
/// As a field of a `#[derive(KeyedState)]` struct it belongs to that struct's store. Made by
/// [`new`](Self::new) it is a name, and each call works on the store whose key is being processed on this
/// thread.
///
/// A value that was never set is absent, which is not the same as a default. What a call cannot read (a
/// failing disk, damaged bytes, another type) reads as absent, undoes the event, and is the error that
/// `with_key` returns; the `try_` twins return it at once and leave the event alone.
///
/// # Panics
///
/// Every call without `try_` panics outside an event: there is no key to work on.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let seen = visits.with_key("ann", |state| {
///     let seen = state.seen.get().unwrap_or(0) + 1;
///     state.seen.set(seen);
///     seen
/// })?;
/// assert_eq!(seen, 1);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct ValueState<T> {
    binding: Binding<Value<T>>,
}

impl<T: StateValue> Handle for ValueState<T> {
    type Value = T;
    type Cell = Cell<T>;
    const KIND: StateKind = StateKind::Value;
    type Core = Value<T>;

    fn shapes() -> Shapes {
        Shapes::of::<T>()
    }
    fn core(slot: Slot) -> Result<Self::Core, StateError> {
        Ok(Value::new(slot))
    }
    fn with_binding(binding: Binding<Self::Core>) -> Self {
        Self { binding }
    }
    #[inline]
    fn binding(&self) -> &Binding<Value<T>> {
        &self.binding
    }
    #[inline]
    fn binding_mut(&mut self) -> &mut Binding<Value<T>> {
        &mut self.binding
    }
}

impl<T: StateValue> ValueState<T> {
    /// The value called `name` of whichever store is being processed when it is used.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| seen.set(1))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { binding: Binding::Named(name.into()) }
    }

    /// Sets the value.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.set(1);
    ///     assert_eq!(seen.get(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("put", "insert", "replace", "update", "write"))]
    pub fn set(&self, value: T) {
        self.run(|core| core.set(value), || ())
    }

    /// [`set`](Self::set) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     seen.try_set(1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_set(&self, value: T) -> Result<(), StateError> {
        self.try_run(|core| core.set(value))
    }

    /// Sets the value, and stores it as JSON.
    ///
    /// What JSON cannot carry (NaN, maps with keys that are no strings) is stored as the other calls store it;
    /// all of them read both.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.set_json(1);
    ///     assert_eq!(seen.get(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn set_json(&self, value: T) {
        self.run(|core| core.set_by(value, Codec::Json), || ())
    }

    /// [`set_json`](Self::set_json) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     seen.try_set_json(1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_set_json(&self, value: T) -> Result<(), StateError> {
        self.try_run(|core| core.set_by(value, Codec::Json))
    }

    /// Whether there is a value.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     assert!(!seen.exists());
    ///     seen.set(0);
    ///     assert!(seen.exists());
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("is_some", "is_empty", "contains"))]
    pub fn exists(&self) -> bool {
        self.run(|core| core.with(|value| value.is_some()), || false)
    }

    /// [`exists`](Self::exists) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     assert!(!seen.try_exists()?);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_exists(&self) -> Result<bool, StateError> {
        self.try_run(|core| core.with(|value| value.is_some()))
    }

    /// Removes the value.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.set(1);
    ///     seen.clear();
    ///     assert_eq!(seen.get(), None);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("delete", "remove"))]
    pub fn clear(&self) {
        self.run(|core| core.clear(), || ())
    }

    /// [`clear`](Self::clear) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     seen.try_clear()?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_clear(&self) -> Result<(), StateError> {
        self.try_run(|core| core.clear())
    }

    /// Runs `f` on the value where it lies, without a copy.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.set(1);
    ///     assert!(seen.with(|value| value.is_some_and(|value| *value == 1)));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn with<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> R {
        self.run_closure(f, Value::ready, Value::read, |f| f(None))
    }

    /// [`with`](Self::with) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     assert!(seen.try_with(|value| value.is_none())?);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_with<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> Result<R, StateError> {
        self.try_run(|core| core.with(f))
    }
}

impl<T: StateValue + Clone> ValueState<T> {
    /// A copy of the value.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     assert_eq!(seen.get(), None);
    ///     seen.set(1);
    ///     assert_eq!(seen.get(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("value", "read"))]
    pub fn get(&self) -> Option<T> {
        self.run(|core| core.with(|value| value.cloned()), || None)
    }

    /// [`get`](Self::get) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(seen.try_get()?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get(&self) -> Result<Option<T>, StateError> {
        self.try_run(|core| core.with(|value| value.cloned()))
    }

    /// A copy of the value, however it was stored.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.set_json(1);
    ///     assert_eq!(seen.get_json(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn get_json(&self) -> Option<T> {
        self.run(|core| core.with(|value| value.cloned()), || None)
    }

    /// [`get_json`](Self::get_json) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(seen.try_get_json()?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get_json(&self) -> Result<Option<T>, StateError> {
        self.try_run(|core| core.with(|value| value.cloned()))
    }

    /// A copy of the value, or `default` where there is none; stores nothing.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     assert_eq!(seen.get_or(7), 7);
    ///     assert!(!seen.exists());
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("unwrap_or", "get_or_default"))]
    pub fn get_or(&self, default: T) -> T {
        self.get().unwrap_or(default)
    }

    /// [`get_or`](Self::get_or) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(seen.try_get_or(7)?, 7);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get_or(&self, default: T) -> Result<T, StateError> {
        Ok(self.try_get()?.unwrap_or(default))
    }

    /// Removes the value and returns it.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.set(1);
    ///     assert_eq!(seen.take(), Some(1));
    ///     assert_eq!(seen.get(), None);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn take(&self) -> Option<T> {
        self.run(|core| core.update(Option::take), || None)
    }

    /// [`take`](Self::take) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(seen.try_take()?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_take(&self) -> Result<Option<T>, StateError> {
        self.try_run(|core| core.update(Option::take))
    }

    /// Changes the value; `None` stands for no value, before and after.
    ///
    /// When it cannot be read, `f` sees no value, and what it leaves is undone with the event.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.with_key("ann", |_| {
    ///     seen.update(|seen| *seen.get_or_insert(0) += 1);
    ///     assert_eq!(seen.get(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("modify", "entry"))]
    pub fn update<R>(&self, f: impl FnOnce(&mut Option<T>) -> R) -> R {
        let f = match self.core() {
            Some(core) => match core.update_hot(f) {
                Ok(ran) => return self.finish(ran),
                Err(f) => f,
            },
            None => f,
        };
        self.finish(self.run_closure(f, Value::ready_to_write, Value::change, |f| (f(&mut None), Ok(()))))
    }

    /// [`update`](Self::update) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let seen = ValueState::<u64>::new("seen");
    /// store.try_with_key("ann", |_| {
    ///     seen.try_update(|seen| *seen = Some(1))?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_update<R>(&self, f: impl FnOnce(&mut Option<T>) -> R) -> Result<R, StateError> {
        self.try_run(|core| core.update(f))
    }
}
