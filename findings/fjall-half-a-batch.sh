#!/bin/sh
# fjall 3.1.13: a batch is all or nothing on disk, and not for readers. Its steps go into memory one after the other, and a `get` on the
# keyspace sees each as soon as it is there: of a batch that sets two keys to the same number, a reader soon finds the one of it without the
# other. By a snapshot both are of one batch, always.
# For us: readers go by one snapshot, which is replaced behind each write (docs/architecture.md, "fjall").
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
fjall = { version = "=3.1.13", default-features = false }
tempfile = "=3.27.0"
TOML
cat > "$folder/src/main.rs" <<'RUST'
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Slice};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

fn number(value: Option<Slice>) -> u64 {
    value.map_or(0, |value| u64::from_be_bytes(value.as_ref().try_into().unwrap()))
}

/// Numbers only grow, and both keys get the same one: what is read second is less only if its batch is seen by half.
fn is_half(read_first: Option<Slice>, read_second: Option<Slice>) -> bool {
    number(read_second) < number(read_first)
}

/// How often a reader sees a half while another thread writes batches.
fn halves(db: &Database, numbers: &Keyspace, by_snapshot: bool) -> u64 {
    let begin = Instant::now();
    // The second time the numbers go on from where those of the first time cannot have come.
    let start = u64::from(by_snapshot) * 10_000_000;
    let (mut written, mut halves) = (0, 0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut halves = 0;
            while !done.load(Relaxed) {
                // Whichever of the two a batch sets first, one of these orders meets it.
                for (one, other) in [("a", "b"), ("b", "a")] {
                    let half = if by_snapshot {
                        let snapshot = db.snapshot();
                        let first = snapshot.get(numbers, one).unwrap();
                        is_half(first, snapshot.get(numbers, other).unwrap())
                    } else {
                        let first = numbers.get(one).unwrap();
                        is_half(first, numbers.get(other).unwrap())
                    };
                    halves += u64::from(half);
                }
            }
            halves
        });
        while begin.elapsed() < Duration::from_secs(10) && written < 2_000_000 {
            written += 1;
            let mut batch = db.batch();
            batch.insert(numbers, "a", (start + written).to_be_bytes());
            batch.insert(numbers, "b", (start + written).to_be_bytes());
            batch.commit().unwrap();
        }
        done.store(true, Relaxed);
        halves = reader.join().unwrap();
    });
    println!("{written} batches, {halves} seen by half{}", if by_snapshot { " through snapshots" } else { "" });
    halves
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::builder(folder.path()).open().unwrap();
    let numbers = db.keyspace("numbers", KeyspaceCreateOptions::default).unwrap();
    assert!(halves(&db, &numbers, false) > 0);
    assert_eq!(halves(&db, &numbers, true), 0);
}
RUST
cd "$folder" && cargo run --quiet --release
