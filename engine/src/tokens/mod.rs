//! Tokens: random values of the same type in the place of values (tokens.md).
//!
//! Job: what a value of each type is in bytes, how a token is made, where both are found in a token store and in what form, and
//! the steps of tokenization as a state machine. What must not be known here: which store that is, columns,
//! statements, the time.

mod batch;
mod error;
mod generate;
mod ids;
mod message;
mod record;
mod value;

pub use crate::columns::TokenType;
pub use batch::{Batch, ClientKeyring, Operation, Outcome, Reply, StoreCall, TokenRequest};
pub use error::TokenFault;
pub use generate::generate;
pub use ids::{EntryKey, Owner, context_digest, data_id};
pub use message::{Malformed, Metadata, TokenValue};
pub use record::{open_hash, open_token, seal_hash, seal_token};
pub use value::{decode, encode, type_id};
