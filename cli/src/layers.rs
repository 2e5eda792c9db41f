//! Which source a value comes from: command line, file, general flag, default (cli.md 3).

use crate::args::Arguments;
use crate::config::ConfigFile;
use crate::flag::{Flag, FlagSet, Kind, Value};
use crate::{Availability, Failure, literal};

/// A value and whether somebody set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) value: Value,
    pub(crate) given: bool,
}

/// The sources of one start.
pub(crate) struct Sources<'a> {
    /// The program, for messages.
    pub(crate) program: &'a str,
    pub(crate) set: &'a FlagSet,
    pub(crate) arguments: &'a Arguments,
    pub(crate) file: &'a ConfigFile,
    /// What the file is called in messages.
    pub(crate) path: &'a str,
}

impl Sources<'_> {
    /// The value of the flag at `position`. The first source that has one wins:
    ///
    /// 1. its own argument;
    /// 2. its own key (an empty text does not count);
    /// 3. the argument of its general flag;
    /// 4. the key of its general flag (an empty text counts);
    /// 5. its default.
    ///
    /// Files that were dumped hold every key, so a key that merely repeats the default gives way to a general argument
    /// (cli.md 25.3).
    pub(crate) fn resolve(&self, position: usize, flag: &Flag) -> Result<Resolved, Failure> {
        if let Some(value) = self.argument(position) {
            return Ok(Resolved {
                value: value.clone(),
                given: true,
            });
        }
        let general_argument = flag
            .general
            .and_then(|general| self.set.position(general))
            .and_then(|general| self.argument(general))
            .filter(|value| value.kind() == flag.kind());
        if let Some(value) = self.key(flag.name(), flag.kind())?
            && value != Value::Text("".into())
            && (general_argument.is_none() || value != flag.default)
        {
            return Ok(Resolved { value, given: true });
        }
        if let Some(value) = general_argument {
            return Ok(Resolved {
                value: value.clone(),
                given: true,
            });
        }
        if let Some(general) = flag.general
            && let Some(value) = self.key(general, flag.kind())?
        {
            return Ok(Resolved { value, given: true });
        }
        Ok(Resolved {
            value: flag.default.clone(),
            given: false,
        })
    }

    /// Refuses a flag that asks for a part which does not exist yet.
    pub(crate) fn check_available(&self, position: usize, flag: &Flag) -> Result<(), Failure> {
        let Availability::NotYet(part) = flag.availability else {
            return Ok(());
        };
        let name = flag.name();
        let asked = match self.argument(position) {
            Some(value) => (*value != flag.default).then(|| format!("--{name}")),
            // An empty text in the file is no value.
            None => self
                .key(name, flag.kind())?
                .filter(|value| *value != flag.default && *value != Value::Text("".into()))
                .map(|_| format!("\"{name}\" in {}", self.path)),
        };
        match asked {
            None => Ok(()),
            Some(asked) => Err(Failure::configuration(format!(
                "{asked} asks for {part}, which is not available in this version of {}",
                self.program
            ))),
        }
    }

    fn argument(&self, position: usize) -> Option<&Value> {
        self.arguments.values.get(position).and_then(Option::as_ref)
    }

    /// The value of a key of the file.
    fn key(&self, name: &str, kind: Kind) -> Result<Option<Value>, Failure> {
        let Some(text) = self.file.get(name) else {
            return Ok(None);
        };
        let value = match kind {
            Kind::Text => Some(Value::Text(text.to_owned().into())),
            Kind::Integer => literal::integer(text).ok().map(Value::Integer),
            Kind::Boolean => literal::boolean(text).map(Value::Boolean),
        };
        match value {
            Some(value) => Ok(Some(value)),
            None => {
                let kind = if kind == Kind::Integer {
                    "integer"
                } else {
                    "boolean"
                };
                let message = format!("Can't cast {name} to {kind} value");
                Err(Failure::configuration(message)
                    .field("value", text)
                    .field("path", self.path))
            }
        }
    }
}
