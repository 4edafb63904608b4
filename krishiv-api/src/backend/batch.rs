//! What one atomic write is made of.

use std::convert::Infallible;
use std::hint::black_box;
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
    /// Makes the value of a key what [`merged`](crate::merged) makes of it and these changes.
    ///
    /// Only backends that say [`MERGES`](crate::StateBackend::MERGES) are handed one.
    Merge(&'a [u8], &'a [u8]),
}

impl<'a> Op<'a> {
    /// The key that is set, removed or merged into.
    ///
    /// ```
    /// assert_eq!(krishiv_api::Op::Delete(b"k").key(), b"k");
    /// ```
    pub fn key(self) -> &'a [u8] {
        match self {
            Self::Put(key, _) | Self::Delete(key) | Self::Merge(key, _) => key,
        }
    }
}

/// Steps that are looked at before the first of them is taken: in the order of keys they lie all over the buffer.
const AHEAD: usize = 64;

/// The first 16 bytes of a key as a number that sorts like them.
fn front(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    u128::from_be_bytes(bytes)
}

/// Steps that a backend applies together, in the order they were added.
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
    /// Where the value ends, which begins where the key ends.
    value: Value,
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Put(usize),
    Merge(usize),
    None,
}

impl WriteBatch {
    /// Sets `key` to `value`.
    ///
    /// ```
    /// let mut batch = krishiv_api::WriteBatch::default();
    /// batch.put(b"k", b"v");
    /// ```
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.append_with(|bytes| bytes.extend_from_slice(key), |bytes| bytes.extend_from_slice(value));
    }

    /// Removes `key`; removing what is not there is no error.
    ///
    /// ```
    /// let mut batch = krishiv_api::WriteBatch::default();
    /// batch.delete(b"k");
    /// ```
    pub fn delete(&mut self, key: &[u8]) {
        self.delete_with(|bytes| bytes.extend_from_slice(key));
    }

    /// Merges `changes` of a row into the value of `key`, for backends that do so.
    ///
    /// ```
    /// let mut batch = krishiv_api::WriteBatch::default();
    /// batch.merge(b"k", b"");
    /// ```
    pub fn merge(&mut self, key: &[u8], changes: &[u8]) {
        self.push(Op::Merge(key, changes));
    }

    /// Adds a step of another batch.
    ///
    /// ```
    /// use krishiv_api::{Op, WriteBatch};
    /// let mut batch = WriteBatch::default();
    /// batch.push(Op::Put(b"k", b"v"));
    /// assert_eq!(batch.iter().next(), Some(Op::Put(b"k", b"v")));
    /// ```
    pub fn push(&mut self, op: Op<'_>) {
        match op {
            Op::Put(key, value) => self.put(key, value),
            Op::Delete(key) => self.delete(key),
            Op::Merge(key, changes) => {
                self.merge_with(|bytes| bytes.extend_from_slice(key), |bytes| bytes.extend_from_slice(changes));
            }
        }
    }

    /// Sets the key that `key` appends to the batch to the value that `value` appends.
    #[inline]
    pub(crate) fn put_with<E>(
        &mut self,
        key: impl FnOnce(&mut Vec<u8>),
        value: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        key(&mut self.bytes);
        let key = start..self.bytes.len();
        if let Err(error) = value(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        self.steps.push(Step { key, value: Value::Put(self.bytes.len()) });
        Ok(())
    }

    /// Merges the changes that `changes` appends into the value of the key that `key` appends.
    pub(crate) fn merge_with(&mut self, key: impl FnOnce(&mut Vec<u8>), changes: impl FnOnce(&mut Vec<u8>)) {
        self.append_with(key, changes);
        if let Some(Step { value, .. }) = self.steps.last_mut() {
            *value = Value::Merge(self.bytes.len());
        }
    }

    /// The same for a value that can always be written.
    pub(crate) fn append_with(&mut self, key: impl FnOnce(&mut Vec<u8>), value: impl FnOnce(&mut Vec<u8>)) {
        let value = |bytes: &mut Vec<u8>| {
            value(bytes);
            Ok::<(), Infallible>(())
        };
        let Ok(()) = self.put_with(key, value);
    }

    /// Removes the key that `key` appends to the batch.
    pub(crate) fn delete_with(&mut self, key: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key(&mut self.bytes);
        self.steps.push(Step { key: start..self.bytes.len(), value: Value::None });
    }

    /// Number of steps.
    ///
    /// ```
    /// assert_eq!(krishiv_api::WriteBatch::default().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Bytes of all keys and values.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
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
        self.steps.iter().map(|step| self.op(step))
    }

    fn op(&self, step: &Step) -> Op<'_> {
        let key = self.slice(step.key.clone());
        match step.value {
            Value::Put(end) => Op::Put(key, self.slice(step.key.end..end)),
            Value::Merge(end) => Op::Merge(key, self.slice(step.key.end..end)),
            Value::None => Op::Delete(key),
        }
    }

    /// The steps in the order of their keys; steps on one key stay in the order they were added.
    ///
    /// ```
    /// use krishiv_api::{Op, WriteBatch};
    /// let mut batch = WriteBatch::default();
    /// batch.put(b"b", b"1");
    /// batch.delete(b"a");
    /// batch.put(b"b", b"2");
    /// assert_eq!(batch.in_key_order(), [Op::Delete(b"a"), Op::Put(b"b", b"1"), Op::Put(b"b", b"2")]);
    /// ```
    pub fn in_key_order(&self) -> Vec<Op<'_>> {
        let mut ops = Vec::with_capacity(self.len());
        self.for_each_in_key_order(|op| ops.push(op));
        ops
    }

    /// Runs `f` on the steps in the order of their keys.
    pub(crate) fn for_each_in_key_order<'a>(&'a self, mut f: impl FnMut(Op<'a>)) {
        let mut steps: Vec<_> = self.iter().map(|op| front(op.key())).zip(0_usize..).collect();
        // The first bytes decide nearly always, and they are at hand: the keys themselves are all over the buffer.
        let key = |index: usize| self.steps.get(index).map(|step| self.slice(step.key.clone()));
        steps.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| key(*x).cmp(&key(*y))).then(x.cmp(y)));
        for steps in steps.chunks(AHEAD) {
            // The processor waits for all of them at once.
            for (_, index) in steps {
                black_box(self.steps.get(*index).and_then(|step| self.bytes.get(step.key.start)));
            }
            steps.iter().filter_map(|(_, index)| self.steps.get(*index)).for_each(|step| f(self.op(step)));
        }
    }

    /// Makes room for so many bytes and steps more.
    pub(crate) fn reserve(&mut self, bytes: usize, steps: usize) {
        self.bytes.reserve(bytes);
        self.steps.reserve(steps);
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }
}
