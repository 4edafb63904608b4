//! Whether two values are the same, as far as serde can tell, whatever the order of what is hashed.

use crate::codec::walk::{Group, Leaf, Visit, walk};
use serde::Serialize;
use twox_hash::XxHash3_64;

/// Whether all parts of both are the same; those of sequences and maps may come in another order.
pub(super) fn same<T: Serialize>(a: &T, b: &T) -> bool {
    match (print_of(a), print_of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn print_of<T: Serialize>(value: &T) -> Option<u64> {
    let mut print = Print { open: Vec::new(), all: 0 };
    walk(value, &mut print).ok()?;
    Some(print.all)
}

/// A number for the value: one part is mixed into the next.
struct Print {
    open: Vec<Open>,
    all: u64,
}

struct Open {
    group: Group,
    print: u64,
    /// A key that waits for its value.
    key: Option<u64>,
}

fn mix(a: u64, b: u64) -> u64 {
    XxHash3_64::oneshot([a.to_le_bytes(), b.to_le_bytes()].as_flattened())
}

impl Print {
    fn part(&mut self, part: u64) {
        let Some(open) = self.open.last_mut() else {
            self.all = mix(self.all, part);
            return;
        };
        match open.group {
            Group::Seq => open.print = open.print.wrapping_add(mix(0, part)),
            Group::Map => match open.key.take() {
                None => open.key = Some(part),
                Some(key) => open.print = open.print.wrapping_add(mix(key, part)),
            },
            Group::Tuple | Group::Struct | Group::Around | Group::Variant(_) => open.print = mix(open.print, part),
        }
    }
}

impl Visit for Print {
    fn leaf(&mut self, leaf: Leaf<'_>) {
        self.part(match leaf {
            Leaf::Null => 1,
            Leaf::Bool(value) => mix(2, value.into()),
            Leaf::Integer(value) => mix(3, XxHash3_64::oneshot(&value.to_le_bytes())),
            Leaf::Float(bits) => mix(4, bits),
            Leaf::Float32(bits) => mix(5, bits.into()),
            Leaf::Char(value) => mix(6, u32::from(value).into()),
            Leaf::Str(text) => mix(7, XxHash3_64::oneshot(text.as_bytes())),
            Leaf::Bytes(bytes) => mix(8, XxHash3_64::oneshot(bytes)),
        });
    }

    fn open(&mut self, group: Group) {
        let print = match group {
            Group::Seq => 9,
            Group::Map => 10,
            Group::Tuple => 11,
            Group::Struct => 12,
            Group::Around => 13,
            Group::Variant(index) => mix(14, index.into()),
        };
        self.open.push(Open { group, print, key: None });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.part(open.print);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same;
    use serde::Serialize;
    use std::collections::{HashMap, HashSet};

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Swapped {
        A { x: u8, y: u8 },
        B { y: u8, x: u8 },
    }

    #[test]
    fn only_the_order_of_what_is_hashed_may_differ() {
        let set = |numbers: std::ops::Range<u8>| numbers.map(|n| n.to_string()).collect::<HashSet<_>>();
        assert!(same(&set(0..100), &set(0..100)));
        assert!(!same(&set(0..100), &set(0..101)));
        let map = |swap: u8| (0..50_u8).map(|n| (n, n ^ swap)).collect::<HashMap<_, _>>();
        assert!(same(&map(0), &map(0)));
        // The same keys and the same values, but not together.
        assert!(!same(&map(0), &map(1)));
        assert!(!same(&Swapped::A { x: 1, y: 2 }, &Swapped::B { y: 2, x: 1 }));
        assert!(!same(&(1, 2), &(2, 1)));
        assert!(!same(&Some(Some(1)), &Some(None)));
        assert!(!same(&0.0, &-0.0));
        assert!(same(&f64::NAN, &f64::NAN));
    }
}
