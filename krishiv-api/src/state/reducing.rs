//! A value per key that merges what is added.

use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::scope::slot::Slot;
use crate::state::calls::Calls;
use crate::state::handle::{Binding, Handle, Shapes};
use crate::state::value::{Cell, Value};
use crate::value::StateValue;

/// A value per key that merges what is added to it: a running maximum, a sketch, a sum.
///
/// The reducer must be associative, `r(r(a, b), c) == r(a, r(b, c))`: which values were merged before a
/// commit and which after must not matter. It comes from `#[state(reduce = path)]` or
/// [`with_reducer`](Self::with_reducer); without one, the merged value replaces the old.
///
/// # Panics
///
/// Every call without `try_` panics outside an event: there is no key to work on.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ReducingState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Card { #[state(reduce = i64::max)] max_amount: ReducingState<i64> }
///
/// let mut cards = Keyed::<Card>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let max = cards.with_key("4711", |card| {
///     card.max_amount.merge(20);
///     card.max_amount.merge(5);
///     card.max_amount.get()
/// })?;
/// assert_eq!(max, Some(20));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct ReducingState<T> {
    binding: Binding<Value<T>>,
    reducer: Option<fn(T, T) -> T>,
}

impl<T: StateValue> Handle for ReducingState<T> {
    type Value = T;
    type Cell = Cell<T>;
    const KIND: StateKind = StateKind::Reducing;
    type Core = Value<T>;

    fn shapes() -> Shapes {
        Shapes::of::<T>()
    }
    fn core(slot: Slot) -> Result<Self::Core, StateError> {
        Ok(Value::new(slot))
    }
    fn with_binding(binding: Binding<Self::Core>) -> Self {
        Self { binding, reducer: None }
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

impl<T> ReducingState<T> {
    /// Merges by `reducer`; the derive asks for it.
    pub(crate) fn reduced_by(mut self, reducer: fn(T, T) -> T) -> Self {
        if let Binding::Bound(value) = &mut self.binding {
            value.reducer = Some(reducer);
        }
        self
    }
}

impl<T: StateValue> ReducingState<T> {
    /// The merged value called `name` of whichever store is being processed when it is used.
    ///
    /// Merges by the reducer of the field of that name, if a struct declares one with a reducer; otherwise the
    /// newer value replaces the older.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let last = ReducingState::<i64>::new("last");
    /// store.with_key("ann", |_| {
    ///     last.merge(2);
    ///     last.merge(1);
    ///     assert_eq!(last.get(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { binding: Binding::Named(name.into()), reducer: None }
    }

    /// The merged value called `name`, merged by `reducer`, which must be associative.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.with_key("ann", |_| {
    ///     max.merge(2);
    ///     max.merge(1);
    ///     assert_eq!(max.get(), Some(2));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn with_reducer(name: impl Into<String>, reducer: fn(T, T) -> T) -> Self {
        Self { binding: Binding::Named(name.into()), reducer: Some(reducer) }
    }

    /// Removes the value.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.with_key("ann", |_| {
    ///     max.merge(1);
    ///     max.clear();
    ///     assert_eq!(max.get(), None);
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
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.try_with_key("ann", |_| {
    ///     max.try_clear()?;
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
}

impl<T: StateValue + Clone> ReducingState<T> {
    /// Merges `value` into what is there; the first one is taken as it is.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.with_key("ann", |_| {
    ///     max.merge(2);
    ///     max.merge(1);
    ///     assert_eq!(max.get(), Some(2));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("add", "reduce", "push"))]
    pub fn merge(&self, value: T) {
        self.run(|core| core.merge(value, self.reducer), || ())
    }

    /// [`merge`](Self::merge) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.try_with_key("ann", |_| {
    ///     max.try_merge(2)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_merge(&self, value: T) -> Result<(), StateError> {
        self.try_run(|core| core.merge(value, self.reducer))
    }

    /// A copy of the merged value.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.with_key("ann", |_| {
    ///     assert_eq!(max.get(), None);
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
    #[doc = include_str!("example.txt")]
    /// let max = ReducingState::<i64>::with_reducer("max", i64::max);
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(max.try_get()?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get(&self) -> Result<Option<T>, StateError> {
        self.try_run(|core| core.with(|value| value.cloned()))
    }
}
