//! Servers under test and beside tests.

mod acra;
mod haproxy;
mod pgbouncer;
mod postgres;
mod relay;

pub use acra::{AcraConfig, AcraServer, KeyStore};
pub use haproxy::Haproxy;
pub use pgbouncer::Pgbouncer;
pub use postgres::{Postgres, postgres_user};
pub use relay::Relay;

/// The major versions of PostgreSQL that tests run against.
pub const VERSIONS: [u32; 3] = [15, 17, 18];
