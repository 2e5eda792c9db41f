//! Flags as data: what one is called, what it holds, what it does.
//!
//! One table per program drives everything that is said about flags: parsing, layering, usage, dump and the refusal of
//! what this version lacks. Nothing here knows where values come from.

use std::borrow::Cow;
use std::fmt;

/// What a flag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text, the empty one included.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// True or false; the bare flag means true.
    Boolean,
}

/// The value of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a flag of kind [`Kind::Text`].
    Text(Cow<'static, str>),
    /// Of a flag of kind [`Kind::Integer`].
    Integer(i64),
    /// Of a flag of kind [`Kind::Boolean`].
    Boolean(bool),
}

impl Value {
    /// The kind of flag that holds such a value.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Integer(_) => Kind::Integer,
            Self::Boolean(_) => Kind::Boolean,
        }
    }
}

/// The text form used in dumps; it is the form that the grammar reads.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(state) => state.fmt(f),
        }
    }
}

/// Whether a flag does anything in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It works.
    Yes,
    /// The named part does not exist yet. The flag is known and may be given with its default; any other value is an
    /// error, so that nobody who asks for protection silently goes without.
    NotYet(&'static str),
    /// Deprecated: accepted and without effect, as in Acra.
    Ignored,
}

/// One flag.
#[derive(Clone, Debug)]
pub struct Flag {
    pub(crate) name: Cow<'static, str>,
    pub(crate) default: Value,
    pub(crate) usage: Cow<'static, str>,
    pub(crate) general: Option<&'static str>,
    pub(crate) availability: Availability,
}

impl Flag {
    /// A text flag. `usage` is one line without a full stop.
    pub fn text(
        name: impl Into<Cow<'static, str>>,
        default: &'static str,
        usage: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(
            name.into(),
            Value::Text(Cow::Borrowed(default)),
            usage.into(),
        )
    }

    /// An integer flag.
    pub fn integer(
        name: impl Into<Cow<'static, str>>,
        default: i64,
        usage: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(name.into(), Value::Integer(default), usage.into())
    }

    /// A boolean flag.
    pub fn boolean(
        name: impl Into<Cow<'static, str>>,
        default: bool,
        usage: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(name.into(), Value::Boolean(default), usage.into())
    }

    fn new(name: Cow<'static, str>, default: Value, usage: Cow<'static, str>) -> Self {
        Self {
            name,
            default,
            usage,
            general: None,
            availability: Availability::Yes,
        }
    }

    /// Names the flag that stands in when this one is given nowhere (cli.md 3). It must be of the same kind.
    #[must_use]
    pub fn general(mut self, name: &'static str) -> Self {
        self.general = Some(name);
        self
    }

    /// Puts a prefix in front of the name, for programs that have a family of flags twice.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.name = format!("{prefix}{}", self.name).into();
        self
    }

    /// Sets the availability.
    #[must_use]
    pub fn availability(mut self, availability: Availability) -> Self {
        self.availability = availability;
        self
    }

    /// Marks the flag as one whose part does not exist yet.
    #[must_use]
    pub fn not_yet(self, part: &'static str) -> Self {
        self.availability(Availability::NotYet(part))
    }

    /// The name without dashes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn kind(&self) -> Kind {
        self.default.kind()
    }

    /// The built-in default.
    pub fn default_value(&self) -> &Value {
        &self.default
    }

    /// Whether it does anything in this version.
    pub fn is_available(&self) -> bool {
        self.availability == Availability::Yes
    }

    /// The description for usage, dump and table: one line.
    pub(crate) fn description(&self) -> String {
        let usage = self.usage.split_whitespace().collect::<Vec<_>>().join(" ");
        match self.availability {
            Availability::Yes => usage,
            Availability::NotYet(_) => format!("{usage} [not available in this version]"),
            Availability::Ignored => format!("{usage} [deprecated, ignored]"),
        }
    }
}

/// All flags of one program.
#[derive(Clone, Debug)]
pub struct FlagSet {
    program: &'static str,
    default_config_path: String,
    flags: Vec<Flag>,
}

impl FlagSet {
    /// The flags of `program`, whose configuration file is `configs/<program>.yaml` in the working directory.
    ///
    /// Of two flags of one name the first stays.
    pub fn new(program: &'static str, flags: impl IntoIterator<Item = Flag>) -> Self {
        let mut flags: Vec<Flag> = flags.into_iter().collect();
        // Stable, so that the first of two equal names survives `dedup_by`.
        flags.sort_by(|left, right| left.name.cmp(&right.name));
        flags.dedup_by(|later, earlier| later.name == earlier.name);
        Self {
            program,
            default_config_path: format!("configs/{program}.yaml"),
            flags,
        }
    }

    /// The name of the program.
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// Where its configuration file is looked for unless `config_file` says otherwise.
    pub fn default_config_path(&self) -> &str {
        &self.default_config_path
    }

    /// The flags by name, in byte order.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// The flag of this name.
    pub fn get(&self, name: &str) -> Option<&Flag> {
        self.position(name).and_then(|at| self.flags.get(at))
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.flags
            .binary_search_by(|flag| flag.name.as_ref().cmp(name))
            .ok()
    }
}
