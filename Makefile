# Everything runs in one profile, so that RocksDB is compiled once (docs/architecture.md, "One build").
CARGO_FLAGS = --release

# Where the demo keeps its state: fjall is pure Rust, and built in a minute; rocksdb takes nine, and a C++ compiler.
BACKEND ?= fjall
# RocksDB is compiled once, for all commands.
DEMO_PROFILE = $(if $(filter rocksdb,$(BACKEND)),release,demo)

.PHONY: help setup demo test lint bench bench-full

help:
	@echo "make demo   send a year of flights through the main job, with its state in fjall; or make demo BACKEND=rocksdb"
	@echo "make test   set up, then run all tests"
	@echo "make lint   formatting, clippy and rustdoc, warnings denied"
	@echo "make bench  compare with hand-written code, in some five minutes; make bench-full takes its time"

setup:
	@scripts/setup

demo:
	@scripts/setup $(BACKEND)
	cargo run --profile $(DEMO_PROFILE) -p krishiv-examples --no-default-features --features $(BACKEND) --bin flights

test: setup
	cargo test $(CARGO_FLAGS) --workspace

lint: setup
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- --deny warnings
	cargo clippy $(CARGO_FLAGS) -p krishiv-api --no-default-features -- --deny warnings
	cargo clippy $(CARGO_FLAGS) -p krishiv-examples --no-default-features --features fjall -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc $(CARGO_FLAGS) --workspace --no-deps

bench: setup
	cargo build $(CARGO_FLAGS) -p krishiv-examples
	cargo run $(CARGO_FLAGS) -p krishiv-benches -- --quick

bench-full: setup
	cargo build $(CARGO_FLAGS) -p krishiv-examples
	cargo run $(CARGO_FLAGS) -p krishiv-benches -- --full
