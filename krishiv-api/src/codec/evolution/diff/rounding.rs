//! Numbers that serde itself might round: those that it reads from a copy, of which it does not ask what it wants.

use crate::codec::evolution::width;
use crate::codec::shape::{Form, Layout, Shape};
use std::collections::BTreeSet;

/// A part of a shape.
#[derive(Clone, Copy)]
pub(super) enum Part<'s> {
    Form(&'s Form),
    Layout(&'s Layout),
}

impl<'s> From<&'s Form> for Part<'s> {
    fn from(form: &'s Form) -> Self {
        Self::Form(form)
    }
}

impl<'s> From<&'s Layout> for Part<'s> {
    fn from(layout: &'s Layout) -> Self {
        Self::Layout(layout)
    }
}

/// Whether a number in what was written may be rounded where it is read as a float of what is declared; `buffered` if all of that is
/// read from a copy.
pub(super) fn rounds(written: (&Shape, Part<'_>), declared: (&Shape, Part<'_>), buffered: bool) -> bool {
    let mut floats = BTreeSet::new();
    leaves(declared.0, declared.1, buffered, &mut |form, buffered| {
        if buffered && matches!(form, Form::F32 | Form::F64) {
            floats.insert(form.clone());
        }
    });
    let mut rounds = false;
    if !floats.is_empty() {
        leaves(written.0, written.1, false, &mut |form, _| {
            let is_blank = matches!(form, Form::Any | Form::Unknown | Form::Opaque(_));
            rounds |= is_blank || floats.iter().any(|float| width::loses(form, float));
        });
    }
    rounds
}

/// Shows all that has no parts, and whether it lies in what serde makes a copy of.
fn leaves(shape: &Shape, part: Part<'_>, buffered: bool, show: &mut dyn FnMut(&Form, bool)) {
    let mut met = BTreeSet::new();
    let mut ahead = vec![(part, buffered)];
    while let Some((part, buffered)) = ahead.pop() {
        let mut form = |of| ahead.push((Part::Form(of), buffered));
        match part {
            Part::Form(Form::Option(of) | Form::Seq(of) | Form::Array(of, _)) => form(of),
            Part::Form(Form::Map(key, value)) => {
                form(key);
                form(value);
            }
            Part::Form(Form::Tuple(of)) | Part::Layout(Layout::Tuple(of)) => of.iter().for_each(form),
            Part::Form(Form::OneOf { of, .. }) => ahead.extend(of.iter().map(|of| (Part::Form(of), true))),
            Part::Form(Form::Type(name)) => match shape.layout(name) {
                Some(layout) if met.insert((name, buffered)) => ahead.push((Part::Layout(layout), buffered)),
                Some(_) => {}
                None => show(&Form::Unknown, buffered),
            },
            Part::Form(leaf) => show(leaf, buffered),
            Part::Layout(Layout::Unit) => {}
            Part::Layout(Layout::Newtype(of)) => form(of),
            Part::Layout(Layout::Struct(fields)) => fields.iter().for_each(|field| form(&field.is)),
            Part::Layout(Layout::Enum(variants)) => {
                ahead.extend(variants.iter().map(|variant| (Part::Layout(&variant.is), buffered)));
            }
            Part::Layout(Layout::Flattened { fields, rest }) => {
                ahead.extend(fields.iter().map(|field| &field.is).chain(rest).map(|of| (Part::Form(of), true)));
            }
            Part::Layout(Layout::Tagged { variants, .. }) => {
                ahead.extend(variants.iter().map(|variant| (Part::Layout(&variant.is), true)));
            }
        }
    }
}
