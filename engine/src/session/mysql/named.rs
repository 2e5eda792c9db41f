//! Statements that are prepared and executed in SQL: `PREPARE`, `EXECUTE`, `DEALLOCATE`, `EXECUTE IMMEDIATE`, and the variables that
//! can be given to them.
//!
//! The string that is prepared is planned like a text of its own, and its literals are sealed in it. Names count from the moment
//! when the server has answered, and nothing that the client sends behind them is taken before; where it has not done all of a text, what
//! they stand for is not known any more.

use super::MySqlSession;
use super::ledger::Entry;
use super::registry::{Name, Named, Names, Registry, Variable};
use super::statements::{Rewritten, prepared_load, spliced, too_many_statements};
use crate::columns::Setting;
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
        gives_variables: bool,
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
        if !plan.assigned().is_empty() || plan.loses_variables() {
            return Err(prepared_set());
        }
        if gives_variables && !plan.protected {
            return Err(given_elsewhere());
        }
        let mut values = self.values(&inner, &plan)?;
        let own = values.len();
        let mut edits = Vec::new();
        if run.name.is_none() {
            let arguments = plan::arguments(
                text,
                &outer,
                |_| &plan.params,
                |variable, setting| self.has_stored(variable, setting),
            );
            let (arguments, around) = arguments?;
            values.extend(arguments);
            edits.extend(around);
        }
        let (mut changed, stored) = self.changes(&values, cx)?;
        edits.extend(changed.split_off(own).into_iter().flatten());
        let mut within: Vec<Edit> = changed.into_iter().flatten().collect();
        if plan.verdict == Verdict::Rewrite {
            within.extend(plan.edits(&self.sql));
            within.extend(plan.variable_edits(&self.sql));
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
            None => Names::default(),
            Some(name) => {
                let named = Named {
                    plan: Arc::clone(&plan),
                    redefines,
                };
                if is_odd(name) {
                    return Err(odd_name());
                }
                self.check_room()?;
                Names {
                    statements: vec![(name.clone(), Some(named))],
                    ..Names::default()
                }
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

    /// What a text does to names: none are given to statements that concern a protected table.
    pub(super) fn names(&self, plan: &Plan, redefines: bool) -> Result<Names, Stop> {
        let mut names = Names::default();
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
                if named.is_some() {
                    self.check_room()?;
                }
                names.statements.push((name.clone(), named));
            }
        }
        for assigned in plan.assigned() {
            self.check_room()?;
            let variable = Variable {
                setting: Arc::clone(&assigned.setting),
                owner: self.openings.owner(&assigned.setting)?.into(),
            };
            names.variables.push((assigned.variable.clone(), variable));
        }
        Ok(names)
    }

    /// Whether a variable has what a column stores, protected by the keys that the session uses for it now.
    fn has_stored(&self, variable: &str, setting: &Setting) -> bool {
        let owner = self.openings.owner(setting).ok();
        let held = self.registry.variable(variable);
        held.is_some_and(|held| *held.setting == *setting && Some(&*held.owner) == owner)
    }

    /// The execution of a statement that concerns a protected table, which is all that a text is.
    pub(super) fn execute_named(
        &mut self,
        text: &[u8],
        named: Named,
        cx: &mut Cx<'_>,
    ) -> Result<Rewritten, Stop> {
        let Named { plan, redefines } = named;
        let arguments = plan::arguments(
            text,
            &self.sql,
            |_| &plan.params,
            |variable, setting| self.has_stored(variable, setting),
        );
        let (values, mut edits) = arguments?;
        let (changed, stored) = self.changes(&values, cx)?;
        edits.extend(changed.into_iter().flatten());
        let text = spliced(text, edits);
        self.settings_changed();
        Ok(Rewritten {
            text,
            plan,
            names: Names::default(),
            redefines,
            may_call: false,
            stored,
        })
    }

    /// Whether there is room for another name.
    fn check_room(&self) -> Result<(), Stop> {
        match self.registry.has_room(self.context.limits.max_registry) {
            true => Ok(()),
            false => Err(Stop::Refuse("too-many-names", too_many_statements())),
        }
    }
}

/// The server has answered a text: what it says of names counts, if it has done all of it.
pub(super) fn answered(entry: &mut Entry, failed: bool, registry: &mut Registry) {
    let Names {
        statements,
        variables,
    } = std::mem::take(&mut entry.names);
    for (name, named) in statements {
        match (failed, named) {
            (true, _) => registry.give(name, Name::Doubtful),
            (false, Some(named)) => registry.give(name, Name::Known(named)),
            (false, None) => registry.take_back(&name),
        }
    }
    for (name, variable) in variables {
        match failed {
            true => registry.unset(&name),
            false => registry.set(name, variable),
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

/// What a procedure writes in its parameters, it writes in the variables that are given for them.
pub(super) fn given_elsewhere() -> Stop {
    refuse(
        "a variable for a protected column is given by EXECUTE to a statement that concerns no protected table".into(),
        "Give it to statements that store it in its column, or call it something else.",
    )
}

/// Whether it is run, and how often, is not told.
pub(super) fn prepared_set() -> Stop {
    refuse(
        "a SET of a variable for a protected column is prepared".into(),
        "Send it as a text.",
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
