//! Tokens in the place of values on their way to the server (policy.md 3.6).
//!
//! All that a message, or the rows at hand, need is asked for at once; then the same bytes are gone through again with the
//! answers.

use super::openings::Openings;
use super::sealing::keys_unavailable;
use super::stop::Stop;
use super::{Ask, ClientError, KeyFault, Side};
use crate::columns::Setting;
use crate::keys::ClientId;
use crate::plan::Role;
use crate::tokens::{Operation, Outcome, TokenFault, TokenRequest};

impl Openings {
    /// The request for the token of a value, or for what its column is compared with; nothing for an empty value, which
    /// stays.
    pub(super) fn token_request(
        &self,
        value: &[u8],
        setting: &Setting,
        role: Role,
    ) -> Result<Option<TokenRequest>, Stop> {
        let Some((token_type, consistent)) = setting.tokenized().filter(|_| !value.is_empty())
        else {
            return Ok(None);
        };
        let client_id = self.owner(setting)?;
        let operation = match (role, consistent) {
            (Role::Compared | Role::Pattern, _) => Operation::Compare,
            (Role::Stored, true) => Operation::Consistent,
            (Role::Stored, false) => Operation::Random,
        };
        Ok(Some(TokenRequest {
            client_id: ClientId::new(client_id)
                .map_err(|_| keys_unavailable(setting, client_id, KeyFault::Missing))?,
            token_type,
            operation,
            value: value.to_vec(),
        }))
    }

    /// The answers to the requests of a message.
    pub(super) fn tokens_for(&self, requests: Vec<TokenRequest>) -> Result<&[Outcome], Stop> {
        if requests.is_empty() {
            return Ok(&[]);
        }
        let answers = self.tokens.as_ref();
        match answers.and_then(|answers| answers.to(&requests)) {
            Some(outcomes) => Ok(outcomes),
            None => Err(Stop::Ask(Ask::Tokens(Side::Client, requests))),
        }
    }
}

/// The token that was asked for, or why the statement is refused.
pub(super) fn token_of<'t>(
    outcome: Option<&'t Outcome>,
    setting: &Setting,
    client_id: &str,
) -> Result<&'t [u8], Stop> {
    let fault = match outcome {
        Some(Ok(Some(token))) => return Ok(token),
        Some(Err(fault)) => *fault,
        Some(Ok(None)) | None => TokenFault::StoreUnavailable,
    };
    let Setting { table, column, .. } = setting;
    let message =
        format!("cannot tokenize a value for column \"{column}\" of table \"{table}\": {fault}");
    Err(match fault {
        TokenFault::NoKey => keys_unavailable(setting, client_id, KeyFault::Missing),
        TokenFault::KeysUnavailable => keys_unavailable(setting, client_id, KeyFault::Unavailable),
        TokenFault::StoreUnavailable => Stop::Refuse(
            "tokens-unavailable",
            ClientError::error("58000", message)
                .about(setting.subject())
                .hint("See the log of acra-server; nothing of the statement was carried out."),
        ),
        TokenFault::NotANumber
        | TokenFault::OutOfRange
        | TokenFault::NotCanonical
        | TokenFault::TooShort
        | TokenFault::Empty => Stop::Refuse(
            "token-value",
            ClientError::error("22023", message)
                .about(setting.subject())
                .hint("The value must be one of the column's token_type."),
        ),
        TokenFault::Exhausted
        | TokenFault::Disabled
        | TokenFault::Unopened
        | TokenFault::Exists
        | TokenFault::Seal => Stop::Refuse(
            "token-failed",
            ClientError::error("XX000", message)
                .about(setting.subject())
                .hint(
                    "docs/errors.md says when this happens; acra-tokens shows and changes tokens.",
                ),
        ),
    })
}
