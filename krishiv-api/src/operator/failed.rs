//! What becomes of what fails.

use crate::codec::keys::show_key;
use crate::operator::attempt::attempt;
use crate::operator::driver::Driver;
use crate::operator::on_error::Policy;
use crate::operator::{DeadLetter, KeyOf, Operator, OperatorCause, OperatorError, OperatorInput, Rejected};
use crate::quiet::drop_quietly;

impl<O: Operator> Driver<O> {
    pub(super) fn error(&self, input: OperatorInput, key: Option<&KeyOf<O>>, cause: OperatorCause) -> OperatorError {
        // What panics when it is encoded may do so when it is shown.
        let key = key.and_then(|key| attempt(|| Ok(show_key(key))).ok());
        OperatorError::new(&self.shared.operator, key, input, cause)
    }

    /// Takes back what has been emitted since there were `before` records, and does what the policy says.
    #[cold]
    pub(super) fn failed(
        &mut self,
        before: usize,
        input: OperatorInput,
        key: Option<&KeyOf<O>>,
        cause: OperatorCause,
        rejected: Option<Rejected<O::In>>,
    ) -> Result<(), OperatorError> {
        self.out.drain(before..).for_each(drop_quietly);
        self.asked.clear();
        let stops = cause.stops();
        let error = self.error(input, key, cause);
        match self.on_error.0 {
            Policy::Skip if !stops => {
                tracing::warn!(%error, "skipped");
                self.skipped += 1;
                self.shared.meter.skipped.add(1);
                Ok(())
            }
            Policy::DeadLetter { .. } | Policy::Report if !stops => {
                self.shared.meter.dead_letters.add(1);
                self.dead_letters.extend(rejected.map(|rejected| DeadLetter { rejected, error }));
                Ok(())
            }
            _ => Err(error),
        }
    }
}
