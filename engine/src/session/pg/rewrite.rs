//! Sealing what the client sends: literals of a text, values of a Bind (policy.md 6.5, 6.6).

use super::PgSession;
use super::frontend::Stop;
use super::stored::Stored;
use crate::cell::{self, SealError, Sealed, bytea};
use crate::columns::{Envelope, Setting};
use crate::crypto::container;
use crate::plan::{Edit, LiteralKind, LiteralValue, Plan, splice};
use crate::session::{Ask, ClientError, Cx, Event, KeyFault};
use crate::wire::pg::parse::BYTEA;
use crate::wire::pg::{Bind, Format, Parse, write_cstr, write_frame};
use std::borrow::Cow;

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
    /// The text with these values of it sealed, which are in its order; `None` if nothing had to change.
    pub(super) fn seal_literals(
        &self,
        values: &[LiteralValue<'_>],
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rewritten>, Stop> {
        let mut edits = Vec::new();
        let (mut count, mut structs) = (0, 0);
        let mut stored = None;
        for literal in values {
            let value = match literal.kind {
                LiteralKind::Number => Cow::Borrowed(&*literal.value),
                LiteralKind::String => decode(&literal.value, literal.setting)?,
                LiteralKind::Array => {
                    let (format, setting) = (Format::Text, literal.setting);
                    let array =
                        self.seal_elements(format, &literal.value, setting, &mut stored, cx)?;
                    if let Some(array) = array {
                        structs += array.structs;
                        count += array.values;
                        edits.push(Edit {
                            span: literal.span.clone(),
                            text: quote_array(&array.bytes),
                        });
                    }
                    continue;
                }
            };
            if let Some(sealed) = self.seal(&value, literal.setting, cx)? {
                count += 1;
                structs += u64::from(sealed.envelope() == container::Envelope::AcraStruct);
                Stored::note(&mut stored, literal.setting, sealed.as_bytes().len());
                edits.push(Edit {
                    span: literal.span.clone(),
                    text: self.quote(&sealed),
                });
            }
        }
        if edits.is_empty() {
            return Ok(None);
        }
        cx.events.push(Event::Sealed {
            values: count,
            structs,
        });
        let mut out = Vec::with_capacity(
            text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>(),
        );
        splice(text, &edits, &mut out);
        Ok(Some(Rewritten { text: out, stored }))
    }

    /// The Bind with every protected value sealed; `None` if nothing had to change.
    pub(super) fn seal_parameters(
        &self,
        plan: &Plan,
        bind: &Bind<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<SealedBind>, Stop> {
        if plan.params.is_empty() {
            return Ok(None);
        }
        let mut sealed: Vec<(usize, Vec<u8>)> = Vec::new();
        let (mut values, mut structs) = (0, 0);
        let mut stored = None;
        let mut actions = plan.params.iter().peekable();
        for (index, (format, value)) in bind.values().enumerate() {
            let Some(action) = actions.next_if(|action| usize::from(action.number) == index + 1)
            else {
                continue;
            };
            let Some(value) = value else { continue };
            if action.elements {
                let array = self.seal_elements(format, value, &action.setting, &mut stored, cx)?;
                if let Some(array) = array {
                    structs += array.structs;
                    values += array.values;
                    sealed.push((index, array.bytes));
                }
                continue;
            }
            let plain = match format {
                Format::Binary => Cow::Borrowed(value),
                Format::Text if !self.lexical.encoding.keeps_bytes() && !value.is_ascii() => {
                    return Err(foreign_encoding(&action.setting));
                }
                Format::Text => decode(value, &action.setting)?,
            };
            if let Some(container) = self.seal(&plain, &action.setting, cx)? {
                values += 1;
                structs += u64::from(container.envelope() == container::Envelope::AcraStruct);
                Stored::note(&mut stored, &action.setting, container.as_bytes().len());
                let bytes = match format {
                    Format::Binary => container.as_bytes().to_vec(),
                    Format::Text => {
                        let mut text = Vec::with_capacity(container.as_bytes().len() * 2 + 2);
                        bytea::encode_hex(container.as_bytes(), &mut text);
                        text
                    }
                };
                sealed.push((index, bytes));
            }
        }
        if sealed.is_empty() {
            return Ok(None);
        }
        cx.events.push(Event::Sealed { values, structs });
        let mut message =
            Vec::with_capacity(64 + sealed.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
        let mut replacements = sealed.iter().peekable();
        bind.write_with(&mut message, |index| {
            replacements
                .next_if(|(at, _)| *at == index)
                .map(|(_, bytes)| &**bytes)
        });
        Ok(Some(SealedBind { message, stored }))
    }

    pub(super) fn seal(
        &self,
        value: &[u8],
        setting: &Setting,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Sealed>, Stop> {
        let (table, column) = (&setting.table, &setting.column);
        let own = self.client_id.as_ref().map(|id| id.as_str());
        let Some(client_id) = setting.client_id.as_deref().or(own) else {
            return Err(Stop::Refuse(
                "no-client-id",
                ClientError::error(
                    "28000",
                    format!("no client id to protect column \"{column}\" of table \"{table}\""),
                )
                .hint("Start acra-server with --client_id, or give the column a client_id."),
            ));
        };
        let keys = match self.keyring.get(client_id) {
            None => return Err(Stop::Ask(Ask::Keys(client_id.into()))),
            Some(Ok(keys)) => keys,
            Some(Err(fault)) => {
                cx.events.push(Event::KeysUnavailable {
                    client_id: client_id.into(),
                });
                return Err(keys_unavailable(setting, client_id, fault));
            }
        };
        let form = cell::Form {
            envelope: match setting.envelope {
                Envelope::AcraBlock => container::Envelope::AcraBlock,
                Envelope::AcraStruct => container::Envelope::AcraStruct,
            },
            reencrypt: setting.reencrypt,
        };
        cell::seal(value, form, keys, cx.rng).map_err(|error| match error {
            SealError::NoKey => keys_unavailable(setting, client_id, KeyFault::Missing),
            SealError::Closed => Stop::Refuse(
                "seal-failed",
                ClientError::error(
                    "XX000",
                    format!("cannot decrypt an AcraStruct for column \"{column}\" of table \"{table}\""),
                )
                .hint(
                    "AcraStructs become AcraBlocks in this column, for which the client's private key is needed. \
                     reencrypting_to_acrablocks: false stores them as they are.",
                ),
            ),
            SealError::Failed => Stop::Refuse(
                "seal-failed",
                ClientError::error(
                    "XX000",
                    format!("cannot encrypt a value for column \"{column}\" of table \"{table}\""),
                )
                .hint("A value of 4 GiB or more cannot be encrypted."),
            ),
        })
    }

    /// A `bytea` literal, read alike by the server whatever it reported last.
    fn quote(&self, sealed: &Sealed) -> Vec<u8> {
        let mut text = Vec::with_capacity(sealed.as_bytes().len() * 2 + 6);
        if self.lexical.standard_conforming_strings {
            text.push(b'\'');
        } else {
            // The server takes the backslash for an escape, so it is doubled.
            text.extend_from_slice(b"E'\\");
        }
        bytea::encode_hex(sealed.as_bytes(), &mut text);
        text.push(b'\'');
        text
    }
}

/// The Parse message to send instead: with a rewritten text, and with `bytea` as the declared type of every protected
/// parameter (policy.md 6.11); arrays keep theirs, whose elements are sealed as what they are. `None` if the client's message can pass as it is.
pub(super) fn parse(
    parse: &Parse<'_>,
    plan: &Plan,
    rewritten: Option<Rewritten>,
) -> Option<Vec<u8>> {
    let mut types = Cow::Borrowed(parse.types);
    for action in plan.params.iter().filter(|action| !action.elements) {
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

/// An array as a character string, read alike by the server whatever it reported last. The blank keeps the `E` apart from a
/// word before it.
fn quote_array(array: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(array.len() + 16);
    text.extend_from_slice(b" E'");
    for byte in array {
        if matches!(byte, b'\'' | b'\\') {
            text.push(*byte);
        }
        text.push(*byte);
    }
    text.push(b'\'');
    text
}

/// The bytes that a text stands for in a `bytea` column.
pub(super) fn decode<'a>(text: &'a [u8], setting: &Setting) -> Result<Cow<'a, [u8]>, Stop> {
    bytea::input(text).map_err(|bytea::BadHex| {
        let (table, column) = (&setting.table, &setting.column);
        Stop::Refuse(
            "bad-hex",
            ClientError::error(
                "22P02",
                format!("invalid hexadecimal data for column \"{column}\" of table \"{table}\""),
            )
            .hint("A value that starts with \\x must be an even number of hexadecimal digits after it."),
        )
    })
}

fn keys_unavailable(setting: &Setting, client_id: &str, fault: KeyFault) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
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
