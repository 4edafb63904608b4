//! Calls that run a migration.

use crate::backend::StateBackend;
use crate::error::StateError;
use crate::keyed::KeyedState;
use crate::rekey::progress::Migrated;
use crate::rekey::setting::KeyMigration;
use std::sync::Arc;
use tracing::info_span;

/// Gives everything that is stored of an operator new keys: state, timers and their order. `Old` describes what is stored, `New` what
/// is to be.
///
/// It runs while no store of the operator is open, and streams. Broadcast states, positions, watermarks and clocks stay as they are, and
/// so do values: what `New` makes of those of other types is as when a store opens, and is refused in the same words. Killed at any point,
/// it leaves the old state to the old program or, once everything is written, the new one to the new program, never a part; run again,
/// it comes to its end, and where it has come to its end before it does nothing. A copy that was cut short begins anew. For a while both
/// states are stored.
///
/// [`KeyMigration`] is for what needs more than a function: map keys, keys that become one, functions that can fail, and progress.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState, migrate};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = u32, name = "visits")]
/// struct ById { seen: ValueState<u64> }
///
/// #[derive(KeyedState)]
/// #[state(key = String, name = "visits")]
/// struct ByName { seen: ValueState<u64> }
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// let mut visits = Keyed::<ById>::open(backend.clone())?;
/// visits.with_key(&7, |state| state.seen.set(3))?;
/// visits.commit("line 12")?;
/// drop(visits);
///
/// migrate::<ById, ByName>(&backend, |id| format!("user-{id}"))?;
///
/// let mut visits = Keyed::<ByName>::open(backend)?;
/// assert_eq!(visits.position(), Some(&b"line 12"[..]));
/// assert_eq!(visits.with_key("user-7", |state| state.seen.get())?, Some(3));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
///
/// # Errors
///
/// As [`KeyMigration::run`].
pub fn migrate<Old: KeyedState, New: KeyedState>(
    backend: &Arc<impl StateBackend>,
    key: impl Fn(Old::Key) -> New::Key + 'static,
) -> Result<Migrated, StateError> {
    KeyMigration::<Old, New>::new(key).run(backend)
}

impl<Old: KeyedState, New: KeyedState> KeyMigration<Old, New> {
    /// Runs the migration to its end.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let migrated = KeyMigration::<Dynamic<u32>, Dynamic<String>>::new(|id| id.to_string()).run(&backend)?;
    /// assert_eq!(migrated.keys, 0);
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Cause::KeyMigration`](crate::Cause::KeyMigration) when a function fails, or two keys become one and it is not said what that
    /// makes; it names the keys, and the state is as it was. [`Cause::RangeInUse`](crate::Cause::RangeInUse) when a store of the operator
    /// is open. [`Cause::Mismatch`](crate::Cause::Mismatch) when what is stored is neither `Old` nor `New`, or `New` cannot read its
    /// values. And when the backend fails: then the state is that of the old program or of the new one, and another run goes on.
    pub fn run(self, backend: &Arc<impl StateBackend>) -> Result<Migrated, StateError> {
        self.run_and_tell(backend, |_| ())
    }

    /// Does the same, and tells how far it is after each write of a few MiB.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let migration = KeyMigration::<Dynamic<u32>, Dynamic<String>>::new(|id| id.to_string());
    /// migration.run_and_tell(&backend, |migrated| println!("{} keys so far", migrated.keys))?;
    /// # Ok::<(), StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_and_tell(
        self,
        backend: &Arc<impl StateBackend>,
        mut tell: impl FnMut(Migrated),
    ) -> Result<Migrated, StateError> {
        let operator = self.operator.clone().unwrap_or_else(|| Old::OPERATOR.to_owned());
        let _span = info_span!("migrate", operator).entered();
        let rows = Arc::clone(backend).rows();
        rows.and_then(|rows| self.run_on(rows, &mut tell)).map_err(|error| error.at_operator(&operator))
    }
}
