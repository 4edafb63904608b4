//! A map per key.

mod cell;
mod core;
mod index;
mod known;
mod steps;
mod table;
mod there;
mod undo;

use crate::codec::Codec;
use crate::descriptor::StateKind;
use crate::error::StateError;
use crate::scope::slot::Slot;
use crate::state::calls::Calls;
use crate::state::handle::{Binding, Core, Handle, Shapes};
use crate::state::live::Held;
use crate::value::{StateKey, StateValue};
use cell::Cell;
pub(crate) use core::Map;
use std::borrow::Borrow;
use std::hash::Hash;
use std::marker::PhantomData;
pub(crate) use there::There;

/// A map per key: the active sessions of a user, the attributes of a device.
///
/// Only the entries that are asked for are read, and only the changed ones are written; entries expire one
/// by one. Calls that go over the whole map see backend and uncommitted writes as one, in the order of the
/// encoded map keys, which is the same before and after a crash.
///
/// # Panics
///
/// Every call without `try_` panics outside an event: there is no key to work on.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, MapState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct User { sessions: MapState<String, u32> }
///
/// let mut users = Keyed::<User>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let clicks = users.with_key("ann", |user| {
///     user.sessions.put("tab-1".to_owned(), 1);
///     user.sessions.update("tab-1".to_owned(), |clicks| *clicks.get_or_insert(0) += 1);
///     user.sessions.get("tab-1")
/// })?;
/// assert_eq!(clicks, Some(2));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct MapState<K, V> {
    binding: Binding<Map>,
    entries: PhantomData<fn() -> (K, V)>,
}

impl<K: StateKey, V: StateValue> Handle for MapState<K, V> {
    type Value = V;
    type Cell = Held<Cell>;
    const KIND: StateKind = StateKind::Map;
    type Core = Map;

    fn shapes() -> Shapes {
        Shapes::of_map::<K, V>()
    }
    fn core(slot: Slot) -> Result<Self::Core, StateError> {
        Ok(Map::new::<K, V>(slot))
    }
    fn with_binding(binding: Binding<Self::Core>) -> Self {
        Self { binding, entries: PhantomData }
    }
    #[inline]
    fn binding(&self) -> &Binding<Map> {
        &self.binding
    }
    #[inline]
    fn binding_mut(&mut self) -> &mut Binding<Map> {
        &mut self.binding
    }
}

