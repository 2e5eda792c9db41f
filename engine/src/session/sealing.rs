//! Values on their way to the server: whose keys seal them, and what the client hears if that cannot be.

use super::openings::Openings;
use super::stop::Stop;
use super::{Ask, ClientError, Cx, Event, KeyFault};
use crate::cell::typed::{BadValue, Form, Said, plaintext};
use crate::cell::{self, Mask, SealError, Sealed};
use crate::columns::{DataType, Envelope, Likeness, Setting, Transform};
use crate::crypto::container;
use crate::keys::ClientKeys;
use std::borrow::Cow;

impl Openings {
    /// Whose keys protect a column.
    pub(super) fn owner<'s>(&'s self, setting: &'s Setting) -> Result<&'s str, Stop> {
        let own = self.client_id().map(|id| id.as_str());
        let (table, column) = (&setting.table, &setting.column);
        setting.client_id.as_deref().or(own).ok_or_else(|| {
            Stop::Refuse(
                "no-client-id",
                ClientError::error(
                    "28000",
                    format!("no client id to protect column \"{column}\" of table \"{table}\""),
                )
                .about(setting.subject())
                .hint("Start acra-server with --client_id, or give the column a client_id."),
            )
        })
    }

    /// What is stored of a value; `None`: the value itself.
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
    pub(super) fn keys_of<'k>(
        &'k self,
        setting: &'k Setting,
        cx: &mut Cx<'_>,
    ) -> Result<(&'k str, &'k ClientKeys), Stop> {
        let client_id = self.owner(setting)?;
        match self.keyring.get(client_id) {
            None => Err(Stop::Ask(Ask::Keys(client_id.into()))),
            Some(Ok(keys)) => Ok((client_id, keys)),
            Some(Err(fault)) => {
                cx.events.push(Event::KeysUnavailable {
                    client_id: client_id.into(),
                });
                Err(keys_unavailable(setting, client_id, fault))
            }
        }
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

/// The error for a value that cannot be changed.
pub(super) fn refused(error: SealError, setting: &Setting, client_id: &str) -> Stop {
    let Setting { table, column, .. } = setting;
    let is_searchable = setting.likeness() == Some(Likeness::Hash);
    let (message, hint) = match error {
        SealError::NoKey => return keys_unavailable(setting, client_id, KeyFault::Missing),
        SealError::NoSearchKey => {
            return no_key(
                setting,
                client_id,
                "there is no key for searchable encryption",
                "Make one with acra-keys generate --search_hmac_symmetric_key or acra-keymaker --generate_hmac_key.",
            );
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
        ClientError::error("XX000", message)
            .about(setting.subject())
            .hint(hint),
    )
}

pub(super) fn keys_unavailable(setting: &Setting, client_id: &str, fault: KeyFault) -> Stop {
    let (why, hint) = match fault {
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
    };
    no_key(setting, client_id, why, hint)
}

fn no_key(setting: &Setting, client_id: &str, why: &str, hint: &str) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "keys-unavailable",
        ClientError::error(
            "58000",
            format!("cannot encrypt column \"{column}\" of table \"{table}\" for client \"{client_id}\": {why}"),
        ).about(setting.subject())
        .hint(hint),
    )
}

/// What is sealed of a value.
pub(super) fn plain<'a>(
    value: &'a [u8],
    form: Form,
    setting: &Setting,
    said: Said,
) -> Result<Cow<'a, [u8]>, Stop> {
    plaintext(value, form, setting, said).map_err(|bad| bad_value(bad, setting))
}

/// The error for a value that is not of its column's type, or of the one that it is cast to.
pub(super) fn bad_value(bad: BadValue, setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    match bad {
        BadValue::Hex => bad_hex(setting),
        BadValue::Range(kind) => Stop::Refuse(
            "bad-value",
            ClientError::error(
                "22003",
                format!(
                    "a value for column \"{column}\" of table \"{table}\" does not fit type {} with the precision that it is cast to",
                    kind.name()
                ),
            ).about(setting.subject())
            .hint("Cast it to a type with more digits, or leave the cast out."),
        ),
        BadValue::Type(kind) => Stop::Refuse(
            "bad-value",
            ClientError::error(
                "22P02",
                format!(
                    "a value for column \"{column}\" of table \"{table}\" is not valid for type {}",
                    kind.name()
                ),
            ).about(setting.subject())
            .hint("Dates and times must be in ISO form, those with a time zone with an offset from UTC; binary values must be of the declared type."),
        ),
    }
}

pub(super) fn bad_hex(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "bad-hex",
        ClientError::error(
            "22P02",
            format!("invalid hexadecimal data for column \"{column}\" of table \"{table}\""),
        )
        .about(setting.subject())
        .hint(
            "A value that starts with \\x must be an even number of hexadecimal digits after it.",
        ),
    )
}
