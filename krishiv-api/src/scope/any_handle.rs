//! What a store does with a handle whose type it does not know: with the part of it that belongs to the store.

use crate::catalog::tables::Tables;
use crate::codec::row::Parts;
use crate::error::StateError;
use crate::scope::left::Left;
use crate::scope::row_commit::RowCommit;
use std::any::{Any, TypeId};

/// The part of a handle that belongs to a store.
pub struct Bound<'a> {
    /// The type of the handle.
    pub(crate) of: TypeId,
    pub(crate) core: &'a dyn Any,
}

/// Such a part behind a pointer, for states that no struct declares.
pub(crate) trait AnyHandle: Send {
    fn as_any(&self) -> &dyn Any;
    fn new_cell(&self) -> Box<dyn Any + Send>;
    fn enter(&mut self, cell: &mut (dyn Any + Send));
    fn undo(&mut self);
    fn adopt(&mut self, stored: &mut Parts);
    fn has_waste(&mut self) -> bool;
    fn sweep(&mut self);
    fn leave(&mut self, cell: &mut (dyn Any + Send)) -> Left;
    fn wants_preload(&self, cell: &(dyn Any + Send)) -> bool;
    fn preload(&self, cell: &mut (dyn Any + Send), stored: &mut Parts);
    fn changes_row(&self, cell: &(dyn Any + Send)) -> Option<bool>;
    fn flush(&self, cell: &mut (dyn Any + Send), to: &mut RowCommit<'_>) -> Result<(), StateError>;
    fn committed(&self, cell: &mut (dyn Any + Send));
    fn holds(&self, cell: &(dyn Any + Send), stored: &[(u16, &[u8])]) -> bool;
    fn slot(&self) -> Option<u16>;
    fn refresh(&self, tables: &Tables, seen: u64) -> Result<(), StateError>;
}
