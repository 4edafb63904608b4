//! One program in three versions.
//!
//! `v1.rs`, `v2.rs` and `v3.rs` are the same file, as a user of the library changes it over the years.

mod args;
#[path = "../backend.rs"]
mod backend;
mod open;
#[path = "../say.rs"]
mod say;
mod v1;
mod v2;
mod v3;

use args::{Args, Program};
use backend::Backend;
use clap::Parser;
#[cfg(feature = "fjall")]
use krishiv_api::FjallStateBackend;
#[cfg(feature = "rocksdb")]
use krishiv_api::RocksDbStateBackend;
use krishiv_api::{BoxError, InMemoryStateBackend, StateBackend};
use say::{fail, say};
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(report) => say(report.trim_end()),
        Err(error) => fail(&error.to_string()),
    }
}

fn run(args: &Args) -> Result<String, BoxError> {
    match args.backend {
        #[cfg(feature = "fjall")]
        Backend::Fjall => run_on(FjallStateBackend::open(&args.state)?, args.program),
        #[cfg(feature = "rocksdb")]
        Backend::Rocksdb => run_on(RocksDbStateBackend::open(&args.state)?, args.program),
        Backend::Memory => run_on(InMemoryStateBackend::new(), args.program),
    }
}

fn run_on(backend: impl StateBackend, program: Program) -> Result<String, BoxError> {
    let backend = Arc::new(backend);
    match program {
        Program::V1 => v1::run(&backend),
        Program::V2 => v2::run(&backend),
        Program::V3 => v3::run(&backend),
    }
}
