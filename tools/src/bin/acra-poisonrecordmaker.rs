//! `acra-poisonrecordmaker`: makes records that give away whoever decrypts them.

use acra_tools::poison_record_maker;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    acra_tools::run(
        &poison_record_maker::flag_set(),
        arguments,
        poison_record_maker::run,
    )
}
