//! Functions of the program that make values of today's type of those of an older one.

use crate::codec::{Codec, Fit, Old, Shape, fit, trace};
use crate::value::StateValue;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

/// One of them, whatever its types: only who reads values knows what they become.
#[derive(Clone)]
pub struct Migration {
    /// The shape of the type that it takes.
    from: Shape,
    fit: fn(&Shape, Codec, &Shape) -> Fit,
    /// A [`Convert`] in a box, for the type that it makes.
    convert: Arc<dyn Any + Send + Sync>,
}

/// Why a stored value did not become one of today's.
pub(crate) enum Failed {
    /// It could not be read as one of the old type.
    Read(String),
    /// The function said no.
    Function(String),
}

/// A migration to `T`, behind a pointer.
trait Convert<T>: Send + Sync {
    fn one(&self, old: &Old, codec: Codec, bytes: &[u8]) -> Result<T, Failed>;

    fn run(&self, old: &Old, codec: Codec, bytes: &[u8], values: &mut VecDeque<T>) -> Result<usize, Failed>;
}

struct By<F, O>(F, PhantomData<fn() -> O>);

impl<O: DeserializeOwned, T, F: Fn(O) -> Result<T, String> + Send + Sync> Convert<T> for By<F, O> {
    fn one(&self, old: &Old, codec: Codec, bytes: &[u8]) -> Result<T, Failed> {
        (self.0)(old.decode(codec, bytes).map_err(Failed::Read)?).map_err(Failed::Function)
    }

    fn run(&self, old: &Old, codec: Codec, bytes: &[u8], values: &mut VecDeque<T>) -> Result<usize, Failed> {
        let mut olds = VecDeque::new();
        let read = old.decode_run(codec, bytes, &mut olds).map_err(Failed::Read)?;
        olds.into_iter().try_for_each(|old| {
            values.push_back((self.0)(old).map_err(Failed::Function)?);
            Ok(())
        })?;
        Ok(read)
    }
}

impl Migration {
    /// That of `function`.
    pub(crate) fn new<O, T, F>(function: F) -> Self
    where
        O: StateValue,
        T: StateValue,
        F: Fn(O) -> Result<T, String> + Send + Sync + 'static,
    {
        let convert: Box<dyn Convert<T>> = Box::new(By(function, PhantomData));
        Self { from: trace::<O>().shape, fit: fit::<O>, convert: Arc::new(convert) }
    }

    /// Whether it takes the very type that has written values under the shape `written`.
    pub(super) fn is_of(&self, written: &Shape) -> bool {
        written.compare(&self.from).is_some()
    }

    /// Whether it takes a type that reads such values.
    pub(super) fn reads(&self, written: &Shape, codec: Codec) -> bool {
        !matches!((self.fit)(written, codec, &self.from), Fit::Unreadable { .. })
    }

    /// The shape of the type that it takes.
    pub(super) fn from(&self) -> &Shape {
        &self.from
    }

    /// Reads a value of the old type and makes one of today's of it.
    pub(crate) fn one<T: 'static>(&self, old: &Old, codec: Codec, bytes: &[u8]) -> Result<T, Failed> {
        self.to::<T>()?.one(old, codec, bytes)
    }

    /// The same of several values that were written together; returns how many there were.
    pub(crate) fn run<T: 'static>(
        &self,
        old: &Old,
        codec: Codec,
        bytes: &[u8],
        values: &mut VecDeque<T>,
    ) -> Result<usize, Failed> {
        self.to::<T>()?.run(old, codec, bytes, values)
    }

    fn to<T: 'static>(&self) -> Result<&dyn Convert<T>, Failed> {
        let convert = self.convert.downcast_ref::<Box<dyn Convert<T>>>();
        convert.map(|convert| &**convert).ok_or_else(|| Failed::Function("it makes values of another type".to_owned()))
    }
}
