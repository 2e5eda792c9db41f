//! Whether a client is let in at all.

use super::{ClientError, ClientTls};
use crate::keys::ClientId;

/// What speaks against a client before the database is troubled with it.
#[derive(Debug, Default)]
pub(super) struct Admission {
    secured: bool,
    unwelcome: Option<Box<ClientError>>,
}

impl Admission {
    /// Answers the client with this error.
    pub(super) fn turn_away(&mut self, error: ClientError) {
        self.unwelcome = Some(Box::new(error));
    }

    /// The client's connection is encrypted now; the id that its certificate stands for, if it is to have one.
    pub(super) fn secured(
        &mut self,
        client_id: Result<Option<ClientId>, ClientError>,
    ) -> Option<ClientId> {
        self.secured = true;
        client_id.unwrap_or_else(|error| {
            self.turn_away(error);
            None
        })
    }

    /// Whether the client's connection is encrypted.
    pub(super) fn is_secured(&self) -> bool {
        self.secured
    }

    /// The error for a client that has been turned away.
    pub(super) fn refusal(&mut self) -> Option<ClientError> {
        self.unwelcome.take().map(|error| *error)
    }

    /// The error for a client that does not encrypt its connection although it must; `hint` says how it would.
    pub(super) fn in_clear(&self, mode: ClientTls, hint: &str) -> Option<ClientError> {
        let must = mode == ClientTls::Required && !self.secured;
        must.then(|| {
            ClientError::fatal("28000", "acra-server accepts only encrypted connections").hint(hint)
        })
    }
}
