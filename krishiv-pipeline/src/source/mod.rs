//! Where items come from.

mod csv;
mod filter_map;
mod iter;
mod json_lines;
mod map;
mod polled;
mod position;
mod protocol;
mod text;
mod wrapped;

pub use csv::CsvSource;
pub use filter_map::FilterMap;
pub use iter::{IterSource, TooFewItems};
pub use json_lines::JsonLinesSource;
pub use map::Map;
pub use polled::Polled;
pub use position::RowPosition;
pub use protocol::Source;
pub use text::Progress;
