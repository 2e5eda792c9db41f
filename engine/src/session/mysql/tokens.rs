//! Values in the place of tokens on their way to the client (policy.md 3.6): all that the rows at hand need are asked for at once.

use super::planned::Planned;
use crate::keys::ClientId;
use crate::session::row_tokens::{RowTokens, Values};
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
    /// What is known of the values of the tokens in this row; what has to be asked is that of the rows behind it, too.
    pub(super) fn values(
        self,
        client_id: &ClientId,
        bytes: &[u8],
        row: &Message,
    ) -> Result<Values, Malformed> {
        let mut found = RowTokens::new(client_id, self.planned.tokens);
        let mut message = row.clone();
        loop {
            let payload = message.payload(bytes);
            self.planned.tokens(&payload, |token_type, token| {
                found.note(token_type, &token);
            })?;
            match scan(bytes, message.range.end) {
                Scan::Message(next) if found.wants_more() && self.is_row(bytes, &next) => {
                    message = next;
                }
                _ => return Ok(found.values()),
            }
        }
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
}
