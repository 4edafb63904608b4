//! `"7d"` as milliseconds.

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The milliseconds of a text like `"90m"`, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let fail = |reason: String| {
        let expected = if reason.ends_with('?') { " Expected" } else { "; expected" };
        Err(format!(
            "{reason}{expected} a whole number and one of the units `ms`, `s`, `m`, `h` and `d`, like \"90m\" or \"7d\""
        ))
    };
    if text.is_empty() {
        return fail("this time to live is empty".to_owned());
    }
    if text.starts_with(['-', '\u{2212}']) {
        return fail("a time to live cannot be negative".to_owned());
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return fail(format!("`{text}` does not begin with a number"));
    }
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return fail(unknown_unit(number, unit));
    };
    // Nothing but digits: it can only be too large.
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor)) {
        None => Err(format!(
            "`{text}` is more than {} milliseconds, the longest time to live; leave `ttl` out to keep state for ever",
            u64::MAX
        )),
        Some(0) => Err("a time to live of zero keeps nothing; give at least \"1ms\", \
                        or leave `ttl` out to keep state for ever"
            .to_owned()),
        Some(ms) => Ok(ms),
    }
}

fn unknown_unit(number: &str, unit: &str) -> String {
    if unit.is_empty() {
        return format!("`{number}` has no unit");
    }
    if unit.starts_with(['.', ',']) {
        return format!("`{number}{unit}` is not a whole number");
    }
    if UNITS.iter().any(|(name, _)| *name == unit.trim()) {
        return format!("`{number}{unit}` has a space in it, did you mean \"{number}{}\"?", unit.trim());
    }
    if unit.starts_with('_') {
        return format!("`{number}{unit}` has an underscore in it");
    }
    if unit.contains(|c: char| c.is_ascii_digit()) {
        return format!("`{number}{unit}` has more than one part");
    }
    let guess = match unit.trim().to_lowercase().as_str() {
        "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "wk" | "week" | "weeks" => {
            return match number.parse::<u64>().ok().and_then(|weeks| weeks.checked_mul(7)) {
                Some(days) => format!("`{unit}` is not a unit here, write \"{days}d\""),
                None => format!("`{unit}` is not a unit here"),
            };
        }
        _ => return format!("`{}` is not a unit of time", unit.trim()),
    };
    format!("`{}` is not a unit here, did you mean \"{number}{guess}\"?", unit.trim())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_unit_counts_in_milliseconds() {
        assert_eq!(parse("5ms"), Ok(5));
        assert_eq!(parse("5s"), Ok(5_000));
        assert_eq!(parse("5m"), Ok(300_000));
        assert_eq!(parse("5h"), Ok(18_000_000));
        assert_eq!(parse("7d"), Ok(604_800_000));
        assert_eq!(parse("007d"), Ok(604_800_000));
    }

    #[test]
    fn the_largest_is_u64_max_and_nothing_wraps() {
        assert_eq!(parse("18446744073709551615ms"), Ok(u64::MAX));
        assert!(parse("18446744073709551616ms").is_err());
        assert_eq!(parse("213503982334d"), Ok(213_503_982_334 * 86_400_000));
        assert!(parse("213503982335d").is_err());
        assert!(parse(&format!("{}s", "9".repeat(100))).is_err());
    }

    #[test]
    fn what_is_not_a_whole_number_with_a_unit_is_refused() {
        for text in [
            "",
            " ",
            "0ms",
            "0d",
            "000s",
            "-1d",
            "\u{2212}1d",
            "+1d",
            "7",
            "d",
            "7 d",
            " 7d",
            "7d ",
            "1.5h",
            "1,5h",
            "1_000ms",
            "1h30m",
            "7D",
            "7days",
            "7us",
            "7w",
            "7y",
            "\u{0667}d",
            "7\u{1f600}",
            "0x10s",
            "1e3s",
            "99999999999999999999w",
        ] {
            assert!(parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn the_message_guesses_the_unit() {
        assert!(parse("7days").is_err_and(|message| message.contains("did you mean \"7d\"?")));
        assert!(parse("2w").is_err_and(|message| message.contains("write \"14d\"")));
        assert!(parse("10M").is_err_and(|message| message.contains("did you mean \"10m\"?")));
    }
}
