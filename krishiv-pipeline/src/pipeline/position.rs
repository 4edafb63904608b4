//! What a pipeline stores with each commit beside the state.

use crate::pipeline::PipelineError;
use krishiv_api::WatermarksPosition;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The format of [`Position`]; a change to its fields or to their meaning makes it another.
const FORMAT: u32 = 1;

/// How far a pipeline has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    format: u32,
    /// Where each source stands.
    pub(super) inputs: Vec<Value>,
    /// The input whose turn is next.
    pub(super) turn: usize,
    pub(super) watermarks: WatermarksPosition,
    /// Whether timers that this watermark makes due were still firing. Otherwise those that are due were set since it moved,
    /// and wait for its next move.
    pub(super) firing: bool,
    /// Where the broadcasts of each operator stand.
    pub(super) broadcasts: BTreeMap<String, Value>,
    /// How far each sink is.
    pub(super) sinks: BTreeMap<String, Value>,
    /// Events since the beginning.
    pub(super) events: u64,
}

impl Position {
    pub(super) fn new(inputs: Vec<Value>, watermarks: WatermarksPosition, events: u64) -> Self {
        Self {
            format: FORMAT,
            inputs,
            turn: 0,
            watermarks,
            firing: false,
            broadcasts: BTreeMap::new(),
            sinks: BTreeMap::new(),
            events,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::json!(self).to_string().into_bytes()
    }

    /// Reads what was committed.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, PipelineError> {
        let foreign = |reason: String| {
            PipelineError::setting(format!(
                "the committed position is not one of a pipeline that this program can go on with: {reason}; \
                 use the program that wrote it, or start over with a new state"
            ))
        };
        let position: Self = serde_json::from_slice(bytes).map_err(|error| foreign(error.to_string()))?;
        if position.format == FORMAT {
            Ok(position)
        } else {
            Err(foreign(format!("its format is {}, expected {FORMAT}", position.format)))
        }
    }
}
