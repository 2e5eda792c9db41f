//! What the session makes of a text of SQL: its plan, and what the state of the session forbids.

use super::PgSession;
use super::registry::Statement;
use super::rewrite::Rewritten;
use crate::plan::{self, ClientEncoding, Lexical, Plan, Verdict};
use crate::session::stop::Stop;
use crate::session::{ClientError, Cx};
use std::sync::Arc;

/// A prepared statement and its name.
type Named<'p> = (&'p [u8], Arc<Statement>);

impl PgSession {
    /// The plan for a text, and the text to send instead if literals of it are sealed.
    pub(super) fn rewrite(
        &mut self,
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<(Arc<Plan>, Option<Rewritten>), Stop> {
        let plan = self.plan(text, cx)?;
        let executed = self.executed(&plan)?;
        let mut values = Vec::new();
        let mut edits = Vec::new();
        if plan.verdict == Verdict::Rewrite {
            edits.extend(plan.edits(&self.sql));
            for literal in plan.literals(text, &self.sql) {
                values.push(literal?);
            }
        }
        if !executed.is_empty() {
            let params = |name: &[u8]| {
                let statement = executed.iter().find(|(known, _)| *known == name);
                statement.map_or(&[][..], |(_, statement)| &statement.plan.params)
            };
            let (given, casts) = plan::arguments(text, &self.sql, params, |_, _| false)?;
            values.extend(given);
            edits.extend(casts);
        }
        let rewritten = match values.is_empty() && edits.is_empty() {
            true => None,
            false => self.change_text(&values, edits, text, cx)?,
        };
        Ok((plan, rewritten))
    }

    /// The statements with protected parameters that a text executes by name.
    fn executed<'p>(&self, plan: &'p Plan) -> Result<Vec<Named<'p>>, Stop> {
        let mut executed = Vec::new();
        if !self.protects() {
            return Ok(executed);
        }
        for name in &plan.executes {
            let statement = self.registry.statement(name);
            if let Some(prepared) = plan.prepares(name) {
                let protected = |plan: &Plan| !plan.params.is_empty();
                if protected(&prepared) || statement.is_some_and(|old| protected(&old.plan)) {
                    return Err(not_yet_prepared());
                }
            }
            match statement {
                None => return Err(unknown_statement(name)),
                Some(statement) if statement.plan.params.is_empty() => {}
                Some(statement) => executed.push((&**name, Arc::clone(statement))),
            }
        }
        Ok(executed)
    }

    /// That it is known which statement has this name when the server gets there.
    pub(super) fn settled(&self, name: &[u8]) -> Result<(), Stop> {
        match self.ledger.prepares(name) {
            Some(false) => Err(not_yet_prepared()),
            Some(true) => Err(Stop::Wait),
            None if self.ledger.in_doubt(name) => Err(Stop::Wait),
            None => Ok(()),
        }
    }

    /// Plans a text and refuses what the plan, or the state of the session, does not allow.
    fn plan(&mut self, text: &[u8], cx: &mut Cx<'_>) -> Result<Arc<Plan>, Stop> {
        if self.openings.identity.is_ignored() {
            return Ok(self.planning.planner().passing());
        }
        let plan = self
            .planning
            .planner()
            .plan(text, &self.lexical, &mut self.sql);
        if self.ledger.unsettled() && (self.sql.ambiguous_strings() || !text.is_ascii()) {
            self.refuse_ambiguous(text, &plan)?;
        }
        if self.protects() {
            for name in &plan.executes {
                self.settled(name)?;
            }
        }
        self.planning.judge(&plan, &self.context, cx)?;
        Ok(plan)
    }

    /// A backslash in an ordinary string reads differently once `standard_conforming_strings` is changed by something
    /// that is still on its way, and a byte that is not ASCII once `client_encoding` is: allowed only where no reading
    /// concerns a protected table.
    fn refuse_ambiguous(&mut self, text: &[u8], plan: &Plan) -> Result<(), Stop> {
        let strings = [
            self.lexical.standard_conforming_strings,
            !self.lexical.standard_conforming_strings,
        ];
        let encodings = [
            self.lexical.encoding,
            ClientEncoding::AsciiSafe,
            ClientEncoding::Unsafe,
        ];
        let mut protected = plan.protected;
        for standard_conforming_strings in strings {
            let count = if text.is_ascii() { 1 } else { encodings.len() };
            for encoding in encodings.into_iter().take(count) {
                let other = Lexical {
                    standard_conforming_strings,
                    encoding,
                    ..self.lexical.clone()
                };
                let other = self.planning.planner().plan(text, &other, &mut self.sql);
                protected |= other.protected;
            }
        }
        if !protected {
            // The scratch must hold the tokens of the reading that is in force.
            self.planning
                .planner()
                .plan(text, &self.lexical, &mut self.sql);
            return Ok(());
        }
        let what = match text.is_ascii() {
            true => "a string with a backslash",
            false => "a text that is not ASCII",
        };
        Err(Stop::Refuse(
            "ambiguous-strings",
            ClientError::error(
                "0A000",
                format!("{what} follows a statement that may change how it is read"),
            )
            .hint("Wait for the earlier statement's result, or write the string as E'…' in ASCII or as a parameter."),
        ))
    }
}

/// An EXECUTE or Bind that comes with the PREPARE of its statement.
fn not_yet_prepared() -> Stop {
    Stop::Refuse(
        "sql-execute",
        ClientError::error(
            "0A000",
            "EXECUTE of a statement with protected parameters before its PREPARE is complete",
        )
        .hint("Wait for the result of PREPARE, and send EXECUTE as a text of its own."),
    )
}

/// In the words of the server, which would say the same unless a pooler behind us kept the statement.
pub(super) fn unknown_statement(name: &[u8]) -> Stop {
    let message = match name {
        b"" => "unnamed prepared statement does not exist".to_owned(),
        name => format!(
            "prepared statement \"{}\" does not exist",
            String::from_utf8_lossy(name)
        ),
    };
    Stop::Refuse(
        "unknown-statement",
        ClientError::error("26000", message).hint(
            "acra-server must see a statement's text on this connection to protect its parameters.",
        ),
    )
}
