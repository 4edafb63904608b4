//! The plain types of both programs.

pub(crate) const TYPES: usize = 20;

/// A value, a list and a map of each.
pub(crate) const STATES: usize = 3 * TYPES;

/// All types, of two to five fields.
pub(crate) fn declarations() -> String {
    for_each(declaration)
}

/// What `text` says of each type, by its number.
pub(crate) fn for_each(text: impl Fn(usize) -> String) -> String {
    (0..TYPES).map(text).collect()
}

fn declaration(number: usize) -> String {
    let id = format!("id{number}: u64");
    let fields = [
        (true, id.as_str()),
        (true, "name: String"),
        (number % 2 == 1, "amount: f64"),
        (number.is_multiple_of(4), "tags: Vec<String>"),
        (number.is_multiple_of(5), "last: Option<i64>"),
    ];
    let fields: String =
        fields.iter().filter(|(has, _)| *has).map(|(_, field)| format!("    pub {field},\n")).collect();
    format!(
        "#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]\npub struct T{number} {{\n{fields}}}\n"
    )
}
