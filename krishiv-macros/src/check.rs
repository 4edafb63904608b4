//! The rules that a struct of handles keeps, one function each.

use crate::ast::{Field, Tree};
use crate::errors::Errors;
use crate::setting::{self, Given};
use crate::{hint, names};
use proc_macro2::Span;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use syn::LitStr;
use syn::spanned::Spanned;

/// Reports every rule that the struct breaks.
pub(crate) fn check(tree: &Tree<'_>, errors: &mut Errors) {
    has_a_key(tree, errors);
    has_a_state(tree, errors);
    operator_has_a_good_name(tree, errors);
    owns_what_it_holds(tree, errors);
    for field in &tree.fields {
        skip_stands_alone(field, errors);
        skip_is_not_on_a_handle(field, errors);
    }
    for field in tree.states() {
        is_not_known_as_something_else(field, errors);
        state_has_a_good_name(field, errors);
        ttl_settings_have_a_ttl(field, errors);
        ttl_is_on_keyed_state(field, errors);
        reducer_is_on_reducing_state(field, errors);
    }
    stores_what_it_owns(tree, errors);
    names_are_unique(tree, errors);
    former_names_are_free(tree, errors);
}

fn has_a_key(tree: &Tree<'_>, errors: &mut Errors) {
    if tree.attrs.key.is_none() && !tree.attrs.malformed {
        errors.on(
            &tree.input.ident,
            "what is the state kept per? Give the type of the key: `#[state(key = String)]` on the struct",
        );
    }
}

fn has_a_state(tree: &Tree<'_>, errors: &mut Errors) {
    if !tree.fields.is_empty() && tree.states().next().is_none() {
        errors.on(&tree.input.ident, "every field of this struct is skipped; at least one must be a state");
    }
}

