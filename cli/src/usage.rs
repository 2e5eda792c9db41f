//! The texts that programs print about themselves: usage, version, dump and table (cli.md 4 and 5).

use std::fmt::Write as _;
use std::fs::{DirBuilder, write};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::config::CONFIG_VERSION;
use crate::flag::{Flag, FlagSet, Value};
use crate::literal::quote;

/// The list of all flags, as `--help` prints it on standard error.
pub(crate) fn usage(set: &FlagSet) -> String {
    format!("Usage of {}:\n{}", set.program(), flags(set))
}

/// A block for each flag.
pub(crate) fn flags(set: &FlagSet) -> String {
    let mut text = String::new();
    for flag in set.flags() {
        let name = flag.name();
        let dashes = if name.len() <= 2 { "-" } else { "--" };
        // Go's layout: the description of a one-letter flag fits on the flag's own line.
        let gap = if name.len() == 1 { "\t" } else { "\n    \t" };
        let _ = write!(text, "  {dashes}{name}{gap}{}", flag.description());
        match flag.default_value() {
            Value::Text(default) if !default.is_empty() => {
                let _ = write!(text, " (default {})", quote(default));
            }
            Value::Integer(default) if *default != 0 => {
                let _ = write!(text, " (default {default})");
            }
            Value::Boolean(true) => text.push_str(" (default true)"),
            _ => {}
        }
        text.push('\n');
    }
    text
}

/// What `--version` prints.
pub(crate) fn version(set: &FlagSet) -> String {
    format!(
        "{} {} (acra-rs)\nacra-rs is an independent implementation of the Acra database security suite. It is not \
         affiliated with Cossack Labs.\nConfiguration files: version {CONFIG_VERSION}.\n",
        set.program(),
        env!("CARGO_PKG_VERSION"),
    )
}

/// The files that `--dump_config` writes.
#[derive(Debug, PartialEq, Eq)]
pub struct Dump {
    /// Where the configuration goes.
    pub path: PathBuf,
    /// The configuration: every flag with its default.
    pub content: String,
    /// Path and content of the Markdown table, if it was asked for.
    pub markdown: Option<(PathBuf, String)>,
}

impl Dump {
    /// A dump of the flags of a program, in this order.
    pub(crate) fn new(program: &str, flags: &[&Flag], path: &str, with_table: bool) -> Self {
        let path = PathBuf::from(path);
        let mut content = format!("version: {CONFIG_VERSION}\n");
        for flag in flags {
            let (name, default) = (flag.name(), flag.default_value());
            let _ = write!(content, "# {}\n{name}: {default}\n\n", flag.description());
        }
        let markdown = with_table.then(|| {
            let file = format!("markdown_{program}.md");
            (
                path.parent().unwrap_or(Path::new("")).join(file),
                table(program, flags),
            )
        });
        Self {
            path,
            content,
            markdown,
        }
    }

    /// Writes the files. Missing directories are made with mode 0744; existing files are replaced.
    ///
    /// # Errors
    ///
    /// What the operating system says, with the path in front.
    pub fn write(&self) -> io::Result<()> {
        let files = [(&self.path, &self.content)];
        for (path, content) in files.into_iter().chain(
            self.markdown
                .as_ref()
                .map(|(path, content)| (path, content)),
        ) {
            let directory = path
                .parent()
                .filter(|directory| !directory.as_os_str().is_empty());
            directory
                .map_or(Ok(()), |directory| {
                    DirBuilder::new()
                        .recursive(true)
                        .mode(0o744)
                        .create(directory)
                })
                .and_then(|()| write(path, content))
                .map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                })?;
        }
        Ok(())
    }
}

/// The flags as a Markdown table.
fn table(program: &str, flags: &[&Flag]) -> String {
    let mut text = format!("|{program}|||||\n|:-:|:-:|:-:|:-:|:-:|\n");
    for flag in flags {
        let description = flag.description().replace('|', "\\|");
        let _ = writeln!(
            text,
            "||{}||{}|{description}|",
            flag.name(),
            flag.default_value()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;
    use crate::flag::Availability;

    fn set() -> FlagSet {
        FlagSet::new(
            "acra-test",
            [
                Flag::text("name", "a\"b", "who\n  it is"),
                Flag::text("empty", "", "nothing | all"),
                Flag::integer("db_port", 5432, "port").not_yet("ports"),
                Flag::integer("none", 0, "zero"),
                Flag::boolean("d", false, "debug"),
                Flag::boolean("ds", true, "profiling").availability(Availability::Ignored),
            ],
        )
    }

    fn dump(path: &str, with_table: bool) -> Dump {
        let set = set();
        let flags: Vec<&Flag> = set.flags().iter().collect();
        Dump::new(set.program(), &flags, path, with_table)
    }

    #[test]
    fn usage_lists_every_flag() {
        let expected = "Usage of acra-test:\n  -d\tdebug\n  --db_port\n    \tport [not available in this version] \
                        (default 5432)\n  -ds\n    \tprofiling [deprecated, ignored] (default true)\n  --empty\n    \
                        \tnothing | all\n  --name\n    \twho it is (default \"a\\\"b\")\n  --none\n    \tzero\n";
        assert_eq!(usage(&set()), expected);
    }

    #[test]
    fn version_says_whose_it_is() {
        let text = version(&set());
        assert!(text.starts_with("acra-test 0."), "{text}");
        assert!(
            text.contains("independent implementation")
                && text.contains("not affiliated with Cossack Labs")
        );
    }

    #[test]
    fn a_dump_is_a_configuration_file() {
        let dump = dump("configs/acra-test.yaml", true);
        assert_eq!(
            dump.content,
            "version: 0.96.0\n# debug\nd: false\n\n# port [not available in this version]\ndb_port: 5432\n\n# profiling \
             [deprecated, ignored]\nds: true\n\n# nothing | all\nempty: \n\n# who it is\nname: a\"b\n\n# zero\nnone: 0\n\n"
        );
        let file = ConfigFile::parse(dump.content.as_bytes()).unwrap();
        assert_eq!(file.check_version(), Ok(()));
        for flag in set().flags() {
            assert_eq!(
                file.get(flag.name()),
                Some(flag.default_value().to_string().as_str())
            );
        }
    }

    #[test]
    fn the_table_escapes_bars() {
        let (path, text) = dump("x/y.yaml", true).markdown.unwrap();
        assert_eq!(path, Path::new("x/markdown_acra-test.md"));
        assert!(text.starts_with(
            "|acra-test|||||\n|:-:|:-:|:-:|:-:|:-:|\n||d||false|debug|\n||db_port||5432|port "
        ));
        assert!(text.contains("||empty|||nothing \\| all|\n"), "{text}");
        assert_eq!(dump("y.yaml", false).markdown, None);
    }

    #[test]
    fn writing_makes_directories_and_reports_failures() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/c.yaml");
        let written = dump(path.to_str().unwrap(), true);
        written.write().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), written.content);
        assert!(directory.path().join("a/b/markdown_acra-test.md").exists());
        let error = dump(path.join("x").to_str().unwrap(), false)
            .write()
            .unwrap_err();
        assert!(error.to_string().contains("c.yaml"), "{error}");
    }
}
