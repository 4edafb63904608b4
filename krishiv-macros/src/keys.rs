//! The keys of `#[state(…)]`, and where each of them may stand.

/// Where an attribute stands, and the keys it may have there, each with an example of its use.
pub(crate) struct Place {
    pub(crate) here: &'static str,
    pub(crate) there: &'static str,
    pub(crate) keys: &'static [(&'static str, &'static str)],
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
    /// What people write when they mean a key, and spelling does not give it away.
    pub(crate) synonyms: &'static [(&'static str, &'static str)],
}

const STRUCT_KEYS: &[(&str, &str)] = &[
    ("key", "key = String"),
    ("name", "name = \"aircraft\""),
    ("durable", "durable"),
    ("renamed_from", "renamed_from = \"planes\""),
    ("dropped", "dropped(\"old_state\")"),
    ("crate", "crate = my_crate::krishiv_api"),
];

const FIELD_KEYS: &[(&str, &str)] = &[
    ("name", "name = \"late_streak\""),
    ("ttl", "ttl = \"7d\""),
    ("clock", "clock = \"event\""),
    ("ttl_update", "ttl_update = \"read_and_write\""),
    ("reduce", "reduce = i32::max"),
    ("renamed_from", "renamed_from = \"old_name\""),
    ("migrate", "migrate(from = OldType, with = function)"),
    ("skip", "skip"),
];

/// On the struct.
pub(crate) const ON_STRUCT: Place = Place {
    here: "the struct",
    there: "a field",
    keys: STRUCT_KEYS,
    elsewhere: FIELD_KEYS,
    synonyms: &[
        ("key_type", "key"),
        ("keyed_by", "key"),
        ("operator", "name"),
        ("rename", "name"),
        ("renamed", "renamed_from"),
        ("formerly", "renamed_from"),
        ("drop", "dropped"),
        ("delete", "dropped"),
        ("removed", "dropped"),
        ("persistent", "durable"),
        ("persist", "durable"),
        ("krate", "crate"),
        ("crate_path", "crate"),
    ],
};

/// On a field.
pub(crate) const ON_FIELD: Place = Place {
    here: "a field",
    there: "the struct",
    keys: FIELD_KEYS,
    elsewhere: STRUCT_KEYS,
    synonyms: &[
        ("rename", "name"),
        ("expire", "ttl"),
        ("expires", "ttl"),
        ("expiry", "ttl"),
        ("time", "clock"),
        ("time_mode", "clock"),
        ("update", "ttl_update"),
        ("update_type", "ttl_update"),
        ("renamed", "renamed_from"),
        ("formerly", "renamed_from"),
        ("alias", "renamed_from"),
        ("convert", "migrate"),
        ("upgrade", "migrate"),
        ("merge", "reduce"),
        ("fold", "reduce"),
        ("ignore", "skip"),
    ],
};

/// `` `a`, `b` and `c` ``.
pub(crate) fn list_of(keys: &[(&str, &str)]) -> String {
    let names: Vec<String> = keys.iter().map(|(name, _)| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