fn operator_has_a_good_name(tree: &Tree<'_>, errors: &mut Errors) {
    let refuse = |name: &str| names::refuse(name, "an operator", "aircraft");
    match &tree.attrs.name {
        Some(Given { value: None, .. }) => {}
        Some(Given { value: Some(name), .. }) => {
            if let Some(refused) = refuse(&name.value()) {
                errors.on(name, refused.message(quoted));
            }
        }
        None => {
            if let Some(refused) = refuse(&names::snake_case(&tree.input.ident.to_string())) {
                errors.on(&tree.input.ident, refused.message(|name| format!("{} on the struct", attribute(name))));
            }
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn attribute(name: &str) -> String {
    format!("`#[state(name = \"{name}\")]`")
}

fn owns_what_it_holds(tree: &Tree<'_>, errors: &mut Errors) {
    for param in tree.input.generics.lifetimes() {
        errors.on(
            &param.lifetime,
            "a keyed state outlives every event and borrows nothing; remove this lifetime and own the data",
        );
    }
}

fn stores_what_it_owns(tree: &Tree<'_>, errors: &mut Errors) {
    // A reference for a lifetime of the struct is a mistake that was reported there.
    if tree.input.generics.lifetimes().next().is_some() {
        return;
    }
    for reference in tree.states().flat_map(|field| hint::borrowed(field.ty)) {
        errors.on(reference, "state is stored and read back, so it is owned, like `String`; remove this `&`");
    }
}

fn skip_stands_alone(field: &Field<'_>, errors: &mut Errors) {
    if field.attrs.skip.is_some() {
        for key in field.attrs.beside_skip() {
            errors.on(
                key,
                format_args!("a skipped field is no state, so `{key}` has no effect; remove it, or remove `skip`"),
            );
        }
    }
}

fn skip_is_not_on_a_handle(field: &Field<'_>, errors: &mut Errors) {
    let Some(Given { key, value: Some(()) }) = &field.attrs.skip else { return };
    if let (Some(handle), None) = (hint::handle(field.ty), field.attrs.beside_skip().next()) {
        errors.on(key, format_args!("a skipped `{handle}` would be in no store; remove `skip`, or the field"));
    }
}

fn is_not_known_as_something_else(field: &Field<'_>, errors: &mut Errors) {
    if let Some(what) = hint::known_as(field.ty) {
        errors.on(field.ty, format_args!("`{}` is {what}, or mark the field `#[state(skip)]`", field.ident));
    }
}

fn state_has_a_good_name(field: &Field<'_>, errors: &mut Errors) {
    let Some(refused) = names::refuse(&field.name(), "a state", "late_streak") else { return };
    match setting::value(&field.attrs.name) {
        Some(name) => errors.on(name, refused.message(quoted)),
        None => errors.on(field.ident, refused.message(|name| format!("{} on the field", attribute(name)))),
    }
}

fn name_span(field: &Field<'_>) -> Span {
    setting::value(&field.attrs.name).map_or_else(|| field.ident.span(), Spanned::span)
}

fn names_are_unique(tree: &Tree<'_>, errors: &mut Errors) {
    // The first field of each name, and whether it was reported.
    let mut taken: BTreeMap<String, (&Field<'_>, bool)> = BTreeMap::new();
    for field in tree.states() {
        let name = field.name();
        // A refused name stands for no name at all.
        let refused = field.attrs.name.as_ref().is_some_and(|given| given.value.is_none());
        if refused || names::refuse(&name, "a state", "").is_some() {
            continue;
        }
        let Some((first, reported)) = taken.get_mut(&name) else {
            taken.insert(name, (field, false));
            continue;
        };
        errors.at(
            name_span(field),
            format_args!(
                "two states are named `{name}`: `{}` and `{}`; give this one another name",
                first.ident, field.ident
            ),
        );
        if !*reported {
            errors.at(name_span(first), format_args!("the name `{name}` is taken here, by `{}`", first.ident));
            *reported = true;
        }
    }
}

/// A former name is of one state alone, and of none that there is; what is dropped is nothing that there is.
fn former_names_are_free(tree: &Tree<'_>, errors: &mut Errors) {
    let operator = match setting::value(&tree.attrs.name) {
        Some(name) => name.value(),
        None => names::snake_case(&tree.input.ident.to_string()),
    };
    for former in setting::value(&tree.attrs.renamed_from).into_iter().flatten() {
        if is_good(former, "an operator", errors) && former.value() == operator {
            errors.on(former, format_args!("the operator is called `{operator}` now; a former name is another one"));
        }
    }
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for field in tree.states() {
        taken.entry(field.name()).or_insert_with(|| format!("the name of the field `{}`", field.ident));
    }
    for field in tree.states() {
        for former in setting::value(&field.attrs.renamed_from).into_iter().flatten() {
            let what = format!("a former name of the field `{}`", field.ident);
            claim(former, what, &mut taken, errors);
        }
    }
    for dropped in setting::value(&tree.attrs.dropped).into_iter().flatten() {
        claim(dropped, "dropped already".to_owned(), &mut taken, errors);
    }
}

/// Gives a name away, unless it is taken.
fn claim(name: &LitStr, what: String, taken: &mut BTreeMap<String, String>, errors: &mut Errors) {
    if !is_good(name, "a state", errors) {
        return;
    }
    match taken.entry(name.value()) {
        Entry::Vacant(free) => drop(free.insert(what)),
        Entry::Occupied(taken) => errors.on(name, format_args!("`{}` is {}", name.value(), taken.get())),
    }
}

fn is_good(name: &LitStr, what: &str, errors: &mut Errors) -> bool {
    let refused = names::refuse(&name.value(), what, "old_name");
    if let Some(refused) = &refused {
        errors.on(name, refused.message(quoted));
    }
    refused.is_none()
}

fn ttl_settings_have_a_ttl(field: &Field<'_>, errors: &mut Errors) {
    let attrs = &field.attrs;
    if attrs.ttl.is_some() {
        return;
    }
    for key in [setting::key(&attrs.clock), setting::key(&attrs.ttl_update)].into_iter().flatten() {
        errors.on(
            key,
            format_args!("`{key}` says how a `ttl` works, and there is none; add `ttl = \"7d\"`, or remove `{key}`"),
        );
    }
}

fn ttl_is_on_keyed_state(field: &Field<'_>, errors: &mut Errors) {
    if let (Some(ttl), Some("BroadcastState")) = (&field.attrs.ttl, hint::handle(field.ty)) {
        errors.on(&ttl.key, "a broadcast state belongs to the operator and does not expire; remove `ttl`");
    }
}

fn reducer_is_on_reducing_state(field: &Field<'_>, errors: &mut Errors) {
    let Some(reduce) = &field.attrs.reduce else { return };
    match hint::handle(field.ty) {
        None | Some("ReducingState") => {}
        Some(other) => errors.on(
            &reduce.key,
            format_args!("`reduce` merges values into a `ReducingState<T>`, and this is a `{other}`; change the type, or remove `reduce`"),
        ),
    }
}
