//! Why an operator stopped.

use crate::error::{Cause, ErrorKind, StateError};
use crate::operator::BoxError;
use crate::time::Timer;
use std::fmt;

/// An event, a timer or a broadcast that failed and was undone, with the operator and the key.
///
/// ```
/// # use krishiv_api::*;
/// struct Picky;
///
/// impl Operator for Picky {
///     type State = Dynamic<u64>;
///     type In = u64;
///     type Out = ();
///     fn key(&self, event: &u64) -> u64 { *event }
///     fn on_event(&mut self, _: &Dynamic<u64>, _: u64, _: &mut EventContext<'_, Self>) -> Result<(), BoxError> {
///         Err("not that one".into())
///     }
/// }
///
/// let error = Harness::new(|| Picky)?.event(13).unwrap_err();
/// assert_eq!(error.key(), Some("13"));
/// assert_eq!(error.to_string(), "operator `dynamic`, key `13`: the event failed and was undone: not that one");
/// # Ok::<(), BoxError>(())
/// ```
#[non_exhaustive]
pub struct OperatorError {
    // Boxed, so that the `Result` of an event stays one word.
    inner: Box<Inner>,
}

struct Inner {
    operator: String,
    key: Option<String>,
    input: OperatorInput,
    cause: OperatorCause,
}

/// What an operator was doing when it failed.
///
/// ```
/// # use krishiv_api::*;
/// assert_eq!(OperatorInput::Event.to_string(), "the event failed and was undone");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperatorInput {
    /// Processing an event.
    Event,
    /// Processing a timer.
    Timer(Timer),
    /// Taking in a broadcast.
    Broadcast,
    /// Looking for timers that are due.
    Timers,
    /// Opening its state.
    Open,
    /// Committing.
    Commit,
}

impl fmt::Display for OperatorInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event => f.write_str("the event failed and was undone"),
            Self::Timer(timer) => write!(f, "the {timer} failed and was undone"),
            Self::Broadcast => f.write_str("the broadcast failed and was undone"),
            Self::Timers => f.write_str("the timers cannot be read"),
            Self::Open => f.write_str("the state cannot be opened"),
            Self::Commit => f.write_str("the commit failed"),
        }
    }
}

/// Why an operator failed.
///
/// ```
/// # use krishiv_api::*;
/// let cause = OperatorCause::from(StateError::damaged("torn"));
/// assert!(matches!(cause, OperatorCause::State(_)));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OperatorCause {
    /// A state did.
    #[error("{}{}", StateName(.0), .0.cause())]
    State(#[source] StateError),
    /// The operator returned an error.
    #[error("{0}")]
    Failed(#[source] BoxError),
    /// The operator panicked, with this message.
    #[error("it panicked: {0}")]
    Panicked(String),
}

impl fmt::Debug for OperatorCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A state's name in front of what is wrong with it.
struct StateName<'a>(&'a StateError);

impl fmt::Display for StateName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.state().map_or(Ok(()), |state| write!(f, "state `{state}`: "))
    }
}

impl From<StateError> for OperatorCause {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<BoxError> for OperatorCause {
    fn from(error: BoxError) -> Self {
        error.downcast().map_or_else(Self::Failed, |error| Self::State(*error))
    }
}

impl OperatorCause {
    /// Whether nothing that follows could be processed either.
    pub(super) fn stops(&self) -> bool {
        let Self::State(error) = self else { return false };
        matches!(error.kind(), ErrorKind::Backend | ErrorKind::Corrupt | ErrorKind::Incompatible)
            || matches!(error.cause(), Cause::ForeignKey { .. })
    }
}

impl OperatorError {
    pub(super) fn new(operator: &str, key: Option<String>, input: OperatorInput, cause: OperatorCause) -> Self {
        let state_key = match &cause {
            OperatorCause::State(error) => error.key().map(str::to_owned),
            _ => None,
        };
        let key = state_key.or(key);
        Self { inner: Box::new(Inner { operator: operator.to_owned(), key, input, cause }) }
    }

    /// A state failed outside of any event.
    pub(super) fn of_state(input: OperatorInput, error: StateError) -> Self {
        let operator = error.operator().unwrap_or_default().to_owned();
        Self::new(&operator, None, input, error.into())
    }

    /// Name of the operator.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example(error: &OperatorError) {
    /// eprintln!("{} stopped", error.operator());
    /// # }
    /// ```
    pub fn operator(&self) -> &str {
        &self.inner.operator
    }

    /// The key being processed, as JSON, where one was.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example(error: &OperatorError) {
    /// eprintln!("at key {}", error.key().unwrap_or("-"));
    /// # }
    /// ```
    pub fn key(&self) -> Option<&str> {
        self.inner.key.as_deref()
    }

    /// What the operator was doing.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example(error: &OperatorError) {
    /// let again = matches!(error.input(), OperatorInput::Timer(_)); // it fires again at the next advance
    /// # }
    /// ```
    pub fn input(&self) -> OperatorInput {
        self.inner.input
    }

    /// Why it failed.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example(error: &OperatorError) {
    /// if let OperatorCause::Panicked(message) = error.cause() {
    ///     eprintln!("a bug: {message}");
    /// }
    /// # }
    /// ```
    pub fn cause(&self) -> &OperatorCause {
        &self.inner.cause
    }
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operator, key, input, cause } = &*self.inner;
        write!(f, "operator `{operator}`")?;
        if let Some(key) = key {
            write!(f, ", key `{key}`")?;
        }
        write!(f, ": {input}: {cause}")
    }
}

impl fmt::Debug for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for OperatorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.cause.source()
    }
}
