//! Programs with commands: `<program> [global options] <command> [options] [arguments]` (cli.md 13).
//!
//! Global options stand before the command, each command has flags of its own, and one configuration file holds the
//! names of all of them.

use crate::args::{self, Stop};
use crate::flag::{Flag, FlagSet};
use crate::load::Place;
use crate::usage::{self, Dump};
use crate::{Failure, Outcome, Parsed, is_on, to_text};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// One command of a program.
#[derive(Clone, Debug)]
pub struct Command {
    name: &'static str,
    explanation: &'static str,
    synopsis: Option<&'static str>,
    flags: FlagSet,
}

impl Command {
    /// A command. `explanation` is one sentence without a full stop; `synopsis` is its form as a shell sees it.
    pub fn new(
        name: &'static str,
        explanation: &'static str,
        synopsis: Option<&'static str>,
        flags: impl IntoIterator<Item = Flag>,
    ) -> Self {
        let flags = FlagSet::new(name, flags);
        Self {
            name,
            explanation,
            synopsis,
            flags,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its own flags.
    pub fn flags(&self) -> &FlagSet {
        &self.flags
    }

    fn usage(&self) -> String {
        let mut text = format!("Command \"{}\": {}\n\n", self.name, self.explanation);
        if let Some(synopsis) = self.synopsis {
            let _ = writeln!(text, "\t{synopsis}\n");
        }
        let _ = write!(text, "Options:\n{}", usage::flags(&self.flags));
        text
    }
}

/// A program with commands.
#[derive(Clone, Debug)]
pub struct Program {
    global: FlagSet,
    commands: Vec<Command>,
}

/// What the command line of a program with commands asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Run the command of this name with these values.
    Command(&'static str, Parsed),
    /// None was named.
    NoCommand,
    /// There is none of this name.
    UnknownCommand(String),
    /// The flags of a command are wrong: message and usage, for standard error.
    WrongArguments {
        /// One sentence.
        message: String,
        /// The command's flags.
        usage: String,
    },
}

impl Program {
    /// The program `name` with its global flags and its commands, in the order in which they are told.
    pub fn new(
        name: &'static str,
        global: impl IntoIterator<Item = Flag>,
        commands: impl IntoIterator<Item = Command>,
    ) -> Self {
        Self {
            global: FlagSet::new(name, global),
            commands: commands.into_iter().collect(),
        }
    }

    /// The name of the program.
    pub fn name(&self) -> &'static str {
        self.global.program()
    }

    /// The commands.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Reads a command line (without the program's own name) and the configuration file it names.
    ///
    /// `read_file` is called at most once, with the path of the configuration file.
    pub fn parse(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        read_file: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
    ) -> Outcome<Invocation> {
        self.run(arguments, read_file).unwrap_or_else(|early| early)
    }

    /// [`parse`](Self::parse), with everything that ends it early on the error side.
    fn run(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        read_file: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Outcome<Invocation>, Outcome<Invocation>> {
        let wrong = |message| Outcome::Error(Failure::command_line(message, self.usage()));
        let arguments = to_text(arguments).map_err(wrong)?;
        let global = args::parse(&self.global, &arguments).map_err(|stop| match stop {
            Stop::Help => Outcome::Help(self.usage()),
            Stop::Version => Outcome::Version(usage::version(&self.global)),
            Stop::Wrong(message) => wrong(message),
        })?;
        let place = Place::of(&self.global, &global);
        let known = self.all_flags();
        if is_on(&self.global, &global, "dump_config") {
            let with_table = is_on(&self.global, &global, "generate_markdown_args_table");
            let dump = Dump::new(self.name(), &known, &place.path, with_table);
            return Ok(Outcome::Dump(dump));
        }
        let [name, arguments @ ..] = global.rest.as_slice() else {
            return Ok(Outcome::Run(Invocation::NoCommand));
        };
        let Some(command) = self.commands.iter().find(|command| command.name == name) else {
            return Ok(Outcome::Run(Invocation::UnknownCommand(name.clone())));
        };
        let own = match args::parse(&command.flags, arguments) {
            Ok(own) => own,
            Err(Stop::Help) => return Ok(Outcome::Help(command.usage())),
            Err(Stop::Version) => return Ok(Outcome::Version(usage::version(&self.global))),
            Err(Stop::Wrong(message)) => {
                return Ok(Outcome::Run(Invocation::WrongArguments {
                    message,
                    usage: command.usage(),
                }));
            }
        };
        let file = place.read(&known, read_file).map_err(Outcome::Error)?;
        let parsed = file
            .values(self.name(), &command.flags, own)
            .map_err(Outcome::Error)?;
        Ok(Outcome::Run(Invocation::Command(command.name, parsed)))
    }

    /// The names of all commands, as messages have them.
    pub fn command_names(&self) -> String {
        let names: Vec<&str> = self.commands.iter().map(|command| command.name).collect();
        format!("[{}]", names.join(" "))
    }

    /// The flags of the program and of its commands, each at its first appearance (cli.md 4).
    fn all_flags(&self) -> Vec<&Flag> {
        let mut all: Vec<&Flag> = Vec::new();
        // The global flags and those of the first command are one list to Acra.
        let (first, others) = match self.commands.split_first() {
            Some((first, others)) => (first.flags.flags(), others),
            None => (&[][..], &[][..]),
        };
        all.extend(self.global.flags().iter().chain(first));
        all.sort_by_key(|flag| flag.name());
        for command in others {
            for flag in command.flags.flags() {
                if all.iter().all(|known| known.name() != flag.name()) {
                    all.push(flag);
                }
            }
        }
        all
    }

    fn usage(&self) -> String {
        let names: Vec<&str> = self.commands.iter().map(|command| command.name).collect();
        format!(
            "Usage:\n\t{} [options...] <command> [arguments...]\n\nGlobal options:\n{}\nSupported commands:\n  {}\n",
            self.name(),
            usage::flags(&self.global),
            names.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        let list = [
            Flag::boolean("json", false, "as JSON"),
            Flag::text("keys_dir", ".acrakeys", "directory"),
        ];
        let read = [
            Flag::text("keys_dir", ".acrakeys", "directory"),
            Flag::integer("index", 1, "which"),
        ];
        Program::new(
            "acra-test",
            crate::families::global(),
            [
                Command::new(
                    "list",
                    "shows keys",
                    Some("acra-test list [options...]"),
                    list,
                ),
                Command::new("read", "prints a key", None, read),
            ],
        )
    }

    fn parse(line: &[&str], file: &str) -> Outcome<Invocation> {
        let bytes = file.as_bytes().to_vec();
        program().parse(line.iter().map(Into::into), |_| Ok(bytes))
    }

    fn command(line: &[&str], file: &str) -> (&'static str, Parsed) {
        match parse(line, file) {
            Outcome::Run(Invocation::Command(name, parsed)) => (name, parsed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_behind_the_command_are_its_own() {
        let (name, parsed) = command(&["read", "--index=2", "key", "--index=3"], "");
        assert_eq!((name, parsed.integer("index")), ("read", 2));
        assert_eq!(parsed.rest(), ["key", "--index=3"]);
        for line in [&["--index=2", "read"][..], &["--json"], &["--nope"]] {
            let Outcome::Error(failure) = parse(line, "") else {
                panic!("{line:?}");
            };
            assert_eq!((failure.exit_code, failure.code), (2, None));
            assert!(failure.usage.unwrap().contains("Global options:"));
        }
        let Outcome::Run(Invocation::WrongArguments { message, usage }) =
            parse(&["list", "--index=2"], "")
        else {
            panic!();
        };
        assert_eq!(message, "flag provided but not defined: -index");
        assert_eq!(
            usage,
            "Command \"list\": shows keys\n\n\tacra-test list [options...]\n\nOptions:\n  --json\n    \tas JSON\n  \
             --keys_dir\n    \tdirectory (default \".acrakeys\")\n"
        );
    }

    #[test]
    fn one_file_for_all_commands() {
        let file = "version: 0.96.0\nindex: 3\njson: true\nkeys_dir: keys\nindx: 1\n";
        let (_, parsed) = command(&["--config_file=x", "read"], file);
        assert_eq!(
            (parsed.integer("index"), parsed.text("keys_dir")),
            (3, "keys")
        );
        let [warning] = parsed.warnings() else {
            panic!("{:?}", parsed.warnings());
        };
        assert!(warning.message.contains("did you mean \"index\"?"));
        // The command line wins.
        let (_, parsed) = command(&["read", "--keys_dir=other", "--index=1"], file);
        assert_eq!(
            (parsed.integer("index"), parsed.text("keys_dir")),
            (1, "other")
        );
        let bad = parse(&["read"], "version: 0.96.0\nindex: x\n");
        assert!(matches!(bad, Outcome::Error(Failure { exit_code: 1, .. })));
        let bad = parse(&["read"], "index: 1\n");
        assert!(matches!(
            bad,
            Outcome::Error(Failure {
                code: Some(508),
                ..
            })
        ));
    }

    #[test]
    fn what_is_no_command() {
        assert!(matches!(
            parse(&[], ""),
            Outcome::Run(Invocation::NoCommand)
        ));
        assert!(matches!(
            parse(&["nope"], ""),
            Outcome::Run(Invocation::UnknownCommand(name)) if name == "nope"
        ));
        assert_eq!(program().command_names(), "[list read]");
        let Outcome::Help(text) = parse(&["-h"], "") else {
            panic!();
        };
        assert!(text.starts_with("Usage:\n\tacra-test [options...] <command> [arguments...]\n"));
        assert!(text.ends_with("Supported commands:\n  list, read\n"));
        assert!(matches!(parse(&["read", "--help"], ""), Outcome::Help(_)));
        for line in [&["--version"][..], &["read", "--version"]] {
            assert!(
                matches!(parse(line, ""), Outcome::Version(text) if text.starts_with("acra-test "))
            );
        }
    }

    #[test]
    fn a_dump_has_every_name_once() {
        let Outcome::Dump(dump) = parse(&["--dump_config"], "") else {
            panic!();
        };
        let names: Vec<&str> = dump
            .content
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.split_once(':')?.0))
            .collect();
        let expected = [
            "version",
            "config_file",
            "dump_config",
            "generate_markdown_args_table",
            "json",
            "keys_dir",
            "index",
        ];
        assert_eq!(names, expected);
        assert_eq!(dump.path, Path::new("configs/acra-test.yaml"));
    }
}
