//! The fuzz targets: each module has one, `run`, which takes bytes and panics when something does not hold.
//!
//! The programs in `targets/` only hand the bytes over, so everything is built once. `fuzz/README.md` says how to run a
//! target, how to look at what it found, and how to add one.

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub, unused_qualifications)]

pub mod columns;
pub mod compressed;
pub mod containers;
pub mod copy;
pub mod flags;
pub mod frames;
pub mod keystore;
pub mod mysql_session;
pub mod plan;
pub mod seed;
pub mod session;
pub mod sql;
pub mod stream;
pub mod tokens;

#[path = "../../engine/tests/session/driver.rs"]
#[allow(dead_code, reason = "of the engine's tests, which use more of it")]
mod driver;
mod fixture;
#[path = "../../engine/tests/session/messages.rs"]
#[allow(dead_code, reason = "of the engine's tests, which use more of it")]
mod messages;
#[path = "../../engine/tests/session/mysql_messages.rs"]
#[allow(dead_code, reason = "of the engine's tests, which use more of it")]
mod mysql_messages;
