//! The snapshots in `tests/expansions` are what the derive expands to: they compile, and they run the same.

#![allow(missing_docs, clippy::unwrap_used, clippy::type_complexity)]

macro_rules! the_same {
    ($($shape:ident $expanded:ident $source:literal $snapshot:literal,)*) => {$(
        #[path = $source]
        mod $shape;
        #[path = $snapshot]
        #[rustfmt::skip]
        mod $expanded;

        #[test]
        fn $shape() {
            let derived = $shape::run().unwrap();
            assert_eq!($expanded::run().unwrap(), derived);
        }
    )*};
}

the_same! {
    plain plain_expanded "expansions/plain.rs" "expansions/plain.snap.rs",
    generic generic_expanded
        "expansions/generic.rs" "expansions/generic.snap.rs",
    skipped skipped_expanded
        "expansions/skipped.rs" "expansions/skipped.snap.rs",
    renamed renamed_expanded
        "expansions/renamed.rs" "expansions/renamed.snap.rs",
}
