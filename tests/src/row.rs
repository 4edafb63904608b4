//! The record of a row, by the format alone: `docs/architecture.md`, "Bytes at rest".

/// A value in the record of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRow {
    /// Its state, with the bit of a stamp.
    pub slot: u16,
    /// It lies in a record of its own, and `record` is only the front of that.
    pub apart: bool,
    /// Stamp, header and payload.
    pub record: Vec<u8>,
}

/// Whether `key` is that of a row, and not of a state or a timer in it, or of the catalog.
pub fn is_row(key: &[u8]) -> bool {
    let Some((_, mut rest)) = key.split_at_checked(4).filter(|_| !key.starts_with(&[0, 0])) else { return false };
    let length = take(&mut rest);
    rest.len() == length + 2 && rest.ends_with(&[0, 0])
}

/// Takes a record apart.
pub fn values(mut record: &[u8]) -> Vec<InRow> {
    let mut values = Vec::new();
    while !record.is_empty() {
        let (tag, length) = (take(&mut record), take(&mut record));
        let slot = (tag >> 2) as u16 | if tag & 1 == 0 { 0 } else { 0x8000 };
        let (own, rest) = record.split_at(length);
        values.push(InRow { slot, apart: tag & 2 != 0, record: own.to_vec() });
        record = rest;
    }
    values
}

/// Puts one together.
pub fn record(values: &[InRow]) -> Vec<u8> {
    let mut record = Vec::new();
    for InRow { slot, apart, record: own } in values {
        put(usize::from(slot & 0x7fff) << 2 | usize::from(*apart) << 1 | usize::from(slot >> 15), &mut record);
        put(own.len(), &mut record);
        record.extend_from_slice(own);
    }
    record
}

/// A record of one value.
pub fn of_one(slot: u16, record: &[u8]) -> Vec<u8> {
    self::record(&[InRow { slot, apart: false, record: record.to_vec() }])
}

fn take(bytes: &mut &[u8]) -> usize {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().expect("a number");
        number |= usize::from(first & 0x7f) << shift;
        *bytes = rest;
        if first & 0x80 == 0 {
            break;
        }
    }
    number
}

fn put(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
