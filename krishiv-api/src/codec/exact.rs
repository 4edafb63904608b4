//! The types of keys whose equality and whose bytes cannot differ, so that they can be looked up without being encoded.

use crate::time::Timer;
use std::any::{TypeId, type_name};

const LEAVES: [&str; 17] = [
    "()",
    "bool",
    "char",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "alloc::string::String",
    "alloc::boxed::Box<str>",
];

const AROUND: [&str; 3] = ["alloc::vec::Vec<", "core::option::Option<", "alloc::boxed::Box<"];

/// Whether two keys of this type are equal just if their bytes are: integers, `bool`, `char` and strings, and tuples, arrays,
/// options and vectors of them.
///
/// By the name of the type, since there is no other way to look into it. Whatever has another name is found by its bytes, so
/// that a name which changes with the compiler costs time and nothing else.
pub(crate) fn is_exact<K: 'static>() -> bool {
    TypeId::of::<K>() == TypeId::of::<Timer>() || is_exact_name(type_name::<K>())
}

fn is_exact_name(name: &str) -> bool {
    if LEAVES.contains(&name) {
        return true;
    }
    if let Some(inside) = name.strip_prefix('(').and_then(|name| name.strip_suffix(')')) {
        return parts(inside).all(is_exact_name);
    }
    if let Some(inside) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return inside.rsplit_once(';').is_some_and(|(of, _)| is_exact_name(of));
    }
    let inside = AROUND.iter().find_map(|around| name.strip_prefix(around));
    inside.and_then(|inside| inside.strip_suffix('>')).is_some_and(is_exact_name)
}

/// The types of a tuple, split where a comma is not inside of one of them.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let pieces = list.split(move |letter| {
        match letter {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    // A tuple of one ends with a comma.
    pieces.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_exact;
    use crate::time::Timer;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    #[allow(dead_code)]
    struct Mine(u32);

    #[allow(dead_code)]
    mod alloc {
        pub(super) mod string {
            pub(in super::super) struct String;
        }
    }

    #[test]
    fn what_is_made_of_numbers_and_texts_is_exact() {
        assert!(is_exact::<u8>() && is_exact::<i128>() && is_exact::<bool>() && is_exact::<char>() && is_exact::<()>());
        assert!(is_exact::<String>() && is_exact::<Box<str>>() && is_exact::<Vec<u8>>() && is_exact::<[u8; 16]>());
        assert!(is_exact::<(String,)>() && is_exact::<(u32, String)>() && is_exact::<Option<(u8, [Vec<String>; 2])>>());
        assert!(is_exact::<((u8, (i8, char)), Option<Option<u64>>, Vec<(String, bool)>)>() && is_exact::<Timer>());
    }

    #[test]
    fn everything_else_is_found_by_its_bytes() {
        assert!(
            !is_exact::<Mine>() && !is_exact::<(u8, Mine)>() && !is_exact::<Vec<Mine>>() && !is_exact::<[Mine; 2]>()
        );
        assert!(!is_exact::<PathBuf>() && !is_exact::<BTreeSet<u8>>() && !is_exact::<Option<PathBuf>>());
        assert!(!is_exact::<f64>() && !is_exact::<(f32, u8)>() && !is_exact::<alloc::string::String>());
        assert!(!is_exact::<std::num::NonZeroU8>() && !is_exact::<std::net::IpAddr>());
    }
}
