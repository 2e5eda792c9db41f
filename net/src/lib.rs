//! Listeners and the pump between two sockets.
