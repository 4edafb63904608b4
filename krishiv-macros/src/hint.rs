//! What the spelling of a type tells.
//!
//! Whether a type is a handle is for a trait to say, since an alias may name one and a handle's name may stand for
//! something else. Refused by their spelling are the forms that no alias has, and the names of the standard library
//! that nobody gives to a handle: only spelling tells which handle was meant.

use crate::tokens::spelled;
use syn::{GenericArgument, Path, PathArguments, PathSegment, Type, TypePath};

const HANDLES: [&str; 5] = ["ValueState", "ListState", "MapState", "ReducingState", "BroadcastState"];

const PLAIN: [&str; 17] = [
    "String", "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64",
    "u128", "usize",
];

/// The type inside the invisible or visible parentheses.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

fn path(ty: &Type) -> Option<&Path> {
    match bare(ty) {
        Type::Path(TypePath { qself: None, path, .. }) => Some(path),
        _ => None,
    }
}

/// The types in the angle brackets of a path.
fn arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(bare(ty)),
        _ => None,
    });
    types.collect()
}

/// Name of the handle that `ty` is spelled like.
pub(crate) fn handle(ty: &Type) -> Option<&'static str> {
    let segment = path(ty)?.segments.last()?;
    HANDLES.into_iter().find(|name| segment.ident == name)
}

/// What `ty` is, since it is no handle, and which handle to use.
pub(crate) fn known_as(ty: &Type) -> Option<String> {
    let ty = bare(ty);
    let it = spelled(ty);
    Some(match ty {
        Type::Reference(reference) if handle(&reference.elem).is_some() => format!(
            "a reference to a state handle, and the struct owns its handles; use `{}`",
            spelled(&reference.elem)
        ),
        Type::Reference(reference) => match bare(&reference.elem) {
            Type::Slice(slice) => no_handle(&it, &format!("ListState<{}>", value(&slice.elem))),
            elem if path(elem).is_some_and(|path| path.is_ident("str")) => no_handle(&it, "ValueState<String>"),
            elem => no_handle(&it, &format!("ValueState<{}>", value(elem))),
        },
        Type::Ptr(pointer) => no_handle(&it, &format!("ValueState<{}>", value(&pointer.elem))),
        Type::Slice(slice) => no_handle(&it, &format!("ListState<{}>", value(&slice.elem))),
        Type::Array(array) if handle(&array.elem).is_some() => {
            no_handle(&it, &format!("ListState<{}>", value(&array.elem)))
        }
        Type::Array(array) => format!(
            "`{it}`, which is no state handle; use `ListState<{}>`, or `ValueState<{it}>` to read and write it as one",
            value(&array.elem)
        ),
        Type::Tuple(tuple) if tuple.elems.iter().any(|part| handle(part).is_some()) => {
            format!("`{it}`, which is no state handle; give each of its parts a field of its own")
        }
        Type::Tuple(_) => no_handle(&it, &format!("ValueState<{it}>")),
        Type::FnPtr(_) => format!("`{it}`, and a function is no state; remove it"),
        Type::TraitObject(_) => format!("`{it}`, which is no state handle; use `ValueState<T>` of one known type"),
        Type::Never(_) => "of a type without values, and no state handle; remove it".to_owned(),
        Type::Path(_) => return known_by_name(ty, &it),
        _ => return None,
    })
}

fn no_handle(it: &str, instead: &str) -> String {
    format!("`{it}`, which is no state handle; use `{instead}`")
}

/// The same for a name of the standard library.
fn known_by_name(ty: &Type, it: &str) -> Option<String> {
    let path = path(ty)?;
    let from_std = path.segments.first().is_some_and(|first| first.ident == "std" || first.ident == "core");
    if path.segments.len() > 1 && !from_std {
        return None;
    }
    let segment = path.segments.last()?;
    let name = segment.ident.to_string();
    let instead = match (name.as_str(), arguments(segment).as_slice()) {
        (plain, []) if PLAIN.contains(&plain) => format!("ValueState<{it}>"),
        ("Vec" | "VecDeque" | "LinkedList", [item]) => format!("ListState<{}>", value(item)),
        ("HashMap" | "BTreeMap", [key, item, ..]) => format!("MapState<{}, {}>", spelled(key), value(item)),
        ("HashSet" | "BTreeSet", [item, ..]) => format!("MapState<{}, ()>", spelled(item)),
        ("Option", [inner]) if handle(inner).is_some() => {
            return Some(format!(
                "`{it}`, which is no state handle; every handle can be empty already, so use `{}`",
                spelled(inner)
            ));
        }
        ("Option", [inner]) => {
            return Some(format!(
                "`{it}`, which is no state handle; use `ValueState<{}>`, which is empty until it is set",
                spelled(inner)
            ));
        }
        ("Box" | "Rc" | "Arc" | "Cell" | "RefCell" | "Mutex" | "RwLock", [inner]) => {
            handle(inner).map_or_else(|| format!("ValueState<{}>", spelled(inner)), |_| spelled(inner))
        }
        _ => return None,
    };
    Some(no_handle(it, &instead))
}

/// What a handle of many holds of each, where handles were to be kept in something: `u32` of `ValueState<u32>`.
fn value(ty: &Type) -> String {
    let inner = handle(ty).and(path(ty)).and_then(|path| path.segments.last()).map(|last| (last, arguments(last)));
    match inner {
        Some((last, inner)) => match inner.as_slice() {
            [item] if last.ident == "ListState" => format!("Vec<{}>", spelled(item)),
            [item] => spelled(item),
            [key, item] => format!("HashMap<{}, {}>", spelled(key), spelled(item)),
            _ => "T".to_owned(),
        },
        None => spelled(ty),
    }
}

/// The references among the types that a handle is spelled to store.
pub(crate) fn borrowed(ty: &Type) -> Vec<&Type> {
    let stored = handle(ty).and(path(ty)).and_then(|path| path.segments.last()).map(arguments).unwrap_or_default();
    stored.into_iter().flat_map(parts).filter(|part| matches!(part, Type::Reference(_))).collect()
}

/// A type, or the parts of a tuple or an array.
pub(crate) fn parts(ty: &Type) -> Vec<&Type> {
    match bare(ty) {
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(parts).collect(),
        Type::Array(array) => parts(&array.elem),
        ty => vec![ty],
    }
}
