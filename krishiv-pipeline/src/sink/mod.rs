//! Where items go.

mod bad_record;
mod durable;
mod finite;
mod json_lines;
mod memory;

pub use bad_record::BadRecord;
pub use durable::FileMark;
pub use json_lines::{JsonLinesSink, Written};
pub use memory::MemorySink;

use krishiv_api::BoxError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Takes items, and can drop those that were not committed.
///
/// A pipeline first calls [`resume`](Self::resume). If nothing was ever committed it then commits the mark of a first
/// [`sync`](Self::sync), so that whatever it writes from then on is known to be its own after a crash. It stores the
/// mark of a `sync` with every commit. After an error it calls [`cut_back`](Self::cut_back) with the mark of the last commit, and
/// no more.
///
/// A sink in which an item that comes twice leaves what it left when it came once (a table with a key) is idempotent:
/// its mark is `()`, and `resume` has nothing to do.
///
/// ```
/// use krishiv_pipeline::{BoxError, Sink};
/// use std::collections::HashMap;
///
/// /// The last delay of every aircraft.
/// #[derive(Default)]
/// struct Table(HashMap<String, i32>);
///
/// impl Sink for Table {
///     type Item = (String, i32);
///     type Mark = ();
///
///     fn write(&mut self, (tail, minutes): (String, i32)) -> Result<(), BoxError> {
///         self.0.insert(tail, minutes);
///         Ok(())
///     }
///
///     fn sync(&mut self) -> Result<(), BoxError> {
///         Ok(())
///     }
///
///     fn resume(&mut self, _mark: Option<()>) -> Result<(), BoxError> {
///         Ok(())
///     }
/// }
///
/// let mut table = Table::default();
/// table.resume(None)?;
/// table.write(("N14228".to_owned(), 20))?;
/// table.sync()?;
/// assert_eq!(table.0["N14228"], 20);
/// # Ok::<(), BoxError>(())
/// ```
pub trait Sink {
    /// What it takes.
    type Item;

    /// How far it was at a commit: stored with it.
    type Mark: Serialize + DeserializeOwned;

    /// Takes an item, which need not be durable before [`sync`](Self::sync).
    ///
    /// ```
    /// use krishiv_pipeline::{MemorySink, Sink};
    ///
    /// let mut sink = MemorySink::new();
    /// sink.write("late")?;
    /// assert_eq!(sink.items(), ["late"]);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the item cannot be written. A [`BadRecord`] says that others can be, and that this one has left nothing behind; any other
    /// error stops a pipeline.
    fn write(&mut self, item: Self::Item) -> Result<(), BoxError>;

    /// Makes all that was written durable, before the commit that will hold the mark.
    ///
    /// ```
    /// use krishiv_pipeline::{MemorySink, Sink};
    ///
    /// let mut sink = MemorySink::new();
    /// sink.write("late")?;
    /// assert_eq!(sink.sync()?, 1);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If something that was written is not durable. Nothing that came after the last mark may be committed then.
    fn sync(&mut self) -> Result<Self::Mark, BoxError>;

    /// Drops what came after `mark`; `None`: nothing was ever committed. Called once, before the first write.
    ///
    /// ```
    /// use krishiv_pipeline::{MemorySink, Sink};
    ///
    /// let mut sink = MemorySink::new();
    /// sink.write("committed")?;
    /// let mark = sink.sync()?;
    /// sink.write("not committed")?;
    /// sink.resume(Some(mark))?;
    /// assert_eq!(sink.items(), ["committed"]);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If what was committed is not there, or something of somebody else is.
    fn resume(&mut self, mark: Option<Self::Mark>) -> Result<(), BoxError>;

    /// Drops what came after `mark`, that of the last commit, because the pipeline stops on an error; `None`: nothing was ever
    /// committed. What came after it may be durable already, since a commit can fail when the sinks are synced.
    ///
    /// The default does nothing: the next [`resume`](Self::resume) will do it.
    ///
    /// ```
    /// use krishiv_pipeline::{MemorySink, Sink};
    ///
    /// let mut sink = MemorySink::new();
    /// sink.write("committed")?;
    /// let mark = sink.sync()?;
    /// sink.write("not committed")?;
    /// sink.cut_back(Some(mark))?;
    /// assert_eq!(sink.items(), ["committed"]);
    /// # Ok::<(), krishiv_pipeline::BoxError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it cannot be dropped now.
    fn cut_back(&mut self, mark: Option<Self::Mark>) -> Result<(), BoxError> {
        let _ = mark;
        Ok(())
    }
}
