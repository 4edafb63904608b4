//! The snapshots of `krishiv-macros` are what the derive expands to: they compile, and they run the same.

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
    plain plain_expanded "../../krishiv-macros/expansions/plain.rs" "../../krishiv-macros/expansions/plain.snap.rs",
    generic generic_expanded
        "../../krishiv-macros/expansions/generic.rs" "../../krishiv-macros/expansions/generic.snap.rs",
    skipped skipped_expanded
        "../../krishiv-macros/expansions/skipped.rs" "../../krishiv-macros/expansions/skipped.snap.rs",
    renamed renamed_expanded
        "../../krishiv-macros/expansions/renamed.rs" "../../krishiv-macros/expansions/renamed.snap.rs",
}
