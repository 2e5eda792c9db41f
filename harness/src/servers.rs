//! Servers under test and beside tests.

mod acra;
#[cfg(feature = "containers")]
mod container;
mod exchanges;
#[cfg(feature = "containers")]
mod mariadb;
mod mysql;
mod network;
mod paused;
mod postgres;
mod proxy;
mod redis;
mod redis_cluster;

pub use acra::{AcraConfig, AcraServer, KeyStore};
pub use exchanges::Exchanges;
#[cfg(feature = "containers")]
pub use mariadb::MariaDb;
pub use mysql::{Flavour, MySql};
pub use network::{Network, Way};
pub use paused::Paused;
pub use postgres::{Postgres, postgres_user};
pub use proxy::Proxy;
pub use redis::Redis;
pub use redis_cluster::RedisCluster;

/// The major versions of PostgreSQL that tests run against.
pub const VERSIONS: [u32; 3] = [15, 17, 18];
