//! What the derive costs to compile, in two cases:
//!
//! - `cargo check` of 50 structs of 10 fields, against serde's derives on plain structs of the same inner types;
//! - a user's own build, optimized and for debugging: a program with 60 states of 20 types, against the same by hand
//!   on `Option`, `Vec`, `HashMap` and postcard. The size of the optimized binary stands beside it.
//!
//! Each is a crate of its own, compiled the way a user would after a change, with the dependencies built before. The
//! time of `cargo check` is that of the whole process, that of a build is what its processes took of the CPUs, which
//! only Linux tells. Run it on an idle machine, where it takes some minutes:
//! `cargo run --release -p krishiv-benches --bin compile_time`.

mod build;
mod check;
mod program;
mod project;
mod sources;
mod table;
mod turns;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", check::compare()?);
    println!("whole processes, medians of {} runs in turns", check::RUNS);
    println!("{}", build::compare()?);
    println!("CPU time, user and system, medians of {} runs in turns", build::RUNS);
    Ok(())
}
