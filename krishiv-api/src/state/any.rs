//! Every handle behind a pointer.

use crate::backend::WriteBatch;
use crate::catalog::tables::Tables;
use crate::codec::keys::RowKey;
use crate::error::StateError;
use crate::scope::any_handle::AnyHandle;
use crate::scope::left::Left;
use crate::state::calls::Calls;
use crate::state::handle::{Core, Handle};
use std::any::Any;

impl<H: Handle> AnyHandle for H {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn new_cell(&self) -> Box<dyn Any + Send> {
        Box::new(H::Cell::default())
    }
    fn enter(&mut self, cell: &mut (dyn Any + Send)) {
        if let (Some(core), Some(cell)) = (self.core_mut(), cell.downcast_mut()) {
            core.enter(cell);
        }
    }
    fn undo(&mut self) {
        self.core_mut().into_iter().for_each(Core::undo);
    }
    fn adopt(&mut self) {
        self.core_mut().into_iter().for_each(Core::adopt);
    }

    fn has_waste(&mut self) -> bool {
        self.core_mut().is_some_and(Core::has_waste)
    }

    fn sweep(&mut self) {
        self.core_mut().into_iter().for_each(Core::sweep);
    }
    fn leave(&mut self, cell: &mut (dyn Any + Send)) -> Left {
        match (self.core_mut(), cell.downcast_mut()) {
            (Some(core), Some(cell)) => {
                let left = core.leave(cell);
                Left { weight: left.weight + size_of::<H::Cell>(), ..left }
            }
            _ => Left::NOTHING,
        }
    }
    fn wants_preload(&self, cell: &(dyn Any + Send)) -> bool {
        match (self.core(), cell.downcast_ref()) {
            (Some(core), Some(cell)) => core.wants_preload(cell),
            _ => false,
        }
    }
    fn preload(&self, cell: &mut (dyn Any + Send), found: &[Option<Vec<u8>>]) {
        if let (Some(core), Some(cell)) = (self.core(), cell.downcast_mut()) {
            core.preload(cell, found);
        }
    }
    fn flush(&self, cell: &mut (dyn Any + Send), row: &RowKey, batch: &mut WriteBatch) -> Result<(), StateError> {
        match (self.core(), cell.downcast_mut()) {
            (Some(core), Some(cell)) => core.flush(cell, row, batch),
            _ => Ok(()),
        }
    }
    fn committed(&self, cell: &mut (dyn Any + Send)) {
        if let (Some(core), Some(cell)) = (self.core(), cell.downcast_mut()) {
            core.committed(cell);
        }
    }
    fn holds(&self, cell: &(dyn Any + Send), stored: &[(u16, &[u8])]) -> bool {
        match (self.core(), cell.downcast_ref()) {
            (Some(core), Some(cell)) => core.holds(cell, stored),
            _ => false,
        }
    }
    fn slot(&self) -> Option<u16> {
        self.core().map(|core| core.slot().id())
    }
    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError> {
        self.core().map_or(Ok(()), |core| core.refresh(tables, seen))
    }
}
