//! A batch of events, each atomic by itself.

use crate::StateError;
use crate::error::BatchError;
use crate::keyed::{Keyed, KeyedState};
use crate::value::AsKey;

/// What the closure of [`Keyed::for_each_event`] may return: nothing, or a `Result` whose error undoes the event.
///
/// ```
/// use krishiv_api::EventResult;
/// assert!(().into_result().is_ok());
/// assert!(Err::<(), _>(krishiv_api::StateError::damaged("torn")).into_result().is_err());
/// ```
pub trait EventResult {
    /// What an event fails with.
    type Error: From<StateError>;

    /// The result.
    ///
    /// ```
    /// use krishiv_api::EventResult;
    /// assert!(().into_result().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// When the event is to be undone.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl EventResult for () {
    type Error = StateError;
    fn into_result(self) -> Result<(), StateError> {
        Ok(())
    }
}

impl<E: From<StateError>> EventResult for Result<(), E> {
    type Error = E;
    fn into_result(self) -> Self {
        self
    }
}

impl<S: KeyedState> Keyed<S> {
    /// Processes a batch of events in order, each atomic by itself, until one fails.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # use std::sync::Arc;
    /// # #[derive(KeyedState)]
    /// # #[state(key = String)]
    /// # struct Visits { seen: ValueState<u64> }
    /// let mut visits = Keyed::<Visits>::open(Arc::new(InMemoryStateBackend::new()))?;
    /// let batch = [("ann".to_owned(), 3), ("bob".to_owned(), 4)];
    /// visits.for_each_event(batch, |(name, _)| name, |state, (_, count)| state.seen.set(count))?;
    /// assert_eq!(visits.with_key("bob", |state| state.seen.get())?, Some(4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Which event failed, and with what. Those before it are applied; those after it were not tried.
    pub fn for_each_event<E, Q, R>(
        &mut self,
        batch: impl IntoIterator<Item = E>,
        key_of: impl Fn(&E) -> &Q,
        mut event: impl FnMut(&S, E) -> R,
    ) -> Result<(), BatchError<R::Error>>
    where
        Q: AsKey<S::Key> + ?Sized,
        R: EventResult,
    {
        for (index, item) in batch.into_iter().enumerate() {
            // The key is part of the item, which the event consumes.
            let key = key_of(&item).to_owned();
            let result = self.try_with_key(Q::borrowed(&key), |state| event(state, item).into_result());
            result.map_err(|error| BatchError::new(index, error))?;
        }
        Ok(())
    }
}
