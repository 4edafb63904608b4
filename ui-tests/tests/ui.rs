//! Programs that must compile, and programs that must not, with the messages they get.
//!
//! After a change of a message, look at every difference that this test prints, and then accept it with
//! `TRYBUILD=overwrite cargo test -p krishiv-ui-tests`.

#[test]
fn right_programs_compile_and_wrong_ones_get_a_message() {
    let cases = trybuild::TestCases::new();
    // One set of both: a `pass` case makes trybuild build rather than check, and only a build finds what is
    // wrong with a program as a whole, like durable state on a volatile backend.
    cases.pass("tests/pass/*.rs");
    cases.compile_fail("tests/fail/*/*.rs");
    // The one snapshot of an expansion that does not compile, and says what the derive says.
    cases.compile_fail("tests/expansions/mistaken.snap.rs");
}
