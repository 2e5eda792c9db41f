//! The elements of an array that is bound, or written as a string: they are sealed, hashed or replaced by tokens where they
//! stand.

use super::PgSession;
use super::rewrite::{foreign_encoding, said};
use super::tokenize::value_of;
use crate::cell::array::{Array, BadArray};
use crate::cell::typed::Form;
use crate::cell::{Kind, bytea, token};
use crate::columns::{Likeness, Setting, TokenType};
use crate::plan::{CastType, Role};
use crate::session::sealing::plain;
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, Cx};
use crate::tokens::{Outcome, TokenRequest};
use crate::types::Type;
use crate::wire::pg::Format;
use std::sync::Arc;

/// An array as a client sends it.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a> {
    pub(super) format: Format,
    pub(super) bytes: &'a [u8],
    pub(super) setting: &'a Arc<Setting>,
    pub(super) role: Role,
    /// The type that they are cast to.
    pub(super) cast: Option<CastType>,
}

impl PgSession {
    /// The array with every element sealed or hashed; `None` if nothing had to change. In the binary format elements become
    /// `bytea` if the server expects that.
    pub(super) fn seal_elements(
        &self,
        elements: Elements<'_>,
        expects_bytes: bool,
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let Elements {
            setting,
            role,
            cast,
            ..
        } = elements;
        let array = self.array(elements)?;
        let form = match array.of() {
            None => Form::Text,
            // What the bytes of other types stand for is not said where the column has no type.
            Some(of) if setting.shown_type().is_none() && !is_string(of) => {
                return Err(bad_array(setting));
            }
            Some(_) => Form::Binary,
        };
        // No other type than those of text has a form for a container.
        let is_text = array
            .of()
            .is_none_or(|of| is_string(of) && of != Type::Bytea);
        let as_bytes = !is_text
            || expects_bytes
            || role != Role::Stored
            || setting.likeness() == Some(Likeness::Hash);
        let mut replacements = Vec::with_capacity(array.elements().len());
        for element in array.elements() {
            let plain = plain(&element.value, form, setting, said(array.of(), cast))?;
            let changed = self.openings.change(&plain, setting, role, cx)?;
            replacements.push(changed.map(|changed| {
                changes.add(setting, &changed);
                let bytes = changed.as_bytes();
                if array.of().is_some() && as_bytes {
                    return bytes.to_vec();
                }
                let mut text = Vec::with_capacity(bytes.len() * 2 + 2);
                bytea::encode_hex(bytes, &mut text);
                text
            }));
        }
        let of = as_bytes.then_some(Type::Bytea);
        let is_changed = replacements.iter().any(Option::is_some)
            || array.of().is_some() && of.is_some() && array.of() != of;
        Ok(is_changed.then(|| array.with(&replacements, of)))
    }

    /// The requests for the tokens of elements, in their order.
    pub(super) fn element_requests(
        &self,
        elements: Elements<'_>,
        token_type: TokenType,
    ) -> Result<Vec<TokenRequest>, Stop> {
        let Elements { setting, role, .. } = elements;
        let array = self.array(elements)?;
        let format = format_in(&array, token_type, setting)?;
        let mut requests = Vec::with_capacity(array.elements().len());
        for element in array.elements() {
            let value = value_of(&element.value, token_type, format, setting)?;
            requests.extend(self.openings.token_request(&value, setting, role)?);
        }
        Ok(requests)
    }

    /// The array with tokens in the place of its elements.
    pub(super) fn token_elements<'t>(
        &self,
        elements: Elements<'_>,
        token_type: TokenType,
        tokens: &mut impl Iterator<Item = &'t Outcome>,
    ) -> Result<Vec<u8>, Stop> {
        let Elements { setting, .. } = elements;
        let array = self.array(elements)?;
        let format = format_in(&array, token_type, setting)?;
        let owner = self.openings.owner(setting)?;
        let of = array.of().map(|of| holds_tokens(of, token_type));
        let width = of.map_or(0, |of| usize::try_from(of.size()).unwrap_or(0));
        let mut replacements = Vec::with_capacity(array.elements().len());
        for element in array.elements() {
            if value_of(&element.value, token_type, format, setting)?.is_empty() {
                replacements.push(None);
                continue;
            }
            let token = token_of(tokens.next(), setting, owner)?;
            replacements.push(token::write(
                token,
                token_type,
                Kind::Unknown,
                format,
                width,
            ));
        }
        Ok(array.with(&replacements, of))
    }

    fn array<'a>(&self, elements: Elements<'a>) -> Result<Array<'a>, Stop> {
        let Elements {
            format,
            bytes,
            setting,
            ..
        } = elements;
        let array = match format {
            Format::Text if !self.lexical.encoding.keeps_bytes() && !bytes.is_ascii() => {
                return Err(foreign_encoding(setting));
            }
            Format::Text => Array::text(bytes),
            Format::Binary => Array::binary(bytes),
        };
        array.map_err(|BadArray| bad_array(setting))
    }
}

/// The type of elements that hold any token in the place of values of this one.
pub(super) fn holds_tokens(of: Type, token_type: TokenType) -> Type {
    let least = token::number_width(token_type);
    match (of, least) {
        (Type::Int2, Some(4)) => Type::Int4,
        (Type::Int2 | Type::Int4, Some(8)) => Type::Int8,
        _ => of,
    }
}

fn is_string(of: Type) -> bool {
    matches!(of, Type::Bytea | Type::Text | Type::Varchar | Type::Bpchar)
}

/// The format in which the elements are values of a token type.
fn format_in(array: &Array<'_>, token_type: TokenType, setting: &Setting) -> Result<Format, Stop> {
    let is_number = token_type.is_number();
    match array.of() {
        None => Ok(Format::Text),
        Some(Type::Int2 | Type::Int4 | Type::Int8) if is_number => Ok(Format::Binary),
        Some(Type::Text | Type::Varchar | Type::Bpchar) if is_number => Ok(Format::Text),
        Some(of) if is_string(of) && !is_number => Ok(Format::Binary),
        Some(_) => Err(bad_array(setting)),
    }
}

fn bad_array(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "bad-array",
        ClientError::error(
            "22P02",
            format!("malformed array of values for column \"{column}\" of table \"{table}\""),
        ).about(setting.subject())
        .hint("Bind an array of bytea, text, or the type of the column, or write the values one by one."),
    )
}
