//! Tokens in the place of values on their way to the server, and values in the place of tokens on their way back
//! (policy.md 3.6).
//!
//! All that a message, or the rows at hand, need is asked for at once; then the same bytes are gone through again with the
//! answers.

use super::PgSession;
use super::rows::{self, Layout};
use crate::cell::Kind;
use crate::cell::token::{self, NoValue};
use crate::cell::typed::fitted;
use crate::columns::{Setting, TokenType};
use crate::keys::ClientId;
use crate::plan::{CastType, LiteralKind};
use crate::session::row_tokens::{RowTokens, Values};
use crate::session::sealing::{bad_hex, bad_value};
use crate::session::stop::Stop;
use crate::session::{ClientError, Output};
use crate::tokens::TokenFault;
use crate::types::Type;
use crate::wire::cursor::Malformed;
use crate::wire::pg::{Format, Frame, Scan, scan};
use std::borrow::Cow;

impl PgSession {
    /// A token as a literal of its column's type.
    pub(super) fn token_literal(
        &self,
        token: &[u8],
        token_type: TokenType,
        kind: LiteralKind,
    ) -> Vec<u8> {
        match (token_type, kind) {
            (TokenType::Bytes, _) => self.quote(token),
            // In parentheses, since a cast binds stronger than a sign.
            (TokenType::Int32 | TokenType::Int64, LiteralKind::Number)
                if token.starts_with(b"-") =>
            {
                [b"(", token, b")"].concat()
            }
            (TokenType::Int32 | TokenType::Int64, LiteralKind::Number) => token.to_vec(),
            // Digits, letters, `@`, `.`, `-` and `~` alone.
            _ => [b"'", token, b"'"].concat(),
        }
    }

    /// A token could not be looked up: the client gets an error in the place of the rows that are left.
    pub(super) fn tokens_failed(&mut self, fault: TokenFault, out: &mut Output<'_>) {
        self.opened_tokens.clear();
        self.withhold(&ClientError::unknown_token(fault), out);
        self.fails_transaction = true;
    }
}

/// What is known of the values of the tokens in this row; what has to be asked is that of the rows behind it, too.
pub(super) fn values_of_rows(
    client_id: &ClientId,
    bytes: &[u8],
    row: &Frame,
    layout: Layout<'_>,
) -> Result<Values, Malformed> {
    let mut found = RowTokens::new(client_id, layout.tokens);
    let mut frame = row.clone();
    loop {
        rows::tokens(bytes, &frame, layout, |token_type, token| {
            found.note(token_type, &token);
        })?;
        match scan(bytes, frame.range.end) {
            Scan::Frame(next)
                if found.wants_more() && next.tag == b'D' && next.range.end <= bytes.len() =>
            {
                frame = next;
            }
            _ => return Ok(found.values()),
        }
    }
}

/// What a literal, a bound value or a cell of a COPY stands for.
pub(super) fn value_of<'a>(
    cell: &'a [u8],
    token_type: TokenType,
    format: Format,
    setting: &Setting,
) -> Result<Cow<'a, [u8]>, Stop> {
    token::read(cell, token_type, Kind::Unknown, format).map_err(|none| match none {
        NoValue::Hex => bad_hex(setting),
        NoValue::Width(bytes) => {
            let Setting { table, column, .. } = setting;
            let message = format!(
                "unexpected number of bytes in number: {bytes} (column \"{column}\" of table \"{table}\")"
            );
            Stop::Refuse(
                "token-value",
                ClientError::error("22P03", message)
                    .hint("Bind the value as int2, int4 or int8, or in text format."),
            )
        }
    })
}

/// The part of a value that a cast to `varchar(n)` leaves.
pub(super) fn cut<'a>(
    value: Cow<'a, [u8]>,
    cast: Option<CastType>,
    setting: &Setting,
) -> Result<Cow<'a, [u8]>, Stop> {
    match cast.and_then(|cast| cast.modifier) {
        None => Ok(value),
        Some(modifier) => {
            fitted(value, Type::Varchar, modifier).map_err(|bad| bad_value(bad, setting))
        }
    }
}
