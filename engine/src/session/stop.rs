//! Why what a client sends does not go on as it is.

use super::{Ask, ClientError, ClientFacing};
use crate::plan::Refusal;
use crate::wire::cursor::Malformed;

/// Why a message is not passed on as it is.
pub(super) enum Stop {
    /// Keys are needed first.
    Ask(Ask),
    /// What it means depends on answers that the server owes.
    Wait,
    /// It is refused with this text; the anchor is that of docs/errors.md.
    Refuse(&'static str, ClientError),
    /// It is not a message.
    Malformed(&'static str),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.0)
    }
}

impl From<&Refusal> for Stop {
    fn from(refusal: &Refusal) -> Self {
        Self::Refuse(refusal.code.anchor(), refusal.client_error())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::from(&refusal)
    }
}
