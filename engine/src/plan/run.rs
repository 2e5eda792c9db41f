//! Strings that a text of MySQL runs as texts of their own: `PREPARE … FROM '…'`, `EXECUTE IMMEDIATE '…'`.

use super::refusal::{Refusal, RefusalCode};
use super::{ClientEncoding, Lexical, Scratch};
use crate::sql::effects::statements;
use crate::sql::{ident, literal, mysql};
use std::borrow::Cow;
use std::ops::Range;

/// A string that concerns a protected table, and which is all that a text prepares or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The name that the statement gets; `None`: it is run at once.
    pub name: Option<Box<[u8]>>,
    /// The string's place in the text, with its quotes.
    pub string: Range<usize>,
}

impl Run {
    /// The string's text.
    ///
    /// # Errors
    ///
    /// Where the server would make another text of it.
    pub fn text<'a>(&self, text: &'a [u8], lexical: &Lexical) -> Result<Cow<'a, [u8]>, Refusal> {
        let raw = text.get(self.string.clone()).unwrap_or_default();
        let run = mysql::string(raw, lexical).ok_or_else(|| refusal(NOT_ALONE))?;
        match run.is_ascii() || lexical.encoding == ClientEncoding::Utf8 {
            true => Ok(run),
            false => Err(Refusal::new(
                RefusalCode::ClientEncoding,
                "a string that is run as a text of its own is not ASCII and character_set_client is not utf8mb4",
            )
            .with_hint("SET NAMES utf8mb4, or run the statement itself.")),
        }
    }

    /// This text as a string.
    pub fn written(text: &[u8], lexical: &Lexical) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 2);
        mysql::write_string(&mut out, text, lexical);
        out
    }
}

/// What a text runs.
pub(super) enum Runs {
    /// Nothing that concerns a protected table.
    Other,
    One(Run),
    Refused(Refusal),
}

const NOT_ALONE: &str = "a string that is run as a text of its own concerns a protected table";

fn refusal(message: &str) -> Refusal {
    Refusal::new(RefusalCode::RunsText, message)
        .with_hint("Give the statement as one string, in a PREPARE or EXECUTE IMMEDIATE that is alone in its text, or run it itself.")
}

/// What a text runs; `concerns` tells of the text of a string whether it mentions a protected table.
pub(super) fn runs(text: &[u8], scratch: &Scratch, concerns: impl Fn(&[u8]) -> bool) -> Runs {
    let mut found = Runs::Other;
    let is_one = statements(text, &scratch.tokens).count() == 1;
    for range in statements(text, &scratch.tokens) {
        let statement = scratch.tokens.get(range).unwrap_or_default();
        for at in mysql::operands(text, statement) {
            let next = statement.get(at + 1);
            let is_whole = next.is_none_or(|next| next.is_word(text, "using"));
            let token = statement.get(at).filter(|_| is_whole);
            let value = token.and_then(|token| literal::string(token, text, &scratch.lexical));
            let (Some(token), Some(value)) = (token, value) else {
                return Runs::Refused(Refusal::new(
                    RefusalCode::RunsText,
                    "a string or parameter of this statement is run as a text of its own and may concern a protected table",
                ));
            };
            if !concerns(&value) {
                continue;
            }
            let begins = |word| {
                statement
                    .first()
                    .is_some_and(|first| first.is_word(text, word))
            };
            let (immediate, prepare) = (begins("execute"), begins("prepare") && next.is_none());
            let is_first = immediate && at == 2 || prepare && at == 3;
            let name = statement.get(1).filter(|_| prepare);
            let name = name.map(|name| ident::name(name, text).into());
            let is_plain = matches!(token.text(text), [b'\'' | b'"', ..]);
            if !is_one || !is_first || !is_plain {
                return Runs::Refused(refusal(NOT_ALONE));
            }
            found = Runs::One(Run {
                name,
                string: token.span(),
            });
        }
    }
    found
}
