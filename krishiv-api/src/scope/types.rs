//! The types that the values of a state have had.

use crate::catalog::migration::Failed;
use crate::catalog::state::StateRecord;
use crate::catalog::today::{NoWay, Payload, Today, Way};
use crate::codec::record::{Head, run_length};
use crate::codec::{Codec, Old, Shape};
use crate::error::{Cause, StateError};
use crate::lock::lock;
use serde::de::IgnoredAny;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// The type of a state's values as the program has it, and those that it had before.
pub(crate) struct Types {
    record: Arc<StateRecord>,
    /// The version of the program's own type.
    own: u64,
    today: Today,
    /// Those of which a value was read, by their versions.
    others: Mutex<Vec<(u64, Arc<Other>)>>,
}

/// Another version of the type, made ready.
pub(super) struct Other {
    pub(super) old: Old,
    pub(super) way: Way,
}

impl Types {
    pub(crate) fn new(record: Arc<StateRecord>, own: u64, today: Today) -> Self {
        Self { record, own, today, others: Mutex::default() }
    }

    pub(super) fn record(&self) -> &StateRecord {
        &self.record
    }

    /// The version of what is written now.
    #[inline]
    pub(super) fn own(&self) -> u64 {
        self.own
    }

    /// The codec that the program's type asks for.
    pub(super) fn codec(&self) -> Codec {
        self.today.codec
    }

    /// The id of the state.
    pub(crate) fn slot(&self) -> u16 {
        self.record.slot
    }

    /// Whether what is behind `head` can be read.
    pub(crate) fn check(&self, head: &Head<'_>) -> Result<(), StateError> {
        if head.version == self.own {
            return Ok(());
        }
        let Other { old, way } = &*self.other(head.version, || None)?;
        let run = head.of_run();
        let payload = run.map_or_else(|| head.of_one().map(Payload::One), |run| Ok(Payload::Run(run)))?;
        self.today.check(way, old, head.codec, payload).map_err(|failed| misread(head, failed, old))
    }

    /// The error of what the program's own version has written and its type does not read. Two types of one shape are one version, and
    /// one of them may refuse what the other has written, such as a number that may not be zero any more: that is no damage. Of text nobody
    /// can say that it is of the shape, since anything passes by as what is ignored.
    #[cold]
    pub(super) fn own_misread(&self, head: &Head<'_>, error: StateError) -> StateError {
        let may_be_sound = || head.codec == Codec::Postcard && is_sound(head, &Old::new(&self.today.shape));
        match error.cause() {
            Cause::Decode { reason } if may_be_sound() => Cause::Unreadable { reason: reason.clone() }.into(),
            _ => error,
        }
    }

    /// Another version, and how its values are read; `find` knows those that were added since the store was opened.
    pub(super) fn other(
        &self,
        version: u64,
        find: impl FnOnce() -> Option<(Shape, Codec)>,
    ) -> Result<Arc<Other>, StateError> {
        let known = lock(&self.others).iter().find(|(own, _)| *own == version).map(|(_, other)| Arc::clone(other));
        if let Some(known) = known {
            return Ok(known);
        }
        let Some((shape, codec)) = self.record.type_of(version).or_else(find) else {
            let reason = format!("it is of version {version} of its type, which the catalog does not know");
            return Err(Cause::Decode { reason }.into());
        };
        let way = self.today.way(&shape, codec).map_err(|NoWay { reason, .. }| Cause::Unreadable { reason })?.0;
        let other = Arc::new(Other { old: Old::new(&shape), way });
        lock(&self.others).push((version, Arc::clone(&other)));
        Ok(other)
    }
}

/// The error of what another version, of the shape of `old`, has written and does not become a value of today's: damage, unless its bytes
/// are sound.
pub(super) fn misread(head: &Head<'_>, failed: Failed, old: &Old) -> StateError {
    let reason = match failed {
        Failed::Function(reason) => return Cause::Migration { reason }.into(),
        Failed::Read(reason) => format!("of version {} of its type: {reason}", head.version),
    };
    if is_sound(head, old) { Cause::Unreadable { reason }.into() } else { Cause::Decode { reason }.into() }
}

/// Whether a value of the shape of `old` lies behind `head`.
fn is_sound(head: &Head<'_>, old: &Old) -> bool {
    match (head.of_run(), head.of_one()) {
        (Some(run), _) => {
            let read = old.decode_run::<IgnoredAny>(head.codec, run, &mut VecDeque::new());
            read.is_ok_and(|read| run_length(read).is_ok())
        }
        (None, Ok(payload)) => old.decode::<IgnoredAny>(head.codec, payload).is_ok(),
        (None, Err(_)) => false,
    }
}
