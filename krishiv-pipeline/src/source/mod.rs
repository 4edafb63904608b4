//! Where items come from.

mod csv;
mod files;
mod filter_map;
mod format;
mod iter;
mod json_lines;
mod line;
mod lines;
mod live;
mod map;
mod packed;
mod polled;
mod position;
mod protocol;
mod row;
mod text;
mod try_map;
mod wrapped;

pub use csv::CsvSource;
pub use filter_map::FilterMap;
pub use iter::{IterSource, TooFewItems};
pub use json_lines::JsonLinesSource;
pub use map::Map;
pub use polled::Polled;
pub use position::RowPosition;
pub use protocol::Source;
pub use row::Row;
pub use text::Progress;
pub use try_map::TryMap;
