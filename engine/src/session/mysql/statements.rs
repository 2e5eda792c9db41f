//! Texts that the client sends: they are planned, and their protected literals sealed (policy.md 6.5).

use super::MySqlSession;
use super::ledger::{Awaited, PrepareStep, ResultStep, Results};
use super::named::{given_elsewhere, prepared_set};
use super::registry::Names;
use super::settings::Settings;
use crate::cell::typed::{Form, Said};
use crate::cell::{Kind, token};
use crate::columns::{Setting, TokenType};
use crate::plan::{Edit, Glance, Lexical, LiteralKind, LiteralValue, Plan, Role, Verdict, edited};
use crate::session::choices::Choices;
use crate::session::sealing::plain;
use crate::session::search::{self, Changes};
use crate::session::stop::Stop;
use crate::session::stored::Stored;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, Cx};
use crate::tokens::Outcome;
use crate::wire::mysql::query::Query;
use crate::wire::mysql::row::RowFormat;
use crate::wire::pg::Format;
use std::borrow::Cow;
use std::sync::Arc;

/// What becomes of a command.
pub(super) struct Judged {
    pub(super) payload: Payload,
    /// What the server answers, if it does.
    pub(super) awaited: Option<Awaited>,
    /// It may change definitions.
    pub(super) redefines: bool,
    /// What it does to the client's choice, or will when it is executed.
    pub(super) choices: Choices,
    /// What it does to names of prepared statements and to variables.
    pub(super) names: Names,
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
}

/// What has become of a text.
pub(super) struct Rewritten {
    /// What its results are, and its parameters.
    pub(super) plan: Arc<Plan>,
    /// What is sent instead, if something of it is changed.
    pub(super) text: Option<Vec<u8>>,
    /// What it does to names of prepared statements and to variables.
    pub(super) names: Names,
    /// It may change definitions.
    pub(super) redefines: bool,
    /// It may call a procedure.
    pub(super) may_call: bool,
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
}

/// What the server gets.
pub(super) enum Payload {
    /// The client's.
    Same,
    /// This.
    New(Vec<u8>),
    /// Nothing.
    Dropped,
}

impl MySqlSession {
    /// COM_QUERY.
    pub(super) fn query(&mut self, payload: &[u8], cx: &mut Cx<'_>) -> Result<Judged, Stop> {
        let query = Query::read(payload, self.capabilities)?;
        let choosing = self.choosing(query.text)?;
        let Rewritten {
            plan,
            text,
            names,
            redefines,
            stored,
            may_call,
        } = self.rewrite(query.text, cx)?;
        let choices = self.choices(query.text, choosing.as_ref(), &plan)?;
        self.settings_may_change(&plan);
        let before = payload.get(..query.text_at).unwrap_or_default();
        // After a procedure, of how many results nobody knows, places do not tell.
        let counts = !may_call || !plan.copies.is_empty();
        Ok(Judged {
            payload: match text {
                None => Payload::Same,
                Some(text) => Payload::New([before, &text].concat()),
            },
            awaited: Some(Awaited::Results(Results {
                plan: counts.then_some(plan),
                ..Results::new(RowFormat::Text, None, ResultStep::Head)
            })),
            redefines,
            choices,
            names,
            stored,
        })
    }

    /// COM_STMT_PREPARE.
    pub(super) fn prepare(&mut self, payload: &[u8], cx: &mut Cx<'_>) -> Result<Judged, Stop> {
        let Some((command, text)) = payload.split_first() else {
            return Err(Stop::Malformed("a command"));
        };
        let choosing = self.choosing(text)?;
        let rewritten = self.rewrite(text, cx)?;
        let plan = rewritten.plan;
        let choices = self.choices(text, choosing.as_ref(), &plan)?;
        if !plan.copies.is_empty() {
            return Err(prepared_load());
        }
        if !plan.assigned().is_empty() || plan.loses_variables() {
            return Err(prepared_set());
        }
        Ok(Judged {
            payload: match rewritten.text {
                None => Payload::Same,
                Some(text) => Payload::New([&[*command][..], &text].concat()),
            },
            awaited: Some(Awaited::Prepare(PrepareStep::Head, plan)),
            redefines: rewritten.redefines,
            choices,
            // Servers prepare no text that gives names.
            names: Names::default(),
            stored: None,
        })
    }

