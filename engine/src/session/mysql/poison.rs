//! Poison records in results (containers.md 11, policy.md 3.8), and what is told of the statement.
//!
//! The row with the record and all that follows of the same command is withheld.

use super::MySqlSession;
use super::ledger::{Awaited, Entry, PrepareStep, Results};
use super::settings::Settings;
use crate::plan::outline;
use crate::session::{Cx, Output, poison};
use crate::wire::mysql::Command;
use crate::wire::mysql::query::Query;

impl MySqlSession {
    /// Whether a command of this length has a text that may have to be told about.
    pub(super) fn may_be_told(&self, command: Command, length: usize) -> bool {
        matches!(command, Command::Query | Command::StmtPrepare)
            && poison::may_be_told(length, self.context.poison.as_ref())
    }

    /// The text of a command, if it may have to be told about.
    pub(super) fn kept_text(&self, command: Command, payload: &[u8]) -> Option<Box<[u8]>> {
        if !self.may_be_told(command, payload.len()) {
            return None;
        }
        Some(match command {
            // Attributes in front of the text are data.
            Command::Query => Query::read(payload, self.capabilities).ok()?.text.into(),
            _ => payload.get(1..)?.into(),
        })
    }

    /// A text without its literals. While it is not known how the server reads it, only if all settings read it alike.
    fn outline(&self, text: &[u8]) -> Option<Box<str>> {
        let usual;
        let lexical = match &self.settings {
            Settings::Known(lexical) => lexical,
            Settings::Unknown | Settings::Refused => {
                if !text.is_ascii() || text.iter().any(|byte| matches!(byte, b'"' | b'\\')) {
                    return None;
                }
                usual = self.usual_lexical();
                &usual
            }
        };
        outline(text, lexical).map(Into::into)
    }

    /// A statement has been prepared: what it is told by when it is executed.
    pub(super) fn keep_outline(&mut self, entry: &Entry) {
        if let (Awaited::Prepare(PrepareStep::Definitions(_, ahead), _), Some(text)) =
            (&entry.awaited, &entry.text)
        {
            let outline = self.outline(text);
            self.registry.is_told_by(ahead.statement, outline);
        }
    }

    /// A poison record was met in what the client is to get. Whether it is withheld.
    pub(super) fn met_poison(&mut self, out: &mut Output<'_>, cx: &mut Cx<'_>) -> bool {
        let mut text = None;
        let mut statement = None;
        if let Some(entry) = self.ledger.head() {
            text = entry.text.clone();
            if let Awaited::Results(Results {
                statement: Some(number),
                ..
            }) = &entry.awaited
            {
                let prepared = self.registry.statement(*number);
                statement = prepared.and_then(|prepared| prepared.outline.clone());
            }
        }
        let statement = statement.or_else(|| self.outline(text.as_deref()?));
        let (identity, poison) = (&self.openings.identity, self.context.poison.as_ref());
        let instead = poison::met(identity, statement, poison, cx);
        if let Some(error) = &instead {
            self.withhold(error, out);
        }
        instead.is_some()
    }
}
