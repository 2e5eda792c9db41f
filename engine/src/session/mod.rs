//! The state machines of a connection.
