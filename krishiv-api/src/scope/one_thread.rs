//! What the compiler names when a store or a handle is shared between threads.

use std::ops::{Deref, DerefMut};

/// What one thread at a time may look at: a store, its handles, and what they hold while an event runs.
///
/// Nobody makes one. It stands in the message of the compiler where a store, a driver or a handle is shared between threads, or where
/// a handle or a reference to a store is held over an `await` in a task that moves between threads: `Sync` is not implemented. A
/// store and a driver are `Send`, so give them to one thread or task whole. The ways that work are:
///
/// - one task owns the store, and events come to it through a channel;
/// - each thread has a store of its own, with its share of the key groups;
/// - a [`Mutex`](std::sync::Mutex) around the store, locked for the events at hand and let go before the next `await`.
///
/// An `RwLock` is none, since it lends what it holds to many threads at once. The page `docs/async.md` has a program for each.
///
/// ```
/// use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, ValueState};
/// use std::sync::{Arc, Mutex};
///
/// let store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let store = Arc::new(Mutex::new(store));
/// std::thread::scope(|threads| {
///     for name in ["ann", "bob"] {
///         let store = Arc::clone(&store);
///         threads.spawn(move || {
///             let mut store = store.lock().unwrap();
///             store.with_key(name, |_| ValueState::<u64>::new("seen").set(1)).unwrap();
///         });
///     }
/// });
/// assert!(store.lock().unwrap().has_uncommitted());
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Default)]
pub struct OneThreadAtATime<T>(pub(crate) T);

impl<T> Deref for OneThreadAtATime<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for OneThreadAtATime<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
