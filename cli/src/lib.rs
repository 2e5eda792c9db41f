//! Flags in the grammar of Acra, configuration files, usage and dump.
//!
//! A program describes its flags in a [`FlagSet`] and calls [`parse`], one with commands describes a [`Program`]; the
//! [`Outcome`] says what to do next. Nothing
//! here prints, ends the process or reads a file by itself, so every rule is testable without a process. The grammar is
//! that of Go's `flag` package, the files are flat YAML mappings: cli.md 1 to 5 of the specification.
//!
//! ```
//! use acra_cli::{Flag, FlagSet, Outcome, parse};
//!
//! let set = FlagSet::new("acra-example", [Flag::integer("db_port", 5432, "port of the database")]);
//! let no_file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
//! match parse(&set, ["--db_port=5433".into()], no_file) {
//!     Outcome::Run(parsed) => assert_eq!(parsed.integer("db_port"), 5433),
//!     _ => unreachable!(),
//! }
//! ```

mod args;
mod commands;
mod config;
pub mod families;
mod flag;
mod layers;
mod literal;
mod load;
mod nearest;
mod usage;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;

pub use commands::{Command, Invocation, Program};
pub use config::CONFIG_VERSION;
pub use flag::{Availability, Flag, FlagSet, Kind, Value};
pub use usage::Dump;

use args::{Arguments, Stop};
use layers::Resolved;
use load::Place;

/// Event code of a configuration that cannot be used (observability.md 3).
const CODE_WRONG_CONFIGURATION: u32 = 507;
/// Event code of a configuration that cannot be read.
const CODE_UNREADABLE_CONFIGURATION: u32 = 508;

/// What a command line asks for.
#[derive(Debug)]
pub enum Outcome<R = Parsed> {
    /// Go on with this.
    Run(R),
    /// Print this on standard error and exit with 0.
    Help(String),
    /// Print this on standard output and exit with 0.
    Version(String),
    /// Write these files, say `Config dumped to <path>` and exit with 0.
    Dump(Dump),
    /// Report this and exit with its code.
    Error(Failure),
}

/// Why a program cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub message: String,
    /// What belongs to it, for the log.
    pub fields: Vec<(&'static str, String)>,
    /// Event code for the log; errors of the command line itself have none.
    pub code: Option<u32>,
    /// For standard error, behind the message: only with errors of the command line itself.
    pub usage: Option<String>,
    /// 2 for a wrong command line, 1 for a wrong configuration.
    pub exit_code: u8,
}

impl Failure {
    pub(crate) fn configuration(message: String) -> Self {
        Self {
            message,
            fields: Vec::new(),
            code: Some(CODE_WRONG_CONFIGURATION),
            usage: None,
            exit_code: 1,
        }
    }

    fn unreadable(path: &str, error: &str) -> Self {
        let failure = Self::configuration("Can't parse config".to_owned());
        Self {
            code: Some(CODE_UNREADABLE_CONFIGURATION),
            ..failure
        }
        .field("error", error)
        .field("path", path)
    }

    fn command_line(message: String, usage: String) -> Self {
        Self {
            message,
            fields: Vec::new(),
            code: None,
            usage: Some(usage),
            exit_code: 2,
        }
    }

    pub(crate) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }
}

/// The message with its fields, in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.fields
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}={}", literal::quote(value)))
    }
}

impl std::error::Error for Failure {}

/// Something that the user should know and that does not stop the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// One sentence.
    pub message: String,
    /// What belongs to it, for the log.
    pub fields: Vec<(&'static str, String)>,
}

/// The values of all flags of a program.
pub struct Parsed {
    /// Sorted by name.
    values: Vec<(String, Resolved)>,
    warnings: Vec<Warning>,
    rest: Vec<String>,
}

