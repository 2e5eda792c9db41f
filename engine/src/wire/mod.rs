//! Bounds-checked reading of messages.
