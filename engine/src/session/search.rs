//! Values that searchable columns are compared with (policy.md 3.4, 4.1), and what became of all values of a message.

use super::openings::Openings;
use super::sealing::refused;
use super::stop::Stop;
use super::stored::Stored;
use super::{ClientError, Cx, Event};
use crate::cell::{self, Sealed};
use crate::columns::Setting;
use crate::crypto::{container, search_hash};
use crate::plan::{Edit, LiteralValue, Pattern, PatternPlace, Role, part};
use std::borrow::Cow;
use std::sync::Arc;

/// What a value becomes.
pub(super) enum Changed {
    /// It is stored.
    Sealed(Sealed),
    /// A column is compared with it.
    Hash([u8; search_hash::LENGTH]),
}

impl Changed {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sealed(sealed) => sealed.as_bytes(),
            Self::Hash(hash) => hash,
        }
    }
}

/// What was sealed of one message.
#[derive(Default)]
pub(super) struct Changes {
    sealed: u64,
    structs: u64,
    longest: Option<Stored>,
    /// The longest of what does not fit its column.
    too_long: Option<Stored>,
}

impl Changes {
    pub(super) fn add(&mut self, setting: &Arc<Setting>, changed: &Changed) {
        if let Changed::Sealed(sealed) = changed {
            self.sealed += 1;
            self.structs += u64::from(sealed.envelope() == container::Envelope::AcraStruct);
            Stored::note(&mut self.longest, setting, sealed.as_bytes().len());
        }
    }

    /// Takes note of what is stored if it does not fit its column.
    pub(super) fn measure(&mut self, setting: &Arc<Setting>, stored: &[u8], longest: Option<u64>) {
        if longest.is_some_and(|longest| stored.len() as u64 > longest) {
            Stored::note(&mut self.too_long, setting, stored.len());
        }
    }

    /// The longest of what does not fit its column.
    pub(super) fn too_long(&self) -> Option<&Stored> {
        self.too_long.as_ref()
    }

    /// Tells of it; the longest container.
    pub(super) fn tell(self, cx: &mut Cx<'_>) -> Option<Stored> {
        if self.sealed > 0 {
            cx.events.push(Event::Sealed {
                values: self.sealed,
                structs: self.structs,
            });
        }
        self.longest
    }
}

impl Openings {
    /// What a value becomes by its role; `None`: it stays. An empty value is stored, and so compared, as it is.
    pub(super) fn change(
        &self,
        value: &[u8],
        setting: &Setting,
        role: Role,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Changed>, Stop> {
        match role {
            Role::Stored => Ok(self.seal(value, setting, cx)?.map(Changed::Sealed)),
            Role::Compared | Role::Pattern if value.is_empty() => Ok(None),
            Role::Compared | Role::Pattern => {
                let (client_id, keys) = self.keys_of(setting, cx)?;
                let hash = cell::search::hash(value, keys);
                let hash = hash.map_err(|error| refused(error, setting, client_id))?;
                Ok(Some(Changed::Hash(hash)))
            }
        }
    }
}

/// The value that a literal asks for: of a pattern, its text. The part of the column that is compared is written after the
/// column.
pub(super) fn asked_for<'v>(
    value: Cow<'v, [u8]>,
    literal: &LiteralValue<'_>,
    edits: &mut Vec<Edit>,
) -> Result<Cow<'v, [u8]>, Stop> {
    // An argument of EXECUTE has no place in the statement.
    let Some(place) = literal.pattern else {
        return bound(value, literal.role, literal.setting);
    };
    let (text, part) = pattern(&value, place, literal.setting)?;
    edits.extend(place.column_end.map(|end| Edit {
        span: end..end,
        text: part.into(),
    }));
    Ok(Cow::Owned(text))
}

/// The value that a bound one asks for.
pub(super) fn bound<'v>(
    value: Cow<'v, [u8]>,
    role: Role,
    setting: &Setting,
) -> Result<Cow<'v, [u8]>, Stop> {
    match role {
        Role::Pattern => bound_pattern(&value, setting).map(Cow::Owned),
        Role::Stored | Role::Compared => Ok(value),
    }
}

/// The text that a pattern asks for, and the part of the column that has its hash.
fn pattern(
    value: &[u8],
    place: PatternPlace,
    setting: &Setting,
) -> Result<(Vec<u8>, String), Stop> {
    match Pattern::read(value, place.escape) {
        Pattern::Whole(value) => Ok((value, part(0))),
        Pattern::Prefix(value) if place.column_end.is_some() => {
            let characters = prefix_of(&value, setting)?;
            Ok((value, part(characters)))
        }
        Pattern::Prefix(_) | Pattern::Other => Err(bad_pattern(setting)),
    }
}

/// The text that a bound pattern asks for. Where prefixes can be searched by, it must be one: a whole value has the hash of a
/// prefix of its length.
fn bound_pattern(value: &[u8], setting: &Setting) -> Result<Vec<u8>, Stop> {
    let has_prefixes = setting.prefix().is_some();
    match Pattern::read(value, Some(b'\\')) {
        Pattern::Whole(value) if !has_prefixes => Ok(value),
        Pattern::Prefix(value) if has_prefixes => prefix_of(&value, setting).map(|_| value),
        Pattern::Whole(_) | Pattern::Prefix(_) | Pattern::Other => Err(bad_pattern(setting)),
    }
}

/// The number of characters of a prefix, which must not be more than there are hashes of.
fn prefix_of(value: &[u8], setting: &Setting) -> Result<u64, Stop> {
    let characters = search_hash::character_ends(value).count() as u64;
    let most = u64::from(setting.prefix().unwrap_or(0));
    match characters {
        0 => Err(bad_pattern(setting)),
        characters if characters <= most => Ok(characters),
        _ => {
            let (table, column) = (&setting.table, &setting.column);
            Err(Stop::Refuse(
                "search-pattern",
                ClientError::error(
                    "0A000",
                    format!(
                        "LIKE prefix longer than searchable_prefix: column \"{column}\" of table \"{table}\" has hashes of up to {most} characters"
                    ),
                ).about(setting.subject())
                .hint("Search by a shorter prefix, or raise searchable_prefix and write the values anew."),
            ))
        }
    }
}

fn bad_pattern(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    let hint = match setting.prefix() {
        Some(_) => {
            "A pattern is characters followed by one %, or a string without wildcards that is written in the statement. A bound value must end with %: use = for equality."
        }
        None => {
            "Without searchable_prefix in the encryptor configuration a pattern can have no wildcard. Write \\% and \\_ for the characters themselves."
        }
    };
    Stop::Refuse(
        "search-pattern",
        ClientError::error(
            "0A000",
            format!("a pattern of LIKE for searchable column \"{column}\" of table \"{table}\" cannot be searched by"),
        ).about(setting.subject())
        .hint(hint),
    )
}
