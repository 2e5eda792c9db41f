//! User variables of MySQL for protected columns: `SET @table__column = 'value'`, and then `EXECUTE … USING` (policy.md 7.9).
//!
//! Such a variable has what the column stores, and no text may put anything else into it. What has become of a `SET` is the session's to
//! know, and so which variables `EXECUTE` may be given.

use super::compare::hash_of_text;
use super::execute::value;
use super::literals::Written;
use super::planner::{Planner, Scratch};
use super::refusal::{Refusal, RefusalCode};
use super::{Edit, Plan, Role, Verdict};
use crate::columns::{Likeness, Setting};
use crate::sql::effects::statements;
use crate::sql::mysql::{VariableUse, used_variables, user_variable};
use crate::sql::{Kind, Token};
use std::sync::Arc;

/// A variable that a text gives the value of a protected column.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// Its name, in lower case and without its `@`.
    pub variable: Box<str>,
    /// The column.
    pub setting: Arc<Setting>,
    /// The token of the value; nothing for NULL.
    pub(super) value: Option<(usize, Written)>,
}

/// What a variable is called.
enum Meant<'a> {
    /// It is for this column.
    Column(&'a Arc<Setting>, Box<str>),
    /// Servers may take it for one of several.
    Unclear,
}

impl Planner {
    /// The plan of a text with what it does to variables for protected columns. `scratch` is as the text was planned with.
    pub(super) fn with_variables(
        &self,
        plan: Arc<Plan>,
        text: &[u8],
        scratch: &Scratch,
    ) -> Arc<Plan> {
        if matches!(plan.verdict, Verdict::Refuse(_)) {
            return plan;
        }
        let meant = |token: &Token| self.meant(token, text, scratch);
        let used = used_variables(text, &scratch.tokens, |token| meant(token).is_some());
        if used.is_empty() {
            return plan;
        }
        let mut plan = Plan::clone(&plan);
        let first = scratch.tokens.first();
        if first.is_some_and(|first| first.is_word(text, "execute"))
            && statements(text, &scratch.tokens).count() == 1
        {
            plan.gives_variables = true;
            return Arc::new(plan);
        }
        let mut loses = false;
        for used in used {
            let meant = scratch.tokens.get(used.token).and_then(meant);
            let assigned = match (used.usage, meant) {
                (VariableUse::Read, _) | (_, None) => continue,
                (VariableUse::Set(range), Some(Meant::Column(setting, variable))) => {
                    let given = value(text, &scratch.tokens, &range, true);
                    match given.and_then(|given| given.literal(setting)) {
                        Some(value) => Ok(Assigned {
                            variable,
                            setting: Arc::clone(setting),
                            value,
                        }),
                        None => Err(not_a_value(&variable, setting)),
                    }
                }
                (VariableUse::Written, Some(Meant::Column(setting, variable))) => {
                    Err(other_way(&variable, setting))
                }
                (_, Some(Meant::Unclear)) => Err(unclear()),
            };
            match assigned {
                Ok(assigned) => plan.assigned.push(assigned),
                Err(refusal) => {
                    let Plan {
                        verdict, protected, ..
                    } = self.refused(refusal);
                    plan = Plan {
                        verdict,
                        protected,
                        ..plan
                    };
                    loses = true;
                }
            }
        }
        // Where it passes all the same, nothing of it is sealed.
        if loses || matches!(plan.verdict, Verdict::Observe(_)) {
            return Arc::new(Plan {
                assigned: Vec::new(),
                loses_variables: true,
                ..plan
            });
        }
        if !plan.assigned.is_empty() {
            plan.protected = true;
            if plan.verdict == Verdict::Forward {
                plan.verdict = Verdict::Rewrite;
            }
        }
        Arc::new(plan)
    }

