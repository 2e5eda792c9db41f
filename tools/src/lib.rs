//! Shared parts of the tools.
//!
//! What a tool does is in a module of its name; its binary only connects that with the process: arguments, environment,
//! standard streams, exit code.

pub mod keymaker;
mod program;

pub use program::{Failure, run};
