//! Why a row is no item.

use csv::{DeserializeError, Error, ErrorKind, StringRecord};

/// Says why a row is no `T`: by the name of the column where one is to blame.
pub(super) fn misfit(error: Error, record: &StringRecord, header: &StringRecord) -> String {
    let ErrorKind::Deserialize { err, .. } = error.kind() else {
        return error.to_string();
    };
    let named = |err: &DeserializeError| {
        let at = usize::try_from(err.field()?).ok()?;
        Some(format!("`{}` is {:?}: {}", header.get(at)?, record.get(at)?, err.kind()))
    };
    let reason = err.kind().to_string();
    if let Some(guess) = guessed(&reason, record, header) {
        return guess;
    }
    named(err).unwrap_or_else(|| {
        let columns: Vec<_> = header.iter().collect();
        format!("{reason}; the header has `{}`", columns.join("`, `"))
    })
}

/// Says of a text that was taken for a number or a truth, which happens where serde asks what it is, in which column that was.
///
/// serde says only what it became: "invalid type: integer `2134`, expected a string".
fn guessed(reason: &str, record: &StringRecord, header: &StringRecord) -> Option<String> {
    let (what, rest) = reason.strip_prefix("invalid type: ")?.split_once(" `")?;
    let (value, expected) = rest.split_once("`, expected ")?;
    let became: fn(&str) -> Option<String> = match what {
        "integer" => |text| text.parse::<i128>().ok().map(|number| number.to_string()),
        "floating point" => |text| text.parse::<f64>().ok().map(|number| number.to_string()),
        "boolean" => |text| text.parse::<bool>().ok().map(|truth| truth.to_string()),
        _ => return None,
    };
    // A float is shown with a fraction: `1.0`.
    let shown = |text: &str| became(text).is_some_and(|number| number == value || format!("{number}.0") == value);
    let columns = header.iter().zip(record).filter(|(_, text)| shown(text));
    let columns: Vec<_> = columns.map(|(name, text)| format!("`{name}` is {text:?}")).collect();
    let columns = (!columns.is_empty()).then(|| columns.join(", or "))?;
    Some(format!(
        "{columns}: taken for the {what} {value}, since text inside `#[serde(flatten)]` is what it looks like, and {expected} was \
         expected; move the field out of the flattened struct, or read the row by `CsvSource::open_with`"
    ))
}
