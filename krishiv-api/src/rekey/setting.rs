//! What a migration is asked to do.

use crate::keyed::KeyedState;
use crate::rekey::function::KeyFunction;
use crate::rekey::merge::Asked;
use crate::time::Clock;
use crate::value::{StateKey, StateValue};
use std::convert::Infallible;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;

/// A migration to other keys, as [`migrate`](crate::migrate) describes it, with all that can be said about it.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, KeyMigration, Keyed, KeyedState, ListState, MapState, ValueState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = (String, u32), name = "visits")]
/// struct ByDevice {
///     seen: ValueState<u64>,
///     pages: ListState<String>,
///     by_status: MapState<u16, u64>,
/// }
///
/// #[derive(KeyedState)]
/// #[state(key = String, name = "visits")]
/// struct ByUser {
///     seen: ValueState<u64>,
///     pages: ListState<String>,
///     by_status: MapState<String, u64>,
/// }
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let mut visits = Keyed::<ByDevice>::open(backend.clone())?;
/// for (device, page, status) in [(1, "/", 200), (2, "/cart", 200), (2, "/gone", 404)] {
///     visits.with_key(&("ann".to_owned(), device), |state| {
///         state.seen.update(|seen| *seen.get_or_insert(0) += 1);
///         state.pages.add(page.to_owned());
///         state.by_status.put(status, 1);
///     })?;
/// }
/// visits.commit("")?;
/// drop(visits);
///
/// KeyMigration::<ByDevice, ByUser>::new(|(user, _device)| user)
///     .map_keys("by_status", |status: u16| if status < 400 { "fine".to_owned() } else { "failed".to_owned() })
///     .merge("seen", |one: u64, other: u64| one + other)
///     .merge("by_status", |one: u64, other: u64| one + other)
///     .append("pages")
///     .run(&backend)?;
///
/// let mut visits = Keyed::<ByUser>::open(backend)?;
/// let ann = visits.with_key("ann", |state| (state.seen.get(), state.pages.get().len(), state.by_status.get("fine")))?;
/// assert_eq!(ann, (Some(3), 3, Some(2)));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[must_use = "a migration does nothing until `run` is called"]
pub struct KeyMigration<Old, New> {
    pub(super) key: KeyFunction,
    pub(super) map_keys: Vec<(String, KeyFunction)>,
    pub(super) merges: Vec<(String, Asked)>,
    pub(super) operator: Option<String>,
    pub(super) name: Option<String>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    sides: PhantomData<fn(Old) -> New>,
}

