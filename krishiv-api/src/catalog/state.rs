//! A state as the catalog has it: its kind, the types that its values have had, and when its records end.

use crate::catalog::declared::{Declared, KeyRecord, describe};
use crate::catalog::expiry::{Era, Expiry, Moment, Rule, Switches, Ttl};
use crate::catalog::today::Today;
use crate::codec::keys::STAMPED;
use crate::codec::record::FIRST_VERSION;
use crate::codec::{Codec, News, Shape};
use crate::descriptor::StateKind;
use crate::error::{Cause, StateError};
use serde::{Deserialize, Serialize};

/// A state: what it is, and how its records are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateRecord {
    pub(crate) slot: u16,
    pub(crate) name: String,
    pub(crate) kind: StateKind,
    /// The version of the newest type of its values; the first is 1.
    version: u64,
    /// That type, and the codec that it asks for; formats before 7 did not keep that.
    value: Shape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codec: Option<Codec>,
    /// The types of the versions before, from the first on: what they wrote may still be stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<TypeRecord>,
    /// The names that it had before, the last one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former_names: Vec<String>,
    pub(crate) map_key: Option<KeyRecord>,
    pub(crate) ttl: Option<Ttl>,
    /// Whether records without an expiry stamp may be stored.
    pub(crate) plain: bool,
    /// Whether records with an expiry stamp may be stored.
    pub(crate) stamped: bool,
    pub(crate) switches: Switches,
    /// The times in which it had a TTL by another clock, or none, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) eras: Vec<Era>,
}

/// A type that a state's values had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TypeRecord {
    value: Shape,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codec: Option<Codec>,
}

impl StateRecord {
    fn rule(&self) -> Rule {
        Rule { ttl: self.ttl, switches: self.switches }
    }

    /// The slot of what is written now, and the other one if older records may lie there.
    pub(crate) fn disk_slots(&self) -> (u16, Option<u16>) {
        let (plain, stamped) = (self.slot, self.slot | STAMPED);
        match self.ttl {
            Some(_) => (stamped, self.plain.then_some(plain)),
            None => (plain, self.stamped.then_some(stamped)),
        }
    }

    /// When its records end.
    pub(crate) fn expiry(&self) -> Expiry {
        Expiry::new(self.rule(), self.eras.clone())
    }

    /// That of a new state.
    pub(super) fn new(slot: u16, declared: &Declared<'_>) -> Self {
        let stamped = declared.ttl.is_some();
        Self {
            slot,
            name: declared.name.name.to_owned(),
            kind: declared.kind,
            version: FIRST_VERSION,
            value: declared.value.shape.clone(),
            codec: Some(declared.value.codec),
            earlier: Vec::new(),
            former_names: Vec::new(),
            map_key: declared.map_key.clone(),
            ttl: declared.ttl,
            plain: !stamped,
            stamped,
            switches: Switches::default(),
            eras: Vec::new(),
        }
    }

    /// That of a state whose values have had these types, the first one first; none without a type.
    pub(super) fn of_types(
        (slot, name): (u16, &str),
        kind: StateKind,
        map_key: Option<KeyRecord>,
        types: Vec<(Shape, Codec)>,
    ) -> Option<Self> {
        let mut types: Vec<_> =
            types.into_iter().map(|(value, codec)| TypeRecord { value, codec: Some(codec) }).collect();
        let TypeRecord { value, codec } = types.pop()?;
        Some(Self {
            slot,
            name: name.to_owned(),
            kind,
            version: types.len() as u64 + FIRST_VERSION,
            value,
            codec,
            earlier: types,
            former_names: Vec::new(),
            map_key,
            ttl: None,
            plain: true,
            stamped: false,
            switches: Switches::default(),
            eras: Vec::new(),
        })
    }

    /// Refuses what no program has written: versions of which it is not known which is which.
    pub(super) fn check(&self) -> Result<(), StateError> {
        if self.version == self.earlier.len() as u64 + FIRST_VERSION {
            return Ok(());
        }
        let (name, types) = (&self.name, self.earlier.len() + 1);
        let reason =
            format!("the catalog is damaged: it has {types} types for the {} versions of state `{name}`", self.version);
        Err(Cause::Damaged { reason }.into())
    }

    /// The type of a version, and the codec that it asks for.
    pub(crate) fn type_of(&self, version: u64) -> Option<(Shape, Codec)> {
        self.types().find_map(|(own, shape, codec)| (own == version).then(|| (shape.clone(), codec)))
    }

    /// All types that its values have had, by their versions, the newest first, each with the codec that it asks for.
    pub(super) fn types(&self) -> impl Iterator<Item = (u64, &Shape, Codec)> {
        let earlier = self.earlier.iter().enumerate().rev();
        let earlier = earlier.map(|(at, earlier)| (FIRST_VERSION + at as u64, &earlier.value, earlier.codec));
        let all = std::iter::once((self.version, &self.value, self.codec)).chain(earlier);
        // What could only be described was written by a codec that describes.
        let guess = |shape: &Shape| if shape.is_described() { Codec::MessagePack } else { Codec::Postcard };
        all.map(move |(version, shape, codec)| (version, shape, codec.unwrap_or_else(|| guess(shape))))
    }

    /// The version of the program's own type, if there is one, and whether more is known of the type now than then.
    pub(super) fn own_version(&self, declared: &Shape) -> Option<(u64, News)> {
        self.types().find_map(|(version, stored, _)| Some((version, stored.compare(declared)?)))
    }

    /// The version of a type of this shape, or the one that it would get.
    pub(crate) fn version_of(&self, declared: &Shape) -> u64 {
        self.own_version(declared).map_or(self.version + 1, |(version, _)| version)
    }

    /// Makes it what the program declares, which it can be; returns the version of the program's type.
    pub(super) fn take(&mut self, declared: &Declared<'_>, now: impl FnOnce() -> Moment) -> Result<u64, StateError> {
        if let (Some(stored), Some(declared)) = (&mut self.map_key, &declared.map_key) {
            stored.fit("map key", declared)?;
        }
        if self.name != declared.name.name {
            let former = std::mem::replace(&mut self.name, declared.name.name.to_owned());
            self.former_names.retain(|name| *name != former && *name != self.name);
            self.former_names.push(former);
        }
        let version = self.take_type(&declared.value);
        if self.ttl != declared.ttl {
            let mut rule = self.rule();
            self.eras.extend(rule.switch(declared.ttl, now()));
            (self.ttl, self.switches) = (rule.ttl, rule.switches);
            self.plain |= declared.ttl.is_none();
            self.stamped |= declared.ttl.is_some();
        }
        Ok(version)
    }

    /// Finds the version of the program's type, or adds one.
    fn take_type(&mut self, today: &Today) -> u64 {
        let Some((version, news)) = self.own_version(&today.shape) else {
            let value = std::mem::replace(&mut self.value, today.shape.clone());
            self.earlier.push(TypeRecord { value, codec: self.codec.replace(today.codec) });
            self.version += 1;
            return self.version;
        };
        if news == News::More {
            let at = usize::try_from(version - FIRST_VERSION).unwrap_or(usize::MAX);
            let (value, codec) = match self.earlier.get_mut(at) {
                Some(earlier) => (&mut earlier.value, &mut earlier.codec),
                None => (&mut self.value, &mut self.codec),
            };
            value.clone_from(&today.shape);
            *codec = Some(today.codec);
        }
        version
    }

    /// Its type, as messages name it.
    pub(crate) fn describe(&self) -> String {
        describe(self.kind, self.map_key.as_ref().map(|key| &key.shape), &self.value)
    }
}
