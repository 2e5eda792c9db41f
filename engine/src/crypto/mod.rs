//! Secrets, primitives and containers.
