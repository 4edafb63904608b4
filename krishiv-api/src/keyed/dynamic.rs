//! States that no struct declares: handles made by name find them here.

use crate::StateError;
use crate::descriptor::StateDescriptor;
use crate::keyed::{Binder, KeyedState};
use crate::state::current::{AnyHandle, Taken};
use crate::state::handle::Visitor;
use crate::value::StateKey;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

/// A `KeyedState` that declares no field: its store serves handles made by name.
///
/// Each state gets its type from the first handle that uses it, and keeps it for ever.
///
/// ```
/// use krishiv_api::{Dynamic, InMemoryStateBackend, Keyed, ValueState};
/// use std::sync::Arc;
///
/// let mut store = Keyed::<Dynamic<String>>::open(Arc::new(InMemoryStateBackend::new()))?;
/// let seen = ValueState::<u64>::new("seen");
/// store.with_key("ann", |_| seen.set(1))?;
/// assert_eq!(store.with_key("ann", |_| seen.get())?, Some(1));
/// # Ok::<(), krishiv_api::StateError>(())
/// ```
pub struct Dynamic<K> {
    key: PhantomData<fn() -> K>,
}

impl<K: StateKey> KeyedState for Dynamic<K> {
    type Key = K;
    type Row = ();
    const OPERATOR: &'static str = "dynamic";
    const DESCRIPTORS: &'static [StateDescriptor] = &[];

    fn attach(_: &mut Binder<'_>) -> Result<Self, StateError> {
        Ok(Self { key: PhantomData })
    }
    fn visit<V: Visitor>(&self, (): &mut (), _: &mut V) {}
    fn handle(&self, _: usize) -> Option<&dyn Any> {
        None
    }
}

/// The cells of a row that belong to undeclared states, in the order of their handles.
///
/// Boxed, so that the rows of a store that has none are two words smaller.
#[allow(clippy::box_collection)]
pub(super) type Extra = Option<Box<Vec<Box<dyn Any + Send>>>>;

/// The handles of undeclared states that a store got to know.
#[derive(Default)]
pub(super) struct DynamicHandles {
    /// Whether there are any; most stores have none, and ask this in every event.
    any: Cell<bool>,
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    handles: Vec<Named>,
    /// What the handles that joined in the event at hand held at rest.
    joined: Vec<Box<dyn Any + Send>>,
}

struct Named {
    name: String,
    /// `None` while a call uses it.
    handle: Option<Box<dyn AnyHandle>>,
}

impl DynamicHandles {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.any.get()
    }

    /// Runs `f` on every handle.
    #[inline]
    pub(super) fn for_each(&self, mut f: impl FnMut(&dyn AnyHandle)) {
        if self.is_empty() {
            return;
        }
        for named in &self.inner.borrow().handles {
            if let Some(handle) = &named.handle {
                f(&**handle);
            }
        }
    }

    /// Runs `f` on every handle with its cell in `extra`.
    #[inline]
    pub(super) fn visit(&self, extra: &mut Extra, mut f: impl FnMut(&dyn AnyHandle, &mut (dyn Any + Send))) {
        if self.is_empty() {
            return;
        }
        let inner = self.inner.borrow();
        let cells = extra.get_or_insert_default();
        for (index, named) in inner.handles.iter().enumerate() {
            let Some(handle) = &named.handle else { continue };
            if cells.len() == index {
                cells.push(handle.new_cell());
            }
            if let Some(cell) = cells.get_mut(index) {
                f(&**handle, &mut **cell);
            }
        }
    }

    /// Lets the row have the cells of handles that joined while it was there.
    pub(super) fn hand_over(&self, extra: &mut Extra) {
        let joined = std::mem::take(&mut self.inner.borrow_mut().joined);
        if !joined.is_empty() {
            extra.get_or_insert_default().extend(joined);
        }
    }

    /// Takes note of a new handle, which its first call holds, and enters it into the row of the event, if any.
    pub(super) fn join(&self, name: &str, handle: &dyn AnyHandle, in_event: bool) {
        self.any.set(true);
        let mut inner = self.inner.borrow_mut();
        inner.handles.push(Named { name: name.to_owned(), handle: None });
        if in_event {
            let mut cell = handle.new_cell();
            handle.enter(&mut *cell);
            inner.joined.push(cell);
        }
    }

    pub(super) fn take(&self, name: &str) -> Taken {
        let mut inner = self.inner.borrow_mut();
        match inner.handles.iter_mut().find(|named| named.name == name) {
            None => Taken::Unknown,
            Some(named) => named.handle.take().map_or(Taken::InUse, Taken::Handle),
        }
    }

    pub(super) fn put_back(&self, name: &str, handle: Box<dyn AnyHandle>) {
        let mut inner = self.inner.borrow_mut();
        if let Some(named) = inner.handles.iter_mut().find(|named| named.name == name) {
            named.handle = Some(handle);
        }
    }
}
