//! What all tools do the same way: read the command line, log, end.

use acra_cli::{FlagSet, Outcome, Parsed};
use acra_telemetry::{Destinations, Field, Format, Logger, codes};
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a tool ends with 1.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: Option<u32>,
    fields: Vec<(&'static str, String)>,
}

impl Failure {
    /// A failure that is one sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            fields: Vec::new(),
        }
    }

    /// Its event code (observability.md 3).
    #[must_use]
    pub fn code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    /// Something that belongs to it.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Display) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    fn log(&self, logger: &Logger) {
        let code = self.code.map(codes::code);
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (*name, value.into()));
        let fields: Vec<Field<'_>> = code.into_iter().chain(fields).collect();
        logger.error(&self.message, &fields);
    }
}

/// Runs a tool: `work` gets the values of its flags, the log, and standard output for its result.
pub fn run(
    set: &FlagSet,
    arguments: impl IntoIterator<Item = OsString>,
    work: impl FnOnce(&Parsed, &Logger, &mut dyn io::Write) -> Result<(), Failure>,
) -> ExitCode {
    match acra_cli::parse(set, arguments, |path| std::fs::read(path)) {
        Outcome::Run(parsed) => run_parsed(set, &parsed, work),
        Outcome::Help(text) => say(io::stderr(), &text, 0),
        Outcome::Version(text) => say(io::stdout(), &text, 0),
        Outcome::Dump(dump) => match dump.write() {
            Ok(_) => {
                let text = format!("Config dumped to {}", dump.path.display());
                say(io::stderr(), &text, 0)
            }
            Err(error) => say(io::stderr(), &error.to_string(), 1),
        },
        Outcome::Error(failure) => {
            let mut text = failure.to_string();
            if let Some(usage) = &failure.usage {
                text.push('\n');
                text.push_str(usage);
            }
            say(io::stderr(), &text, failure.exit_code)
        }
    }
}

fn run_parsed(
    set: &FlagSet,
    parsed: &Parsed,
    work: impl FnOnce(&Parsed, &Logger, &mut dyn io::Write) -> Result<(), Failure>,
) -> ExitCode {
    let destinations = Destinations {
        console: true,
        file: None,
    };
    let version = env!("CARGO_PKG_VERSION");
    let logger = match Logger::new(set.program(), version, Format::Plaintext, destinations) {
        Ok(logger) => logger,
        Err(error) => return say(io::stderr(), &error.to_string(), 1),
    };
    if let Err(error) = acra_stores::forbid_core_dumps() {
        logger.warning(
            "Core dumps cannot be forbidden: one could hold keys",
            &[("error", (&error.to_string()).into())],
        );
    }
    for warning in parsed.warnings() {
        let fields = warning
            .fields
            .iter()
            .map(|(name, value)| (*name, value.into()));
        logger.warning(&warning.message, &fields.collect::<Vec<_>>());
    }
    if !parsed.rest().is_empty() {
        let rest = parsed.rest().join(" ");
        logger.warning(
            "Unexpected arguments are ignored",
            &[("arguments", (&rest).into())],
        );
    }
    match work(parsed, &logger, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.log(&logger);
            ExitCode::FAILURE
        }
    }
}

/// Prints a text that is for the person at the terminal and not for the log.
fn say(mut to: impl io::Write, text: &str, exit_code: u8) -> ExitCode {
    // Nobody is there to be told that nobody is there.
    let _ = writeln!(to, "{}", text.trim_end());
    ExitCode::from(exit_code)
}
