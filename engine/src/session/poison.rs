//! What is the same of poison records in results for all databases (containers.md 11, policy.md 3.8).

use super::identity::Identity;
use super::{ClientError, Cx, Event, Poison, PoisonReply};

/// Longest text of a statement that is kept to be told about, in bytes.
const MAX_TEXT: usize = 4 << 10;

/// Whether a statement of this length may have to be told about.
pub(super) fn may_be_told(length: usize, poison: Option<&Poison>) -> bool {
    poison.is_some() && length <= MAX_TEXT
}

/// Tells that a record was met in what the client is to get; the error that it gets instead, if what it gets is withheld.
pub(super) fn met(
    identity: &Identity,
    statement: Option<Box<str>>,
    poison: Option<&Poison>,
    cx: &mut Cx<'_>,
) -> Option<ClientError> {
    cx.events.push(Event::Poison {
        session: identity.session(),
        client_id: identity.client_id().cloned(),
        statement,
    });
    let withholds = poison.is_some_and(|poison| poison.reply == PoisonReply::Error);
    withholds.then(|| ClientError::error("XX001", "Row withheld: see the server's log"))
}
