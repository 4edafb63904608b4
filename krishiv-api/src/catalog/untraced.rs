//! Parts of types that are not compared when a store opens.

use std::fmt;

/// What a type is to a state.
///
/// ```
/// # use krishiv_api::TypeRole;
/// assert_eq!(TypeRole::MapKey.to_string(), "map key");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TypeRole {
    /// What all state of the operator is kept per.
    Key,
    /// A value, an element of a list, the value of an entry.
    Value,
    /// The key of an entry of a map or broadcast state.
    MapKey,
}

impl fmt::Display for TypeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::MapKey => "map key",
        })
    }
}

/// A part of a type that serde does not show, so that a change of it is not noticed when the store opens.
///
/// ```
/// # use krishiv_api::*;
/// # use std::sync::Arc;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Place { lat: f64, lon: f64 }
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Reading { degrees: f64, #[serde(flatten)] place: Place }
///
/// #[derive(KeyedState)]
/// #[state(key = u32)]
/// struct Sensors { last: ValueState<Reading> }
///
/// let sensors = Keyed::<Sensors>::open(Arc::new(InMemoryStateBackend::new()))?;
/// assert_eq!(sensors.untraced()[0].state(), Some("last"));
/// # Ok::<(), StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untraced {
    state: Option<String>,
    role: TypeRole,
    part: String,
}

impl Untraced {
    pub(crate) fn new(state: Option<&str>, role: TypeRole, part: String) -> Self {
        Self { state: state.map(str::to_owned), role, part }
    }

    /// The name of the state; `None` for the key of the operator.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// fn is_key(untraced: &Untraced) -> bool { untraced.state().is_none() }
    /// # let _ = is_key;
    /// ```
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Which of its types.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// fn is_value(untraced: &Untraced) -> bool { untraced.role() == TypeRole::Value }
    /// # let _ = is_value;
    /// ```
    pub fn role(&self) -> TypeRole {
        self.role
    }

    /// What is not known of it, in words, with the fields and variants that lead there.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// fn report(untraced: &Untraced) { eprintln!("not compared: {}", untraced.part()); }
    /// # let _ = report;
    /// ```
    pub fn part(&self) -> &str {
        &self.part
    }
}

impl fmt::Display for Untraced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            Some(state) => write!(f, "state `{state}`, {}: {}", self.role, self.part),
            None => write!(f, "{}: {}", self.role, self.part),
        }
    }
}
