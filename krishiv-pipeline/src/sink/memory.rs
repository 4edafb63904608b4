//! A sink that keeps its items in memory.

use crate::sink::Sink;
use krishiv_api::BoxError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps its items in memory, for tests. Clones share them, so a test can look into the sink that a pipeline owns.
///
/// ```
/// use krishiv_pipeline::{MemorySink, Sink};
///
/// let sink = MemorySink::new();
/// let mut owned_by_the_pipeline = sink.clone();
/// owned_by_the_pipeline.write(20)?;
/// assert_eq!(sink.items(), [20]);
/// # Ok::<(), krishiv_pipeline::BoxError>(())
/// ```
#[derive(Debug)]
pub struct MemorySink<T> {
    items: Arc<Mutex<Vec<T>>>,
}

impl<T> MemorySink<T> {
    /// A sink without items.
    ///
    /// ```
    /// assert!(krishiv_pipeline::MemorySink::<i32>::new().items().is_empty());
    /// ```
    pub fn new() -> Self {
        Self { items: Arc::default() }
    }

    /// What it holds, committed or not.
    ///
    /// ```
    /// use krishiv_pipeline::{MemorySink, Sink};
    ///
    /// let mut sink = MemorySink::new();
    /// sink.write("late")?;
    /// assert_eq!(sink.items(), ["late"]);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    pub fn items(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.lock().clone()
    }

    /// A panic in another thread leaves no half of an item.
    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for MemorySink<T> {
    fn clone(&self) -> Self {
        Self { items: Arc::clone(&self.items) }
    }
}

impl<T> Default for MemorySink<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Sink for MemorySink<T> {
    type Item = T;
    type Mark = usize;

    fn write(&mut self, item: T) -> Result<(), BoxError> {
        self.lock().push(item);
        Ok(())
    }

    fn sync(&mut self) -> Result<usize, BoxError> {
        Ok(self.lock().len())
    }

    fn resume(&mut self, mark: Option<usize>) -> Result<(), BoxError> {
        let committed = mark.unwrap_or(0);
        let held = self.lock().len();
        if held < committed {
            return Err(format!(
                "the sink holds {held} items, and {committed} were committed; resume a clone of that sink"
            )
            .into());
        }
        self.cut_back(mark)
    }

    fn cut_back(&mut self, mark: Option<usize>) -> Result<(), BoxError> {
        self.lock().truncate(mark.unwrap_or(0));
        Ok(())
    }
}