    /// A statement is run.
    pub(super) fn settings_may_change(&mut self, plan: &Plan) {
        // Where nothing is protected, texts are not read for that.
        if plan.may_change_settings || !self.protects() {
            self.settings_changed();
        }
    }

    /// The plan for a text, and the text to send instead if something of it is changed.
    fn rewrite(&mut self, text: &[u8], cx: &mut Cx<'_>) -> Result<Rewritten, Stop> {
        let (plan, glance) = self.plan(text, cx)?;
        if glance.passes() {
            return Ok(Rewritten {
                plan,
                text: None,
                names: Names::default(),
                redefines: false,
                may_call: false,
                stored: None,
            });
        }
        if let Some(run) = &plan.run {
            return self.run_string(text, run, plan.gives_variables(), cx);
        }
        if let Some(named) = self.executes(&plan)? {
            return self.execute_named(text, named, cx);
        }
        if plan.gives_variables() {
            return Err(given_elsewhere());
        }
        let redefines = glance.may_define();
        let names = self.names(&plan, redefines)?;
        let values = self.values(text, &plan)?;
        let (changed, stored) = self.changes(&values, cx)?;
        let mut edits: Vec<Edit> = changed.into_iter().flatten().collect();
        if plan.verdict == Verdict::Rewrite {
            edits.extend(plan.edits(&self.sql));
        }
        Ok(Rewritten {
            text: spliced(text, edits),
            plan,
            names,
            redefines,
            may_call: glance.may_call(),
            stored,
        })
    }

