//! What one atomic write is made of.

use std::ops::Range;

/// One step of a [`WriteBatch`].
///
/// ```
/// use krishiv_api::{Op, WriteBatch};
/// let mut batch = WriteBatch::default();
/// batch.delete(b"k");
/// assert!(matches!(batch.iter().next(), Some(Op::Delete(b"k"))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// Sets a key to a value.
    Put(&'a [u8], &'a [u8]),
    /// Removes a key, if it is there.
    Delete(&'a [u8]),
}

/// Puts and deletes that a backend applies together, in the order they were added.
///
/// ```
/// use krishiv_api::WriteBatch;
/// let mut batch = WriteBatch::default();
/// batch.put(b"k", b"v");
/// assert_eq!(batch.len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    // Keys and values back to back in one buffer: a commit of a million rows makes two allocations, not two million.
    bytes: Vec<u8>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    key: Range<usize>,
    value: Option<usize>,
}

impl WriteBatch {
    /// Sets `key` to `value`.
    ///
    /// ```
    /// let mut batch = krishiv_api::WriteBatch::default();
    /// batch.put(b"k", b"v");
    /// ```
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        let key = self.push(key);
        let value = self.push(value);
        self.steps.push(Step { key, value: Some(value.end) });
    }

    /// Removes `key`; removing what is not there is no error.
    ///
    /// ```
    /// let mut batch = krishiv_api::WriteBatch::default();
    /// batch.delete(b"k");
    /// ```
    pub fn delete(&mut self, key: &[u8]) {
        let key = self.push(key);
        self.steps.push(Step { key, value: None });
    }

    /// Number of steps.
    ///
    /// ```
    /// assert_eq!(krishiv_api::WriteBatch::default().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is nothing to do.
    ///
    /// ```
    /// assert!(krishiv_api::WriteBatch::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps, in the order they were added.
    ///
    /// ```
    /// use krishiv_api::{Op, WriteBatch};
    /// let mut batch = WriteBatch::default();
    /// batch.put(b"k", b"v");
    /// assert_eq!(batch.iter().collect::<Vec<_>>(), [Op::Put(b"k", b"v")]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Op<'_>> {
        self.steps.iter().map(|step| {
            let key = self.slice(step.key.clone());
            match step.value {
                Some(end) => Op::Put(key, self.slice(step.key.end..end)),
                None => Op::Delete(key),
            }
        })
    }

    fn push(&mut self, part: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(part);
        start..self.bytes.len()
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}
