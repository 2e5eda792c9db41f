//! The tokens and values that this session has been given. They live no longer than the messages that needed them.

use crate::columns::TokenType;
use crate::tokens::{Outcome, TokenRequest};
use foldhash::HashMap;
use std::fmt;

/// Answers to requests, in their order. They have no text form: they are plaintext.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenAnswers {
    /// What was asked for.
    pub requests: Vec<TokenRequest>,
    /// The answer to each.
    pub outcomes: Vec<Outcome>,
}

impl TokenAnswers {
    /// The answers, if these were the requests.
    pub(super) fn to(&self, requests: &[TokenRequest]) -> Option<&[Outcome]> {
        (self.requests == requests).then_some(&*self.outcomes)
    }
}

impl fmt::Debug for TokenAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswers")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

/// Values of tokens of the connection's client.
#[derive(Default)]
pub(super) struct OpenedTokens(HashMap<TokenType, HashMap<Vec<u8>, Outcome>>);

impl OpenedTokens {
    /// The value of a token; `None` until it has been asked for.
    pub(super) fn get(&self, token_type: TokenType, token: &[u8]) -> Option<&Outcome> {
        self.0.get(&token_type)?.get(token)
    }

    /// Takes answers.
    pub(super) fn insert(&mut self, answers: TokenAnswers) {
        let TokenAnswers { requests, outcomes } = answers;
        for (request, outcome) in requests.into_iter().zip(outcomes) {
            let of_type = self.0.entry(request.token_type).or_default();
            of_type.insert(request.value, outcome);
        }
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Debug for OpenedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedTokens").finish_non_exhaustive()
    }
}
