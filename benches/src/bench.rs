//! What every case is run with: how much of it, how often, and where.

use crate::args::Args;
use crate::error::Error;
use crate::large::{KEYS, Large};
use crate::measure::{Pairs, Sample};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A case that has taken this long is content with [`FEWEST`] runs.
const PATIENCE: Duration = Duration::from_secs(6);
const FEWEST: usize = 3;

/// How much of a case is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Next to nothing, to see that it runs.
    Tiny,
    Quick,
    Full,
}

/// What every case is run with.
pub(crate) struct Bench {
    pub(crate) bar: ProgressBar,
    pub(crate) size: Size,
    runs: Option<usize>,
    dir: PathBuf,
    large: OnceCell<Large>,
}

impl Bench {
    pub(crate) fn new(args: &Args) -> Result<Self, Error> {
        let size = match args {
            Args { tiny: true, .. } => Size::Tiny,
            Args { full: true, .. } => Size::Full,
            _ => Size::Quick,
        };
        let dir = match &args.dir {
            Some(dir) => dir.clone(),
            // Temporary folders of the system are memory on many systems, and their fsync costs nothing.
            None => beside_the_program()?,
        };
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos:>2}/{len}  {elapsed}  {msg}") {
            bar.set_style(style);
        }
        Ok(Self { bar, size, runs: args.runs.map(Into::into), dir, large: OnceCell::new() })
    }

    /// So many events for this size of run.
    pub(crate) fn events(&self, quick: usize, full: usize) -> usize {
        match self.size {
            Size::Tiny => 2_000,
            Size::Quick => quick,
            Size::Full => full,
        }
    }

    /// So many keys (or elements, or rounds): the shape of a case, which only a tiny run may change.
    pub(crate) fn shape(&self, number: u64) -> u64 {
        if self.size == Size::Tiny { number.min(number / 1_000 + 4) } else { number }
    }

    /// A new, empty folder, removed when it is dropped.
    pub(crate) fn folder(&self) -> Result<TempDir, Error> {
        folder_in(&self.dir)
    }

    /// Where databases are made.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Two databases with 5,000,000 keys, made once for all cases that need them.
    pub(crate) fn large(&self) -> Result<&Large, Error> {
        if let Some(large) = self.large.get() {
            return Ok(large);
        }
        let large = Large::new(self.folder()?, self.folder()?, self.shape(KEYS))?;
        Ok(self.large.get_or_init(|| large))
    }

    /// Runs the two sides in turn, and compares what they computed; `units` is what one run does so many of.
    pub(crate) fn compare(
        &self,
        units: usize,
        mut ours: impl FnMut() -> Result<Sample, Error>,
        mut peer: impl FnMut() -> Result<Sample, Error>,
    ) -> Result<Pairs, Error> {
        let mut pairs = Pairs::default();
        let start = Instant::now();
        for run in 0..self.most_runs() {
            // Who goes first changes, so that neither always finds the machine as the other has left it.
            let (ours, peer) = if run % 2 == 0 {
                let ours = ours()?;
                (ours, peer()?)
            } else {
                let peer = peer()?;
                (ours()?, peer)
            };
            pairs.add(ours, peer, units)?;
            if self.runs.is_none() && run + 1 >= FEWEST && start.elapsed() > PATIENCE {
                break;
            }
        }
        Ok(pairs)
    }

    fn most_runs(&self) -> usize {
        self.runs.unwrap_or(match self.size {
            Size::Tiny => 2,
            Size::Quick => 5,
            Size::Full => 9,
        })
    }
}

fn beside_the_program() -> Result<PathBuf, Error> {
    let program = std::env::current_exe().map_err(Error::io("finding this program's own folder"))?;
    Ok(program.parent().map_or_else(PathBuf::new, Path::to_owned))
}

fn folder_in(dir: &Path) -> Result<TempDir, Error> {
    let folder = tempfile::Builder::new().prefix("krishiv-bench-").tempdir_in(dir);
    folder.map_err(Error::io("making a folder for a database (choose another place with --dir)"))
}
