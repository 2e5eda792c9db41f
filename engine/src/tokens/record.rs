//! The encrypted payload of a record (tokens.md 4): an AcraBlock whose context is the client id, so that no client reads
//! another one's, whatever keys it has.

use super::error::TokenFault;
use super::message::TokenValue;
use super::value::{decode, type_id};
use crate::columns::TokenType;
use crate::crypto::{BlockKey, acrablock};
use crate::keys::ClientId;
use rand::CryptoRng;
use zeroize::Zeroizing;

/// Seals the value of a token.
///
/// # Errors
///
/// [`TokenFault::Seal`].
pub fn seal_token(
    value: &[u8],
    token_type: TokenType,
    key: &BlockKey,
    client: &ClientId,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, TokenFault> {
    let message = TokenValue {
        value,
        type_id: type_id(token_type).into(),
    };
    // Room for all of it, so that it is not left behind in memory that was too small.
    let mut payload = Zeroizing::new(Vec::with_capacity(value.len() + 16));
    message.write(&mut payload);
    seal(&payload, key, client, rng)
}

/// Seals the token of a value.
///
/// # Errors
///
/// [`TokenFault::Empty`], [`TokenFault::Seal`].
pub fn seal_hash(
    token: &[u8],
    key: &BlockKey,
    client: &ClientId,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, TokenFault> {
    match token.is_empty() {
        true => Err(TokenFault::Empty),
        false => seal(token, key, client, rng),
    }
}

fn seal(
    payload: &[u8],
    key: &BlockKey,
    client: &ClientId,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, TokenFault> {
    let mut block = Vec::new();
    let context = client.as_str().as_bytes();
    acrablock::seal_with_context(key, context, rng, payload, &mut block)
        .map_err(|_| TokenFault::Seal)?;
    Ok(block)
}

/// Opens the value of a token, as text. `None`: the block does not open, or has a value of another type or length.
pub fn open_token(
    block: &[u8],
    token_type: TokenType,
    keys: &[BlockKey],
    client: &ClientId,
) -> Option<Vec<u8>> {
    let payload = open(block, keys, client)?;
    let message = TokenValue::read(&payload).ok()?;
    (message.type_id == u64::from(type_id(token_type)))
        .then(|| decode(token_type, message.value))
        .flatten()
}

/// Opens the token of a value, as text. `None`: the block does not open, or has a token of another length.
pub fn open_hash(
    block: &[u8],
    token_type: TokenType,
    keys: &[BlockKey],
    client: &ClientId,
) -> Option<Vec<u8>> {
    decode(token_type, &open(block, keys, client)?)
}

fn open(block: &[u8], keys: &[BlockKey], client: &ClientId) -> Option<Zeroizing<Vec<u8>>> {
    let mut payload = Zeroizing::new(Vec::with_capacity(block.len()));
    let context = client.as_str().as_bytes();
    acrablock::open_with_context(keys, context, block, &mut payload).ok()?;
    Some(payload)
}
