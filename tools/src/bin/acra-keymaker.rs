//! `acra-keymaker`: makes master keys and a client's keys.

use acra_tools::keymaker;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    acra_tools::run(&keymaker::flag_set(), arguments, keymaker::run)
}
