//! The pure core of acra-rs: bytes in, bytes out.
//!
//! Protocols, SQL, plans, cells, containers, key formats and sessions live here. Nothing in this crate opens a
//! socket, reads a clock, starts a thread, reads the environment or writes a log; the shells around it do.

pub mod cell;
pub mod columns;
pub mod crypto;
pub mod keys;
pub mod plan;
pub mod session;
pub mod sql;
pub mod wire;
