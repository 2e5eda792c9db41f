//! Values in the place of tokens on their way to the client (policy.md 3.6): all that the rows at hand need are asked for at once.

use super::planned::Planned;
use crate::keys::ClientId;
use crate::session::tokenize::{AT_ONCE, open_request};
use crate::session::{Ask, Side};
use crate::tokens::TokenFault;
use crate::wire::cursor::Malformed;
use crate::wire::mysql::packet::{HEADER, Header};
use crate::wire::mysql::{Capabilities, Message, Scan, error, ok, scan};

/// Rows with tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) planned: Planned<'a>,
    pub(super) capabilities: Capabilities,
}

impl Rows<'_> {
    /// What has to be asked before the tokens of this row, and of those that have arrived behind it, are known.
    pub(super) fn ask(
        self,
        client_id: &ClientId,
        bytes: &[u8],
        row: &Message,
    ) -> Result<Option<Ask>, Malformed> {
        let mut asked = foldhash::HashSet::default();
        let mut requests = Vec::new();
        let mut message = row.clone();
        loop {
            self.planned
                .tokens(&message.payload(bytes), |token_type, token| {
                    let is_known = self.planned.tokens.get(token_type, &token).is_some();
                    if !is_known && asked.insert((token_type, token.to_vec())) {
                        requests.push(open_request(client_id, token_type, &token));
                    }
                })?;
            // If this row needs nothing, the others are looked at when it is their turn.
            if requests.is_empty() || requests.len() >= AT_ONCE {
                break;
            }
            match scan(bytes, message.range.end) {
                Scan::Message(next) if self.is_row(bytes, &next) => message = next,
                _ => break,
            }
        }
        Ok((!requests.is_empty()).then_some(Ask::Tokens(Side::Server, requests)))
    }

    fn is_row(self, bytes: &[u8], message: &Message) -> bool {
        let header = Header::read(bytes, message.range.start);
        let first = bytes.get(message.range.start + HEADER).copied();
        match (header, first) {
            (Some(header), Some(first)) if header.length > 0 => {
                first != error::ERR && !ok::is_end(first, header.length, self.capabilities)
            }
            _ => false,
        }
    }

    /// Why a token of a row could not be looked up, if that is so.
    pub(super) fn failed(self, payload: &[u8]) -> Result<Option<TokenFault>, Malformed> {
        let mut failed = None;
        self.planned.tokens(payload, |token_type, token| {
            if let Some(Err(fault)) = self.planned.tokens.get(token_type, &token) {
                failed = Some(*fault);
            }
        })?;
        Ok(failed)
    }
}
