//! An append-only list per key.

mod cell;
mod column;
mod core;
mod run;
mod undo;

use crate::codec::Codec;
use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::scope::slot::Slot;
use crate::state::calls::Calls;
use crate::state::handle::{Binding, Core, Handle, Shapes};
use crate::state::live::Held;
use crate::value::StateValue;
use cell::Cell;
use core::List;
use std::collections::vec_deque::Iter;
use std::marker::PhantomData;

/// A list per key, in the order of its appends: the last prices of a symbol, the events of an hour.
///
/// Appending reads nothing, however long the list is. Elements expire one by one. Bound the list by a TTL
/// or by [`truncate_front`](Self::truncate_front).
///
/// # Panics
///
/// Every call without `try_` panics outside an event: there is no key to work on.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ListState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Symbol { prices: ListState<u32> }
///
/// let mut symbols = Keyed::<Symbol>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let prices = symbols.with_key("ACME", |symbol| {
///     symbol.prices.add_all([3, 1, 2]);
///     symbol.prices.truncate_front(2);
///     symbol.prices.get()
/// })?;
/// assert_eq!(prices, [1, 2]);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct ListState<T> {
    binding: Binding<List>,
    elements: PhantomData<fn() -> T>,
}

impl<T: StateValue> Handle for ListState<T> {
    type Value = T;
    type Cell = Held<Cell>;
    const KIND: StateKind = StateKind::List;
    type Core = List;

    fn shapes() -> Shapes {
        Shapes::of::<T>()
    }
    fn core(slot: Slot) -> Result<Self::Core, StateError> {
        Ok(List::new::<T>(slot))
    }
    fn with_binding(binding: Binding<Self::Core>) -> Self {
        Self { binding, elements: PhantomData }
    }
    #[inline]
    fn binding(&self) -> &Binding<List> {
        &self.binding
    }
    #[inline]
    fn binding_mut(&mut self) -> &mut Binding<List> {
        &mut self.binding
    }
}

impl<T: StateValue> ListState<T> {
    /// The list called `name` of whichever store is being processed when it is used.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| prices.add(1))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { binding: Binding::Named(name.into()), elements: PhantomData }
    }

    /// Appends `value`; reads nothing from the backend.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add(1);
    ///     assert_eq!(prices.get(), [1]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("push", "append", "insert"))]
    pub fn add(&self, value: T) {
        self.run(|core| core.push(value, core.slot().codec), || ())
    }

    /// [`add`](Self::add) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_add(1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_add(&self, value: T) -> Result<(), StateError> {
        self.try_run(|core| core.push(value, core.slot().codec))
    }

    /// Appends `value`, and stores it as JSON where that can carry it.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_json(1);
    ///     assert_eq!(prices.get(), [1]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn add_json(&self, value: T) {
        self.run(|core| core.push(value, Codec::Json), || ())
    }

    /// [`add_json`](Self::add_json) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_add_json(1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_add_json(&self, value: T) -> Result<(), StateError> {
        self.try_run(|core| core.push(value, Codec::Json))
    }

    /// Appends all of `values` in their order; none of them changes nothing.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2]);
    ///     assert_eq!(prices.get(), [1, 2]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "extend")]
    pub fn add_all(&self, values: impl IntoIterator<Item = T>) {
        self.run(|core| core.extend(values, core.slot().codec), || ())
    }

    /// [`add_all`](Self::add_all) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_add_all([1, 2])?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_add_all(&self, values: impl IntoIterator<Item = T>) -> Result<(), StateError> {
        self.try_run(|core| core.extend(values, core.slot().codec))
    }

    /// Runs `f` on each element, first to last, without a copy.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2]);
    ///     let mut sum = 0;
    ///     prices.for_each(|price| sum += price);
    ///     assert_eq!(sum, 3);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "iter")]
    pub fn for_each(&self, f: impl FnMut(&T)) {
        self.run_closure(f, List::ready, |core, f| core.read(|items| Iter::for_each(items, f)), |_| ())
    }

    /// [`for_each`](Self::for_each) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_for_each(|_| {})?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_for_each(&self, f: impl FnMut(&T)) -> Result<(), StateError> {
        self.try_run(|core| core.with(|items| Iter::for_each(items, f)))
    }

    /// Number of elements.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add(1);
    ///     assert_eq!(prices.length(), 1);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("len", "size"))]
    pub fn length(&self) -> usize {
        self.run(|core| core.length(), || 0)
    }

    /// [`length`](Self::length) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(prices.try_length()?, 0);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_length(&self) -> Result<usize, StateError> {
        self.try_run(|core| core.length())
    }

    /// Whether there is no element.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     assert!(prices.is_empty());
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.run(|core| core.length().map(|length| length == 0), || true)
    }

    /// [`is_empty`](Self::is_empty) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     assert!(prices.try_is_empty()?);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_is_empty(&self) -> Result<bool, StateError> {
        self.try_run(|core| core.length().map(|length| length == 0))
    }

    /// Drops the oldest elements but for the last `keep_last`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2, 3]);
    ///     prices.truncate_front(2);
    ///     assert_eq!(prices.get(), [2, 3]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "drain")]
    pub fn truncate_front(&self, keep_last: usize) {
        self.run(|core| core.truncate_front(keep_last), || ())
    }

    /// [`truncate_front`](Self::truncate_front) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_truncate_front(2)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_truncate_front(&self, keep_last: usize) -> Result<(), StateError> {
        self.try_run(|core| core.truncate_front(keep_last))
    }

    /// Keeps the elements for which `keep` says so, in their order.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2, 3]);
    ///     prices.retain(|price| price % 2 == 1);
    ///     assert_eq!(prices.get(), [1, 3]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("remove", "filter"))]
    pub fn retain(&self, keep: impl FnMut(&T) -> bool) {
        self.run_closure(keep, List::ready_to_write, List::retain, |_| ())
    }

    /// [`retain`](Self::retain) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_retain(|price| *price > 0)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_retain(&self, keep: impl FnMut(&T) -> bool) -> Result<(), StateError> {
        self.try_run(|core| core.retain(keep))
    }

    /// Puts `values` in place of the list; none of them is [`clear`](Self::clear).
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add(1);
    ///     prices.replace([7, 8]);
    ///     assert_eq!(prices.get(), [7, 8]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("update", "set"))]
    pub fn replace(&self, values: impl IntoIterator<Item = T>) {
        self.run(|core| core.replace(values), || ())
    }

    /// [`replace`](Self::replace) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_replace([7, 8])?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_replace(&self, values: impl IntoIterator<Item = T>) -> Result<(), StateError> {
        self.try_run(|core| core.replace(values))
    }

    /// Drops the list.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add(1);
    ///     prices.clear();
    ///     assert!(prices.is_empty());
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "delete")]
    pub fn clear(&self) {
        self.run(|core| core.replace::<T>([]), || ())
    }

    /// [`clear`](Self::clear) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     prices.try_clear()?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, or the state has another type.
    pub fn try_clear(&self) -> Result<(), StateError> {
        self.try_run(|core| core.replace::<T>([]))
    }
}

