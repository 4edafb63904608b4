//! What a program declares about its states, before any of them is opened.

use crate::names;
use crate::time::{TtlClock, TtlUpdate};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The five shapes of state.
///
/// ```
/// assert_eq!(krishiv_api::StateKind::List.to_string(), "ListState");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateKind {
    /// One value per key.
    Value,
    /// An append-only list per key.
    List,
    /// A map per key.
    Map,
    /// A value per key that merges what is added.
    Reducing,
    /// A map of the operator, the same for all keys.
    Broadcast,
}

impl StateKind {
    /// Whether a key has one value of it, which lies in the record of its row.
    pub(crate) fn is_value(self) -> bool {
        matches!(self, Self::Value | Self::Reducing)
    }
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "ValueState",
            Self::List => "ListState",
            Self::Map => "MapState",
            Self::Reducing => "ReducingState",
            Self::Broadcast => "BroadcastState",
        })
    }
}

/// The time to live of a state.
///
/// It may be changed while there is data. Switched on, or put on another clock, it counts from that moment for
/// what was there. Switched off, what had ended stays gone and the rest lives for ever. A changed duration holds
/// for what is written from then on.
///
/// ```
/// use krishiv_api::{TtlClock, TtlDescriptor, TtlUpdate};
/// const WEEK: TtlDescriptor = TtlDescriptor::new(7 * 86_400_000, TtlClock::Event, TtlUpdate::CreateAndWrite);
/// assert_eq!(WEEK.ttl_ms(), 604_800_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtlDescriptor {
    ttl_ms: u64,
    clock: TtlClock,
    update: TtlUpdate,
}

impl TtlDescriptor {
    /// A life of `ttl_ms` milliseconds by `clock`.
    ///
    /// ```
    /// use krishiv_api::{TtlClock, TtlDescriptor, TtlUpdate};
    /// let hour = TtlDescriptor::new(3_600_000, TtlClock::Processing, TtlUpdate::ReadAndWrite);
    /// assert_eq!(hour.clock(), TtlClock::Processing);
    /// ```
    ///
    /// # Panics
    ///
    /// If `ttl_ms` is 0; in a `const`, that is a compile error.
    pub const fn new(ttl_ms: u64, clock: TtlClock, update: TtlUpdate) -> Self {
        assert!(ttl_ms > 0, "a time to live of 0 ms keeps nothing; give at least 1 ms");
        Self { ttl_ms, clock, update }
    }

    /// The life in milliseconds.
    ///
    /// ```
    /// use krishiv_api::{TtlClock, TtlDescriptor, TtlUpdate};
    /// assert_eq!(TtlDescriptor::new(5, TtlClock::Event, TtlUpdate::CreateAndWrite).ttl_ms(), 5);
    /// ```
    pub const fn ttl_ms(self) -> u64 {
        self.ttl_ms
    }

    /// The clock that measures it.
    ///
    /// ```
    /// use krishiv_api::{TtlClock, TtlDescriptor, TtlUpdate};
    /// assert_eq!(TtlDescriptor::new(5, TtlClock::Event, TtlUpdate::CreateAndWrite).clock(), TtlClock::Event);
    /// ```
    pub const fn clock(self) -> TtlClock {
        self.clock
    }

    /// What starts it anew.
    ///
    /// ```
    /// use krishiv_api::{TtlClock, TtlDescriptor, TtlUpdate};
    /// let ttl = TtlDescriptor::new(5, TtlClock::Event, TtlUpdate::CreateAndWrite);
    /// assert_eq!(ttl.update(), TtlUpdate::CreateAndWrite);
    /// ```
    pub const fn update(self) -> TtlUpdate {
        self.update
    }
}

/// Name, kind and settings of one state; the derive makes them as constants.
///
/// ```
/// use krishiv_api::{KeyedState, StateKind, ValueState};
///
/// #[derive(KeyedState)]
/// #[state(key = u64)]
/// struct Visits { seen: ValueState<u32> }
///
/// assert_eq!(Visits::DESCRIPTORS[0].name(), "seen");
/// assert_eq!(Visits::DESCRIPTORS[0].kind(), StateKind::Value);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateDescriptor {
    name: &'static str,
    kind: StateKind,
    ttl: Option<TtlDescriptor>,
    renamed_from: &'static [&'static str],
}

