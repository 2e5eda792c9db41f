//! `acra-keys migrate` (cli.md 13.10, tools.md 8).

use crate::{Failure, Surroundings};
use acra_cli::Parsed;

pub(super) fn run(parsed: &Parsed, with: &mut Surroundings<'_>) -> Result<(), Failure> {
    let is_missing = |flag: &str, what: &str| {
        let is_missing = parsed.text(flag).is_empty();
        if is_missing {
            with.logger
                .warning(&format!("Missing required argument: --{flag}={what}"), &[]);
        }
        is_missing
    };
    let both = |flags: [&str; 2], what: &str| flags.map(|flag| is_missing(flag, what));
    if both(["src_keystore", "dst_keystore"], "{v1|v2}").contains(&true) {
        return Err(Failure::arguments("keystore format not specified"));
    }
    if both(["src_keys_dir", "dst_keys_dir"], "<path>").contains(&true) {
        return Err(Failure::arguments("keys directory not specified"));
    }
    let (src, dst) = (parsed.text("src_keystore"), parsed.text("dst_keystore"));
    if (src, dst) != ("v1", "v2") {
        return Err(Failure::fatal("Keystore conversion not supported")
            .field("src", src)
            .field("dst", dst));
    }
    Err(Failure::fatal("Migration failed")
        .caused_by("keystore v2 is not available in this version"))
}
