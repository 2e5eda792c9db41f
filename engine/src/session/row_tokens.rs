//! Values in the place of tokens on their way to the client (policy.md 3.6).
//!
//! All that the rows at hand need is asked for at once; then the same bytes are gone through again with the answers.

use super::tokens::OpenedTokens;
use super::{Ask, Side};
use crate::columns::TokenType;
use crate::keys::ClientId;
use crate::tokens::{Operation, TokenFault, TokenRequest};
use foldhash::HashSet;

/// Tokens that are asked for at once at most; rows beyond wait for the next ask.
const AT_ONCE: usize = 16_384;

/// The tokens in the row whose turn it is, and in those that have arrived behind it.
pub(super) struct RowTokens<'a> {
    client_id: &'a ClientId,
    known: &'a OpenedTokens,
    asked: HashSet<(TokenType, Vec<u8>)>,
    requests: Vec<TokenRequest>,
    failed: Option<TokenFault>,
}

/// What is known of the values of the row whose turn it is.
pub(super) enum Values {
    /// All of them.
    Known,
    /// This has to be asked first.
    Ask(Ask),
    /// One could not be looked up.
    Failed(TokenFault),
}

impl<'a> RowTokens<'a> {
    pub(super) fn new(client_id: &'a ClientId, known: &'a OpenedTokens) -> Self {
        Self {
            client_id,
            known,
            asked: HashSet::default(),
            requests: Vec::new(),
            failed: None,
        }
    }

    /// Takes note of a token.
    pub(super) fn note(&mut self, token_type: TokenType, token: &[u8]) {
        match self.known.get(token_type, token) {
            Some(Ok(_)) => {}
            Some(Err(fault)) => self.failed = Some(*fault),
            None if self.asked.insert((token_type, token.to_vec())) => {
                self.requests.push(TokenRequest {
                    client_id: self.client_id.clone(),
                    token_type,
                    operation: Operation::Open,
                    value: token.to_vec(),
                });
            }
            None => {}
        }
    }

    /// Whether the next row is to be looked into: if the first one needs nothing, the others are when it is their turn.
    pub(super) fn wants_more(&self) -> bool {
        !self.requests.is_empty() && self.requests.len() < AT_ONCE
    }

    pub(super) fn values(self) -> Values {
        if !self.requests.is_empty() {
            return Values::Ask(Ask::Tokens(Side::Server, self.requests));
        }
        // Then this is the first row's.
        self.failed.map_or(Values::Known, Values::Failed)
    }
}
