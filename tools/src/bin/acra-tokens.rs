//! `acra-tokens`: counts, disables, enables, removes and imports tokens.

use acra_tools::tokens;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    acra_tools::run_program(&tokens::program(), arguments, tokens::run)
}
