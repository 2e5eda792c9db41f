//! Bounds of one session, in bytes unless said otherwise.

/// Passing one of these is an error for this client, never for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest message from a client that must be understood whole.
    pub max_message: usize,
    /// Longest row that is held to open a container in it; a longer one streams through closed.
    pub max_row: usize,
    /// Names of prepared statements and portals.
    pub max_registry: usize,
    /// Messages that the server has not answered yet, a count; at the bound the client is not read.
    pub max_in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 1 << 30,
            max_row: 64 << 20,
            max_registry: 256 << 10,
            max_in_flight: 1 << 14,
        }
    }
}
