//! What all tools do the same way: read the command line, log, end.

use crate::Failure;
use acra_cli::{FlagSet, Invocation, Outcome, Parsed, Program};
use acra_telemetry::{Destinations, Format, Logger};
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

/// What a tool works with besides its flags.
pub struct Surroundings<'a> {
    /// The log.
    pub logger: &'a Logger,
    /// Standard output, for the result.
    pub out: &'a mut dyn Write,
    /// Whether a person reads standard output.
    pub out_is_terminal: bool,
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Surroundings<'_> {
    /// The value of `ACRA_MASTER_KEY`.
    pub(crate) fn master_key(&self) -> Option<String> {
        self.variable("ACRA_MASTER_KEY")
    }

    /// The value of an environment variable.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }
}

/// Runs a tool without commands.
pub fn run(
    set: &FlagSet,
    arguments: impl IntoIterator<Item = OsString>,
    work: impl FnOnce(&Parsed, Surroundings<'_>) -> Result<(), Failure>,
) -> ExitCode {
    settle(
        set.program(),
        acra_cli::parse(set, arguments, |path| std::fs::read(path)),
        |parsed, surroundings| {
            log_warnings(&parsed, surroundings.logger);
            ignore(parsed.rest(), surroundings.logger);
            work(&parsed, surroundings)
        },
    )
}

/// Runs a tool with commands; `work` gets the name of the command.
pub fn run_program(
    program: &Program,
    arguments: impl IntoIterator<Item = OsString>,
    work: impl FnOnce(&str, &Parsed, Surroundings<'_>) -> Result<(), Failure>,
) -> ExitCode {
    settle(
        program.name(),
        program.parse(arguments, |path| std::fs::read(path)),
        |invocation, surroundings| {
            let logger = surroundings.logger;
            let names = program.command_names();
            match invocation {
                Invocation::Command(name, parsed) => {
                    log_warnings(&parsed, logger);
                    work(name, &parsed, surroundings)
                }
                Invocation::NoCommand => {
                    logger.info("No command specified", &[("supported", (&names).into())]);
                    Ok(())
                }
                Invocation::UnknownCommand(name) => {
                    let message = format!("Unknown command: {name}");
                    logger.error(&message, &[("expected", (&names).into())]);
                    Err(Failure::arguments("unknown command"))
                }
                Invocation::WrongArguments { message, usage } => {
                    say(io::stderr(), &format!("{message}\n{usage}"), 1);
                    Err(Failure::arguments(message))
                }
            }
        },
    )
}

fn settle<R>(
    program: &'static str,
    outcome: Outcome<R>,
    work: impl FnOnce(R, Surroundings<'_>) -> Result<(), Failure>,
) -> ExitCode {
    match outcome {
        Outcome::Run(asked) => with_log(program, |surroundings| work(asked, surroundings)),
        Outcome::Help(text) => say(io::stderr(), &text, 0),
        Outcome::Version(text) => say(io::stdout(), &text, 0),
        Outcome::Dump(dump) => match dump.write() {
            Ok(_) => {
                let text = format!("Config dumped to {}", dump.path.display());
                say(io::stderr(), &text, 0)
            }
            Err(error) => say(io::stderr(), &error.to_string(), 1),
        },
        Outcome::Error(failure) => match &failure.usage {
            Some(usage) => say(
                io::stderr(),
                &format!("{failure}\n{usage}"),
                failure.exit_code,
            ),
            None => with_log(program, |_| Err(failure.into())),
        },
    }
}

fn with_log(
    program: &'static str,
    work: impl FnOnce(Surroundings<'_>) -> Result<(), Failure>,
) -> ExitCode {
    let destinations = Destinations {
        console: true,
        file: None,
    };
    let version = env!("CARGO_PKG_VERSION");
    let logger = match Logger::new(program, version, Format::Plaintext, destinations) {
        Ok(logger) => logger,
        Err(error) => return say(io::stderr(), &error.to_string(), 1),
    };
    if let Err(error) = acra_stores::forbid_core_dumps() {
        logger.warning(
            "Core dumps cannot be forbidden: one could hold keys",
            &[("error", (&error.to_string()).into())],
        );
    }
    let mut out = io::stdout();
    let out_is_terminal = out.is_terminal();
    let surroundings = Surroundings {
        logger: &logger,
        out: &mut out,
        out_is_terminal,
        environment: &|name| std::env::var(name).ok(),
    };
    match work(surroundings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.log(&logger);
            ExitCode::FAILURE
        }
    }
}

fn log_warnings(parsed: &Parsed, logger: &Logger) {
    for warning in parsed.warnings() {
        let fields = warning
            .fields
            .iter()
            .map(|(name, value)| (*name, value.into()));
        logger.warning(&warning.message, &fields.collect::<Vec<_>>());
    }
}

/// Says that these arguments are not looked at.
pub(crate) fn ignore(arguments: &[String], logger: &Logger) {
    if !arguments.is_empty() {
        let arguments = arguments.join(" ");
        logger.warning(
            "Unexpected arguments are ignored",
            &[("arguments", (&arguments).into())],
        );
    }
}

/// Prints a text that is for the person at the terminal and not for the log.
fn say(mut to: impl Write, text: &str, exit_code: u8) -> ExitCode {
    // Nobody is there to be told that nobody is there.
    let _ = writeln!(to, "{}", text.trim_end());
    ExitCode::from(exit_code)
}
