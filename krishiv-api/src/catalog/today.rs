//! The type that a state's values have in this program, and what it makes of values of other types.

use crate::catalog::migration::{Failed, Migration};
use crate::catalog::verdict::TypeChange;
use crate::codec::{Change, Codec, Fit, Old, Shape, fit};
use crate::value::StateValue;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;

/// The type of a state's values as the program has it.
#[derive(Clone)]
pub(crate) struct Today {
    pub(crate) shape: Shape,
    /// The codec that it asks for.
    pub(crate) codec: Codec,
    fit: fn(&Shape, Codec, &Shape) -> Fit,
    check: Check,
    migrations: Vec<Migration>,
}

/// Reads a value of another type, or several that were written together, and drops what it has read.
type Check = fn(&Way, &Old, Codec, Payload<'_>) -> Result<(), Failed>;

/// What was stored of a value, or of several.
pub(crate) enum Payload<'a> {
    One(&'a [u8]),
    Run(&'a [u8]),
}

/// How values of another type come to be of today's.
#[derive(Clone)]
pub(crate) enum Way {
    /// By their names.
    Read,
    /// By a function of the program.
    Migrate(Migration),
}

/// Why there is no such way.
pub(crate) struct NoWay {
    pub(crate) changes: Vec<TypeChange>,
    pub(crate) reason: String,
}

impl Today {
    pub(crate) fn of<T: StateValue>(shape: Shape, codec: Codec) -> Self {
        Self { shape, codec, fit: fit::<T>, check: check::<T>, migrations: Vec::new() }
    }

    /// The same with functions that make its values of older ones.
    pub(crate) fn with_migrations(self, migrations: &[Migration]) -> Self {
        Self { migrations: migrations.to_vec(), ..self }
    }

    /// Whether a value of another type can be read.
    pub(crate) fn check(&self, way: &Way, old: &Old, codec: Codec, payload: Payload<'_>) -> Result<(), Failed> {
        (self.check)(way, old, codec, payload)
    }

    /// How values that were written by a type of the shape `written` are read, and what is another.
    ///
    /// A function for that very type is asked first, since it knows more than names say; one for a type that can read such values
    /// only where today's type cannot.
    pub(crate) fn way(&self, written: &Shape, codec: Codec) -> Result<(Way, Vec<TypeChange>), NoWay> {
        let by = |migration: &Migration| {
            let text = format!("made of {} by the function of `migrate`", migration.from());
            Ok((Way::Migrate(migration.clone()), vec![TypeChange { text, checked: true }]))
        };
        if let Some(own) = self.migrations.iter().find(|migration| migration.is_of(written)) {
            return by(own);
        }
        match (self.fit)(written, codec, &self.shape) {
            Fit::Same => Ok((Way::Read, Vec::new())),
            Fit::Readable { changes } => Ok((Way::Read, told(&changes))),
            Fit::Unreadable { changes, reason } => {
                let reads = self.migrations.iter().find(|migration| migration.reads(written, codec));
                reads.map_or_else(|| Err(NoWay { changes: told(&changes), reason }), by)
            }
        }
    }
}

fn check<T: StateValue>(way: &Way, old: &Old, codec: Codec, payload: Payload<'_>) -> Result<(), Failed> {
    match payload {
        Payload::One(bytes) => way.one::<T>(old, codec, bytes).map(drop),
        Payload::Run(bytes) => way.run(old, codec, bytes, &mut VecDeque::<T>::new()).map(drop),
    }
}

fn told(changes: &[Change]) -> Vec<TypeChange> {
    let told = |change: &Change| TypeChange { text: change.to_string(), checked: change.checked };
    changes.iter().map(told).collect()
}

impl Way {
    /// Reads a value that was written under the shape of `old`.
    pub(crate) fn one<T: DeserializeOwned + 'static>(
        &self,
        old: &Old,
        codec: Codec,
        bytes: &[u8],
    ) -> Result<T, Failed> {
        match self {
            Self::Read => old.decode(codec, bytes).map_err(Failed::Read),
            Self::Migrate(migration) => migration.one(old, codec, bytes),
        }
    }

    /// Reads values that were written together, and puts them behind `values`; returns how many there were.
    pub(crate) fn run<T: DeserializeOwned + 'static>(
        &self,
        old: &Old,
        codec: Codec,
        bytes: &[u8],
        values: &mut VecDeque<T>,
    ) -> Result<usize, Failed> {
        match self {
            Self::Read => old.decode_run(codec, bytes, values).map_err(Failed::Read),
            Self::Migrate(migration) => migration.run(old, codec, bytes, values),
        }
    }
}
