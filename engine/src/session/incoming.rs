//! Rows on their way into a protected table as a stream: those of a COPY, or of the file of a LOAD DATA.
//!
//! Keys and tokens are asked for once for a piece of the stream: it is gone through without changing anything, and then
//! again with the answers.

use super::openings::Openings;
use super::stop::Stop;
use super::{Ask, ClientError};
use crate::columns::Setting;
use crate::tokens::{Outcome, TokenRequest};
use std::sync::Arc;

/// What happens to the cells of tokenized columns.
pub(super) enum Tokens<'a> {
    /// Their tokens are asked for, and nothing is changed.
    Asking(Vec<TokenRequest>),
    /// Their tokens are these.
    Known(std::slice::Iter<'a, Outcome>),
}

impl Tokens<'_> {
    pub(super) fn asking() -> Self {
        Self::Asking(Vec::new())
    }

    /// Whether nothing is changed.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self, Self::Asking(_))
    }

    /// What is to be asked.
    pub(super) fn requests(self) -> Vec<TokenRequest> {
        match self {
            Self::Asking(requests) => requests,
            Self::Known(_) => Vec::new(),
        }
    }
}

impl Openings {
    /// What has to be known before a piece of rows with these columns can be sealed; `requests` looks into the piece for what
    /// becomes a token.
    pub(super) fn ask_for_piece<'s>(
        &self,
        settings: impl Iterator<Item = &'s Arc<Setting>> + Clone,
        requests: impl FnOnce() -> Vec<TokenRequest>,
    ) -> Option<Ask> {
        if let Some(ask) = self.ask_to_seal(settings.clone()) {
            return Some(ask);
        }
        if !settings.into_iter().any(|it| it.tokenized().is_some()) {
            return None;
        }
        match self.tokens_for(requests()) {
            Err(Stop::Ask(ask)) => Some(ask),
            _ => None,
        }
    }

    /// The tokens that were asked for.
    pub(super) fn tokens_of_piece(&self) -> Tokens<'_> {
        let answers = self.tokens.as_ref();
        Tokens::Known(answers.map_or([].iter(), |answers| answers.outcomes.iter()))
    }
}

/// An error in the rows; its anchor is in docs/errors.md.
pub(super) fn wrong_data(error: ClientError) -> Stop {
    Stop::Refuse("copy-data", error)
}

/// A value is longer than is held.
pub(super) fn too_long(limit: usize) -> Stop {
    let message = format!("a value is longer than the limit of {limit} bytes");
    wrong_data(
        ClientError::error("54000", message)
            .hint("Raise --max_container of acra-server, or write the value by a bound parameter."),
    )
}

/// Why the rows cannot go on: the anchor in docs/errors.md, and the error.
pub(super) fn refusal(stop: Stop) -> (&'static str, ClientError) {
    match stop {
        Stop::Refuse(code, error) => (code, error),
        // Keys were asked for before; nothing else waits within a stream.
        Stop::Ask(_) | Stop::Wait | Stop::Malformed(_) => (
            "keys-unavailable",
            ClientError::error("58000", "the keys to encrypt the rows have not been read"),
        ),
    }
}
