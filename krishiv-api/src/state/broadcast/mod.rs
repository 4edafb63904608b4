//! A map of the operator: the same for all keys and all parallel instances.

mod scope;
mod table;

use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::scope::slot::Slot;
use crate::state::calls::Calls;
use crate::state::handle::{Binding, Handle, Shapes};
use crate::value::{StateKey, StateValue};
use std::borrow::Borrow;
use std::hash::Hash;
use std::marker::PhantomData;
use table::Table;

pub use scope::BroadcastScope;

/// A small, read-mostly map that belongs to the operator and not to a key: rules, features, geo data.
///
/// Every parallel instance sees every update, from its next event on; one event sees one version; a read is
/// a local map look-up. Only the broadcast side can write: [`Keyed::broadcast`](crate::Keyed::broadcast)
/// hands out the [`BroadcastScope`] that writing takes. Keep it below 10 MB a descriptor; more is refused
/// unless the store's `broadcast_limit` says otherwise.
///
/// # Panics
///
/// Every call without `try_` panics outside events and broadcasts: there is no store to work on.
///
/// ```
/// use krishiv_api::{BroadcastState, InMemoryStateBackend, Keyed, KeyedState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Flights { rules: BroadcastState<String, i32> }
///
/// let mut flights = Keyed::<Flights>::open(Arc::new(InMemoryStateBackend::new()))?;
/// flights.broadcast(|state, scope| state.rules.put(scope, "EV".to_owned(), 30))?;
/// let minutes = flights.with_key("N14228", |state| state.rules.get("EV"))?;
/// assert_eq!(minutes, Some(30));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct BroadcastState<K, V> {
    binding: Binding<Table<K, V>>,
}

/// Name and types of a broadcast state, to hand around before there is a store.
///
/// ```
/// use krishiv_api::BroadcastStateDescriptor;
/// let rules = BroadcastStateDescriptor::<i32, String>::new("rules");
/// assert_eq!(rules.name(), "rules");
/// ```
pub struct BroadcastStateDescriptor<K, V> {
    name: String,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: StateKey, V: StateValue> BroadcastStateDescriptor<K, V> {
    /// Describes the broadcast state called `name`.
    ///
    /// ```
    /// use krishiv_api::BroadcastStateDescriptor;
    /// let rules = BroadcastStateDescriptor::<i32, String>::new("rules");
    /// # let _ = rules;
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), types: PhantomData }
    }

    /// The name.
    ///
    /// ```
    /// use krishiv_api::BroadcastStateDescriptor;
    /// assert_eq!(BroadcastStateDescriptor::<i32, String>::new("rules").name(), "rules");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A handle of that name and these types.
    ///
    /// ```
    /// use krishiv_api::BroadcastStateDescriptor;
    /// let rules = BroadcastStateDescriptor::<i32, String>::new("rules").state();
    /// # let _ = rules;
    /// ```
    pub fn state(&self) -> BroadcastState<K, V> {
        BroadcastState::new(self.name.clone())
    }
}

impl<K: StateKey, V: StateValue> Handle for BroadcastState<K, V> {
    type Value = V;
    type Cell = ();
    const KIND: StateKind = StateKind::Broadcast;
    type Core = Table<K, V>;

    fn shapes() -> Shapes {
        Shapes::of_map::<K, V>()
    }
    fn core(slot: Slot) -> Result<Self::Core, StateError> {
        Table::open(slot)
    }
    fn with_binding(binding: Binding<Self::Core>) -> Self {
        Self { binding }
    }
    #[inline]
    fn binding(&self) -> &Binding<Table<K, V>> {
        &self.binding
    }
    #[inline]
    fn binding_mut(&mut self) -> &mut Binding<Table<K, V>> {
        &mut self.binding
    }
}

