//! The pages of the tools' flags are what the tables of flags give.

use std::path::Path;
use std::process::Command;

const WRITE: &str = "for tool in acra-keys acra-keymaker acra-poisonrecordmaker acra-tokens; do cargo run -p acra-tools --bin $tool -- \
                     --dump_config --generate_markdown_args_table --config_file=target/flags/$tool.yaml && \
                     cp target/flags/markdown_$tool.md docs/flags-$tool.md; done";

#[test]
fn they_are_current() {
    let directory = tempfile::tempdir().unwrap();
    for (tool, path) in [
        ("acra-keys", env!("CARGO_BIN_EXE_acra-keys")),
        ("acra-keymaker", env!("CARGO_BIN_EXE_acra-keymaker")),
        (
            "acra-poisonrecordmaker",
            env!("CARGO_BIN_EXE_acra-poisonrecordmaker"),
        ),
        ("acra-tokens", env!("CARGO_BIN_EXE_acra-tokens")),
    ] {
        let status = Command::new(path)
            .current_dir(directory.path())
            .args(["--dump_config", "--generate_markdown_args_table"])
            .arg(format!("--config_file=x/{tool}.yaml"))
            .status()
            .unwrap();
        assert!(status.success());
        let table = directory.path().join(format!("x/markdown_{tool}.md"));
        let table = std::fs::read_to_string(table).unwrap();
        let page = format!("../docs/flags-{tool}.md");
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let written = std::fs::read_to_string(page).unwrap_or_default();
        assert!(
            table == written,
            "docs/flags-{tool}.md is not what the flags are. In the root of the workspace, run:\n{WRITE}"
        );
    }
}