    /// The values of a text that was just planned.
    pub(super) fn values<'a>(
        &'a self,
        text: &'a [u8],
        plan: &'a Plan,
    ) -> Result<Vec<LiteralValue<'a>>, Stop> {
        if plan.verdict != Verdict::Rewrite {
            return Ok(Vec::new());
        }
        let literals = plan.literals(text, &self.sql);
        literals
            .map(|literal| literal.map_err(Stop::from))
            .collect()
    }

    /// Plans a text and refuses what the plan does not allow.
    pub(super) fn plan(
        &mut self,
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<(Arc<Plan>, Glance), Stop> {
        self.sql.trim();
        if self.openings.identity.is_ignored() {
            let planner = self.planning.planner();
            return Ok((planner.passing(), planner.glance(text)));
        }
        let (plan, glance) = match self.recall(text) {
            Some(plan) => (plan, Glance::default()),
            None => self.plan_anew(text)?,
        };
        self.planning.judge(&plan, &self.context, cx)?;
        if plan.loses_variables() {
            self.registry.forget_variables();
        }
        Ok((plan, glance))
    }

    /// The plan of a text like one that was planned before, of which a glance showed nothing else, unless something has to be
    /// asked first.
    fn recall(&mut self, text: &[u8]) -> Option<Arc<Plan>> {
        let lexical = match &self.settings {
            Settings::Known(lexical) if self.planning.is_current() => self.read_by(lexical.clone()),
            _ => return None,
        };
        self.planning
            .planner()
            .recall(text, &lexical, &mut self.sql)
    }

    fn plan_anew(&mut self, text: &[u8]) -> Result<(Arc<Plan>, Glance), Stop> {
        let glance = self.planning.planner().glance(text);
        if glance.passes() {
            return Ok((self.planning.planner().passing(), glance));
        }
        // A string that is prepared may name a table by escapes.
        let lexical = match glance.may_concern() || glance.may_prepare() {
            true => {
                self.knows_schema()?;
                let lexical = self.lexical()?;
                self.read_by(lexical)
            }
            // Whatever the settings are, nothing in it is protected.
            false => self.usual_lexical(),
        };
        let plan = self
            .planning
            .planner()
            .plan_anew(text, &lexical, &mut self.sql);
        Ok((plan, glance))
    }

    /// The settings by which a text is planned: the schema only if it matters, so that others share the plan.
    fn read_by(&self, lexical: Lexical) -> Lexical {
        Lexical {
            schema: lexical
                .schema
                .filter(|_| self.planning.planner().follows_schema()),
            ..lexical
        }
    }

    /// The edits by which each of these values is sealed, hashed or replaced by a token, and the longest container.
    pub(super) fn changes(
        &self,
        values: &[LiteralValue<'_>],
        cx: &mut Cx<'_>,
    ) -> Result<(Vec<Vec<Edit>>, Option<Stored>), Stop> {
        let mut requests = Vec::new();
        for literal in values {
            if let Some((token_type, _)) = literal.setting.tokenized() {
                let value = token_value(&literal.value, token_type);
                requests.extend(self.openings.token_request(
                    &value,
                    literal.setting,
                    literal.role,
                )?);
            }
        }
        let mut tokens = self.openings.tokens_for(requests)?.iter();
        let mut changes = Changes::default();
        let mut all = Vec::with_capacity(values.len());
        for literal in values {
            let mut edits = Vec::new();
            let instead = self.instead(literal, &mut tokens, &mut edits, &mut changes, cx)?;
            edits.extend(instead.map(|text| Edit {
                span: literal.span.clone(),
                text,
            }));
            all.push(edits);
        }
        Ok((all, self.told(changes, cx)?))
    }

    /// What stands in the place of a literal; `None`: it stays.
    fn instead(
        &self,
        literal: &LiteralValue<'_>,
        tokens: &mut std::slice::Iter<'_, Outcome>,
        edits: &mut Vec<Edit>,
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let setting = literal.setting;
        if let Some((token_type, _)) = setting.tokenized() {
            if token_value(&literal.value, token_type).is_empty() {
                return Ok(None);
            }
            let token = token_of(tokens.next(), setting, self.openings.owner(setting)?)?;
            return Ok(Some(token_literal(token, token_type, literal.kind)));
        }
        let value = plain(&literal.value, Form::Raw, setting, Said::default())?;
        let value = search::asked_for(value, literal, edits)?;
        let changed = self.change(&value, (setting, literal.role), changes, cx)?;
        Ok(changed.map(|changed| hexadecimal(changed.as_bytes())))
    }

    /// What a bound value becomes; `None`: it stays.
    pub(super) fn change_bound(
        &self,
        value: &[u8],
        (setting, role): (&Arc<Setting>, Role),
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Vec<u8>>, Stop> {
        let value = plain(value, Form::Raw, setting, Said::default())?;
        let value = search::bound(value, role, setting)?;
        let changed = self.change(&value, (setting, role), changes, cx)?;
        Ok(changed.map(|changed| changed.as_bytes().to_vec()))
    }
}

/// The text with these edits; `None` if there are none.
pub(super) fn spliced(text: &[u8], edits: Vec<Edit>) -> Option<Vec<u8>> {
    (!edits.is_empty()).then(|| edited(text, edits))
}

pub(super) fn too_many_statements() -> ClientError {
    ClientError::error("53400", "too many prepared statements in this session")
        .hint("Close those that are no longer used")
}

pub(super) fn prepared_load() -> Stop {
    Stop::Refuse(
        "statement-form",
        ClientError::error("0A000", "LOAD DATA into a protected table is prepared")
            .hint("Send it as a text."),
    )
}

/// What a literal or a bound value stands for that becomes a token.
pub(super) fn token_value(value: &[u8], token_type: TokenType) -> Cow<'_, [u8]> {
    // In this form a value is never wrong.
    token::read(value, token_type, Kind::Raw, Format::Text).unwrap_or(Cow::Borrowed(value))
}

/// Bytes as a literal. The blank keeps it apart from a word before it.
fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = b" X'";
    let mut out = Vec::with_capacity(BEFORE.len() + 2 * bytes.len() + 1);
    out.extend_from_slice(BEFORE);
    out.resize(BEFORE.len() + 2 * bytes.len(), b'0');
    if let Some(digits) = out.get_mut(BEFORE.len()..) {
        // There is room for just so many.
        let _ = const_hex::encode_to_slice(bytes, digits);
    }
    out.push(b'\'');
    out
}

/// A token as a literal of its column's type.
fn token_literal(token: &[u8], token_type: TokenType, kind: LiteralKind) -> Vec<u8> {
    match (token_type, kind) {
        (TokenType::Bytes, _) => hexadecimal(token),
        // In parentheses, for there may be a sign in front of it.
        (TokenType::Int32 | TokenType::Int64, LiteralKind::Number) if token.starts_with(b"-") => {
            [b"(", token, b")"].concat()
        }
        (TokenType::Int32 | TokenType::Int64, LiteralKind::Number) => token.to_vec(),
        // Digits, letters, `@`, `.`, `-` and `~` alone.
        _ => [b" '", token, b"'"].concat(),
    }
}
