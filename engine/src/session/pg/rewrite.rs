//! Changing what the client sends: literals of a text, values of a Bind (policy.md 6.5, 6.6). What is stored is sealed; what a
//! column is compared with becomes what equal values have in common.

use super::PgSession;
use super::frontend::Stop;
use super::registry::Statement;
use super::stored::Stored;
use crate::cell::typed::{BadValue, Form, plaintext};
use crate::cell::{self, Mask, SealError, Sealed, bytea};
use crate::columns::{DataType, Envelope, Likeness, Setting, Transform};
use crate::crypto::{container, search_hash};
use crate::keys::ClientKeys;
use crate::plan::{
    Edit, LiteralKind, LiteralValue, ParamAction, Pattern, PatternPlace, Plan, Role, in_order,
    part, splice,
};
use crate::session::{Ask, ClientError, Cx, Event, KeyFault};
use crate::types::Type;
use crate::wire::pg::parse::BYTEA;
use crate::wire::pg::{Bind, Format, Parse, Replaced, write_cstr, write_frame};
use std::borrow::Cow;
use std::sync::Arc;

/// What becomes of a value.
enum Changed {
    /// It is stored.
    Sealed(Sealed),
    /// A column is compared with it.
    Hash([u8; search_hash::LENGTH]),
}

impl Changed {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sealed(sealed) => sealed.as_bytes(),
            Self::Hash(hash) => hash,
        }
    }
}

/// What was stored among the values of one message.
#[derive(Default)]
struct Tally {
    values: u64,
    structs: u64,
    longest: Option<Stored>,
}

impl Tally {
    fn add(&mut self, setting: &Arc<Setting>, changed: &Changed) {
        if let Changed::Sealed(sealed) = changed {
            self.values += 1;
            self.structs += u64::from(sealed.envelope() == container::Envelope::AcraStruct);
            let longest = Stored::new(setting, sealed.as_bytes().len());
            self.longest = Some(longest.longer(self.longest.take()));
        }
    }

    /// Tells of it; the longest container.
    fn tell(self, cx: &mut Cx<'_>) -> Option<Stored> {
        if self.values > 0 {
            cx.events.push(Event::Sealed {
                values: self.values,
                structs: self.structs,
            });
        }
        self.longest
    }
}

/// A statement's text with its protected literals sealed.
pub(super) struct Rewritten {
    pub(super) text: Vec<u8>,
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
}

/// A Bind with its protected values sealed.
pub(super) struct SealedBind {
    pub(super) message: Vec<u8>,
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
}

