//! What each version does before it reads anything.

use krishiv_api::{BoxError, Keeps, Keyed, KeyedState};
use std::io::Write;
use std::sync::Arc;

/// Says what becomes of the stored state, and opens it if it can be opened.
pub(crate) fn open<S: KeyedState>(backend: &Arc<impl Keeps<S>>) -> Result<Keyed<S>, BoxError> {
    writeln!(std::io::stdout(), "{}", Keyed::<S>::builder().plan(backend)?)?;
    Ok(Keyed::open(Arc::clone(backend))?)
}
