//! What a struct of handles is to its store.

use crate::backend::Survival;
use crate::descriptor::StateDescriptor;
use crate::error::StateError;
use crate::keyed::binder::Binder;
use crate::scope::any_handle::Bound;
use crate::state::handle::Visitor;
use crate::value::StateKey;

/// A struct of state handles; `#[derive(KeyedState)]` implements it.
///
/// ```
/// use krishiv_api::{KeyedState, ValueState};
///
/// #[derive(KeyedState)]
/// #[state(key = String)]
/// struct Visits { seen: ValueState<u64> }
///
/// assert_eq!(Visits::OPERATOR, "visits");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare keyed state",
    label = "no `#[derive(KeyedState)]` on this type",
    note = "derive it on a struct of handles, and name its key: `#[derive(KeyedState)] #[state(key = String)]`"
)]
pub trait KeyedState: Sized + Send + 'static {
    /// What the state is kept per.
    type Key: StateKey;

    /// What a crash must leave of the state: all, [`Durable`](crate::Durable), or nothing, [`Volatile`](crate::Volatile). See
    /// [`Keeps`](crate::Keeps).
    type Needs: Survival;

    /// What is held in memory of one key.
    #[doc(hidden)]
    type Row: Default + Send + 'static;

    /// Name of the operator in the catalog.
    const OPERATOR: &'static str;

    /// The declared states, in the order of the fields.
    const DESCRIPTORS: &'static [StateDescriptor];

    /// The names that the operator had before.
    const RENAMED_FROM: &'static [&'static str] = &[];

    /// The states that the program has given up: what is stored of them is deleted.
    const DROPPED: &'static [&'static str] = &[];

    /// Whether the state must survive a crash, so that only a durable backend will do.
    const DURABLE: bool = <Self::Needs as Survival>::DURABLE;

    #[doc(hidden)]
    fn attach(binder: &mut Binder<'_>) -> Result<Self, StateError>;

    #[doc(hidden)]
    fn visit<V: Visitor>(&mut self, row: &mut Self::Row, visitor: &mut V);

    #[doc(hidden)]
    fn handle(&self, index: usize) -> Option<Bound<'_>>;
}
