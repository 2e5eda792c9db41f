//! Reading and writing messages without copying them.
//!
//! [`cursor`] reads untrusted bytes with bounds checks, [`outbox`] holds what is on its way to a peer as ranges of
//! the buffer it arrived in, and [`pg`] and [`mysql`] have the views and builders of the messages of PostgreSQL, and of
//! MySQL and MariaDB. This module knows bytes and layouts; what a message means for a session is decided in `session`.

pub mod cursor;
pub mod mysql;
pub mod outbox;
pub mod pg;
