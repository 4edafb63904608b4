//! Where time comes from: injected clocks and the watermark.

mod clock;
mod stopwatch;
mod timer;
mod ttl;
mod watermark;

pub use clock::{Clock, ManualClock, SystemClock};
pub(crate) use stopwatch::Stopwatch;
pub use timer::{Timer, TimerKind};
pub use ttl::{TtlClock, TtlConfig, TtlUpdate};
pub(crate) use ttl::{expires_at, is_expired};
pub use watermark::{FarAhead, TooFarAhead, WatermarkStrategy, Watermarks, WatermarksPosition};
