//! From arguments and a configuration file to the values of a flag set.

use crate::args::Arguments;
use crate::config::ConfigFile;
use crate::flag::{Availability, Flag, FlagSet, Value};
use crate::layers::Sources;
use crate::{Failure, Parsed, Warning, nearest};
use std::io;
use std::path::Path;

/// Which configuration file is read.
pub(crate) struct Place {
    pub(crate) path: String,
    /// An argument names it.
    is_named: bool,
}

impl Place {
    /// What the arguments say, or the default of the program whose flags these are.
    pub(crate) fn of(set: &FlagSet, arguments: &Arguments) -> Self {
        let (path, is_named) = match arguments.get(set, "config_file") {
            Some(Value::Text(path)) if !path.is_empty() => (path.as_ref(), true),
            _ => (set.default_config_path(), false),
        };
        let path = path.to_owned();
        Self { path, is_named }
    }

    /// Reads the file; keys that are none of the known flags get a warning.
    pub(crate) fn read(
        self,
        known: &[&Flag],
        read_file: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Configuration, Failure> {
        let path = self.path;
        let mut warnings = Vec::new();
        let unreadable = |error: &str| Failure::unreadable(&path, error);
        let file = match read_file(Path::new(&path)) {
            Ok(bytes) => ConfigFile::parse(&bytes).map_err(|error| unreadable(&error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.is_named {
                    warn(
                        &mut warnings,
                        format!("configuration file {path} does not exist: defaults are used"),
                    );
                }
                ConfigFile::default()
            }
            Err(error) => return Err(unreadable(&error.to_string())),
        };
        file.check_version().map_err(|error| unreadable(&error))?;
        if file.more_documents {
            warn(
                &mut warnings,
                format!("only the first YAML document of {path} is read"),
            );
        }
        warn_of_unknown_keys(known, &file, &path, &mut warnings);
        Ok(Configuration {
            path,
            file,
            warnings,
        })
    }
}

/// A configuration file that was read.
pub(crate) struct Configuration {
    path: String,
    file: ConfigFile,
    warnings: Vec<Warning>,
}

impl Configuration {
    /// The values of a set of flags of `program`, by arguments and this file.
    pub(crate) fn values(
        self,
        program: &str,
        set: &FlagSet,
        arguments: Arguments,
    ) -> Result<Parsed, Failure> {
        let mut warnings = self.warnings;
        let sources = Sources {
            program,
            set,
            arguments: &arguments,
            file: &self.file,
            path: &self.path,
        };
        let mut values = Vec::with_capacity(set.flags().len());
        for (position, flag) in set.flags().iter().enumerate() {
            sources.check_available(position, flag)?;
            let resolved = sources.resolve(position, flag)?;
            if flag.availability == Availability::Ignored && resolved.value != flag.default {
                warn(
                    &mut warnings,
                    format!("flag {} is deprecated and ignored", flag.name()),
                );
            }
            values.push((flag.name().to_owned(), resolved));
        }
        Ok(Parsed {
            values,
            warnings,
            rest: arguments.rest,
        })
    }
}

fn warn(warnings: &mut Vec<Warning>, message: String) {
    warnings.push(Warning {
        message,
        fields: Vec::new(),
    });
}

fn warn_of_unknown_keys(
    known: &[&Flag],
    file: &ConfigFile,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    for entry in &file.entries {
        let key = entry.key.as_str();
        // A general name counts even where it is no flag of the program.
        let general = || known.iter().any(|flag| flag.general == Some(key));
        let is_flag = || known.iter().any(|flag| flag.name() == key);
        if key == "version" || is_flag() || general() {
            continue;
        }
        let nearest = nearest::nearest(key, known.iter().map(|flag| flag.name()));
        let hint = nearest
            .map(|name| format!(", did you mean \"{name}\"?"))
            .unwrap_or_default();
        warn(
            warnings,
            format!(
                "unknown key \"{key}\" in {path}, line {}, is ignored{hint}",
                entry.line
            ),
        );
    }
}
