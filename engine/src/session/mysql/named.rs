//! Statements that are prepared and executed in SQL: `PREPARE`, `EXECUTE`, `DEALLOCATE`, `EXECUTE IMMEDIATE`.
//!
//! The string that is prepared is planned like a text of its own, and its literals are sealed in it. Names count from the moment
//! when the server has answered, and nothing that the client sends behind them is taken before; where it has not done all of a text, what
//! they stand for is not known any more.

use super::MySqlSession;
use super::ledger::Entry;
use super::registry::{Name, Named, Names, Registry};
use super::statements::{Rewritten, prepared_load, spliced, too_many_statements};
use crate::plan::{self, Edit, NameEffect, Plan, Run, Verdict};
use crate::session::stop::Stop;
use crate::session::{ClientError, Cx};
use std::sync::Arc;

impl MySqlSession {
    /// A text that prepares a string which concerns a protected table, or runs it at once. `self.sql` is of this text.
    pub(super) fn run_string(
        &mut self,
        text: &[u8],
        run: &Run,
        cx: &mut Cx<'_>,
    ) -> Result<Rewritten, Stop> {
        let lexical = self.lexical()?;
        let inner = run.text(text, &lexical).map_err(Stop::from)?;
        let outer = std::mem::take(&mut self.sql);
        let (plan, glance) = self.plan(&inner, cx)?;
        if plan.run.is_some() || !plan.names.is_empty() || !plan.executes.is_empty() {
            return Err(nested());
        }
        if !plan.copies.is_empty() {
            return Err(prepared_load());
        }
        let mut values = self.values(&inner, &plan)?;
        let own = values.len();
        let mut edits = Vec::new();
        if run.name.is_none() {
            let arguments = plan::arguments(text, &outer, |_| &plan.params);
            let (arguments, around) = arguments?;
            values.extend(arguments);
            edits.extend(around);
        }
        let (mut changed, stored) = self.changes(&values, cx)?;
        edits.extend(changed.split_off(own).into_iter().flatten());
        let mut within: Vec<Edit> = changed.into_iter().flatten().collect();
        if plan.verdict == Verdict::Rewrite {
            within.extend(plan.edits(&self.sql));
        }
        edits.extend(spliced(&inner, within).map(|text| Edit {
            span: run.string.clone(),
            text: Run::written(&text, &lexical),
        }));
        let text = spliced(text, edits);
        // What a statement does when it is run is not known.
        self.settings_changed();
        let redefines = glance.may_define();
        let names = match &run.name {
            None => Names::new(),
            Some(name) => {
                let named = Named {
                    plan: Arc::clone(&plan),
                    redefines,
                };
                if is_odd(name) {
                    return Err(odd_name());
                }
                vec![self.change_of_name(name, Some(named))?]
            }
        };
        Ok(Rewritten {
            plan: match run.name {
                None => plan,
                Some(_) => self.planning.planner().passing(),
            },
            text,
            names,
            redefines,
            may_call: glance.may_call(),
            stored,
        })
    }

    /// The statement that concerns a protected table and whose execution is all that a text is. Other executions must be of statements
    /// that are known to concern none.
    pub(super) fn executes(&self, plan: &Plan) -> Result<Option<Named>, Stop> {
        let prepares = |name: &[u8]| {
            let is = |effect: &NameEffect| matches!(effect, NameEffect::Prepare(given) if **given == *name);
            plan.names.iter().any(is)
        };
        for name in &plan.executes {
            match self.registry.named(name) {
                Some(Name::Known(named)) if !named.plan.protected => {}
                Some(Name::Known(named)) if plan.alone => return Ok(Some(named.clone())),
                Some(Name::Known(_)) => return Err(not_alone(name)),
                None if prepares(name) => {}
                Some(Name::Doubtful) | None => return Err(unknown_name(name)),
            }
        }
        Ok(None)
    }

