//! `evolution`: three versions of one program, one after the other on one folder, and back again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test"
)]

#[allow(dead_code, reason = "what is refused has said its plan by then")]
#[path = "common/run.rs"]
mod run;

use run::Run;
use std::process::Command;
use tempfile::TempDir;

const FIRST: &str = "\
operator `customer`
state `last`: new
    ValueState<struct Order { item: str, cents: u32 }>
state `total`: new
    ReducingState<u32>
state `stars`: new
    ValueState<u8>

found
left
  DE-2002: last lamp, 4550 cents in all, 1 stars
  DE-2003: last tea, 450 cents in all, 1 stars
  US-1001: last book, 1999 cents in all, 1 stars
";

const SECOND: &str = "\
operator `customer`
state `last`: readable
    stored    ValueState<struct Order { item: str, cents: u32 }>
    declared  ValueState<struct Order { item: str, cents: u64, gift: bool }>
    - `gift` is new: its default
    - `cents` was u32, and is u64
state `spent`: readable, renamed from `total`
    stored    ReducingState<u32>
    declared  ReducingState<u64>
    - was u32, and is u64
state `stars`: the same
    ValueState<u8>

found
  DE-2002: last lamp, 4550 cents in all, 1 stars
  DE-2003: last tea, 450 cents in all, 1 stars
  US-1001: last book, 1999 cents in all, 1 stars
left
  DE-2002: last cup, 5800 cents in all, 2 stars
  DE-2003: last tea, 450 cents in all, 1 stars
  US-1001: last chair, a gift, 14899 cents in all, 2 stars
";

const README: &str = include_str!("../../README.md");

/// What the first version finds of the second.
const BACK: &str = "
found
  DE-2002: last cup, 5800 cents in all, 2 stars
  DE-2003: last tea, 450 cents in all, 1 stars
  US-1001: last chair, 14899 cents in all, 2 stars
left
  DE-2002: last lamp, 10350 cents in all, 3 stars
  DE-2003: last tea, 900 cents in all, 2 stars
  US-1001: last book, 16898 cents in all, 3 stars
";

const THIRD: &str = "
keys migrated: 3
found
  2002 in DE: last lamp, 10350 cents in all, Friend
  2003 in DE: last tea, 900 cents in all, Regular
  1001 in US: last book, 16898 cents in all, Friend
left
  2002 in DE: last desk, 45350 cents in all, Friend
  2003 in DE: last tea, 900 cents in all, Regular
  3001 in FR: last vase, 2700 cents in all, New
  1001 in US: last book, 16898 cents in all, Friend
";

struct Folder {
    place: TempDir,
    backend: &'static str,
}

impl Folder {
    fn run(&self, program: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evolution"));
        command.args([program, "--backend", self.backend]).current_dir(self.place.path());
        command.output().unwrap().into()
    }
}

fn three_versions_in_sequence_and_back(backend: &'static str) {
    let folder = Folder { place: tempfile::tempdir().unwrap(), backend };
    assert_eq!(folder.run("v1").ok(), FIRST);
    assert_eq!(folder.run("v2").ok(), SECOND);
    let (plan, _) = SECOND.split_once("\nfound\n").unwrap();
    assert!(README.contains(&format!("```text\n{plan}```\n")), "the page shows the plan of v2");
    let back = folder.run("v1").ok();
    assert!(back.contains("state `total`: readable, renamed from `spent`\n"), "{back}");
    assert!(back.ends_with(BACK), "{back}");

    let third = folder.run("v3").ok();
    assert!(third.contains("    - `item` is `product` now\n"), "{third}");
    assert!(third.contains("state `tier`: readable, renamed from `stars`\n"), "{third}");
    assert!(third.ends_with(THIRD), "{third}");
    let again = folder.run("v3").ok();
    assert!(again.contains("\nkeys migrated: 0\n"), "{again}");

    // From here on the versions before are refused, after they have said why, and leave all as it is.
    for program in ["v1", "v2"] {
        let refused = folder.run(program);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stdout.contains("\nkey: impossible\n"), "{refused:?}");
        assert!(
            refused.stderr.starts_with("error: operator `customer`: the stored key is struct CustomerId"),
            "{refused:?}"
        );
    }
    let found = again.split("left\n").last().unwrap();
    assert!(folder.run("v3").ok().contains(&format!("found\n{found}")));
}

#[test]
fn three_versions_in_sequence_and_back_on_fjall() {
    three_versions_in_sequence_and_back("fjall");
}

#[test]
#[cfg(feature = "rocksdb")]
fn three_versions_in_sequence_and_back_on_rocksdb() {
    three_versions_in_sequence_and_back("rocksdb");
}

#[test]
fn a_version_may_be_left_out() {
    let folder = Folder { place: tempfile::tempdir().unwrap(), backend: "fjall" };
    folder.run("v1").ok();
    let third = folder.run("v3").ok();
    assert!(third.contains("state `spent`: readable, renamed from `total`\n"), "{third}");
    assert!(third.contains("\nfound\n  2002 in DE: last lamp, 4550 cents in all, New\n"), "{third}");
}
