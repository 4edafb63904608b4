//! The wish to stop, by Ctrl-C or SIGTERM.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
    set: Arc<AtomicBool>,
    /// Whether `set` is what the signal handlers set.
    by_signals: bool,
}

/// The signal handlers of this process, which stay once they are there, and who listens to them.
static HANDLERS: Mutex<Option<Handlers>> = Mutex::new(None);

struct Handlers {
    set: Arc<AtomicBool>,
    listener: Weak<Shared>,
}

fn handlers() -> MutexGuard<'static, Option<Handlers>> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StopSignal {
    /// A signal that Ctrl-C (SIGINT) and SIGTERM set.
    ///
    /// Once it is set, the next of these ends the process at once, as if nobody handled it. The same holds while nobody
    /// has one: then nobody would stop in good order. All that are installed at a time are one.
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
        let mut handlers = handlers();
        if let Some(shared) = handlers.as_ref().and_then(|handlers| handlers.listener.upgrade()) {
            return Ok(Self { shared });
        }
        let set = match &*handlers {
            // Somebody listened before, and the flag has been set since.
            Some(Handlers { set, .. }) => {
                set.store(false, Ordering::Relaxed);
                Arc::clone(set)
            }
            None => {
                let set = Arc::default();
                for signal in [SIGINT, SIGTERM] {
                    // They run in the order in which they were registered, so the first signal only sets the flag.
                    flag::register_conditional_default(signal, Arc::clone(&set))?;
                    flag::register(signal, Arc::clone(&set))?;
                }
                set
            }
        };
        let shared = Arc::new(Shared { set: Arc::clone(&set), by_signals: true });
        *handlers = Some(Handlers { set, listener: Arc::downgrade(&shared) });
        Ok(Self { shared })
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
        if !self.by_signals {
            return;
        }
        // The handlers stay; a set flag makes them do what the system would do. Unless somebody else listens by now.
        if let Some(handlers) = handlers().as_ref()
            && handlers.listener.strong_count() == 0
        {
            self.set.store(true, Ordering::Relaxed);
        }
    }
}
