//! What becomes of each stored state when the program opens, as people read it.

use crate::error::{Cause, StateError};
use std::fmt;

/// What becomes of a state when the program opens.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState, Verdict};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let plan = Keyed::<Visits>::builder().plan(&Arc::new(InMemoryStateBackend::new()))?;
/// assert_eq!(plan.states()[0].verdict(), &Verdict::New);
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing is stored of it: it begins empty.
    New,
    /// All that is stored was written by the same type.
    Same,
    /// What other versions of the type have written is read by its names. It is written in today's form when it is next written.
    Readable {
        /// What is another than it was.
        changes: Vec<TypeChange>,
    },
    /// What is stored cannot be read by today's type: a function has to make the one of the other.
    NeedsMigration {
        /// What is another than it was.
        changes: Vec<TypeChange>,
        /// What keeps it from being read.
        reason: String,
    },
    /// What is stored can never be what is declared.
    Impossible {
        /// Why it cannot.
        reason: String,
    },
    /// It is stored, and the program does not declare it: it stays as it is.
    Undeclared,
    /// It is stored, and the program says that it is to be deleted.
    Dropped,
}

impl Verdict {
    /// Whether a store opens in spite of it.
    ///
    /// ```
    /// assert!(krishiv_api::Verdict::Same.opens());
    /// ```
    pub fn opens(&self) -> bool {
        !matches!(self, Self::NeedsMigration { .. } | Self::Impossible { .. })
    }

    /// The differences that it lists.
    fn changes(&self) -> &[TypeChange] {
        match self {
            Self::Readable { changes } | Self::NeedsMigration { changes, .. } => changes,
            _ => &[],
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Same => "the same",
            Self::Readable { .. } => "readable",
            Self::NeedsMigration { .. } => "needs a migration",
            Self::Impossible { .. } => "impossible",
            Self::Undeclared => "not declared, stays",
            Self::Dropped => "dropped, will be deleted",
        })
    }
}

/// One difference between the type of stored values and that of the program.
///
/// ```
/// # fn example(change: &krishiv_api::TypeChange) {
/// println!("{change}{}", if change.is_checked() { ", which is checked value by value" } else { "" });
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeChange {
    pub(super) text: String,
    pub(super) checked: bool,
}

impl TypeChange {
    /// Whether some stored value may not fit, which is an error when that value is read.
    ///
    /// ```
    /// # fn example(change: &krishiv_api::TypeChange) {
    /// println!("{}", change.is_checked());
    /// # }
    /// ```
    pub fn is_checked(&self) -> bool {
        self.checked
    }
}

impl fmt::Display for TypeChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.checked { f.write_str(" (checked: a stored value that does not fit is an error)") } else { Ok(()) }
    }
}

/// What becomes of one state when the program opens.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let plan = Keyed::<Visits>::builder().plan(&Arc::new(InMemoryStateBackend::new()))?;
/// assert_eq!((plan.states()[0].state(), plan.states()[0].declared()), ("seen", Some("ValueState<u64>")));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlan {
    pub(crate) state: String,
    pub(crate) verdict: Verdict,
    /// The name that it is stored by, if that is another.
    pub(crate) renamed_from: Option<String>,
    pub(crate) stored: Option<String>,
    pub(crate) declared: Option<String>,
    /// Of what does not fit: what it is, and both sides.
    pub(crate) refused: Option<Refused>,
}

/// What of a state does not fit, on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) what: &'static str,
    pub(crate) stored: String,
    pub(crate) declared: String,
}

impl StatePlan {
    /// Its name.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::StatePlan) {
    /// println!("{}", plan.state());
    /// # }
    /// ```
    pub fn state(&self) -> &str {
        &self.state
    }

    /// What becomes of it.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::StatePlan) {
    /// println!("{}: {}", plan.state(), plan.verdict());
    /// # }
    /// ```
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The name that it is stored by, if it was renamed.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::StatePlan) {
    /// println!("{:?}", plan.renamed_from());
    /// # }
    /// ```
    pub fn renamed_from(&self) -> Option<&str> {
        self.renamed_from.as_deref()
    }

    /// Its stored type, as serde sees it, if it is stored: the one that was declared last.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::StatePlan) {
    /// println!("{:?}", plan.stored());
    /// # }
    /// ```
    pub fn stored(&self) -> Option<&str> {
        self.stored.as_deref()
    }

    /// Its type in the program, as serde sees it, if it is declared.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::StatePlan) {
    /// println!("{:?}", plan.declared());
    /// # }
    /// ```
    pub fn declared(&self) -> Option<&str> {
        self.declared.as_deref()
    }

    /// The error that keeps a store from opening, if there is one.
    pub(crate) fn refusal(&self) -> Option<StateError> {
        let Refused { what, stored, declared } = self.refused.clone()?;
        let why = match &self.verdict {
            Verdict::NeedsMigration { reason, .. } => format!(
                "{reason}; nothing was written; a migration is `#[state(migrate(from = OldType, with = function))]` on the field"
            ),
            Verdict::Impossible { reason } => {
                format!("{reason}; nothing was written; declare what is stored, or use another name")
            }
            _ => return None,
        };
        Some(StateError::from(Cause::Mismatch { what, stored, declared, why }).at_state(&self.state))
    }
}

impl fmt::Display for StatePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, verdict, stored, declared, .. } = self;
        write!(f, "state `{state}`: {verdict}")?;
        if let Some(old) = &self.renamed_from {
            write!(f, ", renamed from `{old}`")?;
        }
        match (stored, declared) {
            (Some(stored), Some(declared)) if stored != declared => {
                write!(f, "\n    stored    {stored}\n    declared  {declared}")?;
            }
            (Some(one), _) | (None, Some(one)) => write!(f, "\n    {one}")?,
            (None, None) => {}
        }
        for change in verdict.changes() {
            write!(f, "\n    - {change}")?;
        }
        match self.refusal() {
            Some(refusal) => write!(f, "\n    {}", refusal.cause()),
            None => Ok(()),
        }
    }
}
