//! A struct of handles, as it was written.

use crate::attr::{self, FieldAttrs, StructAttrs};
use crate::errors::Errors;
use crate::setting;
use proc_macro2::Ident;
use syn::{Data, DeriveInput, Fields, Type};

/// The struct, with its attributes read.
pub(crate) struct Tree<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) attrs: StructAttrs,
    /// Empty unless the input is a struct with named fields.
    pub(crate) fields: Vec<Field<'a>>,
}

/// One field of it.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: FieldAttrs,
}

const EXAMPLE: &str = "a struct with named fields, like `struct Aircraft { late_streak: ValueState<u32> }`";

impl<'a> Tree<'a> {
    /// Reads what can be read, and reports the rest.
    pub(crate) fn parse(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let attrs = attr::on_struct(&input.attrs, errors);
        let fields = match &input.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) => {
                    if fields.named.is_empty() {
                        errors.on(
                            &input.ident,
                            "this struct has no state; give it a field like `late_streak: ValueState<u32>`",
                        );
                    }
                    fields.named.iter().filter_map(|field| Field::parse(field, errors)).collect()
                }
                Fields::Unnamed(fields) => {
                    errors.on(
                        fields,
                        format_args!("states are found by name, and these fields have none; expected {EXAMPLE}"),
                    );
                    Vec::new()
                }
                Fields::Unit => {
                    errors.on(&input.ident, format_args!("this struct has no state; expected {EXAMPLE}"));
                    Vec::new()
                }
            },
            Data::Enum(data) => {
                errors.on(data.enum_token, format_args!("an enum cannot hold states; expected {EXAMPLE}"));
                Vec::new()
            }
            Data::Union(data) => {
                errors.on(data.union_token, format_args!("a union cannot hold states; expected {EXAMPLE}"));
                Vec::new()
            }
        };
        Self { input, attrs, fields }
    }

    /// The fields that are states, in the order of their descriptors.
    pub(crate) fn states(&self) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(|field| field.attrs.skip.is_none())
    }
}

impl<'a> Field<'a> {
    fn parse(field: &'a syn::Field, errors: &mut Errors) -> Option<Self> {
        let attrs = attr::on_field(&field.attrs, errors);
        Some(Self { ident: field.ident.as_ref()?, ty: &field.ty, attrs })
    }

    /// Name of the state; an explicit one that was refused counts as the default.
    pub(crate) fn name(&self) -> String {
        use syn::ext::IdentExt;
        match setting::value(&self.attrs.name) {
            Some(name) => name.value(),
            None => self.ident.unraw().to_string(),
        }
    }
}
