//! `acra-keymaker`: makes master keys and a client's keys.

use acra_tools::keymaker;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    acra_tools::run(&keymaker::flag_set(), arguments, |parsed, logger, out| {
        let master_key = std::env::var("ACRA_MASTER_KEY").ok();
        keymaker::run(parsed, master_key.as_deref(), logger, out)
    })
}
