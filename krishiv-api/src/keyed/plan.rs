//! What a program makes of the state that is stored, before it opens.

use crate::backend::StateBackend;
use crate::catalog::backend::BackendHub;
use crate::catalog::declared::{KeyRecord, mismatch};
use crate::catalog::judge::judge_others;
use crate::catalog::records::OperatorRecord;
use crate::catalog::stored::find_renamed;
use crate::catalog::verdict::StatePlan;
use crate::codec::keys::show_key;
use crate::codec::{Codec, decode};
use crate::error::StateError;
use crate::keyed::binder::{Binder, To};
use crate::keyed::count::{Count, Counted};
use crate::keyed::{KeyedBuilder, KeyedState};
use crate::scope::types::Types;
use crate::value::StateKey;
use std::fmt;
use std::sync::Arc;

/// What becomes of everything that is stored of an operator when the program opens.
///
/// Its `Display` is meant to be read before a deploy: each state, both sides where they differ, what changes, and what to write
/// to make it fit.
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
/// use std::sync::Arc;
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// let backend = Arc::new(InMemoryStateBackend::new());
/// Keyed::<Visits>::open(backend.clone())?.commit("")?;
/// let plan = Keyed::<Visits>::builder().plan(&backend)?;
/// assert_eq!(plan.to_string(), "operator `visits`\nstate `seen`: the same\n    ValueState<u64>\n");
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct Plan {
    operator: String,
    renamed_from: Option<String>,
    states: Vec<StatePlan>,
    /// The error of a key that is another.
    key: Option<StateError>,
    /// Where something is stored.
    count: Option<Count>,
}

impl Plan {
    /// Name of the operator.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::Plan) {
    /// println!("{}", plan.operator());
    /// # }
    /// ```
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The states: first those of the program, in the order of its fields, and then those that it does not declare, by name.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::Plan) {
    /// for state in plan.states() {
    ///     println!("{}: {}", state.state(), state.verdict());
    /// }
    /// # }
    /// ```
    pub fn states(&self) -> &[StatePlan] {
        &self.states
    }

    /// Whether a store would open.
    ///
    /// ```
    /// # fn example(plan: &krishiv_api::Plan) {
    /// if !plan.opens() {
    ///     eprintln!("{plan}");
    /// }
    /// # }
    /// ```
    pub fn opens(&self) -> bool {
        self.key.is_none() && self.states.iter().all(|state| state.verdict.opens())
    }

    /// Counts what is stored of each state that the program declares, and what of it the program could not read: by reading all that is
    /// stored of the operator. `progress` gets the number of records that were looked at, again and again and at the end.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState};
    /// use std::sync::Arc;
    ///
    /// #[derive(KeyedState)]
    /// #[state(key = String)]
    /// struct Visits { seen: ValueState<u64> }
    ///
    /// #[derive(KeyedState)]
    /// #[state(key = String, name = "visits")]
    /// struct Narrower { seen: ValueState<u8> }
    ///
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut visits = Keyed::<Visits>::open(backend.clone())?;
    /// visits.with_key("ann", |state| state.seen.set(7))?;
    /// visits.with_key("bob", |state| state.seen.set(700))?;
    /// visits.commit("")?;
    /// let counted = Keyed::<Narrower>::builder().plan(&backend)?.count(|_| ())?;
    /// assert_eq!((counted[0].values(), counted[0].unreadable()), (2, 1));
    /// assert_eq!(counted[0].first().and_then(|error| error.key()), Some("\"bob\""));
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend cannot be read, or a stored row is damaged.
    pub fn count(&self, progress: impl FnMut(u64)) -> Result<Vec<Counted>, StateError> {
        let counted = self.count.as_ref().map(|count| count.run(progress)).transpose();
        counted.map(Option::unwrap_or_default).map_err(|error| error.at_operator(&self.operator))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operator `{}`", self.operator)?;
        if let Some(old) = &self.renamed_from {
            write!(f, ", renamed from `{old}`")?;
        }
        f.write_str("\n")?;
        if let Some(error) = &self.key {
            writeln!(f, "key: impossible\n    {}", error.cause())?;
        }
        self.states.iter().try_for_each(|state| writeln!(f, "{state}"))
    }
}