/// Values may be passwords, so only the names of what was given are shown.
impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self
            .values
            .iter()
            .filter(|(_, resolved)| resolved.given)
            .map(|(name, _)| name);
        f.debug_struct("Parsed")
            .field("given", &given.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Parsed {
    /// The value of a text flag. A name that is not one of the program's text flags is a mistake in the program: it
    /// fails in debug builds and reads as empty in others.
    pub fn text(&self, name: &str) -> &str {
        match self.resolved(name).map(|resolved| &resolved.value) {
            Some(Value::Text(text)) => text,
            _ => {
                debug_assert!(false, "no text flag {name}");
                ""
            }
        }
    }

    /// The value of an integer flag; a wrong name is treated as by [`Parsed::text`] and reads as 0.
    pub fn integer(&self, name: &str) -> i64 {
        match self.resolved(name).map(|resolved| &resolved.value) {
            Some(Value::Integer(number)) => *number,
            _ => {
                debug_assert!(false, "no integer flag {name}");
                0
            }
        }
    }

    /// The value of a boolean flag; a wrong name is treated as by [`Parsed::text`] and reads as false.
    pub fn boolean(&self, name: &str) -> bool {
        match self.resolved(name).map(|resolved| &resolved.value) {
            Some(Value::Boolean(state)) => *state,
            _ => {
                debug_assert!(false, "no boolean flag {name}");
                false
            }
        }
    }

    /// Whether the value comes from the command line or the file, even if it equals the default.
    pub fn given(&self, name: &str) -> bool {
        self.resolved(name).is_some_and(|resolved| resolved.given)
    }

    /// What to tell the user once there is a log.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The arguments from the first one on that is no flag.
    pub fn rest(&self) -> &[String] {
        &self.rest
    }

    fn resolved(&self, name: &str) -> Option<&Resolved> {
        let found = self
            .values
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
            .ok()?;
        self.values.get(found).map(|(_, resolved)| resolved)
    }
}

/// Reads the command line (without the program's own name) and the configuration file it names.
///
/// `read_file` is called at most once, with the path of the configuration file.
pub fn parse(
    set: &FlagSet,
    arguments: impl IntoIterator<Item = OsString>,
    read_file: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
) -> Outcome {
    run(set, arguments, read_file).unwrap_or_else(|early| early)
}

/// [`parse`], with everything that ends it early on the error side.
fn run(
    set: &FlagSet,
    arguments: impl IntoIterator<Item = OsString>,
    read_file: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
) -> Result<Outcome, Outcome> {
    let wrong = |message| Outcome::Error(Failure::command_line(message, usage::usage(set)));
    let arguments = to_text(arguments).map_err(wrong)?;
    let arguments = args::parse(set, &arguments).map_err(|stop| match stop {
        Stop::Help => Outcome::Help(usage::usage(set)),
        Stop::Version => Outcome::Version(usage::version(set)),
        Stop::Wrong(message) => wrong(message),
    })?;
    let place = Place::of(set, &arguments);
    let flags: Vec<&Flag> = set.flags().iter().collect();
    if is_on(set, &arguments, "dump_config") {
        let with_table = is_on(set, &arguments, "generate_markdown_args_table");
        let dump = Dump::new(set.program(), &flags, &place.path, with_table);
        return Ok(Outcome::Dump(dump));
    }
    let file = place.read(&flags, read_file).map_err(Outcome::Error)?;
    file.values(set.program(), set, arguments)
        .map(Outcome::Run)
        .map_err(Outcome::Error)
}

/// Arguments as text.
///
/// # Errors
///
/// A sentence about one that is not UTF-8.
fn to_text(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<String>, String> {
    let text = |argument: OsString| {
        argument.into_string().map_err(|argument| {
            format!("argument is not UTF-8 text: {}", argument.to_string_lossy())
        })
    };
    arguments.into_iter().map(text).collect()
}

/// Whether a boolean flag is turned on by an argument.
fn is_on(set: &FlagSet, arguments: &Arguments, name: &str) -> bool {
    arguments.get(set, name) == Some(&Value::Boolean(true))
}
