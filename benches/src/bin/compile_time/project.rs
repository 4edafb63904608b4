//! A crate of its own that cargo compiles.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

pub(crate) struct Project {
    folder: PathBuf,
    name: &'static str,
    /// Its only file: `lib.rs` or `main.rs`.
    file: &'static str,
    source: String,
}

impl Project {
    /// Writes the crate `name` into a folder of that name.
    pub(crate) fn create(
        parent: &Path,
        name: &'static str,
        file: &'static str,
        dependencies: &str,
        source: String,
    ) -> Result<Self, Box<dyn Error>> {
        let folder = parent.join(name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{dependencies}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        // The same versions as everywhere else here.
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"), folder.join("Cargo.lock"))?;
        let project = Self { folder, name, file, source };
        project.touch()?;
        Ok(project)
    }

    /// Changes the crate for cargo, which goes by the time of the file.
    pub(crate) fn touch(&self) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(self.folder.join("src").join(self.file), &self.source)?)
    }

    /// A command of cargo on the crate.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).args(["--quiet", "--offline", "--target-dir", "target"]);
        command.current_dir(&self.folder).env_remove("RUSTFLAGS").stdout(Stdio::null());
        command
    }

    /// Where the profile `release` leaves the program.
    pub(crate) fn release_binary(&self) -> PathBuf {
        self.folder.join("target/release").join(self.name).with_extension(env::consts::EXE_EXTENSION)
    }
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?} failed: {status}").into());
    }
    Ok(())
}
