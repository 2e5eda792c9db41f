//! A raw client of MySQL and MariaDB, and the comparison of what it gets directly and through a proxy.

mod connection;
mod link;
mod packet;
mod parity;
mod rows;
mod scene;
pub mod statements;

pub use connection::{Connection, Login};
pub use packet::Packet;
pub use parity::{Side, compare};
pub use rows::Table;
pub use scene::Scene;
