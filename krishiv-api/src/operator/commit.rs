//! Commits: of one operator, and of several in one write.

use crate::backend::WriteBatch;
use crate::catalog::joint::Joint;
use crate::error::{Cause, StateError};
use crate::operator::{Driver, Operator};
use std::sync::atomic::Ordering;

impl<O: Operator> Driver<O> {
    /// Writes state, timers and watermark, with the `position` up to which the source has been processed, in one atomic
    /// write. What was emitted must be durable before.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let mut driver = Driver::builder(Distinct).open(Arc::new(InMemoryStateBackend::new()))?;
    /// driver.commit("offset 1")?;
    /// assert_eq!(driver.store().position(), Some(&b"offset 1"[..]));
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Keyed::commit`](crate::Keyed::commit).
    pub fn commit(&mut self, position: impl AsRef<[u8]>) -> Result<(), StateError> {
        self.store.commit(position)
    }

    /// Adds what this operator has to commit to `commit`, hands that to `then`, and counts as committed if that succeeds: so
    /// several operators on one backend, or several instances of one, commit together.
    ///
    /// ```
    #[doc = include_str!("example.txt")]
    /// let backend = Arc::new(InMemoryStateBackend::new());
    /// let mut clicks = Driver::builder(Distinct).store(Keyed::builder().operator("clicks")).open(backend.clone())?;
    /// let mut orders = Driver::builder(Distinct).store(Keyed::builder().operator("orders")).open(backend)?;
    /// clicks.commit_then(Commit::new("offset 1"), |commit| orders.commit_then(commit, Commit::write))?;
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// A `then` that writes nothing does not compile: only [`Commit::write`] gives what it has to return.
    ///
    /// ```compile_fail,E0308
    /// # use krishiv_api::*;
    /// # fn example<O: Operator>(driver: &mut Driver<O>) -> Result<(), StateError> {
    /// driver.commit_then(Commit::new("offset 1"), |_| Ok(()))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Keyed::commit`](crate::Keyed::commit), with what `then` returned, or when the operators are on different backends. Then everything stays
    /// as it was, and the commit can be repeated. A commit that `then` begins anew on this backend, instead of handing this one
    /// on, is refused by [`Cause::NestedCommit`].
    pub fn commit_then(
        &mut self,
        commit: Commit,
        then: impl FnOnce(Commit) -> Result<Committed, StateError>,
    ) -> Result<Committed, StateError> {
        let Commit { position, batch, mut joint } = commit;
        let refused = |reason: &str| {
            let reason = reason.to_owned();
            StateError::from(Cause::Setting { reason }).at_operator(&self.shared.operator)
        };
        if !joint.is_on_backend_of(&self.shared.hub) {
            return Err(refused("operators that commit together need one backend; open them on clones of one `Arc`"));
        }
        let written = joint.written();
        let then = |batch, joint| {
            let Committed(()) = then(Commit { position: position.clone(), batch, joint })?;
            let what = "what came back says that another commit was written; write the one that was handed on";
            if written.load(Ordering::Relaxed) { Ok(()) } else { Err(refused(what)) }
        };
        self.store.commit_with(&position, batch, joint, then)?;
        Ok(Committed(()))
    }
}

/// The commit of several operators, while they add to it one after the other.
///
/// See [`Driver::commit_then`] for an example.
#[must_use = "nothing is committed until `write` is called"]
pub struct Commit {
    position: Vec<u8>,
    batch: WriteBatch,
    joint: Joint,
}

impl Commit {
    /// A commit of nothing yet, at the `position` up to which the source has been processed.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator>(driver: &mut Driver<O>) -> Result<(), StateError> {
    /// driver.commit_then(Commit::new("offset 1"), Commit::write)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(position: impl Into<Vec<u8>>) -> Self {
        Self { position: position.into(), batch: WriteBatch::default(), joint: Joint::default() }
    }

    /// Writes what the operators have added, in one atomic write; the last `then`.
    ///
    /// ```
    /// # use krishiv_api::*;
    /// # fn example<O: Operator>(driver: &mut Driver<O>) -> Result<(), StateError> {
    /// driver.commit_then(Commit::new("offset 1"), |commit| commit.write())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the backend fails.
    pub fn write(self) -> Result<Committed, StateError> {
        self.joint.write(self.batch)?;
        Ok(Committed(()))
    }
}

/// Says that a [`Commit`] has been written: nothing but [`Commit::write`] makes one.
///
/// ```
/// # use krishiv_api::*;
/// let committed: Committed = Commit::new("offset 1").write()?;
/// # Ok::<(), StateError>(())
/// ```
#[derive(Debug)]
pub struct Committed(());
