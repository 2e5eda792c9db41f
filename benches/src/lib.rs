//! What the benchmarks share.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

pub mod conversation;
pub mod floor;
pub mod mysql_conversation;
