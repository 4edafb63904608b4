//! What the spelling of a type tells.
//!
//! Whether a type is a handle is for a trait to say, since an alias may name one and a handle's name may
//! stand for something else. Only what no alias can change is refused by its spelling.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The type inside the invisible or visible parentheses.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// The last word of a path, as `ValueState` of `krishiv_api::ValueState<u32>`.
fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Name of the handle that `ty` is spelled like.
pub(crate) fn handle(ty: &Type) -> Option<&'static str> {
    let segment = last_segment(ty)?;
    ["ValueState", "ListState", "MapState", "ReducingState", "BroadcastState"]
        .into_iter()
        .find(|name| segment.ident == name)
}

/// What a type of this form is, since it is no handle, and what to do about it.
pub(crate) fn never_a_handle(ty: &Type) -> Option<&'static str> {
    match bare(ty) {
        Type::Reference(reference) if handle(&reference.elem).is_some() => {
            Some("a reference to a state handle, and the struct owns its handles; remove the `&`")
        }
        Type::Reference(_) => {
            Some("a reference, not a state handle; use `ValueState<String>` for a text, `ValueState<T>` for a `T`")
        }
        Type::Ptr(_) => Some("a pointer, not a state handle; use `ValueState<T>`"),
        Type::Array(_) => Some(
            "an array, not a state handle; use `ListState<T>`, or `ValueState<[T; N]>` to read and write it as one",
        ),
        Type::Slice(_) => Some("a slice, not a state handle; use `ListState<T>`"),
        Type::Tuple(_) => Some("a tuple, not a state handle; use `ValueState<(A, B)>`, or one field for each part"),
        Type::FnPtr(_) => Some("a function, not a state handle; remove it"),
        Type::TraitObject(_) => Some("a trait object, not a state handle; use `ValueState<T>` of one known type"),
        Type::Never(_) => Some("of a type without values, not a state handle; remove it"),
        _ => None,
    }
}

/// The references among the types that a handle is spelled to store.
pub(crate) fn borrowed(ty: &Type) -> Vec<&Type> {
    let Some(PathArguments::AngleBracketed(arguments)) = handle(ty).and(last_segment(ty)).map(|last| &last.arguments)
    else {
        return Vec::new();
    };
    let stored = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(bare(ty)),
        _ => None,
    });
    stored.flat_map(parts).filter(|part| matches!(part, Type::Reference(_))).collect()
}

/// A type, or the parts of a tuple or an array.
fn parts(ty: &Type) -> Vec<&Type> {
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(|part| parts(bare(part))).collect(),
        Type::Array(array) => parts(bare(&array.elem)),
        ty => vec![ty],
    }
}