impl StateDescriptor {
    /// A state called `name`: 1 to 255 bytes of letters, digits, `_`, `-` and `.`, not beginning with `__krishiv`.
    ///
    /// ```
    /// use krishiv_api::{StateDescriptor, StateKind};
    /// const SEEN: StateDescriptor = StateDescriptor::new("seen", StateKind::Value);
    /// assert_eq!(SEEN.name(), "seen");
    /// ```
    ///
    /// # Panics
    ///
    /// If the name is empty, longer, reserved, or has another ASCII character; in a `const`, that is a compile error.
    /// Other characters that are no letters are refused when the store opens.
    pub const fn new(name: &'static str, kind: StateKind) -> Self {
        assert!(!name.is_empty(), "a state needs a name");
        assert!(name.len() <= names::MAX_BYTES, "a state's name is at most 255 bytes long");
        assert!(!names::has_wrong_ascii(name), "a state's name has letters, digits, `_`, `-` and `.`");
        assert!(!names::is_reserved(name), "names that begin with `__krishiv` are the library's own");
        Self { name, kind, ttl: None, renamed_from: &[] }
    }

    /// The same with a time to live.
    ///
    /// ```
    /// use krishiv_api::{StateDescriptor, StateKind, TtlClock, TtlDescriptor, TtlUpdate};
    /// const HOUR: TtlDescriptor = TtlDescriptor::new(3_600_000, TtlClock::Event, TtlUpdate::CreateAndWrite);
    /// const SEEN: StateDescriptor = StateDescriptor::new("seen", StateKind::Value).with_ttl(HOUR);
    /// assert_eq!(SEEN.ttl(), Some(HOUR));
    /// ```
    ///
    /// # Panics
    ///
    /// If the state is a broadcast state, which belongs to no key and does not expire; in a `const`, that
    /// is a compile error.
    #[must_use]
    pub const fn with_ttl(self, ttl: TtlDescriptor) -> Self {
        assert!(!matches!(self.kind, StateKind::Broadcast), "a broadcast state does not expire; remove its ttl");
        Self { ttl: Some(ttl), ..self }
    }

    /// The same, where it was called by one of these names before.
    ///
    /// ```
    /// use krishiv_api::{StateDescriptor, StateKind};
    /// const SEEN: StateDescriptor = StateDescriptor::new("seen", StateKind::Value).with_former_names(&["visits"]);
    /// assert_eq!(SEEN.renamed_from(), ["visits"]);
    /// ```
    ///
    /// # Panics
    ///
    /// If one of them is the name that it has, or reserved; in a `const`, that is a compile error.
    #[must_use]
    pub const fn with_former_names(self, names: &'static [&'static str]) -> Self {
        let mut rest = names;
        while let [name, after @ ..] = rest {
            assert!(!names::is(name, self.name), "a state cannot be renamed from the name that it has");
            assert!(!names::is_reserved(name), "names that begin with `__krishiv` are the library's own");
            rest = after;
        }
        Self { renamed_from: names, ..self }
    }

    /// The names that it had before.
    ///
    /// ```
    /// # use krishiv_api::{StateDescriptor, StateKind};
    /// assert!(StateDescriptor::new("seen", StateKind::Value).renamed_from().is_empty());
    /// ```
    pub const fn renamed_from(self) -> &'static [&'static str] {
        self.renamed_from
    }

    /// The name, unique among the states of an operator.
    ///
    /// ```
    /// # use krishiv_api::{StateDescriptor, StateKind};
    /// assert_eq!(StateDescriptor::new("seen", StateKind::Value).name(), "seen");
    /// ```
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The kind.
    ///
    /// ```
    /// # use krishiv_api::{StateDescriptor, StateKind};
    /// assert_eq!(StateDescriptor::new("seen", StateKind::List).kind(), StateKind::List);
    /// ```
    pub const fn kind(self) -> StateKind {
        self.kind
    }

    /// The time to live, if one is declared.
    ///
    /// ```
    /// # use krishiv_api::{StateDescriptor, StateKind};
    /// assert_eq!(StateDescriptor::new("seen", StateKind::List).ttl(), None);
    /// ```
    pub const fn ttl(self) -> Option<TtlDescriptor> {
        self.ttl
    }
}
