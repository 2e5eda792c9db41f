//! The pure core of acra-rs: bytes in, bytes out.
//!
//! Protocols, SQL, plans, cells, containers, key formats and sessions live here. Nothing in this crate opens a
//! socket, reads a clock, starts a thread, reads the environment or writes a log; the shells around it do.

// Bytes from a peer must not be able to stop the process.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod cell;
pub mod columns;
pub mod crypto;
pub mod keys;
pub mod plan;
pub mod session;
pub mod sql;
pub mod tokens;
pub mod types;
pub mod wire;
