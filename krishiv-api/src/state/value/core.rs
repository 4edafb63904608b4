//! The bound handle of one value, which value and reducing states are made of: its calls.

use crate::codec::record::Stamp;
use crate::codec::{Codec, is_writable};
use crate::error::{Cause, StateError};
use crate::scope::slot::Slot;
use crate::state::calls::Ran;
use crate::state::value::cell::Cell;
use crate::value::StateValue;
use std::cell::{RefCell, RefMut};

/// What an event that fails goes back to.
pub(super) enum Before<T> {
    /// The event has changed nothing.
    Same,
    /// It has only renewed the stamp.
    Stamp { dirty: bool, stamp: Stamp },
    /// It has put another value in the place of this one, which was [hot](Cell::Hot).
    Hot { heap: u32, value: T },
    /// The same for one that was [timed](Cell::Timed).
    Timed { heap: u32, expires_at: i64, value: T },
    /// It has written.
    Cell(Cell<T>),
    /// It is over, and this is of no use any more.
    Gone(Cell<T>),
}

pub(super) struct Live<T> {
    pub(super) cell: Cell<T>,
    pub(super) before: Before<T>,
}

/// The bound handle of one value.
pub struct Value<T> {
    pub(super) slot: Slot,
    pub(super) live: RefCell<Live<T>>,
    /// How a reducing state merges; none replaces the old value.
    pub(crate) reducer: Option<fn(T, T) -> T>,
}

impl<T: StateValue> Value<T> {
    pub(crate) fn new(slot: Slot) -> Self {
        let live = Live { cell: Cell::Outside, before: Before::Same };
        slot.shared.add_value(slot.id());
        Self { slot, live: RefCell::new(live), reducer: None }
    }

