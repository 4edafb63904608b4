//! What a crash leaves of a backend, as a type, so that the compiler can hold it against what a struct needs.

/// What was written is still there after a crash.
///
/// ```
/// use krishiv_api::{Durable, Survival};
/// assert!(Durable::DURABLE);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Durable {}

/// What was written ends with the process.
///
/// ```
/// use krishiv_api::{Survival, Volatile};
/// assert!(!Volatile::DURABLE);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Volatile {}

/// What a crash leaves: [`Durable`] or [`Volatile`].
///
/// ```
/// use krishiv_api::{InMemoryStateBackend, StateBackend};
/// assert!(!InMemoryStateBackend::DURABLE);
/// ```
pub trait Survival: Covers<Volatile> + Send + Sync + 'static {
    /// Whether it is all.
    const DURABLE: bool;
}

impl Survival for Durable {
    const DURABLE: bool = true;
}

impl Survival for Volatile {
    const DURABLE: bool = false;
}

/// It leaves what somebody needs who needs `Needs`.
pub trait Covers<Needs> {}

impl<Needs> Covers<Needs> for Durable {}

impl Covers<Volatile> for Volatile {}
