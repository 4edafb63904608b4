//! States that no struct declares: handles made by name find them here.

use crate::backend::Volatile;
use crate::descriptor::StateDescriptor;
use crate::error::StateError;
use crate::keyed::kept::Kept;
use crate::keyed::{Binder, KeyedState};
use crate::scope::any_handle::{AnyHandle, Bound};
use crate::scope::one_thread::OneThreadAtATime;
use crate::scope::timers::OfKey;
use crate::state::handle::Visitor;
use crate::value::StateKey;
use elsa::FrozenVec;
use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
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
    type Needs = Volatile;
    type Row = ();
    const OPERATOR: &'static str = "dynamic";
    const DESCRIPTORS: &'static [StateDescriptor] = &[];

    fn attach(_: &mut Binder<'_>) -> Result<Self, StateError> {
        Ok(Self { key: PhantomData })
    }
    fn visit<V: Visitor>(&mut self, (): &mut (), _: &mut V) {}
    fn handle(&self, _: usize) -> Option<Bound<'_>> {
        None
    }
}

/// What most rows do without, behind a word of the row.
pub(super) type Extra = Option<Box<Rest>>;

#[derive(Default)]
pub(super) struct Rest {
    /// Cells of the states that no struct declares.
    pub(super) cells: Vec<Box<dyn Any + Send>>,
    /// The encoded key, where rows are found by that.
    pub(super) encoded: Box<[u8]>,
    pub(super) kept: Kept,
    pub(super) timers: OfKey,
}

impl Rest {
    /// Whether nothing is in it.
    pub(super) fn is_bare(&self) -> bool {
        self.cells.is_empty() && self.encoded.is_empty() && self.kept.is_empty() && self.timers.is_empty()
    }

    /// Memory that it takes besides that of cells, in bytes. Where keys are found by their bytes, each row has one, and its own memory
    /// counts with the key.
    pub(super) fn weight(&self) -> usize {
        let own = if self.encoded.is_empty() { size_of::<Self>() } else { 0 };
        own + self.kept.weight() + self.timers.weight()
    }
}

/// The handles of undeclared states that a store got to know.
///
/// They join one by one and never leave, so that a call can use one while others join.
#[derive(Default)]
pub(super) struct DynamicHandles {
    /// Nothing until the first joins. One cell around all that others must not see, so that the compiler complains of one thing.
    joined: OnceCell<Box<OneThreadAtATime<Joined>>>,
}

#[derive(Default)]
struct Joined {
    handles: FrozenVec<Box<Named>>,
    /// Their places by name.
    places: RefCell<HashMap<String, usize>>,
    /// What the handles that joined in the event at hand held at rest.
    cells: RefCell<Vec<Box<dyn Any + Send>>>,
}

struct Named {
    of: TypeId,
    handle: Box<dyn AnyHandle>,
}

impl DynamicHandles {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.joined.get().is_none()
    }

    pub(super) fn get(&self, name: &str) -> Option<Bound<'_>> {
        let joined = self.joined.get()?;
        let named = joined.handles.get(*joined.places.borrow().get(name)?)?;
        Some(Bound { of: named.of, core: named.handle.as_any() })
    }

    /// Runs `f` on every handle.
    #[inline]
    pub(super) fn for_each(&mut self, mut f: impl FnMut(&mut dyn AnyHandle)) {
        if let Some(joined) = self.joined.get_mut() {
            joined.handles.as_mut().iter_mut().for_each(|named| f(&mut *named.handle));
        }
    }

    /// Runs `f` on every handle with its cell in `extra`.
    #[inline]
    pub(super) fn visit(&mut self, extra: &mut Extra, f: impl FnMut(&mut dyn AnyHandle, &mut (dyn Any + Send))) {
        if !self.is_empty() {
            self.visit_all(extra, f);
        }
    }

    #[cold]
    fn visit_all(&mut self, extra: &mut Extra, mut f: impl FnMut(&mut dyn AnyHandle, &mut (dyn Any + Send))) {
        let Some(joined) = self.joined.get_mut() else { return };
        let cells = &mut extra.get_or_insert_default().cells;
        for (index, named) in joined.handles.as_mut().iter_mut().enumerate() {
            if cells.len() == index {
                cells.push(named.handle.new_cell());
            }
            if let Some(cell) = cells.get_mut(index) {
                f(&mut *named.handle, &mut **cell);
            }
        }
    }

    /// Takes in a new handle, and enters it into the row of the event, if any.
    pub(super) fn join(&self, name: &str, (of, mut handle): (TypeId, Box<dyn AnyHandle>), in_event: bool) {
        let joined = self.joined.get_or_init(Box::default);
        if in_event {
            let mut cell = handle.new_cell();
            handle.enter(&mut *cell);
            joined.cells.borrow_mut().push(cell);
        }
        joined.places.borrow_mut().insert(name.to_owned(), joined.handles.len());
        joined.handles.push(Box::new(Named { of, handle }));
    }

    /// Lets the row have the cells of handles that joined while it was there.
    pub(super) fn hand_over(&mut self, extra: &mut Extra) {
        let Some(joined) = self.joined.get_mut() else { return };
        let cells = joined.cells.get_mut();
        if !cells.is_empty() {
            extra.get_or_insert_default().cells.append(cells);
        }
    }
}