    #[inline]
    fn borrow(&self) -> Result<RefMut<'_, Live<T>>, StateError> {
        self.live.try_borrow_mut().map_err(|_| self.reentrant())
    }

    #[cold]
    fn reentrant(&self) -> StateError {
        self.slot.blame(Cause::Reentrant.into())
    }

    #[cold]
    fn outside(&self) -> StateError {
        self.slot.blame(Cause::OutsideEvent.into())
    }

    /// Makes the value readable: loaded, judged by the time, and renewed if reading does that.
    #[inline]
    pub(crate) fn ready(&self) -> Result<(), StateError> {
        if let Ok(live) = self.live.try_borrow()
            && match self.stamp_of(&live.cell) {
                Some(stamp) => self.slot.is_settled(stamp),
                None => matches!(live.cell, Cell::Absent { .. }),
            }
        {
            return Ok(());
        }
        self.prepare()
    }

    /// Makes it readable, and sure that no closure is reading it, so that it can be written.
    pub(crate) fn ready_to_write(&self) -> Result<(), StateError> {
        self.ready()?;
        self.borrow().map(drop)
    }

    #[cold]
    fn prepare(&self) -> Result<(), StateError> {
        // A closure that reads it has it judged already, in this event.
        if self.live.try_borrow_mut().is_err() && self.live.try_borrow().is_ok() {
            return Ok(());
        }
        let live = &mut *self.borrow()?;
        self.slot.shared.touch();
        match live.cell {
            Cell::Outside => return Err(self.outside()),
            Cell::Unloaded => live.cell = Cell::found(self.slot.load()?),
            Cell::Absent { .. } | Cell::Hot { .. } | Cell::Timed { .. } | Cell::Present { .. } => {}
        }
        let Some(stamp) = self.stamp_of(&live.cell) else { return Ok(()) };
        if self.slot.is_expired(stamp) {
            // Dirty, so that the record goes with the next write of the row; but no row is written for this alone.
            live.cell = Cell::Absent { dirty: true };
            self.slot.shared.meter.expired.add(1);
        } else if self.slot.refreshes_on_read()
            && let Cell::Present { dirty, clock, expires_at, .. } = &mut live.cell
        {
            let renewed = self.slot.stamp();
            if renewed != stamp {
                if matches!(live.before, Before::Same) {
                    live.before = Before::Stamp { dirty: *dirty, stamp };
                }
                (*dirty, *clock, *expires_at) = (true, renewed.clock, renewed.expires_at);
            }
        }
        Ok(())
    }

    /// When the value in `cell` ends, if there is one.
    #[inline]
    pub(super) fn stamp_of(&self, cell: &Cell<T>) -> Option<Stamp> {
        match cell {
            Cell::Hot { .. } => Some(Stamp::NEVER),
            Cell::Timed { expires_at, .. } => Some(self.slot.counted(*expires_at)),
            Cell::Present { clock, expires_at, .. } => Some(Stamp { expires_at: *expires_at, clock: *clock }),
            Cell::Outside | Cell::Unloaded | Cell::Absent { .. } => None,
        }
    }

    /// Runs `f` on the value.
    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> Result<R, StateError> {
        if let Ok(live) = self.live.try_borrow()
            && let Cell::Hot { value, .. } = &live.cell
        {
            return Ok(f(Some(value)));
        }
        self.with_timed(f)
    }

    /// The same for what ends; inline it would make the common case above slower, and with more in it this one.
    #[inline(never)]
    fn with_timed<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> Result<R, StateError> {
        if let Ok(live) = self.live.try_borrow()
            && let Cell::Timed { expires_at, value, .. } = &live.cell
            && self.slot.is_before(*expires_at)
        {
            return Ok(f(Some(value)));
        }
        self.with_stamped(f)
    }

    #[inline(never)]
    fn with_stamped<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> Result<R, StateError> {
        // What `ready` and `read` would do in two looks.
        if let Ok(live) = self.live.try_borrow()
            && self.stamp_of(&live.cell).is_some_and(|stamp| self.slot.is_ahead(stamp))
        {
            return Ok(f(live.cell.value()));
        }
        self.with_judged(f)
    }

    #[inline(never)]
    fn with_judged<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> Result<R, StateError> {
        self.ready()?;
        self.read(f)
    }

    /// Runs `f` on the value, which is [ready](Self::ready).
    #[inline]
    pub(crate) fn read<R>(&self, f: impl FnOnce(Option<&T>) -> R) -> Result<R, StateError> {
        match self.live.try_borrow() {
            Ok(live) => Ok(f(live.cell.value())),
            Err(_) => Err(self.reentrant()),
        }
    }

    /// Sets the value.
    #[inline(always)]
    pub(crate) fn set(&self, value: T) -> Result<(), StateError> {
        // Most values that are set were set before since the last commit, and own no memory: only they change. Of numbers the compiler
        // sees that they can be written.
        if !std::mem::needs_drop::<T>()
            && is_writable(&value)
            && let Ok(mut live) = self.live.try_borrow_mut()
            && let Live { cell: Cell::Hot { value: there, .. }, before } = &mut *live
        {
            let value = std::mem::replace(there, value);
            if matches!(before, Before::Same) {
                *before = Before::Hot { heap: 0, value };
            }
            return Ok(());
        }
        self.set_in_place(value)
    }

    #[inline(never)]
    fn set_in_place(&self, value: T) -> Result<(), StateError> {
        // The same for those that end.
        if !std::mem::needs_drop::<T>()
            && is_writable(&value)
            && let Some(end) = self.slot.end()
            && let Ok(mut live) = self.live.try_borrow_mut()
            && let Live { cell: Cell::Timed { expires_at, value: there, .. }, before } = &mut *live
        {
            let value = std::mem::replace(there, value);
            let expires_at = std::mem::replace(expires_at, end);
            if matches!(before, Before::Same) {
                *before = Before::Timed { heap: 0, expires_at, value };
            }
            return Ok(());
        }
        self.set_weighed(value)
    }

    #[inline(never)]
    fn set_weighed(&self, value: T) -> Result<(), StateError> {
        let (codec, heap) = self.settle(&value, self.slot.codec)?;
        let stamp = self.slot.stamp();
        if codec == self.slot.codec
            && let Ok(mut live) = self.live.try_borrow_mut()
        {
            let Live { cell, before } = &mut *live;
            match cell {
                Cell::Hot { heap: heap_there, value: there } => {
                    let heap = self.weigh(heap_there, heap);
                    let value = std::mem::replace(there, value);
                    if matches!(before, Before::Same) {
                        *before = Before::Hot { heap, value };
                    }
                    return Ok(());
                }
                Cell::Timed { heap: heap_there, expires_at, value: there } => {
                    let heap = self.weigh(heap_there, heap);
                    let value = std::mem::replace(there, value);
                    let expires_at = std::mem::replace(expires_at, stamp.expires_at);
                    if matches!(before, Before::Same) {
                        *before = Before::Timed { heap, expires_at, value };
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        self.replace(self.dirty(heap, codec, stamp, value))
    }

    /// Puts `heap` in the place of what was there, and returns that.
    #[inline(always)]
    fn weigh(&self, there: &mut u32, heap: u32) -> u32 {
        if *there != heap {
            self.slot.shared.touch();
        }
        std::mem::replace(there, heap)
    }

    /// Sets the value, to be stored by `codec` where that can carry it.
    pub(crate) fn set_by(&self, value: T, codec: Codec) -> Result<(), StateError> {
        let (codec, heap) = self.settle(&value, codec)?;
        self.replace(self.dirty(heap, codec, self.slot.stamp(), value))
    }

    /// The cell of a value that is to be written.
    fn dirty(&self, heap: u32, codec: Codec, stamp: Stamp, value: T) -> Cell<T> {
        let Stamp { expires_at, clock } = stamp;
        // Another value in its place would have to be looked at first, where that is needed.
        match codec == self.slot.codec && self.slot.is_trusted() {
            true if !self.slot.can_expire() => Cell::Hot { heap, value },
            true if self.slot.counts() => Cell::Timed { heap, expires_at, value },
            _ => Cell::Present { dirty: true, codec, clock, heap, expires_at, value },
        }
    }

    /// The codec that holds `value`, and the memory of it outside itself, in bytes.
    #[inline]
    fn settle(&self, value: &T, wanted: Codec) -> Result<(Codec, u32), StateError> {
        let (codec, heap) = self.slot.settle(value, wanted)?;
        Ok((codec, u32::try_from(heap).unwrap_or(u32::MAX)))
    }

    /// Removes the value.
    pub(crate) fn clear(&self) -> Result<(), StateError> {
        if matches!(self.borrow()?.cell, Cell::Absent { .. }) {
            return Ok(());
        }
        self.replace(Cell::Absent { dirty: true })
    }

    fn replace(&self, new: Cell<T>) -> Result<(), StateError> {
        let live = &mut *self.borrow()?;
        if matches!(live.cell, Cell::Outside) {
            return Err(self.outside());
        }
        self.slot.shared.touch();
        let old = std::mem::replace(&mut live.cell, new);
        live.before = Before::Cell(match std::mem::replace(&mut live.before, Before::Same) {
            Before::Cell(first) => first,
            Before::Same | Before::Gone(_) => old,
            Before::Stamp { dirty, stamp } => old.with_stamp(dirty, stamp),
            Before::Hot { heap, value } => Cell::Hot { heap, value },
            Before::Timed { heap, expires_at, value } => Cell::Timed { heap, expires_at, value },
        });
        Ok(())
    }

    /// The same as [`change`](Self::change) for a value that is hot and owns no memory, where there is nothing to make ready; hands
    /// `f` back for any other.
    #[inline(always)]
    pub(crate) fn update_hot<F, R>(&self, f: F) -> Result<Ran<R>, F>
    where
        F: FnOnce(&mut Option<T>) -> R,
        T: Clone,
    {
        let mut value = match self.live.try_borrow().as_deref() {
            Ok(Live { cell: Cell::Hot { value, .. }, .. }) if !std::mem::needs_drop::<T>() => Some(value.clone()),
            _ => return Err(f),
        };
        let result = f(&mut value);
        Ok((result, value.map_or_else(|| self.clear(), |value| self.set(value))))
    }

    /// Sets or removes the value by what `f` makes of a copy, so that a panic in `f` changes nothing.
    #[inline]
    pub(crate) fn update<R>(&self, f: impl FnOnce(&mut Option<T>) -> R) -> Result<R, StateError>
    where
        T: Clone,
    {
        let (result, done) = self.change(f)?;
        done.map(|()| result)
    }

    /// The same, with what `f` returned also where what it made cannot be stored.
    #[inline]
    pub(crate) fn change<R>(&self, f: impl FnOnce(&mut Option<T>) -> R) -> Result<Ran<R>, StateError>
    where
        T: Clone,
    {
        let own = self.slot.codec;
        let hot = self.live.try_borrow().ok().and_then(|live| match &live.cell {
            Cell::Hot { value, .. } => Some(value.clone()),
            Cell::Timed { expires_at, value, .. } if self.slot.is_before(*expires_at) => Some(value.clone()),
            _ => None,
        });
        let (mut value, codec) = match hot {
            Some(value) => (Some(value), own),
            None => self.copy()?,
        };
        let result = f(&mut value);
        let done = match value {
            // Text stays text; what was stored otherwise since its codec could not hold it may have changed.
            Some(value) if codec == Codec::Json => self.set_by(value, codec),
            Some(value) => self.set(value),
            None => self.clear(),
        };
        Ok((result, done))
    }
}

impl<T: StateValue + Clone> Value<T> {
    /// The value, and the codec it is stored by.
    #[inline(never)]
    fn copy(&self) -> Result<(Option<T>, Codec), StateError> {
        self.ready()?;
        Ok(match &self.borrow()?.cell {
            Cell::Hot { value, .. } | Cell::Timed { value, .. } => (Some(value.clone()), self.slot.codec),
            Cell::Present { value, codec, .. } => (Some(value.clone()), *codec),
            _ => (None, self.slot.codec),
        })
    }

    /// Merges `value` into what is there, by `reducer` or else the state's own.
    #[inline]
    pub(crate) fn merge(&self, value: T, reducer: Option<fn(T, T) -> T>) -> Result<(), StateError> {
        let Some(reducer) = reducer.or(self.reducer) else { return self.set(value) };
        let merge = |old: &mut Option<T>| {
            *old = Some(match old.take() {
                Some(old) => reducer(old, value),
                None => value,
            });
        };
        self.update(merge)
    }
}
