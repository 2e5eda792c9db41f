//! The client/server protocol of MySQL and MariaDB, version 10: one file per message that is looked into.
//!
//! Layouts are those of the MySQL source documentation, "Client/Server Protocol", and of the MariaDB documentation of
//! the same name. Integers are little-endian. A message is one packet, or several if it is long (see [`packet`]); views
//! are of the payload without packet headers. Messages that are only forwarded have no view here.

pub mod auth;
pub mod bulk;
pub mod capabilities;
pub mod change_user;
pub mod column;
pub mod command;
pub mod compressed;
pub mod error;
pub mod execute;
pub mod greeting;
pub mod handshake;
pub mod lenenc;
pub mod ok;
pub mod packet;
pub mod prepare;
pub mod query;
pub mod row;
pub mod text;
pub mod value;

pub use capabilities::Capabilities;
pub use column::Column;
pub use command::Command;
pub use packet::{Message, Scan, scan, write_message};
