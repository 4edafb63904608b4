//! What is stored of the values of a row and no cell has: states without a handle, what lies apart, what does not decode.

use crate::codec::row::Parts;

/// It, as bytes of a record; most rows have nothing of the kind.
#[derive(Default)]
pub(super) struct Kept(Option<Box<Bytes>>);

#[derive(Default)]
struct Bytes {
    now: Box<[u8]>,
    /// What it comes to be with the commit that is being made.
    next: Option<Box<[u8]>>,
}

impl Kept {
    fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| &bytes.now)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn parts(&self) -> Parts {
        // It was written by this program.
        Parts::read(self.bytes()).unwrap_or_default()
    }

    /// Takes note of what has been read, and keeps of what was there the places that a commit may have written and did not succeed.
    pub(super) fn learn(&mut self, read: Box<[u8]>) {
        if *self.bytes() != *read {
            let now = with_marks(read, self.bytes());
            self.0.get_or_insert_default().now = now;
        }
    }

    /// Takes note of what it comes to be with the commit that is being made.
    pub(super) fn flushed(&mut self, next: Box<[u8]>) {
        if *self.bytes() == *next {
            self.0.iter_mut().for_each(|bytes| bytes.next = None);
            return;
        }
        let now = with_marks(self.bytes().into(), &next);
        self.0 = Some(Box::new(Bytes { now, next: Some(next) }));
    }

    /// That commit has been written.
    pub(super) fn settle(&mut self) {
        if let Some(bytes) = &mut self.0
            && let Some(next) = bytes.next.take()
        {
            bytes.now = next;
        }
        self.0.take_if(|bytes| bytes.now.is_empty());
    }

    /// Memory that it takes outside itself, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |bytes| size_of::<Bytes>() + bytes.now.len())
    }
}

/// `kept`, and the places in `others` of values that lie apart.
fn with_marks(kept: Box<[u8]>, others: &[u8]) -> Box<[u8]> {
    let (Ok(mut parts), Ok(others)) = (Parts::read(&kept), Parts::read(others)) else { return kept };
    parts.keep_apart(&others);
    parts.write_kept()
}
