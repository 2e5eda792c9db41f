//! Starts real databases and built binaries, drives them, compares.
//!
//! Tests run beside servers that `scripts/with-databases.sh` started once, or start their own PostgreSQL where it did not.

pub mod at_rest;
pub mod clients;
mod error;
pub mod metrics;
pub mod mysql;
pub mod parity;
pub mod paths;
pub mod pki;
pub mod port;
pub mod process;
pub mod programs;
pub mod raw;
pub mod record;
pub mod scene;
pub mod servers;
pub mod statements;

pub use error::{Context, Error, Result};
