//! How two records of a state become one.

use super::Slot;
use crate::codec::record;
use crate::error::StateError;
use crate::value::StateValue;

impl Slot {
    /// Makes one record of two, each with its slot, whichever versions of the type have written them; it ends when the later one would.
    pub(crate) fn merge<T: StateValue>(
        &self,
        (one_slot, one): (u16, &[u8]),
        (other_slot, other): (u16, &[u8]),
        merge: impl Fn(T, T) -> T,
    ) -> Result<(u16, Vec<u8>), StateError> {
        let merged = || {
            let (one, other) = (self.open(one_slot, one)?, self.open(other_slot, other)?);
            let stamp = if other.stamp.expires_at > one.stamp.expires_at { other.stamp } else { one.stamp };
            let value = merge(self.value(&one.head)?, self.value(&other.head)?);
            let (codec, _) = self.settle(&value, self.codec)?;
            let mut out = Vec::new();
            record::write(&value, self.how(codec, stamp), &mut out)?;
            Ok((self.current, out))
        };
        merged().map_err(|error| self.blame(error))
    }
}
