//! What we ask the database on the client's own connection, and its answers, of which the client sees nothing.
//!
//! A question is put when the server owes nothing else, right before the text that needs the answer.

use super::MySqlSession;
use super::ledger::{Awaited, Entry, ResultStep, Results};
use super::packets::Numbers;
use crate::session::{Cx, Output};
use crate::wire::cursor::{Malformed, Reader};
use crate::wire::mysql::row::RowFormat;
use crate::wire::mysql::{Capabilities, error, lenenc, write_message};

/// Most rows of an answer; a longer one is none.
const MAX_ROWS: usize = 100_000;

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Settings of the session.
    Settings,
    /// The tables of the configuration.
    Schema,
}

/// A row of an answer.
pub(super) type Row = Vec<Option<Vec<u8>>>;

/// A question that the database has not answered yet.
#[derive(Debug)]
pub(super) struct Own {
    question: Question,
    rows: Vec<Row>,
    /// The number of an error, or what else went wrong.
    failed: Option<String>,
}

impl Own {
    fn new(question: Question) -> Self {
        Self {
            question,
            rows: Vec::new(),
            failed: None,
        }
    }

    /// Takes a row of the answer.
    pub(super) fn row(&mut self, payload: &[u8]) -> Result<(), Malformed> {
        if self.rows.len() >= MAX_ROWS {
            self.failed = Some(format!("more than {MAX_ROWS} rows"));
            return Ok(());
        }
        let mut reader = Reader::new(payload);
        let mut row = Row::new();
        while reader.left() > 0 {
            let cell = lenenc::nullable_string(&mut reader, "value of a column")?;
            row.push(cell.map(<[u8]>::to_vec));
        }
        self.rows.push(row);
        Ok(())
    }

    /// Takes note of an error.
    pub(super) fn other(&mut self, payload: &[u8]) {
        if payload.first() == Some(&error::ERR) {
            let code = error::code(payload);
            self.failed = Some(code.map_or_else(|bad| bad.0.into(), |code| code.to_string()));
        }
    }
}

impl MySqlSession {
    /// Whether a question can be put now.
    pub(super) fn is_quiet(&self) -> bool {
        self.welcome && self.ledger.is_empty() && !self.from_server.is_under_way()
    }

    pub(super) fn ask_database(&mut self, question: Question, out: &mut Output<'_>) {
        let text = match question {
            Question::Settings => self.settings_question(),
            Question::Schema => super::probe::question(self.context.planners.base().columns()),
        };
        let mut payload = vec![3];
        if self.capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
            payload.extend_from_slice(&[0, 1]);
        }
        payload.extend_from_slice(&text);
        let (mut packets, mut number) = (Vec::new(), 0);
        write_message(&mut packets, &mut number, &payload);
        out.to_server.push(packets);
        let numbers = Numbers {
            client: number,
            server: number,
        };
        let results = Results::new(RowFormat::Text, None, ResultStep::Head);
        self.ledger.push(Awaited::Results(results), numbers);
        if let Some(entry) = self.ledger.last() {
            entry.own = Some(Box::new(Own::new(question)));
        }
    }

    /// The answer to a question of ours is complete.
    pub(super) fn answered(&mut self, own: Own, cx: &mut Cx<'_>) {
        let Own {
            question,
            rows,
            failed,
        } = own;
        match question {
            Question::Settings => self.settings_answered(&rows, failed.is_some()),
            Question::Schema => self.schema_answered(&rows, failed, cx),
        }
    }
}

impl Entry {
    /// Whether the client sees nothing of it.
    pub(super) fn is_own(&self) -> bool {
        self.own.is_some()
    }
}
