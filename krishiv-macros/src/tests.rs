//! The whole derive on syntax trees: what it never does, whatever it is given.

#![allow(clippy::expect_used)]

fn expand(source: &str) -> Result<String, syn::Error> {
    syn::parse_str(source).map(|input| super::derive::derive(&input).to_string())
}

fn attribute(text: &str) -> Result<String, syn::Error> {
    expand(&format!("#[state(key = u8)] struct S {{ #[state({text})] a: ReducingState<u8>, b: ListState<u8> }}"))
}

fn is_refused(code: &str) -> bool {
    code.contains("compile_error")
}

#[test]
fn the_same_struct_gives_the_same_code() {
    let source = "#[state(key = (K, u8), durable)] struct S<K, T: Clone, const N: usize> where K: Copy {
        #[state(ttl = \"7d\", clock = \"event\")] a: ValueState<T>, #[state(reduce = T::join)] b: ReducingState<T>,
        #[state(skip)] c: [u8; N], #[state(name = \"x\")] d: MapState<K, T> }";
    let first = expand(source).expect("it is a struct");
    assert!(!is_refused(&first));
    for _ in 0..10 {
        assert_eq!(expand(source).expect("it is a struct"), first);
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let code = expand(
        "#[state(nam = \"x\", durable = 1)] struct S<'a> { #[state(ttl = \"7\")] a: ListState<u8>, \
         #[state(reduce = 5, clock = \"event\")] b: ReducingState<u8>, #[state(name = \"a\")] c: &'a str }",
    )
    .expect("it is a struct");
    assert_eq!(code.matches("compile_error").count(), 10, "{code}");
}

#[test]
fn one_mistake_is_one_message() {
    for text in [
        "", // the control: nothing wrong
        "tttl = \"7d\", clock = \"event\"",
        "tttl = 7, clock = \"event\"",
        "ttl = 7, clock = \"event\"",
        "ttl, clock = \"event\"",
        "ttl = , clock = \"event\"",
        "ttl(\"7d\"), clock = \"event\"",
        "ttl = \"7d\" clock = \"event\"",
        "ttl = HashMap<u8, u8>, clock = \"event\"",
        "serde = HashMap<u8, u8>, name = \"x\"",
        "reduce = |a, b| a + b, name = \"x\"",
        "skip = true",
        "name = \"x\"y",
        "name = \"\", ttl = \"1s\"",
        "key = HashMap<u8, u8>, name = \"x\"",
        "5",
        "::a::b",
        ",",
    ] {
        let code = attribute(text).expect("it is a struct");
        assert_eq!(code.matches("compile_error").count(), usize::from(!text.is_empty()), "{text}: {code}");
    }
}

#[test]
fn no_input_makes_the_macro_panic() {
    let pieces = [
        "key",
        "name",
        "ttl",
        "clock",
        "reduce",
        "skip",
        "crate",
        "state",
        "foo",
        "=",
        ",",
        "\"7d\"",
        "\"\"",
        "7",
        "7d",
        "-1",
        "u8",
        "Vec<u8, u8>",
        "<",
        ">",
        "|",
        "::",
        "(a, b)",
        "[1]",
        "{}",
        "&",
        "'a",
        "true",
        "i32::max",
        "->",
        "r#type",
        "b\"x\"",
        "!",
        "#",
    ];
    // A small generator with a fixed seed: the same inputs in every run.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 1_000_003).unwrap_or_default() % below
    };
    let mut refused = 0;
    for _ in 0..5_000 {
        let mut text = || -> String {
            let length = next(7);
            (0..length)
                .map(|_| pieces.get(next(pieces.len())).copied().unwrap_or_default())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (on_struct, on_field) = (text(), text());
        let source = format!(
            "#[state({on_struct})] struct S<T> {{ #[state({on_field})] a: ValueState<T>, b: MapState<u8, u8> }}"
        );
        refused += usize::from(expand(&source).is_ok_and(|code| is_refused(&code)));
    }
    assert!(refused > 2_500, "only {refused} got past the parser");
}
