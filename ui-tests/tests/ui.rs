//! Programs that must compile, and programs that must not, with the messages they get.
//!
//! After a change of a message, look at every difference that this test prints, and then accept it with
//! `TRYBUILD=overwrite cargo test -p krishiv-ui-tests`.

#[test]
fn right_programs_compile_and_wrong_ones_get_a_message() {
    trybuild::TestCases::new().pass("tests/pass/*.rs");
    // A set of their own: with a `pass` case among them trybuild would build them rather than check, and what only a build
    // finds no editor shows.
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/fail/*/*.rs");
    // The one snapshot of an expansion that does not compile, and says what the derive says.
    cases.compile_fail("tests/expansions/mistaken.snap.rs");
}
