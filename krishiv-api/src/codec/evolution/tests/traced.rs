//! Shapes of types, found out once.

use crate::codec::shape::{Shape, trace};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static TRACED: RefCell<HashMap<TypeId, Shape>> = RefCell::default();
}

/// The shape of a type, which is found out once.
pub(super) fn traced<T: DeserializeOwned + Serialize + 'static>() -> Shape {
    TRACED.with_borrow_mut(|known| known.entry(TypeId::of::<T>()).or_insert_with(|| trace::<T>().shape).clone())
}