impl<T: StateValue + Clone> ListState<T> {
    /// A copy of the list.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2]);
    ///     assert_eq!(prices.get(), [1, 2]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("to_vec", "read"))]
    pub fn get(&self) -> Vec<T> {
        self.run(|core| core.with(|items: Iter<'_, T>| items.cloned().collect()), Vec::new)
    }

    /// [`get`](Self::get) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     assert!(prices.try_get()?.is_empty());
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get(&self) -> Result<Vec<T>, StateError> {
        self.try_run(|core| core.with(|items: Iter<'_, T>| items.cloned().collect()))
    }

    /// A copy of the list, however its elements were stored.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2]);
    ///     assert_eq!(prices.get_json(), [1, 2]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn get_json(&self) -> Vec<T> {
        self.run(|core| core.with(|items: Iter<'_, T>| items.cloned().collect()), Vec::new)
    }

    /// [`get_json`](Self::get_json) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     assert!(prices.try_get_json()?.is_empty());
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get_json(&self) -> Result<Vec<T>, StateError> {
        self.try_run(|core| core.with(|items: Iter<'_, T>| items.cloned().collect()))
    }

    /// A copy of the oldest element.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2]);
    ///     assert_eq!(prices.first(), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn first(&self) -> Option<T> {
        self.run(|core| core.with(|mut items: Iter<'_, T>| items.next().cloned()), || None)
    }

    /// [`first`](Self::first) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(prices.try_first()?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_first(&self) -> Result<Option<T>, StateError> {
        self.try_run(|core| core.with(|mut items: Iter<'_, T>| items.next().cloned()))
    }

    /// A copy of the newest element.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.with_key("ann", |_| {
    ///     prices.add_all([1, 2]);
    ///     assert_eq!(prices.last(), Some(2));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn last(&self) -> Option<T> {
        self.run(|core| core.with(|mut items: Iter<'_, T>| items.next_back().cloned()), || None)
    }

    /// [`last`](Self::last) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let prices = ListState::<i32>::new("prices");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(prices.try_last()?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_last(&self) -> Result<Option<T>, StateError> {
        self.try_run(|core| core.with(|mut items: Iter<'_, T>| items.next_back().cloned()))
    }
}
