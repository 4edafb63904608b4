//! How many stored values do not read as those of today's type: what the verdict of a plan depends on.

use crate::backend::AnyBackend;
use crate::codec::keys::{OPERATOR_GROUP, Parts, STAMPED, operator_prefix, parse};
use crate::codec::row::values;
use crate::codec::{Codec, record};
use crate::error::StateError;
use crate::scope::types::Types;
use std::collections::HashMap;
use std::sync::Arc;

/// Records between two calls of who wants to know how far it is.
const STEP: u64 = 1_024;

/// How many values of a state are stored, and how many of them the program cannot read.
///
/// List elements that one commit has appended are one value.
///
/// ```
/// # fn example(plan: &krishiv_api::Plan) -> Result<(), krishiv_api::StateError> {
/// for counted in plan.count(|records| eprintln!("{records} records"))? {
///     println!("{}: {} of {} do not read", counted.state(), counted.unreadable(), counted.values());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Counted {
    state: String,
    values: u64,
    unreadable: u64,
    first: Option<StateError>,
}

impl Counted {
    /// Name of the state in the program.
    ///
    /// ```
    /// # fn example(counted: &krishiv_api::Counted) {
    /// println!("{}", counted.state());
    /// # }
    /// ```
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Values that are stored, those of whose time has ended and that are not deleted yet included.
    ///
    /// ```
    /// # fn example(counted: &krishiv_api::Counted) {
    /// println!("{}", counted.values());
    /// # }
    /// ```
    pub fn values(&self) -> u64 {
        self.values
    }

    /// Those of them that would be an error if they were read.
    ///
    /// ```
    /// # fn example(counted: &krishiv_api::Counted) {
    /// println!("{}", counted.unreadable());
    /// # }
    /// ```
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// The error of the first of those, with its key.
    ///
    /// ```
    /// # fn example(counted: &krishiv_api::Counted) {
    /// if let Some(error) = counted.first() {
    ///     eprintln!("{error}");
    /// }
    /// # }
    /// ```
    pub fn first(&self) -> Option<&StateError> {
        self.first.as_ref()
    }
}

/// What there is to count, and where.
pub(super) struct Count {
    pub(super) backend: Arc<dyn AnyBackend>,
    pub(super) operator: u16,
    /// The states that are stored and declared, in the order of the fields.
    pub(super) states: Vec<(String, Types)>,
    /// Shows a key by its bytes, which are of this codec.
    pub(super) show_key: fn(Codec, &[u8]) -> String,
    pub(super) key_codec: Codec,
}

impl Count {
    pub(super) fn run(&self, mut progress: impl FnMut(u64)) -> Result<Vec<Counted>, StateError> {
        let new = |(state, _): &(String, _)| Counted { state: state.clone(), values: 0, unreadable: 0, first: None };
        let mut counted: Vec<Counted> = self.states.iter().map(new).collect();
        let places: HashMap<u16, usize> =
            self.states.iter().enumerate().map(|(place, (_, types))| (types.slot(), place)).collect();
        let mut seen = 0;
        for record in self.backend.scan(&operator_prefix(self.operator)) {
            let (key, value) = record?;
            let Some(parts) = parse(&key).filter(|parts| !parts.is_timer()) else { continue };
            let mut look = |disk_slot: u16, record: &[u8]| {
                let found =
                    places.get(&(disk_slot & !STAMPED)).and_then(|place| Some((place, counted.get_mut(*place)?)));
                if let Some((place, counted)) = found {
                    self.look(*place, (&parts, disk_slot, record), counted);
                }
            };
            if parts.is_row() {
                for found in values(&value) {
                    let (place, at) =
                        found.map_err(|error| error.at_key(|| (self.show_key)(self.key_codec, parts.key)))?;
                    // What lies apart has a record of its own.
                    if !place.apart {
                        look(place.slot, value.get(at).unwrap_or_default());
                    }
                }
            } else {
                look(parts.slot, &value);
            }
            seen += 1;
            if seen % STEP == 0 {
                progress(seen);
            }
        }
        progress(seen);
        Ok(counted)
    }

    /// Counts one value.
    fn look(&self, place: usize, (parts, disk_slot, record): (&Parts<'_>, u16, &[u8]), counted: &mut Counted) {
        let Some((name, types)) = self.states.get(place) else { return };
        counted.values += 1;
        let looked = record::head(record, disk_slot & STAMPED != 0).and_then(|head| types.check(&head));
        if let Err(error) = looked {
            counted.unreadable += 1;
            counted.first.get_or_insert_with(|| {
                let error = error.at_state(name);
                if parts.group == OPERATOR_GROUP {
                    error
                } else {
                    error.at_key(|| (self.show_key)(self.key_codec, parts.key))
                }
            });
        }
    }
}
