//! A crate of its own that cargo checks.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

pub(crate) struct Project {
    folder: PathBuf,
    source: String,
}

impl Project {
    /// Writes the crate `name` into a folder of that name.
    pub(crate) fn create(parent: &Path, name: &str, dependencies: &str, source: &str) -> Result<Self, Box<dyn Error>> {
        let folder = parent.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{dependencies}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        // The same versions as everywhere else here.
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"), folder.join("Cargo.lock"))?;
        let project = Self { folder, source: source.to_owned() };
        project.write_source()?;
        Ok(project)
    }

    /// Checks the crate again after a change, with its dependencies as they are, and tells how long that took.
    pub(crate) fn check_again(&self) -> Result<Duration, Box<dyn Error>> {
        self.write_source()?;
        self.check()
    }

    /// Checks the crate, and tells how long that took.
    pub(crate) fn check(&self) -> Result<Duration, Box<dyn Error>> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["check", "--quiet", "--offline", "--target-dir", "target"]);
        command.current_dir(&self.folder).env_remove("RUSTFLAGS").stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status()?;
        let time = start.elapsed();
        if !status.success() {
            return Err(format!("`cargo check` of {} failed: {status}", self.folder.display()).into());
        }
        Ok(time)
    }

    /// Cargo goes by the time of the file.
    fn write_source(&self) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(self.folder.join("src/lib.rs"), &self.source)?)
    }
}