impl<Old: KeyedState, New: KeyedState> KeyMigration<Old, New> {
    /// A migration in which `key` makes new keys of old ones; where only map keys change, it gives back what it gets.
    ///
    /// It is called several times for a key, and makes the same of it each time.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = u32, name = "visits")]
    /// # struct Old { seen: ValueState<u64> }
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct New { seen: ValueState<u64> }
    /// KeyMigration::<Old, New>::new(|id| id.to_string()).run(&Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn new(key: impl Fn(Old::Key) -> New::Key + 'static) -> Self {
        Self::try_new(move |old| Ok::<_, Infallible>(key(old)))
    }

    /// The same for a function that can fail: then the migration does, with an error that names the key, and the state is as it was.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct Old { seen: ValueState<u64> }
    /// # #[derive(KeyedState)]
    /// # #[state(key = u32, name = "visits")]
    /// # struct New { seen: ValueState<u64> }
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut visits = Keyed::<Old>::open(backend.clone())?;
    /// visits.with_key("seven", |state| state.seen.set(3))?;
    /// visits.commit("")?;
    /// drop(visits);
    /// let failed = KeyMigration::<Old, New>::try_new(|name| name.parse()).run(&backend).unwrap_err();
    /// assert_eq!(failed.key(), Some("\"seven\""));
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn try_new<E: Display>(key: impl Fn(Old::Key) -> Result<New::Key, E> + 'static) -> Self {
        Self {
            key: KeyFunction::new(key),
            map_keys: Vec::new(),
            merges: Vec::new(),
            operator: None,
            name: None,
            clock: None,
            sides: PhantomData,
        }
    }

    /// Gives the entries of a map or broadcast state new map keys, too.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct Old { by_status: MapState<u16, u64> }
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct New { by_status: MapState<String, u64> }
    /// KeyMigration::<Old, New>::new(|name| name)
    ///     .map_keys("by_status", |status: u16| status.to_string())
    ///     .run(&Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn map_keys<K: StateKey, L: StateKey>(self, state: impl Into<String>, key: impl Fn(K) -> L + 'static) -> Self {
        self.try_map_keys(state, move |old| Ok::<_, Infallible>(key(old)))
    }

    /// The same for a function that can fail, as [`try_new`](Self::try_new).
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct Old { by_status: MapState<String, u64> }
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct New { by_status: MapState<u16, u64> }
    /// KeyMigration::<Old, New>::new(|name| name)
    ///     .try_map_keys("by_status", |status: String| status.parse::<u16>())
    ///     .run(&Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn try_map_keys<K: StateKey, L: StateKey, E: Display>(
        mut self,
        state: impl Into<String>,
        key: impl Fn(K) -> Result<L, E> + 'static,
    ) -> Self {
        self.map_keys.push((state.into(), KeyFunction::new(key)));
        self
    }

    /// Lets two old keys become one, as far as this state goes: `merge` makes one of their two values, or of two values of entries that
    /// come to have one map key. Which of the two comes first is not to be relied on.
    ///
    /// Two keys become one only where each state of the operator has a `merge` or an [`append`](Self::append).
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct Old { seen: ValueState<u64> }
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct New { seen: ValueState<u64> }
    /// KeyMigration::<Old, New>::new(|name| name.to_lowercase())
    ///     .named("names in small letters")
    ///     .merge("seen", |one: u64, other: u64| one + other)
    ///     .run(&Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn merge<T: StateValue>(mut self, state: impl Into<String>, merge: impl Fn(T, T) -> T + 'static) -> Self {
        self.merges.push((state.into(), Asked::by(merge)));
        self
    }

    /// Lets two old keys become one, as far as this list goes: the elements of one follow those of the other.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = (String, u32), name = "visits")]
    /// # struct Old { pages: ListState<String> }
    /// # #[derive(KeyedState)]
    /// # #[state(key = String, name = "visits")]
    /// # struct New { pages: ListState<String> }
    /// KeyMigration::<Old, New>::new(|(user, _device)| user)
    ///     .append("pages")
    ///     .run(&Arc::new(InMemoryStateBackend::new()))?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn append(mut self, state: impl Into<String>) -> Self {
        self.merges.push((state.into(), Asked::Append));
        self
    }

    /// Name of the operator in the catalog, in place of that of `Old`.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// KeyMigration::<Dynamic<u32>, Dynamic<String>>::new(|id| id.to_string()).operator("clicks").run(&backend)?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn operator(mut self, name: impl Into<String>) -> Self {
        self.operator = Some(name.into());
        self
    }

    /// Gives the migration a name, by which the catalog keeps that it is done. Where old and new keys look the same to serde, that is all
    /// that tells, and a migration without a name is refused.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut clicks = Keyed::<Dynamic<u64>>::open(backend.clone())?;
    /// clicks.with_key(&7, |_| ValueState::<u8>::new("seen").set(1))?;
    /// clicks.commit("")?;
    /// drop(clicks);
    /// for _ in 0..2 {
    ///     KeyMigration::<Dynamic<u64>, Dynamic<u64>>::new(|id| id + 1_000).named("new ids").run(&backend)?;
    /// }
    /// assert_eq!(Keyed::<Dynamic<u64>>::open(backend)?.keys()?, [1_007]);
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The clock of processing time; the backend's or the machine's unless set. What has ended is not taken along.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let clock = Arc::new(ManualClock::new(0));
    /// KeyMigration::<Dynamic<u32>, Dynamic<String>>::new(|id| id.to_string()).clock(clock).run(&backend)?;
    /// # Ok::<(), StateError>(())
    /// ```
    pub fn clock(mut self, clock: Arc<impl Clock>) -> Self {
        self.clock = Some(clock);
        self
    }
}
