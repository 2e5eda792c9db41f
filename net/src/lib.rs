//! Listeners, and the pump between two sockets and one session.
//!
//! Everything about sockets and the runtime is here; what the bytes mean is decided by the session of `acra-engine`
//! that the pump drives.

mod buffer;
pub mod pump;
pub mod serve;
pub mod tls;

pub use buffer::Budget;
pub use pump::{End, Services, pump};
pub use serve::{Handler, Listener};
