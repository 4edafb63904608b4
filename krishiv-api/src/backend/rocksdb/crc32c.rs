//! The checksum of RocksDB's log frames.

/// CRC-32C of `parts` one after another, masked as RocksDB stores it.
pub(super) fn masked(parts: &[&[u8]]) -> u32 {
    // A checksum of bytes that hold a checksum is weak; the mask is RocksDB's remedy.
    of(parts).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn of(parts: &[&[u8]]) -> u32 {
    let bytes = parts.iter().copied().flatten();
    !bytes.fold(!0, |crc, byte| (crc >> 8) ^ TABLE.get(usize::from(crc as u8 ^ byte)).copied().unwrap_or_default())
}

const TABLE: [u32; 256] = table();

#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a wrong index is a compile error")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn matches_the_check_value_of_the_catalogue_of_crcs() {
        assert_eq!(of(&[b"12345", b"6789"]), 0xe306_9283);
    }
}