impl<K: StateKey, V: StateValue> MapState<K, V> {
    /// The map called `name` of whichever store is being processed when it is used.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| sessions.put("a".into(), 1))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self { binding: Binding::Named(name.into()), entries: PhantomData }
    }

    /// Sets the value of `key`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.get("a"), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("insert", "set"))]
    pub fn put(&self, key: K, value: V) {
        self.run(|core| core.put(key, value, core.slot().codec), || ())
    }

    /// [`put`](Self::put) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_put("a".into(), 1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, key or value do not encode, or the state has another
    /// type. Then none of it is.
    pub fn try_put(&self, key: K, value: V) -> Result<(), StateError> {
        self.try_run(|core| core.put(key, value, core.slot().codec))
    }

    /// Sets the value of `key`, and stores it as JSON where that can carry it.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put_json("a".into(), 1);
    ///     assert_eq!(sessions.get("a"), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn put_json(&self, key: K, value: V) {
        self.run(|core| core.put(key, value, Codec::Json), || ())
    }

    /// [`put_json`](Self::put_json) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_put_json("a".into(), 1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, key or value do not encode, or the state has another
    /// type. Then none of it is.
    pub fn try_put_json(&self, key: K, value: V) -> Result<(), StateError> {
        self.try_run(|core| core.put(key, value, Codec::Json))
    }

    /// Sets all of `entries`, in their order.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put_all([("a".into(), 1), ("b".into(), 2)]);
    ///     assert_eq!(sessions.length(), 2);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "extend")]
    pub fn put_all(&self, entries: impl IntoIterator<Item = (K, V)>) {
        self.run(|core| core.put_all(entries), || ())
    }

    /// [`put_all`](Self::put_all) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_put_all([("a".into(), 1)])?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot be written: no key is being processed, key or value do not encode, or the state has another
    /// type. Then none of it is.
    pub fn try_put_all(&self, entries: impl IntoIterator<Item = (K, V)>) -> Result<(), StateError> {
        self.try_run(|core| core.put_all(entries))
    }

    /// Whether there is a value for `key`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     assert!(!sessions.contains("a"));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("contains_key", "has"))]
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.with_entry::<K, V, Q, _>(key, |value| value.is_some()), || false)
    }

    /// [`contains`](Self::contains) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert!(!sessions.try_contains("a")?);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_contains<Q>(&self, key: &Q) -> Result<bool, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.with_entry::<K, V, Q, _>(key, |value| value.is_some()))
    }

    /// Copies of all keys.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.keys(), ["a"]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn keys(&self) -> Vec<K> {
        self.run(|core| core.with(|entries: There<'_, K, V>| entries.map(|(key, _)| key.clone()).collect()), Vec::new)
    }

    /// [`keys`](Self::keys) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert!(sessions.try_keys()?.is_empty());
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_keys(&self) -> Result<Vec<K>, StateError> {
        self.try_run(|core| core.with(|entries: There<'_, K, V>| entries.map(|(key, _)| key.clone()).collect()))
    }

    /// Runs `f` on each entry, without a copy.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     let mut sum = 0;
    ///     sessions.for_each(|_, clicks| sum += clicks);
    ///     assert_eq!(sum, 1);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "iter")]
    pub fn for_each(&self, f: impl FnMut(&K, &V)) {
        self.run_closure(
            f,
            Map::ready,
            |core, mut f| core.read(|entries: There<'_, K, V>| entries.for_each(|(key, value)| f(key, value))),
            |_| (),
        )
    }

    /// [`for_each`](Self::for_each) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_for_each(|_, _| {})?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_for_each(&self, mut f: impl FnMut(&K, &V)) -> Result<(), StateError> {
        self.try_run(|core| core.with(|entries: There<'_, K, V>| entries.for_each(|(key, value)| f(key, value))))
    }

    /// Keeps the entries for which `keep` says so.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put_all([("a".into(), 1), ("b".into(), 2)]);
    ///     sessions.retain(|_, clicks| *clicks > 1);
    ///     assert_eq!(sessions.keys(), ["b"]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn retain(&self, keep: impl FnMut(&K, &V) -> bool) {
        self.run_closure(keep, Map::ready_to_write, Map::retain, |_| ())
    }

    /// [`retain`](Self::retain) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_retain(|_, clicks| *clicks > 1)?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_retain(&self, keep: impl FnMut(&K, &V) -> bool) -> Result<(), StateError> {
        self.try_run(|core| core.retain(keep))
    }

    /// Number of entries.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     assert_eq!(sessions.length(), 0);
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
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(sessions.try_length()?, 0);
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

    /// Whether there is no entry.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     assert!(sessions.is_empty());
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
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert!(sessions.try_is_empty()?);
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

    /// Drops all entries.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     sessions.clear();
    ///     assert!(sessions.is_empty());
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn clear(&self) {
        self.run(|core| core.clear(), || ())
    }

    /// [`clear`](Self::clear) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_clear()?;
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

impl<K: StateKey, V: StateValue + Clone> MapState<K, V> {
    /// A copy of the value of `key`.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.get("a"), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.with_entry::<K, V, Q, _>(key, |value| value.cloned()), || None)
    }

    /// [`get`](Self::get) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(sessions.try_get("a")?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get<Q>(&self, key: &Q) -> Result<Option<V>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.with_entry::<K, V, Q, _>(key, |value| value.cloned()))
    }

    /// A copy of the value of `key`, however it was stored.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.get_json("a"), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn get_json<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.with_entry::<K, V, Q, _>(key, |value| value.cloned()), || None)
    }

    /// [`get_json`](Self::get_json) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(sessions.try_get_json("a")?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_get_json<Q>(&self, key: &Q) -> Result<Option<V>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.with_entry::<K, V, Q, _>(key, |value| value.cloned()))
    }

    /// Removes the value of `key` and returns it.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.remove("a"), Some(1));
    ///     assert!(sessions.is_empty());
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias = "delete")]
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.run(|core| core.update(key, Option::<V>::take), || None)
    }

    /// [`remove`](Self::remove) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert_eq!(sessions.try_remove("a")?, None);
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_remove<Q>(&self, key: &Q) -> Result<Option<V>, StateError>
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
    {
        self.try_run(|core| core.update(key, Option::<V>::take))
    }

    /// Changes the value of `key`; `None` stands for no value, before and after.
    ///
    /// When it cannot be read, `f` sees no value, and what it leaves is undone with the event.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.update("a".into(), |clicks| *clicks.get_or_insert(0) += 1);
    ///     assert_eq!(sessions.get("a"), Some(1));
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("entry", "modify"))]
    pub fn update<R>(&self, key: K, f: impl FnOnce(&mut Option<V>) -> R) -> R {
        let change = |core: &Map, f| core.change(&key, f);
        self.finish(self.run_closure(
            f,
            |core| core.entry_ready_to_write::<K, V>(&key),
            change,
            |f| (f(&mut None), Ok(())),
        ))
    }

    /// [`update`](Self::update) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     sessions.try_update("a".into(), |clicks| *clicks = Some(1))?;
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_update<R>(&self, key: K, f: impl FnOnce(&mut Option<V>) -> R) -> Result<R, StateError> {
        self.try_run(|core| core.update(&key, f))
    }

    /// Copies of all values.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.values(), [1]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn values(&self) -> Vec<V> {
        self.run(
            |core| core.with(|entries: There<'_, K, V>| entries.map(|(_, value)| value.clone()).collect()),
            Vec::new,
        )
    }

    /// [`values`](Self::values) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert!(sessions.try_values()?.is_empty());
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_values(&self) -> Result<Vec<V>, StateError> {
        self.try_run(|core| core.with(|entries: There<'_, K, V>| entries.map(|(_, value)| value.clone()).collect()))
    }

    /// Copies of all entries.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.with_key("ann", |_| {
    ///     sessions.put("a".into(), 1);
    ///     assert_eq!(sessions.entries(), [("a".to_owned(), 1)]);
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    #[doc(alias("iter", "to_vec"))]
    pub fn entries(&self) -> Vec<(K, V)> {
        self.run(
            |core| {
                core.with(|entries: There<'_, K, V>| entries.map(|(key, value)| (key.clone(), value.clone())).collect())
            },
            Vec::new,
        )
    }

    /// [`entries`](Self::entries) that returns its failure and leaves the event alone.
    ///
    /// ```
    #[doc = include_str!("../example.txt")]
    /// let sessions = MapState::<String, u32>::new("sessions");
    /// store.try_with_key("ann", |_| {
    ///     assert!(sessions.try_entries()?.is_empty());
    ///     Ok::<_, StateError>(())
    /// })?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the state cannot be read: no key is being processed, the storage fails, or its bytes are damaged.
    pub fn try_entries(&self) -> Result<Vec<(K, V)>, StateError> {
        self.try_run(|core| {
            core.with(|entries: There<'_, K, V>| entries.map(|(key, value)| (key.clone(), value.clone())).collect())
        })
    }
}
