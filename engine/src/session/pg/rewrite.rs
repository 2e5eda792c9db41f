//! Changing what the client sends: literals of a text, values of a Bind (policy.md 6.5, 6.6). What is stored is sealed, or
//! becomes a token; what a column is compared with becomes what equal values have in common.

use super::PgSession;
use super::arrays::{Elements, holds_tokens};
use super::registry::Statement;
use super::tokenize::{cut, value_of};
use crate::cell::typed::{Form, Said};
use crate::cell::{Kind, array, bytea, token};
use crate::columns::{Likeness, Setting, TokenType};
use crate::plan::{CastType, Edit, LiteralKind, LiteralValue, ParamAction, Plan, Role, edited};
use crate::session::sealing::plain;
use crate::session::search::{self, Changes};
use crate::session::stop::Stop;
use crate::session::stored::Stored;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, Cx};
use crate::tokens::TokenRequest;
use crate::types::Type;
use crate::wire::pg::parse::{BYTEA, INT2, INT4, INT8};
use crate::wire::pg::{Bind, Format, Parse, Replaced, write_cstr, write_frame};
use std::borrow::Cow;

/// A statement's text with its protected literals sealed, or replaced by tokens.
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
    /// The text with these edits, and these values of it sealed, hashed or replaced by tokens; `None` if nothing had to
    /// change.
    pub(super) fn change_text(
        &self,
        values: &[LiteralValue<'_>],
        mut edits: Vec<Edit>,
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rewritten>, Stop> {
        let mut tokens = self
            .openings
            .tokens_for(self.literal_requests(values)?)?
            .iter();
        let mut changes = Changes::default();
        for literal in values {
            if let Some((token_type, _)) = literal.setting.tokenized() {
                if let Some(elements) = elements_of(literal) {
                    let array = self.token_elements(elements, token_type, &mut tokens)?;
                    edits.push(Edit {
                        span: literal.span.clone(),
                        text: quote_array(&array),
                    });
                    continue;
                }
                let value = value_of(&literal.value, token_type, Format::Text, literal.setting)?;
                if !value.is_empty() {
                    let owner = self.openings.owner(literal.setting)?;
                    let token = token_of(tokens.next(), literal.setting, owner)?;
                    edits.push(Edit {
                        span: literal.span.clone(),
                        text: self.token_literal(token, token_type, literal.kind),
                    });
                }
                continue;
            }
            if let Some(elements) = elements_of(literal) {
                let array = self.seal_elements(elements, false, &mut changes, cx)?;
                edits.extend(array.map(|array| Edit {
                    span: literal.span.clone(),
                    text: quote_array(&array),
                }));
                continue;
            }
            let form = match literal.kind {
                LiteralKind::Number => Form::Number,
                LiteralKind::String | LiteralKind::Array => Form::Text,
            };
            let value = plain(
                &literal.value,
                form,
                literal.setting,
                said(None, literal.cast),
            )?;
            let value = search::asked_for(value, literal, &mut edits)?;
            if let Some(changed) =
                self.openings
                    .change(&value, literal.setting, literal.role, cx)?
            {
                changes.add(literal.setting, &changed);
                edits.push(Edit {
                    span: literal.span.clone(),
                    text: self.quote(changed.as_bytes()),
                });
            }
        }
        if edits.is_empty() {
            return Ok(None);
        }
        let stored = changes.tell(cx);
        Ok(Some(Rewritten {
            text: edited(text, edits),
            stored,
        }))
    }

    /// The requests for the tokens of literals, in their order.
    fn literal_requests(&self, values: &[LiteralValue<'_>]) -> Result<Vec<TokenRequest>, Stop> {
        let mut requests = Vec::new();
        for literal in values {
            if let Some((token_type, _)) = literal.setting.tokenized() {
                if let Some(elements) = elements_of(literal) {
                    requests.extend(self.element_requests(elements, token_type)?);
                    continue;
                }
                let value = value_of(&literal.value, token_type, Format::Text, literal.setting)?;
                let value = cut(value, literal.cast, literal.setting)?;
                requests.extend(self.openings.token_request(
                    &value,
                    literal.setting,
                    literal.role,
                )?);
            }
        }
        Ok(requests)
    }

    /// The Bind with every protected value sealed or replaced by a token; `None` if nothing had to change.
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
        let mut tokens = self
            .openings
            .tokens_for(self.bound_requests(plan, bind)?)?
            .iter();
        let mut replaced: Vec<Replaced> = Vec::new();
        let mut changes = Changes::default();
        for (index, format, value, action) in protected(plan, bind) {
            let setting = &action.setting;
            let elements = Elements {
                format,
                bytes: value,
                setting,
                role: action.role,
                cast: action.cast,
            };
            if let Some((token_type, _)) = setting.tokenized() {
                if action.elements {
                    replaced.push(Replaced {
                        index,
                        format,
                        bytes: self.token_elements(elements, token_type, &mut tokens)?,
                    });
                    continue;
                }
                if !value_of(value, token_type, format, setting)?.is_empty() {
                    let token = token_of(tokens.next(), setting, self.openings.owner(setting)?)?;
                    replaced.push(Replaced {
                        index,
                        format,
                        bytes: bound_token(token, token_type, format, value.len()),
                    });
                }
                continue;
            }
            if action.elements {
                let expects_bytes =
                    statement.stored_type(action.number) == Some(array::oid_of(Type::Bytea));
                let array = self.seal_elements(elements, expects_bytes, &mut changes, cx)?;
                replaced.extend(array.map(|bytes| Replaced {
                    index,
                    format,
                    bytes,
                }));
                continue;
            }
            let form = match format {
                Format::Binary => Form::Binary,
                Format::Text if !self.lexical.encoding.keeps_bytes() && !value.is_ascii() => {
                    return Err(foreign_encoding(setting));
                }
                Format::Text => Form::Text,
            };
            let said = said(statement.declared(action.number), action.cast);
            let plain = plain(value, form, setting, said)?;
            let plain = search::bound(plain, action.role, setting)?;
            if let Some(changed) = self.openings.change(&plain, setting, action.role, cx)? {
                changes.add(setting, &changed);
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
                replaced.push(Replaced {
                    index,
                    format,
                    bytes,
                });
            }
        }
        if replaced.is_empty() {
            return Ok(None);
        }
        let stored = changes.tell(cx);
        // Names, formats and other short values; Describe, Execute and Sync go behind it (`Outbox::pass`).
        const ROOM: usize = 128;
        let mut message =
            Vec::with_capacity(ROOM + replaced.iter().map(|new| new.bytes.len()).sum::<usize>());
        bind.write_with(&mut message, &replaced);
        Ok(Some(SealedBind { message, stored }))
    }

    /// The requests for the tokens of bound values, in their order.
    fn bound_requests(&self, plan: &Plan, bind: &Bind<'_>) -> Result<Vec<TokenRequest>, Stop> {
        let mut requests = Vec::new();
        for (_, format, value, action) in protected(plan, bind) {
            let setting = &action.setting;
            let Some((token_type, _)) = setting.tokenized() else {
                continue;
            };
            if action.elements {
                let elements = Elements {
                    format,
                    bytes: value,
                    setting,
                    role: action.role,
                    cast: action.cast,
                };
                requests.extend(self.element_requests(elements, token_type)?);
                continue;
            }
            let is_text = format == Format::Text;
            if is_text && !self.lexical.encoding.keeps_bytes() && !value.is_ascii() {
                return Err(foreign_encoding(setting));
            }
            let value = value_of(value, token_type, format, setting)?;
            let value = cut(value, action.cast, setting)?;
            requests.extend(self.openings.token_request(&value, setting, action.role)?);
        }
        Ok(requests)
    }

    /// A `bytea` literal, read alike by the server whatever it reported last.
    pub(super) fn quote(&self, bytes: &[u8]) -> Vec<u8> {
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

/// The bound values that a plan concerns: place, format, value, what is done. NULL is none.
fn protected<'p>(
    plan: &'p Plan,
    bind: &Bind<'p>,
) -> impl Iterator<Item = (usize, Format, &'p [u8], &'p ParamAction)> {
    let mut actions = plan.params.iter().peekable();
    bind.values()
        .enumerate()
        .filter_map(move |(index, (format, value))| {
            let action = actions.next_if(|action| usize::from(action.number) == index + 1)?;
            Some((index, format, value?, action))
        })
}

/// A token in the place of a bound value of so many bytes. The server expects a number in the width of its type, which
/// is widened for tokens that may not fit ([`parse`]).
fn bound_token(token: &[u8], token_type: TokenType, format: Format, width: usize) -> Vec<u8> {
    let width = token::number_width(token_type).map_or(width, |least| width.max(least));
    // A number of its own type fits.
    token::write(token, token_type, Kind::Unknown, format, width).unwrap_or_default()
}

/// The elements of a literal that is an array.
fn elements_of<'a>(literal: &'a LiteralValue<'_>) -> Option<Elements<'a>> {
    (literal.kind == LiteralKind::Array).then_some(Elements {
        format: Format::Text,
        bytes: &literal.value,
        setting: literal.setting,
        role: literal.role,
        cast: literal.cast,
    })
}

/// The type that an array is declared with instead; `None` if it stays. What is stored is sealed as what it is.
fn array_instead(declared: u32, action: &ParamAction) -> Option<u32> {
    match action.setting.tokenized() {
        Some((token_type, _)) => {
            let of = array::of_oid(declared)?;
            let holds = holds_tokens(of, token_type);
            (holds != of).then(|| array::oid_of(holds))
        }
        None => {
            let bytes = array::oid_of(Type::Bytea);
            let shown = action.setting.shown_type();
            let is_bytes = action.role != Role::Stored
                || action.setting.likeness() == Some(Likeness::Hash)
                || shown.is_some_and(|shown| shown != Type::Bytea);
            (is_bytes && declared != 0 && declared != bytes).then_some(bytes)
        }
    }
}

/// The type that a parameter is declared with instead; `None` if it stays.
fn declared_instead(declared: u32, setting: &Setting) -> Option<u32> {
    let is_narrow = |width| match declared {
        INT2 => width > 2,
        INT4 => width > 4,
        _ => false,
    };
    match setting.tokenized() {
        None => (declared != 0 && declared != BYTEA).then_some(BYTEA),
        Some((token_type, _)) => {
            let width = token::number_width(token_type).filter(|width| is_narrow(*width))?;
            Some(if width == 4 { INT4 } else { INT8 })
        }
    }
}

/// The Parse message to send instead: with a rewritten text, and with `bytea` as the declared type of every encrypted
/// parameter (policy.md 6.11), and for tokens a number type that is wide enough. `None` if the client's message can pass as
/// it is.
pub(super) fn parse(
    parse: &Parse<'_>,
    plan: &Plan,
    rewritten: Option<Rewritten>,
) -> Option<Vec<u8>> {
    let mut types = Cow::Borrowed(parse.types);
    for action in &plan.params {
        let at = usize::from(action.number).saturating_sub(1) * 4;
        let declared = types.get(at..).and_then(|rest| rest.first_chunk());
        let declared = declared.map_or(0, |oid| u32::from_be_bytes(*oid));
        let instead = match action.elements {
            true => array_instead(declared, action),
            false => declared_instead(declared, &action.setting),
        };
        if let Some(instead) = instead
            && let Some(oid) = types.to_mut().get_mut(at..at + 4)
        {
            oid.copy_from_slice(&instead.to_be_bytes());
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

/// What the client and its statement say of a value.
pub(super) fn said(declared: Option<Type>, cast: Option<CastType>) -> Said {
    Said {
        declared,
        cast: cast.and_then(|cast| Type::of_oid(cast.oid)),
        modifier: cast.and_then(|cast| cast.modifier),
    }
}

pub(super) fn foreign_encoding(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "client-encoding",
        ClientError::error(
            "0A000",
            format!("a value for column \"{column}\" of table \"{table}\" is not ASCII and client_encoding is not UTF8"),
        ).about(setting.subject())
        .hint("SET client_encoding TO 'UTF8', or bind the value in binary format."),
    )
}
