//! Traces types that only a self-describing format can hold: structs with flattened parts, tagged enums, aliases.
//!
//! Serde's derive reads such a type from a value that says itself what it is, by way of a buffer behind which nothing of the type
//! can be seen but its errors. So samples are [searched](search) that the type accepts; what each [writes](written) shows names
//! and kinds, and all together show the type, but for what no sample could make it write.

mod known;
mod sample;
mod search;
mod shaped;
#[cfg(test)]
mod tests;
mod written;

use super::Shape;
use crate::codec::pull::pull;
use crate::codec::unreadable::listen;
use sample::Sample;
use search::{Answer, Search};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The shape of `T`, as far as samples show it; none if it accepts none.
pub(super) fn trace<T: Serialize + DeserializeOwned>() -> Option<Shape> {
    let mut panicked = false;
    let mut ask = |sample: &Sample| {
        let read = || pull(&mut sample.reader(), PhantomData::<T>).ok().map(|value| written::write(&value));
        // A type may not be ready for samples that no program makes.
        let (read, notes) = listen(|| catch_unwind(AssertUnwindSafe(read)));
        panicked |= read.is_err();
        // What a panic carries may panic when it is dropped.
        let read = read.unwrap_or_else(|panic| {
            std::mem::forget(panic);
            None
        });
        Answer { accepted: read.is_some(), written: read.flatten(), notes }
    };
    let known = Search::run(&mut ask);
    known.filter(|_| !panicked).as_ref().and_then(shaped::shape)
}
