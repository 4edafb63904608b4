//! What a file is, by its first bytes and its name.

use std::path::Path;

/// How the text of a file is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    Gzip,
    Zstd,
}

/// What UTF-8 text may begin with, and says nothing.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) const GZIP: &[u8] = b"\x1f\x8b";
pub(super) const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// Bytes that tell what is no text, how far from the start they are, its name, and what makes text of it.
///
/// <https://datatracker.ietf.org/doc/html/rfc2781#section-3.2> for UTF-16, and the magic numbers that the formats' own
/// specifications name.
const NO_TEXT: [(usize, &[u8], &str, &str); 7] = [
    (0, b"\xff\xfe", "UTF-16 text", "make UTF-8 of it first (`iconv -f UTF-16 -t UTF-8`)"),
    (0, b"\xfe\xff", "UTF-16 text", "make UTF-8 of it first (`iconv -f UTF-16 -t UTF-8`)"),
    (0, b"PK\x03\x04", "a zip archive (or a spreadsheet, which is one)", "unpack it first, or export it as CSV"),
    (4, b"1AY&SY", "bzip2 data", "unpack it first (`bunzip2`), or pack it by gzip or zstd"),
    (0, b"\xfd7zXZ\0", "xz data", "unpack it first (`unxz`), or pack it by gzip or zstd"),
    (0, b"PAR1\x15", "a Parquet file", "export it as CSV or JSON lines first"),
    (0, b"SQLite format 3\0", "an SQLite database", "export it as CSV or JSON lines first"),
];

impl Format {
    /// What a file is that begins with `start`.
    ///
    /// The name decides too, so that a damaged start is not taken for text.
    ///
    /// # Errors
    ///
    /// What else it is, and what to do.
    pub(super) fn of(start: &[u8], path: &Path) -> Result<Self, String> {
        let named = |ending: &str| path.extension().is_some_and(|end| end == ending);
        if start.starts_with(GZIP) || named("gz") {
            Ok(Self::Gzip)
        } else if start.starts_with(ZSTD) || named("zst") {
            Ok(Self::Zstd)
        } else if let Some((_, _, what, how)) =
            NO_TEXT.iter().find(|(at, magic, ..)| start.get(*at..).is_some_and(|start| start.starts_with(magic)))
        {
            Err(format!("this is {what}, and UTF-8 text was expected; {how}"))
        } else if is_wide(start) {
            let how = "make UTF-8 of it first (`iconv -f UTF-16LE -t UTF-8`, or `UTF-16BE`)";
            Err(format!("this looks like UTF-16 text, and UTF-8 was expected; {how}"))
        } else {
            Ok(Self::Plain)
        }
    }
}

/// Whether each of the first characters is a letter of ASCII and a zero, in either order.
fn is_wide(start: &[u8]) -> bool {
    let Some([a, b, c, d]) = start.first_chunk::<4>() else { return false };
    let letter = |byte: &u8| (1..0x80).contains(byte);
    (letter(a) && *b == 0 && letter(c) && *d == 0) || (*a == 0 && letter(b) && *c == 0 && letter(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_begins_with_or_is_called() {
        let of =
            |start: &[u8], name: &str| Format::of(start, Path::new(name)).map_err(|words| words.contains("expected"));
        assert_eq!(of(b"tail,minutes\n", "a.csv"), Ok(Format::Plain));
        assert_eq!(of(b"", "a.csv"), Ok(Format::Plain));
        assert_eq!(of(BOM, "a.csv"), Ok(Format::Plain));
        assert_eq!(of(b"\x1f\x8b\x08", "a.csv"), Ok(Format::Gzip));
        assert_eq!(of(b"tail,minutes\n", "a.csv.gz"), Ok(Format::Gzip));
        assert_eq!(of(b"\x28\xb5\x2f\xfd", "a.csv"), Ok(Format::Zstd));
        assert_eq!(of(b"tail,minutes\n", "a.csv.zst"), Ok(Format::Zstd));
        for (at, magic, ..) in NO_TEXT {
            assert_eq!(of(&[&b"BZh9"[..at], magic, b"rest"].concat(), "a.csv"), Err(true));
        }
        for header in ["PAR1,a", "BZhome,a", "PK,a"] {
            assert_eq!(of(header.as_bytes(), "a.csv"), Ok(Format::Plain));
        }
        assert_eq!(of(b"t\0a\0", "a.csv"), Err(true));
        assert_eq!(of(b"\0t\0a", "a.csv"), Err(true));
        // Zeros alone are what a crash leaves behind, and no text of any kind.
        assert_eq!(of(b"\0\0\0\0", "a.csv"), Ok(Format::Plain));
    }
}