impl PgSession {
    /// The text with these values of it changed, and with these edits; `None` if nothing had to change.
    pub(super) fn change_text(
        &self,
        values: &[LiteralValue<'_>],
        mut edits: Vec<Edit>,
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rewritten>, Stop> {
        let mut tally = Tally::default();
        for literal in values {
            let form = match literal.kind {
                LiteralKind::Number => Form::Number,
                LiteralKind::String => Form::Text,
            };
            let value = plain(&literal.value, form, literal.setting, None)?;
            let value = match literal.pattern {
                // An argument of EXECUTE.
                None if literal.role == Role::Pattern => {
                    Cow::Owned(bound_pattern(&value, literal.setting)?)
                }
                Some(place) => {
                    let (value, part) = pattern(&value, place, literal.setting)?;
                    edits.extend(place.column_end.map(|end| Edit {
                        span: end..end,
                        text: part.into(),
                    }));
                    Cow::Owned(value)
                }
                None => value,
            };
            if let Some(changed) = self.change(&value, literal.setting, literal.role, cx)? {
                tally.add(literal.setting, &changed);
                edits.push(Edit {
                    span: literal.span.clone(),
                    text: self.quote(changed.as_bytes()),
                });
            }
        }
        if edits.is_empty() {
            return Ok(None);
        }
        let stored = tally.tell(cx);
        let mut out = Vec::with_capacity(
            text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>(),
        );
        splice(text, &in_order(edits), &mut out);
        Ok(Some(Rewritten { text: out, stored }))
    }

    /// The Bind with every protected value sealed; `None` if nothing had to change.
    pub(super) fn seal_parameters(
        &self,
        statement: &Statement,
        bind: &Bind<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<SealedBind>, Stop> {
        let plan = &statement.plan;
        if plan.params.is_empty() {
            return Ok(None);
        }
        let mut changes: Vec<Replaced> = Vec::new();
        let mut tally = Tally::default();
        let mut actions = plan.params.iter().peekable();
        for (index, (format, value)) in bind.values().enumerate() {
            let Some(action) = actions.next_if(|action| usize::from(action.number) == index + 1)
            else {
                continue;
            };
            let Some(value) = value else { continue };
            let form = match format {
                Format::Binary => Form::Binary,
                Format::Text if !self.lexical.encoding.keeps_bytes() && !value.is_ascii() => {
                    return Err(foreign_encoding(&action.setting));
                }
                Format::Text => Form::Text,
            };
            let declared = statement.declared(action.number);
            let plain = plain(value, form, &action.setting, declared)?;
            let plain = match action.role {
                Role::Pattern => Cow::Owned(bound_pattern(&plain, &action.setting)?),
                Role::Stored | Role::Compared => plain,
            };
            if let Some(changed) = self.change(&plain, &action.setting, action.role, cx)? {
                tally.add(&action.setting, &changed);
                // Bytes as such are no text.
                let format = match statement.is_text(action.number) {
                    true => Format::Text,
                    false => format,
                };
                let bytes = match format {
                    Format::Binary => changed.as_bytes().to_vec(),
                    Format::Text => {
                        let mut text = Vec::with_capacity(changed.as_bytes().len() * 2 + 2);
                        bytea::encode_hex(changed.as_bytes(), &mut text);
                        text
                    }
                };
                changes.push(Replaced {
                    index,
                    format,
                    bytes,
                });
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let stored = tally.tell(cx);
        let mut message =
            Vec::with_capacity(64 + changes.iter().map(|new| new.bytes.len()).sum::<usize>());
        bind.write_with(&mut message, &changes);
        Ok(Some(SealedBind { message, stored }))
    }

    /// What a value becomes by its role; `None`: it stays. An empty value is stored, and so compared, as it is.
    fn change(
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

    pub(super) fn seal(
        &self,
        value: &[u8],
        setting: &Setting,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Sealed>, Stop> {
        let (client_id, keys) = self.keys_of(setting, cx)?;
        let form = cell::Form {
            envelope: match setting.envelope {
                Envelope::AcraBlock => container::Envelope::AcraBlock,
                Envelope::AcraStruct => container::Envelope::AcraStruct,
            },
            reencrypt: setting.reencrypt,
            search: match setting.transform {
                Transform::Searchable { prefix } => Some(prefix.unwrap_or(0)),
                _ => None,
            },
            mask: mask(setting),
        };
        cell::seal(value, form, keys, cx.rng).map_err(|error| refused(error, setting, client_id))
    }

    /// The keys of a column: those of its own client, or else of the connection's.
    fn keys_of<'k>(
        &'k self,
        setting: &'k Setting,
        cx: &mut Cx<'_>,
    ) -> Result<(&'k str, &'k ClientKeys), Stop> {
        let own = self.client_id.as_ref().map(|id| id.as_str());
        let Some(client_id) = setting.client_id.as_deref().or(own) else {
            let (table, column) = (&setting.table, &setting.column);
            return Err(Stop::Refuse(
                "no-client-id",
                ClientError::error(
                    "28000",
                    format!("no client id to protect column \"{column}\" of table \"{table}\""),
                )
                .hint("Start acra-server with --client_id, or give the column a client_id."),
            ));
        };
        match self.keyring.get(client_id) {
            None => Err(Stop::Ask(Ask::Keys(client_id.into()))),
            Some(Ok(keys)) => Ok((client_id, keys)),
            Some(Err(fault)) => {
                cx.events.push(Event::KeysUnavailable {
                    client_id: client_id.into(),
                });
                Err(keys_unavailable(
                    setting,
                    client_id,
                    storage_key(setting, fault),
                ))
            }
        }
    }

    /// A `bytea` literal, read alike by the server whatever it reported last.
    fn quote(&self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() * 2 + 6);
        if self.lexical.standard_conforming_strings {
            text.push(b'\'');
        } else {
            // The server takes the backslash for an escape, so it is doubled.
            text.extend_from_slice(b"E'\\");
        }
        bytea::encode_hex(bytes, &mut text);
        text.push(b'\'');
        text
    }
}

/// Which part of a value stays in clear.
fn mask(setting: &Setting) -> Option<Mask> {
    match setting.transform {
        Transform::Masked {
            plaintext_length,
            side,
            ..
        } => Some(Mask {
            length: plaintext_length,
            side,
            whole_characters: setting.data_type == Some(DataType::Str),
        }),
        _ => None,
    }
}

/// The Parse message to send instead: with a rewritten text, and with `bytea` as the declared type of every protected
/// parameter (policy.md 6.11). `None` if the client's message can pass as it is.
pub(super) fn parse(
    parse: &Parse<'_>,
    plan: &Plan,
    rewritten: Option<Rewritten>,
) -> Option<Vec<u8>> {
    let mut types = Cow::Borrowed(parse.types);
    for action in plan.params.iter().filter(|action| takes_bytes(action)) {
        let at = usize::from(action.number).saturating_sub(1) * 4;
        let declared = types
            .get(at..at + 4)
            .map(|oid| oid != BYTEA.to_be_bytes() && oid != [0; 4]);
        if declared == Some(true)
            && let Some(oid) = types.to_mut().get_mut(at..at + 4)
        {
            oid.copy_from_slice(&BYTEA.to_be_bytes());
        }
    }
    if rewritten.is_none() && matches!(types, Cow::Borrowed(_)) {
        return None;
    }
    let text = rewritten
        .as_ref()
        .map_or(parse.text, |rewritten| &rewritten.text);
    let mut message = Vec::with_capacity(parse.name.len() + text.len() + types.len() + 9);
    write_frame(&mut message, b'P', |out| {
        write_cstr(out, parse.name);
        write_cstr(out, text);
        out.extend_from_slice(&((types.len() / 4) as u16).to_be_bytes());
        out.extend_from_slice(&types);
    });
    Some(message)
}

/// What is sealed of a value.
pub(super) fn plain<'a>(
    value: &'a [u8],
    form: Form,
    setting: &Setting,
    declared: Option<Type>,
) -> Result<Cow<'a, [u8]>, Stop> {
    plaintext(value, form, setting, declared).map_err(|bad| {
        let (table, column) = (&setting.table, &setting.column);
        match bad {
            BadValue::Hex => Stop::Refuse(
                "bad-hex",
                ClientError::error(
                    "22P02",
                    format!("invalid hexadecimal data for column \"{column}\" of table \"{table}\""),
                )
                .hint("A value that starts with \\x must be an even number of hexadecimal digits after it."),
            ),
            BadValue::Type(kind) => Stop::Refuse(
                "bad-value",
                ClientError::error(
                    "22P02",
                    format!(
                        "a value for column \"{column}\" of table \"{table}\" is not valid for type {}",
                        kind.name()
                    ),
                )
                .hint("Dates and times must be in ISO form, those with a time zone with an offset from UTC; binary values must be of the declared type."),
            ),
        }
    })
}

/// Whether a parameter gets bytes: a container, or a hash. A token has the type of its column.
fn takes_bytes(action: &ParamAction) -> bool {
    action.role == Role::Stored || action.setting.likeness() == Some(Likeness::Hash)
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
                )
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
        )
        .hint(hint),
    )
}

