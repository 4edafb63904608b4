//! What runs for a time sees what had not ended at that time, however the watermark and the clock came to pass it.

mod cuts;
mod examples;
mod from_event;
