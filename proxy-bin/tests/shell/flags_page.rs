//! docs/flags.md is what the table of flags gives.

use crate::support::{Place, Result};
use std::path::Path;

const WRITE: &str = "cargo run -p acra-server -- --dump_config --generate_markdown_args_table \
                     --config_file=target/flags/acra-server.yaml && cp target/flags/markdown_acra-server.md docs/flags.md";

#[test]
fn it_is_current() -> Result {
    let place = Place::new()?;
    let done = place.run(&[
        "--dump_config",
        "--generate_markdown_args_table",
        "--config_file=x/acra-server.yaml",
    ])?;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let table = std::fs::read_to_string(place.path("x/markdown_acra-server.md"))?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/flags.md");
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        table == written,
        "docs/flags.md is not what the flags are. In the root of the workspace, run:\n{WRITE}"
    );
    Ok(())
}
