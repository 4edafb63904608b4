//! chained