impl<S: KeyedState> KeyedBuilder<S> {
    /// Says what would become of the stored state if a store was opened now; writes nothing, and may run beside open stores, of whose
    /// state it sees what is committed.
    ///
    /// ```
    /// use krishiv_api::{InMemoryStateBackend, Keyed, KeyedState, ValueState, Verdict};
    /// use std::sync::Arc;
    ///
    /// #[derive(KeyedState)]
    /// #[state(key = String)]
    /// struct Visits { seen: ValueState<u64> }
    ///
    /// #[derive(KeyedState)]
    /// #[state(key = String, name = "visits")]
    /// struct Wider { seen: ValueState<u128> }
    ///
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// Keyed::<Visits>::open(backend.clone())?.commit("")?;
    /// let plan = Keyed::<Wider>::builder().plan(&backend)?;
    /// assert!(plan.opens() && matches!(plan.states()[0].verdict(), Verdict::Readable { .. }));
    /// # Ok::<(), krishiv_api::StateError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend cannot be read, its catalog is damaged or of a newer format, or two stored operators or none can be the one
    /// that the program names.
    pub fn plan<B: StateBackend>(&self, backend: &Arc<B>) -> Result<Plan, StateError> {
        let (operator, former) = self.names();
        self.plan_of(backend, operator, &former).map_err(|error| error.at_operator(operator))
    }

    fn plan_of<B: StateBackend>(&self, backend: &Arc<B>, operator: &str, former: &[&str]) -> Result<Plan, StateError> {
        let rows = Arc::clone(backend).rows()?;
        // Whether this program knows the format.
        BackendHub::of(&rows.backend)?;
        let stored = find_renamed(&*rows.backend, operator, former)?;
        let (mut plan, states) = Plan::by::<S>(operator, stored.as_ref())?;
        plan.count = stored.map(|stored| {
            let (backend, operator) = (Arc::clone(&rows.backend), stored.id);
            Count { backend, operator, states, show_key: shown::<S::Key>, key_codec: stored.key.codec }
        });
        Ok(plan)
    }
}

impl Plan {
    /// What becomes of what is `stored` of an operator, and the types of the states of it that the program has.
    pub(crate) fn by<S: KeyedState>(
        operator: &str,
        stored: Option<&OperatorRecord>,
    ) -> Result<(Self, Vec<(String, Types)>), StateError> {
        let mut plan =
            Self { operator: operator.to_owned(), renamed_from: None, states: Vec::new(), key: None, count: None };
        if let Some(stored) = stored {
            let (key, _) = KeyRecord::of::<S::Key>();
            plan.renamed_from = Some(stored.name.clone()).filter(|name| name != operator);
            if stored.key.shape.compare(&key.shape).is_none() {
                plan.key = mismatch::<()>("key", &stored.key.shape, &key.shape).err();
            }
        }
        let to = To::Plan { stored, states: Vec::new() };
        let mut binder = Binder { to, descriptors: S::DESCRIPTORS, failure: None };
        S::attach(&mut binder)?;
        if let Some(failure) = binder.failure {
            return Err(failure);
        }
        let mut types = Vec::new();
        if let To::Plan { states, .. } = binder.to {
            for (state, its_types) in states {
                types.extend(its_types.map(|types| (state.state.clone(), types)));
                plan.states.push(state);
            }
        }
        plan.states.extend(stored.iter().flat_map(|stored| judge_others(&stored.states, S::DESCRIPTORS, S::DROPPED)));
        Ok((plan, types))
    }
}

/// A key as messages show it.
fn shown<K: StateKey>(codec: Codec, bytes: &[u8]) -> String {
    decode::<K>(codec, bytes).map_or_else(|_| format!("{bytes:02x?}"), |key| show_key(&key))
}
