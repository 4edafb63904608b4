//! Measuring two crates in turns, so that what slows the machine slows both.

use crate::project::Project;
use std::error::Error;
use std::time::Duration;

/// Medians of what each costs after a change.
pub(crate) fn medians(
    runs: usize,
    projects: [&Project; 2],
    measure: impl Fn(&Project) -> Result<Duration, Box<dyn Error>>,
) -> Result<[Duration; 2], Box<dyn Error>> {
    for project in projects {
        // With the dependencies, and therefore not counted.
        measure(project)?;
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (project, times) in projects.into_iter().zip(&mut times) {
            project.touch()?;
            times.push(measure(project)?);
        }
    }
    Ok(times.map(median))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
