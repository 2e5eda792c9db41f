//! The commands of `acra-tokens` and their flags (cli.md 18): all of Acra's names, and some of our own.

use acra_cli::families::{self, RedisUse};
use acra_cli::{Command, Flag, Program};

/// `acra-tokens` with its commands.
pub fn program() -> Program {
    let commands = [
        Command::new(
            "status",
            "counts tokens and what they take",
            Some("acra-tokens status [options...]"),
            [
                place(),
                filter(),
                vec![Flag::boolean("json", false, "print the numbers as JSON")],
            ]
            .concat(),
        ),
        Command::new(
            "disable",
            "takes tokens out of use: they are neither given out nor resolved until they are enabled",
            Some("acra-tokens disable [options...]"),
            [place(), filter()].concat(),
        ),
        Command::new(
            "enable",
            "brings disabled tokens back into use",
            Some("acra-tokens enable [options...]"),
            [place(), filter()].concat(),
        ),
        Command::new(
            "remove",
            "removes tokens for ever: what is stored in their place cannot be resolved any more",
            Some("acra-tokens remove [options...]"),
            [place(), filter(), remove()].concat(),
        ),
        Command::new(
            "import",
            "adds the tokens of a Bolt file of Acra; those that are there already stay as they are",
            Some("acra-tokens import --bolt_file <file> [options...]"),
            [
                place(),
                vec![Flag::text(
                    "bolt_file",
                    "",
                    "file that Acra has kept tokens in",
                )],
            ]
            .concat(),
        ),
    ];
    Program::new("acra-tokens", families::global(), commands)
}

/// Where the tokens are.
fn place() -> Vec<Flag> {
    [
        families::redis_for_tokens(RedisUse::Tokens),
        families::redis_login(),
        families::tls_base_for_tokens(),
        vec![Flag::text("token_db", "", "file of the tokens")],
    ]
    .concat()
}

/// Which of them are meant.
fn filter() -> Vec<Flag> {
    vec![
        Flag::text(
            "accessed_after",
            "",
            "only tokens last used at this time or later, such as 2024-06-30 or 2024-06-30T12:00:00Z",
        ),
        Flag::text(
            "accessed_before",
            "",
            "only tokens last used at this time or earlier",
        ),
        Flag::text(
            "created_after",
            "",
            "only tokens made at this time or later",
        ),
        Flag::text(
            "created_before",
            "",
            "only tokens made at this time or earlier",
        ),
        Flag::text("client_id", "", "only tokens of this client"),
    ]
}

fn remove() -> Vec<Flag> {
    vec![
        Flag::boolean("all", false, "remove enabled and disabled tokens"),
        Flag::boolean("dry_run", false, "only count, and remove nothing"),
        Flag::boolean("only_disabled", false, "remove disabled tokens only"),
    ]
}
