//! Reading and writing messages without copying them.
//!
//! [`cursor`] reads untrusted bytes with bounds checks, [`outbox`] holds what is on its way to a peer as ranges of
//! the buffer it arrived in, and [`pg`] has the views and builders of PostgreSQL's messages. This module knows bytes
//! and layouts; what a message means for a session is decided in `session`.

pub mod cursor;
pub mod outbox;
pub mod pg;
