//! `acra-server` as a shell sees it: exit codes, what is printed, signals, the metrics page.

mod check;
mod command_line;
mod explain;
mod flags_page;
mod log;
mod memory;
mod metrics;
#[path = "../../../harness/src/port.rs"]
pub mod port;
mod support;
