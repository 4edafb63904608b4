//! What a pipeline stores with each commit beside the state.

use crate::pipeline::PipelineError;
use krishiv_api::{BoxError, WatermarksPosition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The format of [`Position`]; a change to its fields or to their meaning makes it another.
pub(super) const FORMAT: u32 = 1;

/// How far a pipeline has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    pub(super) format: u32,
    /// Where each source stands.
    pub(super) inputs: Vec<Value>,
    /// The input whose turn is next.
    pub(super) turn: usize,
    pub(super) watermarks: WatermarksPosition,
    /// Whether timers that this watermark makes due were still firing. Otherwise those that are due were set since it moved,
    /// and wait for its next move.
    pub(super) firing: bool,
    /// Whether an input that had ended has been drained of its timers, so that no more may come.
    pub(super) drained: bool,
    /// Names of the operators, in their order.
    pub(super) operators: Vec<String>,
    /// Where the broadcasts of each operator stand.
    pub(super) broadcasts: BTreeMap<String, Value>,
    /// How far each sink is.
    pub(super) sinks: BTreeMap<String, Value>,
    /// Events since the beginning.
    pub(super) events: u64,
}

impl Position {
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::json!(self).to_string().into_bytes()
    }

    /// Takes note that what is called `old` in it is called `new` now: an operator, its broadcasts and its outputs.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        self.operators.iter_mut().filter(|name| *name == old).for_each(|name| new.clone_into(name));
        if let Some(broadcasts) = self.broadcasts.remove(old) {
            self.broadcasts.insert(new.to_owned(), broadcasts);
        }
        let renamed = |name: String| match name.strip_prefix(old).filter(|rest| rest.starts_with('/')) {
            Some(rest) => format!("{new}{rest}"),
            None => name,
        };
        let sinks = std::mem::take(&mut self.sinks);
        self.sinks = sinks.into_iter().map(|(name, mark)| (renamed(name), mark)).collect();
    }

    /// Reads what was committed, or says why it is not of a pipeline.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let position: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if position.format == FORMAT {
            Ok(position)
        } else {
            Err(format!("its format is {}, expected {FORMAT}", position.format))
        }
    }
}

/// Whether somebody's position is one of a pipeline, of this format or another.
pub(super) fn is_of_a_pipeline(bytes: &[u8]) -> bool {
    let position: Option<Value> = serde_json::from_slice(bytes).ok();
    // What no format leaves out.
    position.is_some_and(|position| ["format", "inputs", "operators"].iter().all(|field| position.get(field).is_some()))
}

/// How much of a foreign position is shown, in bytes.
const SHOWN: usize = 40;

/// Somebody else has committed the operator.
pub(super) fn foreign(operator: &str, bytes: &[u8], reason: &str) -> PipelineError {
    let start = bytes.get(..SHOWN).unwrap_or(bytes).escape_ascii().to_string().replace("\\\"", "\"");
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    PipelineError::setting(format!(
        "operator `{operator}` was last committed with the position `{start}{more}`, which is not one of a pipeline that this \
         program can go on with ({reason}): another program has committed it; go on with that program, give the operator of the \
         pipeline another name, or use a copy of the state from before, or a new one"
    ))
}

/// What a source gives to be stored.
pub(super) fn of_source(position: &impl Serialize) -> Result<Value, PipelineError> {
    let stored = serde_json::to_value(position);
    stored.map_err(|error| PipelineError::setting(format!("the position of a source is no JSON: {error}")))
}

/// Reads what a source or sink has given to be stored.
pub(super) fn of_this_kind<T: DeserializeOwned>(what: &str, stored: Value) -> Result<T, BoxError> {
    serde_json::from_value(stored).map_err(|error| {
        format!(
            "the state was made with another kind of {what} ({error}); use the one that it was made with, or start over with a \
             new state"
        )
        .into()
    })
}
