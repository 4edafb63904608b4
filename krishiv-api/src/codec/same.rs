//! Whether two values are the same, as far as serde can tell, whatever the order of what is hashed.

use crate::codec::walk::{Group, Leaf, Stop, Variant, Visit};
use twox_hash::XxHash3_64;

/// How a value is walked through.
type Walk<'a> = dyn Fn(&mut dyn Visit) -> Result<(), Stop> + 'a;

/// Whether all parts of both are the same; those of sequences and maps may come in another order.
pub(super) fn same(a: &Walk<'_>, b: &Walk<'_>) -> bool {
    match (print_of(a), print_of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn print_of(value: &Walk<'_>) -> Option<u64> {
    let mut print = Print { open: Vec::new(), all: 0 };
    value(&mut print).ok()?;
    Some(print.all)
}

/// A number for the value: one part is mixed into the next.
struct Print {
    open: Vec<Open>,
    all: u64,
}

struct Open {
    kind: Kind,
    print: u64,
    /// A key that waits for its value.
    key: Option<u64>,
}

/// What comes of the order of parts.
enum Kind {
    Seq,
    Map,
    InOrder,
}

fn mix(a: u64, b: u64) -> u64 {
    XxHash3_64::oneshot([a.to_le_bytes(), b.to_le_bytes()].as_flattened())
}

fn hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The same for all integers of the same value, by their bytes with the sign extended.
fn integer(value: u128) -> u64 {
    mix(3, hash(&value.to_le_bytes()))
}

fn variant(variant: Variant) -> u64 {
    mix(14, mix(variant.index.into(), hash(variant.variant.as_bytes())))
}

impl Print {
    fn part(&mut self, part: u64) {
        let Some(open) = self.open.last_mut() else {
            self.all = mix(self.all, part);
            return;
        };
        match open.kind {
            Kind::Seq => open.print = open.print.wrapping_add(mix(0, part)),
            Kind::Map => match open.key.take() {
                None => open.key = Some(part),
                Some(key) => open.print = open.print.wrapping_add(mix(key, part)),
            },
            Kind::InOrder => open.print = mix(open.print, part),
        }
    }
}

impl Visit for Print {
    fn leaf(&mut self, leaf: Leaf<'_>) -> Result<(), Stop> {
        self.part(match leaf {
            Leaf::Unit | Leaf::UnitStruct(_) | Leaf::None => 1,
            Leaf::Bool(value) => mix(2, value.into()),
            Leaf::I8(value) => integer(value as u128),
            Leaf::I16(value) => integer(value as u128),
            Leaf::I32(value) => integer(value as u128),
            Leaf::I64(value) => integer(value as u128),
            Leaf::I128(value) => integer(value as u128),
            Leaf::U8(value) => integer(value.into()),
            Leaf::U16(value) => integer(value.into()),
            Leaf::U32(value) => integer(value.into()),
            Leaf::U64(value) => integer(value.into()),
            Leaf::U128(value) => integer(value),
            Leaf::F64(value) => mix(4, value.to_bits()),
            Leaf::F32(value) => mix(5, value.to_bits().into()),
            Leaf::Char(value) => mix(6, u32::from(value).into()),
            Leaf::Str(text) => mix(7, hash(text.as_bytes())),
            Leaf::Bytes(bytes) => mix(8, hash(bytes)),
            Leaf::UnitVariant(of) => variant(of),
        });
        Ok(())
    }

    fn open(&mut self, group: Group) -> Result<(), Stop> {
        let (kind, print) = match group {
            Group::Seq(_) => (Kind::Seq, 9),
            Group::Map(_) => (Kind::Map, 10),
            Group::Tuple(_) | Group::TupleStruct(..) => (Kind::InOrder, 11),
            Group::Struct(..) => (Kind::InOrder, 12),
            Group::Some => (Kind::InOrder, 13),
            Group::Newtype(_) => (Kind::InOrder, 15),
            Group::NewtypeVariant(of) | Group::TupleVariant(of, _) | Group::StructVariant(of, _) => {
                (Kind::InOrder, variant(of))
            }
        };
        self.open.push(Open { kind, print, key: None });
        Ok(())
    }

    fn field(&mut self, name: &'static str) -> Result<(), Stop> {
        self.part(mix(7, hash(name.as_bytes())));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        if let Some(open) = self.open.pop() {
            self.part(open.print);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::walk::walk;
    use serde::Serialize;
    use std::collections::{HashMap, HashSet};

    fn same<T: Serialize>(a: &T, b: &T) -> bool {
        super::same(&|visit| walk(a, visit), &|visit| walk(b, visit))
    }

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
