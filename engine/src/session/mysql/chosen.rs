//! The client that a session has chosen by a user variable (policy.md 4.3).
//!
//! A user variable belongs to the session, whatever becomes of a transaction. A choice counts from the moment when the server has
//! taken it. What a client sends behind one waits until then, so whatever was sent before is answered with the old keys.

use super::MySqlSession;
use crate::keys::ClientId;
use crate::plan::{self, Choice, Lexical, Plan};
use crate::session::Cx;
use crate::session::choices::{self, Choices};
use crate::session::stop::Stop;

impl MySqlSession {
    /// How a text is read that may choose a client; `None`: it does not.
    pub(super) fn choosing(&mut self, text: &[u8]) -> Result<Option<Lexical>, Stop> {
        match &self.context.client_id_variable {
            Some(variable) if plan::may_choose(text, variable) => self.lexical().map(Some),
            _ => Ok(None),
        }
    }

    /// What a text does to the client's choice; `lexical` is what [`Self::choosing`] says of it.
    pub(super) fn choices(
        &self,
        text: &[u8],
        lexical: Option<&Lexical>,
        plan: &Plan,
    ) -> Result<Choices, Stop> {
        match (&self.context.client_id_variable, lexical) {
            (Some(variable), Some(lexical)) => choices::choices(text, lexical, variable, plan),
            _ => Ok(Choices::default()),
        }
    }

    /// The server has done the statement of this number of the current entry.
    pub(super) fn follow_choices(&mut self, statement: usize, cx: &mut Cx<'_>) {
        let Some(entry) = self.ledger.head() else {
            return;
        };
        let mut made = entry.choices.iter();
        if let Some((_, Choice::Set(value))) = made.rfind(|(of, _)| *of == statement) {
            let chosen = choices::client(value.as_deref());
            self.choose(chosen.as_ref(), cx);
        }
    }

    /// The session is as new, and the variable gone.
    pub(super) fn forget_choice(&mut self, cx: &mut Cx<'_>) {
        self.choose(None, cx);
    }

    fn choose(&mut self, chosen: Option<&ClientId>, cx: &mut Cx<'_>) {
        if self.openings.identity.choose(chosen, &self.context, cx) {
            self.registry.forget_plans();
        }
    }
}
