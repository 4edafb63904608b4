//! `docs/derive.md` says what the derive says, and `docs/async.md` what the compiler does.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/derive.md");
const THREADS: &str = include_str!("../../docs/async.md");

fn messages(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            messages(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "stderr") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// What stands in code quotes in a line of Markdown.
fn quoted(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let opened = &rest[start..];
        let ticks = opened.len() - opened.trim_start_matches('`').len();
        let (fence, inner) = opened.split_at(ticks);
        let Some(end) = inner.find(fence) else { break };
        found.push(inner[..end].trim());
        rest = inner[end..].trim_start_matches('`');
    }
    found
}

/// The rows of a table of mistakes, each as its last cell.
fn rows() -> impl Iterator<Item = &'static str> {
    let mut among_mistakes = false;
    PAGE.lines().filter_map(move |line| {
        among_mistakes = line == "| Mistake | Message |" || among_mistakes && line.starts_with('|');
        let cell = line.strip_suffix(" |")?.rsplit_once(" | ")?.1;
        (among_mistakes && !matches!(cell, "Message" | "---|---|")).then_some(cell)
    })
}

#[test]
fn every_message_on_the_page_is_one_that_users_get() {
    let mut all = String::new();
    messages(Path::new("tests/fail"), &mut all);
    let mut count = 0;
    for cell in rows() {
        let messages = quoted(cell);
        assert!(!messages.is_empty(), "no message in {cell:?}");
        for message in messages {
            assert!(all.contains(message), "nobody gets {message:?}");
            count += 1;
        }
    }
    assert!(count > 50, "only {count} messages found on the page");
}

#[test]
fn every_message_on_the_page_of_threads_is_one_that_users_get() {
    let mut all = String::new();
    messages(Path::new("tests/fail/threads"), &mut all);
    let rows = THREADS.lines().skip_while(|line| !line.starts_with("| What |")).skip(2);
    let cells: Vec<_> = rows.map_while(|line| line.split(" | ").nth(1)).collect();
    assert_eq!(cells.len(), 6);
    for message in cells.into_iter().flat_map(quoted) {
        assert!(all.contains(message), "nobody gets {message:?}");
    }
}

#[test]
fn every_key_has_a_section() {
    let on_the_struct = ["key", "name", "renamed_from", "dropped", "durable", "crate"];
    let on_a_field = ["ttl", "clock", "ttl_update", "reduce", "migrate", "skip"];
    for key in on_the_struct.into_iter().chain(on_a_field) {
        assert!(PAGE.contains(&format!("\n### `{key}`\n")), "no section for {key}");
    }
}
