//! `acra-keys`: lists, reads, makes, removes, exports and imports keys.

use acra_tools::keys;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    acra_tools::run_program(&keys::program(), arguments, keys::run)
}
