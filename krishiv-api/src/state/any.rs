//! The part of every handle that belongs to a store, behind a pointer.

use crate::catalog::tables::Tables;
use crate::codec::row::Parts;
use crate::error::StateError;
use crate::scope::any_handle::AnyHandle;
use crate::scope::left::Left;
use crate::scope::row_commit::RowCommit;
use crate::state::handle::Core;
use std::any::Any;

impl<C: Core> AnyHandle for C {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn new_cell(&self) -> Box<dyn Any + Send> {
        Box::new(C::Cell::default())
    }
    fn enter(&mut self, cell: &mut (dyn Any + Send)) {
        if let Some(cell) = cell.downcast_mut() {
            Core::enter(self, cell);
        }
    }
    fn undo(&mut self) {
        Core::undo(self);
    }
    fn adopt(&mut self, stored: &mut Parts) {
        Core::adopt(self, stored);
    }
    fn has_waste(&mut self) -> bool {
        Core::has_waste(self)
    }
    fn sweep(&mut self) {
        Core::sweep(self);
    }
    fn leave(&mut self, cell: &mut (dyn Any + Send)) -> Left {
        match cell.downcast_mut() {
            Some(cell) => {
                let left = Core::leave(self, cell);
                Left { weight: left.weight + size_of::<C::Cell>(), ..left }
            }
            None => Left::NOTHING,
        }
    }
    fn wants_preload(&self, cell: &(dyn Any + Send)) -> bool {
        cell.downcast_ref().is_some_and(|cell| Core::wants_preload(self, cell))
    }
    fn preload(&self, cell: &mut (dyn Any + Send), stored: &mut Parts) {
        if let Some(cell) = cell.downcast_mut() {
            Core::preload(self, cell, stored);
        }
    }
    fn changes_row(&self, cell: &(dyn Any + Send)) -> Option<bool> {
        Core::changes_row(self, cell.downcast_ref()?)
    }
    fn flush(&self, cell: &mut (dyn Any + Send), to: &mut RowCommit<'_>) -> Result<(), StateError> {
        match cell.downcast_mut() {
            Some(cell) => Core::flush(self, cell, to),
            None => Ok(()),
        }
    }
    fn committed(&self, cell: &mut (dyn Any + Send)) {
        if let Some(cell) = cell.downcast_mut() {
            Core::committed(self, cell);
        }
    }
    fn holds(&self, cell: &(dyn Any + Send), stored: &[(u16, &[u8])]) -> bool {
        cell.downcast_ref().is_some_and(|cell| Core::holds(self, cell, stored))
    }
    fn slot(&self) -> Option<u16> {
        Some(Core::slot(self).id())
    }
    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError> {
        Core::refresh(self, tables, seen)
    }
}
