//! Servers under test and beside tests.

mod acra;
mod mysql;
mod network;
mod postgres;
mod proxy;
mod redis;

pub use acra::{AcraConfig, AcraServer, KeyStore};
pub use mysql::{Flavour, MySql};
pub use network::{Network, Way};
pub use postgres::{Paused, Postgres, postgres_user};
pub use proxy::Proxy;
pub use redis::Redis;

/// The major versions of PostgreSQL that tests run against.
pub const VERSIONS: [u32; 3] = [15, 17, 18];