    fn meant(&self, token: &Token, text: &[u8], scratch: &Scratch) -> Option<Meant<'_>> {
        let name = user_variable(token, text, &scratch.lexical)?;
        let columns = self.columns();
        let name = match &name {
            None => return Some(Meant::Unclear),
            Some(name) if !name.is_ascii() || name.ends_with(b" ") => {
                return columns.resembles_variable(name).then_some(Meant::Unclear);
            }
            Some(name) => std::str::from_utf8(name).ok()?,
        };
        let mut settings = columns.of_variable(name);
        let setting = settings.next()?;
        match settings.next() {
            None => Some(Meant::Column(setting, name.into())),
            Some(_) => Some(Meant::Unclear),
        }
    }
}

impl Plan {
    /// The variables that the text gives values of protected columns, in its order.
    pub fn assigned(&self) -> &[Assigned] {
        &self.assigned
    }

    /// Whether the text is an `EXECUTE` that gives variables for protected columns to parameters.
    pub fn gives_variables(&self) -> bool {
        self.gives_variables
    }

    /// Whether the text passes although variables for protected columns may get other values by it.
    pub fn loses_variables(&self) -> bool {
        self.loses_variables
    }

    /// What is changed besides in a text that SQL prepares or runs: parameters that are compared may get variables, which have what is
    /// stored, and of which the hash counts. Of a hash itself nothing is left out. `scratch` is as [`Planner::plan`] left it for this text.
    pub fn variable_edits<'a>(&'a self, scratch: &'a Scratch) -> impl Iterator<Item = Edit> + 'a {
        let params: Vec<&Token> = scratch
            .tokens
            .iter()
            .filter(|token| token.kind == Kind::Param)
            .collect();
        let compared = self.params.iter().filter(|action| {
            action.role == Role::Compared && action.setting.likeness() == Some(Likeness::Hash)
        });
        compared.filter_map(move |action| {
            let token = params.get(usize::from(action.number).checked_sub(1)?)?;
            Some(Edit {
                span: token.span(),
                text: hash_of_text("?").into(),
            })
        })
    }
}

/// The name of the user variable that a token is, in lower case and without its `@`.
pub(super) fn name_of(token: &Token, text: &[u8], scratch: &Scratch) -> Option<String> {
    let name = user_variable(token, text, &scratch.lexical)??;
    String::from_utf8(name.into_owned()).ok()
}

/// A variable that is not known to have what the column stores.
pub(super) fn not_stored(variable: &str, setting: &Setting) -> Refusal {
    let what = "gets it by EXECUTE, and is not known to have such a value";
    about(variable, RefusalCode::ValueForm, setting, what).with_hint(
        "Call the variable as table and column, with what `prepared_statements_set_arg_delimiter` says between them, and give it its value \
         by SET on this connection, in a text of its own and for the same client; or bind the value by a prepared statement of the protocol.",
    )
}

/// A variable for a pattern, which has no hash of the whole value.
pub(super) fn pattern(variable: &str, setting: &Setting) -> Refusal {
    let what = "is compared by LIKE with it";
    about(variable, RefusalCode::ValueForm, setting, what)
        .with_hint("Compare it by =, or bind the pattern by a prepared statement of the protocol.")
}

fn not_a_value(variable: &str, setting: &Setting) -> Refusal {
    let what = "is what it is for, and it is set to something that is not a string or number";
    about(variable, RefusalCode::ValueForm, setting, what)
        .with_hint("Give the value as a string or number, without functions and operators.")
}

fn other_way(variable: &str, setting: &Setting) -> Refusal {
    let what = "is what it is for, and it may get a value in another way than by SET";
    about(variable, RefusalCode::StatementForm, setting, what).with_hint(
        "Name it nowhere but in SET, in queries and in EXECUTE … USING, or call it something else.",
    )
}

/// A variable, a protected column and what is wrong with them.
fn about(variable: &str, code: RefusalCode, setting: &Setting, what: &str) -> Refusal {
    let (table, column) = (&setting.table, &setting.column);
    let message =
        format!("variable @{variable}: column \"{column}\" of protected table \"{table}\" {what}");
    Refusal::new(code, message).about(setting.subject())
}

fn unclear() -> Refusal {
    Refusal::new(
        RefusalCode::StatementForm,
        "a variable has a name that may be that of a variable for a protected column: it is not ASCII, ends with a blank, or can be parted in two ways",
    )
    .with_hint("Call it something else.")
}
