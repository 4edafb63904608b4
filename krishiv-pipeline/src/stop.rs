//! The wish to stop, by Ctrl-C or SIGTERM.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells a program that it shall stop in good order. Clones share one flag.
///
/// ```
/// use krishiv_pipeline::StopSignal;
///
/// let stop = StopSignal::manual();
/// let seen_by_the_pipeline = stop.clone();
/// assert!(!seen_by_the_pipeline.is_set());
/// stop.set();
/// assert!(seen_by_the_pipeline.is_set());
/// ```
#[derive(Clone, Debug)]
pub struct StopSignal {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Known to the signal handlers, if there are any.
    set: Arc<AtomicBool>,
}

impl StopSignal {
    /// A signal that Ctrl-C (SIGINT) and SIGTERM set.
    ///
    /// Once it is set, the next of these ends the process at once, as if nobody handled it. The same holds once
    /// the last clone is dropped: then nobody would stop in good order. Install it once, and clone it for all
    /// that shall stop.
    ///
    /// ```no_run
    /// use krishiv_pipeline::StopSignal;
    ///
    /// let stop = StopSignal::install()?;
    /// while !stop.is_set() {
    ///     // one more event
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the system refuses the handlers.
    pub fn install() -> io::Result<Self> {
        let stop = Self::manual();
        for signal in [SIGINT, SIGTERM] {
            // They run in the order in which they were registered, so the first signal only sets the flag.
            flag::register_conditional_default(signal, Arc::clone(&stop.shared.set))?;
            flag::register(signal, Arc::clone(&stop.shared.set))?;
        }
        Ok(stop)
    }

    /// A signal that only [`set`](Self::set) sets.
    ///
    /// ```
    /// assert!(!krishiv_pipeline::StopSignal::manual().is_set());
    /// ```
    pub fn manual() -> Self {
        Self { shared: Arc::default() }
    }

    /// Whether to stop.
    ///
    /// ```
    /// assert!(!krishiv_pipeline::StopSignal::manual().is_set());
    /// ```
    pub fn is_set(&self) -> bool {
        self.shared.set.load(Ordering::Relaxed)
    }

    /// Sets it, as a signal would.
    ///
    /// ```
    /// let stop = krishiv_pipeline::StopSignal::manual();
    /// stop.set();
    /// assert!(stop.is_set());
    /// ```
    pub fn set(&self) {
        self.shared.set.store(true, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The handlers stay for the life of the process; a set flag makes them do what the system would do.
        self.set.store(true, Ordering::Relaxed);
    }
}
