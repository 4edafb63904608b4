//! `#[state(…)]`: what was given.

use crate::errors::Errors;
use crate::keys::{ON_FIELD, ON_STRUCT};
use crate::migrate;
use crate::scan::scan;
use crate::setting::{Clock, Given, Migrate, Names, Setting, Update, key};
use crate::value;
use proc_macro2::Ident;
use syn::{Attribute, ExprPath, LitStr, Path, Type};

/// The attributes of the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) key: Setting<Type>,
    pub(crate) name: Setting<LitStr>,
    pub(crate) durable: Setting<()>,
    pub(crate) renamed_from: Setting<Names>,
    pub(crate) dropped: Setting<Names>,
    pub(crate) runtime: Setting<Path>,
    /// An attribute could not be read at all, and may have held anything.
    pub(crate) malformed: bool,
}

/// The attributes of a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) name: Setting<LitStr>,
    pub(crate) ttl: Setting<u64>,
    pub(crate) clock: Setting<Clock>,
    pub(crate) ttl_update: Setting<Update>,
    pub(crate) reduce: Setting<ExprPath>,
    pub(crate) renamed_from: Setting<Names>,
    pub(crate) migrate: Vec<Given<Migrate>>,
    pub(crate) skip: Setting<()>,
}

impl FieldAttrs {
    /// The keys that were given beside `skip`.
    pub(crate) fn beside_skip(&self) -> impl Iterator<Item = &Ident> {
        let Self { name, ttl, clock, ttl_update, reduce, renamed_from, migrate, skip: _ } = self;
        let once = [key(name), key(ttl), key(clock), key(ttl_update), key(reduce), key(renamed_from)];
        once.into_iter().flatten().chain(migrate.iter().map(|given| &given.key))
    }

    /// The migrations that were given without a mistake.
    pub(crate) fn migrations(&self) -> impl Iterator<Item = &Migrate> {
        self.migrate.iter().filter_map(|given| given.value.as_ref())
    }
}

/// Reads the attributes of the struct.
pub(crate) fn on_struct(attrs: &[Attribute], errors: &mut Errors) -> StructAttrs {
    let mut found = StructAttrs::default();
    let malformed = scan(attrs, &ON_STRUCT, errors, |name, entry| match name {
        "key" => entry.fill(&mut found.key, value::key_type),
        "name" => entry.fill(&mut found.name, value::text),
        "durable" => entry.raise(&mut found.durable),
        "renamed_from" => entry.name(&mut found.renamed_from),
        "dropped" => entry.name(&mut found.dropped),
        _ => entry.fill(&mut found.runtime, value::module),
    });
    found.malformed = malformed;
    found
}

/// Reads the attributes of a field.
pub(crate) fn on_field(attrs: &[Attribute], errors: &mut Errors) -> FieldAttrs {
    let mut found = FieldAttrs::default();
    scan(attrs, &ON_FIELD, errors, |name, entry| match name {
        "name" => entry.fill(&mut found.name, value::text),
        "ttl" => entry.fill(&mut found.ttl, value::ttl),
        "clock" => entry.fill(&mut found.clock, value::clock),
        "ttl_update" => entry.fill(&mut found.ttl_update, value::update),
        "reduce" => entry.fill(&mut found.reduce, value::function),
        "renamed_from" => entry.name(&mut found.renamed_from),
        "migrate" => entry.add(&mut found.migrate, migrate::parts),
        _ => entry.raise(&mut found.skip),
    });
    found
}