    /// The names that a text gives and takes back, none of them to statements that concern a protected table.
    pub(super) fn names(&self, plan: &Plan, redefines: bool) -> Result<Names, Stop> {
        let mut names = Names::new();
        for effect in &plan.names {
            let (name, named) = match effect {
                NameEffect::Prepare(name) => {
                    let named = Named {
                        plan: self.planning.planner().passing(),
                        redefines,
                    };
                    (name, Some(named))
                }
                NameEffect::Deallocate(name) => (name, None),
                _ => continue,
            };
            let is_certain = match self.registry.named(name) {
                Some(Name::Known(named)) => !named.plan.protected,
                Some(Name::Doubtful) => false,
                None => true,
            };
            if !plan.alone && !is_certain {
                return Err(not_alone(name));
            }
            if !is_odd(name) {
                names.push(self.change_of_name(name, named)?);
            }
        }
        Ok(names)
    }

    /// The execution of a statement that concerns a protected table, which is all that a text is.
    pub(super) fn execute_named(
        &mut self,
        text: &[u8],
        named: Named,
        cx: &mut Cx<'_>,
    ) -> Result<Rewritten, Stop> {
        let Named { plan, redefines } = named;
        let arguments = plan::arguments(text, &self.sql, |_| &plan.params);
        let (values, mut edits) = arguments?;
        let (changed, stored) = self.changes(&values, cx)?;
        edits.extend(changed.into_iter().flatten());
        let text = spliced(text, edits);
        self.settings_changed();
        Ok(Rewritten {
            text,
            plan,
            names: Names::new(),
            redefines,
            may_call: false,
            stored,
        })
    }

    /// A change of a name, if there is room for it.
    fn change_of_name(
        &self,
        name: &[u8],
        named: Option<Named>,
    ) -> Result<(Box<[u8]>, Option<Named>), Stop> {
        match named.is_none() || self.registry.has_room(self.context.limits.max_registry) {
            true => Ok((name.into(), named)),
            false => Err(Stop::Refuse("too-many-names", too_many_statements())),
        }
    }
}

/// The server has answered a text: what it says of names counts, if it has done all of it.
pub(super) fn answered(entry: &mut Entry, failed: bool, registry: &mut Registry) {
    for (name, named) in std::mem::take(&mut entry.names) {
        match (failed, named) {
            (true, _) => registry.give(name, Name::Doubtful),
            (false, Some(named)) => registry.give(name, Name::Known(named)),
            (false, None) => registry.take_back(&name),
        }
    }
}

/// Whether servers do not agree on which other names are equal to this one.
fn is_odd(name: &[u8]) -> bool {
    !name.is_ascii() || name.ends_with(b" ")
}

fn refuse(message: String, hint: &str) -> Stop {
    Stop::Refuse(
        "sql-execute",
        ClientError::error("0A000", message).hint(hint),
    )
}

fn nested() -> Stop {
    refuse(
        "a statement on a protected table is prepared by one that is prepared itself".into(),
        "Prepare it by a text of its own.",
    )
}

fn odd_name() -> Stop {
    refuse(
        "a statement on a protected table is prepared under a name that is not ASCII or ends with a blank".into(),
        "Prepare it under another name.",
    )
}

fn not_alone(name: &[u8]) -> Stop {
    let name = String::from_utf8_lossy(name);
    refuse(
        format!(
            "the prepared statement {name}, which concerns a protected table, is used beside other statements"
        ),
        "Send PREPARE, EXECUTE and DEALLOCATE of it as texts of their own.",
    )
}

/// In the words of the server.
fn unknown_name(name: &[u8]) -> Stop {
    let name = String::from_utf8_lossy(name);
    Stop::Refuse(
        "unknown-statement",
        ClientError::error(
            "26000",
            format!("Unknown prepared statement handler ({name}) given to EXECUTE"),
        )
        .hint(
            "acra-server must see PREPARE of a statement on this connection, and its success, to protect its parameters",
        ),
    )
}
