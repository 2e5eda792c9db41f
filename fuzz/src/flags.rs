//! Command lines and configuration files: no bytes stop the reader, failures have a message, and what is dumped is
//! read back.

use acra_cli::{Command, Flag, FlagSet, Invocation, Outcome, Parsed, Program, parse};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

/// Arguments, a line each; after a zero byte the file, if there is one. The first byte of all is 1 for a program with
/// commands.
struct Input<'a> {
    commands: bool,
    line: &'a [u8],
    file: Option<&'a [u8]>,
}

impl<'a> Input<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let (first, rest) = data.split_first()?;
        let mut parts = rest.splitn(2, |byte| *byte == 0);
        Some(Self {
            commands: first & 1 == 1,
            line: parts.next()?,
            file: parts.next(),
        })
    }
}

fn flags() -> [Flag; 8] {
    [
        Flag::text("config_file", "", "a file"),
        Flag::boolean("dump_config", false, "write one"),
        Flag::boolean("generate_markdown_args_table", false, "with a table"),
        Flag::text("db_host", "", "a host"),
        Flag::integer("db_port", 5432, "a port"),
        Flag::boolean("tls", true, "a switch"),
        Flag::text("tls_key", "", "a key").not_yet("keys"),
        Flag::text("tls_client_key", "", "a key").general("tls_key"),
    ]
}

/// The target.
pub fn run(data: &[u8]) {
    let Some(input) = Input::read(data) else {
        return;
    };
    let line = input.line.split(|byte| *byte == b'\n');
    let line = line.map(|argument| OsString::from_vec(argument.to_vec()));
    let mut reads = 0;
    let read_file = |_: &std::path::Path| {
        reads += 1;
        match input.file {
            Some(file) => Ok(file.to_vec()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    };
    if input.commands {
        let command = Command::new("read", "reads", Some("<name>"), flags());
        let program = Program::new("acra-program", flags(), [command]);
        judge(
            program.parse(line, read_file),
            |invocation| match invocation {
                Invocation::Command(name, parsed) => {
                    assert_eq!(name, "read");
                    used(&parsed);
                }
                Invocation::NoCommand | Invocation::UnknownCommand(_) => {}
                Invocation::WrongArguments { message, usage } => {
                    assert!(!message.is_empty() && !usage.is_empty());
                }
            },
        );
    } else {
        judge(
            parse(&FlagSet::new("acra-program", flags()), line, read_file),
            |parsed| {
                used(&parsed);
            },
        );
    }
    assert!(reads <= 1);
}

fn judge<R>(outcome: Outcome<R>, run: impl FnOnce(R)) {
    match outcome {
        Outcome::Run(parsed) => run(parsed),
        Outcome::Help(text) | Outcome::Version(text) => assert!(!text.is_empty()),
        Outcome::Dump(dump) => {
            let set = FlagSet::new("acra-program", flags());
            let content = dump.content.into_bytes();
            let again = parse(&set, [OsString::from("--config_file=x")], |_| Ok(content));
            assert!(matches!(again, Outcome::Run(_)), "{again:?}");
        }
        Outcome::Error(failure) => {
            assert!(!failure.to_string().is_empty());
            assert!(matches!(failure.exit_code, 1 | 2));
        }
    }
}

fn used(parsed: &Parsed) {
    let _ = (
        parsed.text("db_host"),
        parsed.integer("db_port"),
        parsed.boolean("tls"),
    );
    assert!(
        !parsed
            .warnings()
            .iter()
            .any(|warning| warning.message.is_empty())
    );
    let _ = (parsed.rest(), parsed.given("db_port"));
}