/// The error for a value that cannot be changed.
fn refused(error: SealError, setting: &Setting, client_id: &str) -> Stop {
    let Setting { table, column, .. } = setting;
    let is_searchable = setting.likeness() == Some(Likeness::Hash);
    let (message, hint) = match error {
        SealError::NoKey => {
            let why = storage_key(setting, KeyFault::Missing);
            return keys_unavailable(setting, client_id, why);
        }
        SealError::NoSearchKey => {
            let why = (
                "there is no key for searchable encryption",
                "Make one with acra-keys generate --search_hmac_symmetric_key or acra-keymaker --generate_hmac_key.",
            );
            return keys_unavailable(setting, client_id, why);
        }
        SealError::Closed if is_searchable => (
            format!(
                "cannot decrypt a container for searchable column \"{column}\" of table \"{table}\""
            ),
            "The hash that values are searched by is that of the container's content, for which the client's key is needed.",
        ),
        SealError::Closed => (
            format!("cannot decrypt an AcraStruct for column \"{column}\" of table \"{table}\""),
            "AcraStructs become AcraBlocks in this column, for which the client's private key is needed. \
             reencrypting_to_acrablocks: false stores them as they are.",
        ),
        SealError::Failed => (
            format!("cannot encrypt a value for column \"{column}\" of table \"{table}\""),
            "A value of 4 GiB or more cannot be encrypted.",
        ),
    };
    Stop::Refuse(
        "seal-failed",
        ClientError::error("XX000", message).hint(hint),
    )
}

/// Why there is no storage key, and what to do.
fn storage_key(setting: &Setting, fault: KeyFault) -> (&'static str, &'static str) {
    match fault {
        KeyFault::Missing => (
            "there is no storage key",
            match setting.envelope {
                Envelope::AcraBlock => {
                    "Make one with acra-keymaker --generate_symmetric_storage_key, or check the client id."
                }
                Envelope::AcraStruct => {
                    "Make one with acra-keymaker --generate_acrawriter_keys, or check the client id."
                }
            },
        ),
        KeyFault::Unavailable => (
            "the key store cannot be read",
            "See the log of acra-server; the master key may be another one than the keys were made with.",
        ),
    }
}

fn keys_unavailable(setting: &Setting, client_id: &str, (why, hint): (&str, &str)) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "keys-unavailable",
        ClientError::error(
            "58000",
            format!("cannot encrypt column \"{column}\" of table \"{table}\" for client \"{client_id}\": {why}"),
        )
        .hint(hint),
    )
}

pub(super) fn foreign_encoding(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "client-encoding",
        ClientError::error(
            "0A000",
            format!("a value for column \"{column}\" of table \"{table}\" is not ASCII and client_encoding is not UTF8"),
        )
        .hint("SET client_encoding TO 'UTF8', or bind the value in binary format."),
    )
}
