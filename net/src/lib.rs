//! Listeners, and the pump between two sockets and one session.
//!
//! Everything about sockets and the runtime is here; what the bytes mean is decided by the session of `acra-engine`
//! that the pump drives.

mod buffer;
mod compressed;
mod lifecycle;
mod listener;
pub mod pump;
mod rewound;
pub mod serve;
pub mod tls;
mod transport;

pub use buffer::Budget;
pub use compressed::Compressed;
pub use lifecycle::{Lifecycle, State};
pub use listener::{Listener, Peer};
pub use pump::{End, SecuredClient, Services, Terms, TimeLimits, pump};
pub use rewound::Rewound;
pub use serve::{Handler, Service};
pub use transport::Transport;