impl<K: StateKey, V: StateValue> BroadcastState<K, V> {
    /// The broadcast state called `name` of whichever store is being processed when it is used.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| rules.put(scope, "EV".into(), 30))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { binding: Binding::Named(name.into()) }
    }

    /// Whether there is a value for `key`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| rules.put(scope, "EV".into(), 30))?;
    /// store.with_key("ann", |_| {
    ///     assert!(rules.contains("EV"));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("contains_key", "has"))]
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.get(key, |value| value.is_some()), || false)
    }

    /// [`contains`](Self::contains) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_with_key("ann", |_| {
    ///     assert!(!rules.try_contains("EV")?);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no key and no broadcast is being processed, or the state has another type in this store.
    pub fn try_contains<Q>(&self, key: &Q) -> Result<bool, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.get(key, |value| value.is_some()))
    }

    /// Number of entries.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| rules.put(scope, "EV".into(), 30))?;
    /// store.with_key("ann", |_| {
    ///     assert_eq!(rules.length(), 1);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("len", "size"))]
    pub fn length(&self) -> usize {
        self.run(Table::length, || 0)
    }

    /// [`length`](Self::length) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(rules.try_length()?, 0);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no key and no broadcast is being processed, or the state has another type in this store.
    pub fn try_length(&self) -> Result<usize, StateError> {
        self.try_run(Table::length)
    }

    /// Sets the value of `key`, for all keys and instances.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| {
    ///     rules.put(scope, "EV".into(), 30);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("insert", "set"))]
    pub fn put(&self, scope: &mut BroadcastScope, key: K, value: V) {
        self.run(|core| core.put(scope, key, value), || ())
    }

    /// [`put`](Self::put) that returns its failure and leaves the broadcast alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_broadcast(|_, scope| rules.try_put(scope, "EV".into(), 30))?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it would grow past the limit, does not encode, or `scope` belongs to another store.
    pub fn try_put(&self, scope: &mut BroadcastScope, key: K, value: V) -> Result<(), StateError> {
        self.try_run(|core| core.put(scope, key, value))
    }

    /// Removes the value of `key`, for all keys and instances.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| {
    ///     rules.remove(scope, "EV");
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "delete")]
    pub fn remove<Q>(&self, scope: &mut BroadcastScope, key: &Q)
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.remove(scope, key), || ())
    }

    /// [`remove`](Self::remove) that returns its failure and leaves the broadcast alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_broadcast(|_, scope| rules.try_remove(scope, "EV"))?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no broadcast is being processed, or `scope` belongs to another store.
    pub fn try_remove<Q>(&self, scope: &mut BroadcastScope, key: &Q) -> Result<(), StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.remove(scope, key))
    }

    /// Drops all entries, for all keys and instances.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| {
    ///     rules.clear(scope);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn clear(&self, scope: &mut BroadcastScope) {
        self.run(|core| core.clear(scope), || ())
    }

    /// [`clear`](Self::clear) that returns its failure and leaves the broadcast alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_broadcast(|_, scope| rules.try_clear(scope))?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no broadcast is being processed, or `scope` belongs to another store.
    pub fn try_clear(&self, scope: &mut BroadcastScope) -> Result<(), StateError> {
        self.try_run(|core| core.clear(scope))
    }
}

impl<K: StateKey, V: StateValue + Clone> BroadcastState<K, V> {
    /// A copy of the value of `key`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| rules.put(scope, "EV".into(), 30))?;
    /// store.with_key("ann", |_| {
    ///     assert_eq!(rules.get("EV"), Some(30));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.get(key, |value| value.cloned()), || None)
    }

    /// [`get`](Self::get) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(rules.try_get("EV")?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no key and no broadcast is being processed, or the state has another type in this store.
    pub fn try_get<Q>(&self, key: &Q) -> Result<Option<V>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.get(key, |value| value.cloned()))
    }

    /// Copies of all entries, in the order of their encoded keys.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.broadcast(|_, scope| rules.put(scope, "EV".into(), 30))?;
    /// store.with_key("ann", |_| {
    ///     assert_eq!(rules.entries(), [("EV".to_owned(), 30)]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "iter")]
    pub fn entries(&self) -> Vec<(K, V)> {
        self.run(Table::entries, Vec::new)
    }

    /// [`entries`](Self::entries) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let rules = BroadcastState::<String, i32>::new("rules");
    /// store.try_with_key("ann", |_| {
    ///     assert!(rules.try_entries()?.is_empty());
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When no key and no broadcast is being processed, or the state has another type in this store.
    pub fn try_entries(&self) -> Result<Vec<(K, V)>, StateError> {
        self.try_run(Table::entries)
    }
}
