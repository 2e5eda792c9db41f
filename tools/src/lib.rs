//! Shared parts of the tools.
//!
//! What a tool does is in a module of its name; its binary only connects that with the process: arguments, environment,
//! standard streams, exit code.

mod certificate;
mod failure;
pub mod keymaker;
pub mod keys;
mod kind;
pub mod poison_record_maker;
mod program;
mod store;
pub mod tokens;

pub use failure::Failure;
pub use program::{Surroundings, run, run_program};
