//! Values of prepared statements: those of protected columns are sealed (mysql.md 8, policy.md 6.6).

use super::MySqlSession;
use super::ledger::{Awaited, ResultStep, Results};
use super::registry::{Names, Statement};
use super::settings::Settings;
use super::statements::{Judged, Payload, token_value};
use crate::columns::{Setting, TokenType};
use crate::plan::{ParamAction, Plan};
use crate::session::choices::Choices;
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::stored::Stored;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, Cx};
use crate::tokens::Outcome;
use crate::wire::mysql::bulk::{self, BulkExecute, BulkValue};
use crate::wire::mysql::execute::{
    self, Head, LAST_PREPARED, LongData, ParameterType, Types, Written, WrittenValue,
};
use crate::wire::mysql::row::RowFormat;
use crate::wire::mysql::text::text;
use crate::wire::mysql::value::{self, Type};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The type of a parameter that was sent in parts, and so is not among the values.
const ABSENT: Type = Type(6);

/// A protected value as it was bound.
struct Bound<'a> {
    action: &'a ParamAction,
    /// Its text, or its bytes.
    value: Cow<'a, [u8]>,
}

impl MySqlSession {
    /// The statement that is meant, when it is known which that is.
    fn prepared(&self, number: u32) -> Result<(&Statement, &Arc<Plan>), Stop> {
        if number == LAST_PREPARED && self.ledger.prepares() {
            return Err(Stop::Wait);
        }
        let statement = self.registry.statement(number);
        statement
            .and_then(|statement| Some((statement, statement.plan.as_ref()?)))
            .ok_or_else(|| unknown_statement(number))
    }

    /// COM_STMT_EXECUTE.
    pub(super) fn execute(&mut self, payload: &[u8], cx: &mut Cx<'_>) -> Result<Judged, Stop> {
        let head = Head::read(payload)?;
        let plan = Arc::clone(self.prepared(head.statement)?.1);
        if !plan.params.is_empty() {
            self.lexical()?;
        }
        let (statement, _) = self.prepared(head.statement)?;
        let mut instead = Payload::Same;
        let mut given = Vec::new();
        let mut stored = None;
        if !plan.params.is_empty() {
            let parameters = execute::parameters(payload, statement.parameters, self.capabilities)?;
            given = match &parameters.types {
                Types::New(types) => types.clone(),
                Types::AsBefore => statement.types.clone(),
            };
            if given.len() != parameters.count || given.len() < statement.parameters {
                return Err(unknown_types());
            }
            let mut present = given.clone();
            for at in statement.parts.keys() {
                if let Some(kind) = present.get_mut(*at) {
                    kind.kind = ABSENT;
                }
            }
            let values: Result<Vec<_>, _> = parameters.values(&present).collect();
            let (written, longest) =
                self.change_parameters(&plan, &given, &values?, &statement.parts, cx)?;
            let mut out = Vec::with_capacity(payload.len());
            execute::write(payload, &written, self.capabilities, &mut out);
            stored = longest;
            instead = Payload::New(out);
        }
        if let Some(statement) = self.registry.statement_mut(head.statement) {
            // The server forgets what came in parts, too.
            statement.parts.clear();
            statement.types = unnamed(&given);
        }
        self.executed(head.statement, plan, instead, stored)
    }

    /// The entry for the results of an execution.
    fn executed(
        &mut self,
        number: u32,
        plan: Arc<Plan>,
        payload: Payload,
        stored: Option<Stored>,
    ) -> Result<Judged, Stop> {
        self.settings_may_change(&plan);
        let statement = self.registry.statement(number);
        let choices = statement.map(|statement| statement.choices.clone());
        Ok(Judged {
            payload,
            awaited: Some(Awaited::Results(Results {
                plan: Some(plan),
                ..Results::new(RowFormat::Binary, Some(number), ResultStep::Head)
            })),
            redefines: false,
            choices: choices.unwrap_or_default(),
            names: Names::default(),
            stored,
        })
    }

    /// The parameters with their protected values changed; the longest container.
    fn change_parameters<'a>(
        &self,
        plan: &'a Plan,
        given: &[ParameterType<'a>],
        values: &[Option<&'a [u8]>],
        parts: &'a BTreeMap<usize, Option<Zeroizing<Vec<u8>>>>,
        cx: &mut Cx<'_>,
    ) -> Result<(Vec<Written<'a>>, Option<Stored>), Stop> {
        let mut bound = BTreeMap::new();
        for action in &plan.params {
            let at = place(action)?;
            let (Some(kind), Some(value)) = (given.get(at), values.get(at)) else {
                return Err(unknown_types());
            };
            let value = match (parts.get(&at), value) {
                (Some(Some(part)), _) => Cow::Borrowed(&***part),
                (None, None) => continue,
                (_, value) => text(kind.kind, kind.is_unsigned, value.unwrap_or_default())?,
            };
            self.readable(&value, kind.kind, &action.setting)?;
            bound.insert(at, Bound { action, value });
        }
        let outcomes = self.tokens_of(bound.values())?;
        let mut tokens = outcomes.iter();
        let mut changes = Changes::default();
        let mut written = Vec::with_capacity(given.len());
        for (at, (kind, value)) in given.iter().zip(values).enumerate() {
            let unchanged = match (parts.get(&at), value) {
                (Some(Some(part)), _) => WrittenValue::Value(Cow::Borrowed(&***part)),
                (Some(None), _) => WrittenValue::InParts,
                (None, None) => WrittenValue::Null,
                (None, Some(value)) => WrittenValue::Value(Cow::Borrowed(*value)),
            };
            let mut kind = *kind;
            let changed = match bound.get(&at) {
                None => None,
                Some(bound) => self.changed(bound, &mut tokens, &mut changes, cx)?,
            };
            if matches!(parts.get(&at), Some(Some(_))) {
                // It is among the values now, with a length.
                kind.kind = Type::BLOB;
            }
            let value = match changed {
                None => unchanged,
                Some((of, value)) => {
                    kind.kind = of;
                    kind.is_unsigned = false;
                    WrittenValue::Value(Cow::Owned(value))
                }
            };
            written.push(Written { kind, value });
        }
        Ok((written, self.told(changes, cx)?))
    }

    /// What a protected value becomes, and the type that it has then; `None`: it stays.
    fn changed(
        &self,
        bound: &Bound<'_>,
        tokens: &mut std::slice::Iter<'_, Outcome>,
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> Result<Option<(Type, Vec<u8>)>, Stop> {
        let ParamAction { setting, role, .. } = bound.action;
        let Some((token_type, _)) = setting.tokenized() else {
            let changed = self.change_bound(&bound.value, (setting, *role), changes, cx)?;
            return Ok(changed.map(|bytes| (Type::BLOB, bytes)));
        };
        if token_value(&bound.value, token_type).is_empty() {
            return Ok(None);
        }
        let token = token_of(tokens.next(), setting, self.openings.owner(setting)?)?;
        let mut number = Vec::new();
        let width = match token_type {
            TokenType::Int32 => Some((Type::LONG, 4)),
            TokenType::Int64 => Some((Type::LONGLONG, 8)),
            _ => None,
        };
        Ok(Some(match width {
            Some((kind, width)) if value::write_integer(&mut number, token, width, false) => {
                (kind, number)
            }
            _ => (text_type(token_type), token.to_vec()),
        }))
    }

    /// The tokens for these values, or what has to be asked for them.
    fn tokens_of<'b, 'v: 'b>(
        &self,
        bound: impl Iterator<Item = &'b Bound<'v>>,
    ) -> Result<&[Outcome], Stop> {
        let mut requests = Vec::new();
        for Bound { action, value } in bound {
            if let Some((token_type, _)) = action.setting.tokenized() {
                let value = token_value(value, token_type);
                let (setting, role) = (&action.setting, action.role);
                requests.extend(self.openings.token_request(&value, setting, role)?);
            }
        }
        self.openings.tokens_for(requests)
    }

    /// That the bytes of a text are those that the server would store.
    fn readable(&self, value: &[u8], kind: Type, setting: &Setting) -> Result<(), Stop> {
        let is_text = kind.is_string() && !(249..=252).contains(&kind.0);
        if !is_text || value.is_ascii() {
            return Ok(());
        }
        match &self.settings {
            Settings::Known(lexical) if lexical.encoding.keeps_bytes() => Ok(()),
            _ => Err(foreign_charset(setting)),
        }
    }

    /// COM_STMT_SEND_LONG_DATA: parts of protected values wait here until the statement is executed.
    pub(super) fn long_data(&mut self, payload: &[u8]) -> Result<Judged, Stop> {
        let part = LongData::read(payload)?;
        let limit = self.context.limits.max_message;
        let passes = Judged {
            payload: Payload::Same,
            awaited: None,
            redefines: false,
            choices: Choices::default(),
            names: Names::default(),
            stored: None,
        };
        let is_known = self.registry.statement_mut(part.statement).is_some();
        if (part.statement == LAST_PREPARED || !is_known) && self.ledger.prepares() {
            return Err(Stop::Wait);
        }
        let Some(statement) = self.registry.statement_mut(part.statement) else {
            // The server ignores parts for a statement that it does not know. Should it know one after all, the part may be
            // of a protected value.
            return Ok(match self.context.protects {
                true => Judged {
                    payload: Payload::Dropped,
                    ..passes
                },
                false => passes,
            });
        };
        let at = usize::from(part.parameter);
        let protected = match &statement.plan {
            None => true,
            Some(plan) => plan
                .params
                .iter()
                .any(|action| usize::from(action.number) == at + 1),
        };
        if !protected {
            statement.parts.insert(at, None);
            return Ok(passes);
        }
        let held = statement.held();
        let whole = statement.parts.entry(at).or_default();
        let whole = whole.get_or_insert_default();
        if held + part.data.len() > limit {
            return Err(Stop::Malformed(
                "parts of a value within the limit of a message",
            ));
        }
        // Grown by hand, so that nothing is left behind in memory that was too small.
        if whole.capacity() - whole.len() < part.data.len() {
            let wanted = (whole.len() + part.data.len()).next_power_of_two();
            let mut grown = Zeroizing::new(Vec::with_capacity(wanted));
            grown.extend_from_slice(whole);
            *whole = grown;
        }
        whole.extend_from_slice(part.data);
        Ok(Judged {
            payload: Payload::Dropped,
            ..passes
        })
    }

    /// COM_STMT_BULK_EXECUTE.
    pub(super) fn bulk(&mut self, payload: &[u8], cx: &mut Cx<'_>) -> Result<Judged, Stop> {
        let number = BulkExecute::read(payload, 0)?.statement;
        let plan = Arc::clone(self.prepared(number)?.1);
        if !plan.params.is_empty() {
            self.lexical()?;
        }
        let (statement, _) = self.prepared(number)?;
        let mut instead = Payload::Same;
        let mut given = Vec::new();
        let mut stored = None;
        if !plan.params.is_empty() {
            let bulk = BulkExecute::read(payload, statement.parameters)?;
            given = match &bulk.types {
                Some(types) => types.clone(),
                None => statement.types.clone(),
            };
            if given.is_empty() || given.len() != statement.parameters {
                return Err(unknown_types());
            }
            let (out, longest) = self.change_rows(&bulk, &plan, &given, cx)?;
            stored = longest;
            instead = Payload::New(out);
        }
        if let Some(statement) = self.registry.statement_mut(number) {
            statement.types = unnamed(&given);
        }
        let mut judged = self.executed(number, plan, instead, stored)?;
        if let Some(Awaited::Results(results)) = &mut judged.awaited {
            results.counts_rows = bulk::counts_rows(payload);
        }
        Ok(judged)
    }

    /// A bulk execution with the protected values of all rows changed; the longest container.
    fn change_rows(
        &self,
        bulk: &BulkExecute<'_>,
        plan: &Plan,
        given: &[ParameterType<'_>],
        cx: &mut Cx<'_>,
    ) -> Result<(Vec<u8>, Option<Stored>), Stop> {
        let mut actions = vec![None; given.len()];
        for action in &plan.params {
            match actions.get_mut(place(action)?) {
                Some(at) => *at = Some(action),
                None => return Err(unknown_types()),
            }
        }
        // A column has one type in all rows: one in which every value has a length.
        let types: Vec<ParameterType<'_>> = given
            .iter()
            .zip(&actions)
            .map(|(given, action)| match action {
                None => *given,
                Some(action) => ParameterType {
                    kind: match action.setting.tokenized() {
                        Some((token_type, _)) => text_type(token_type),
                        None => Type::BLOB,
                    },
                    is_unsigned: false,
                    name: b"",
                },
            })
            .collect();
        let columns = || given.iter().zip(&types).zip(&actions).cycle();
        let mut bound = Vec::new();
        for (value, ((kind, _), action)) in bulk.values(given).zip(columns()) {
            if let (BulkValue::Value(value), Some(action)) = (value?, action) {
                let value = text(kind.kind, kind.is_unsigned, value)?;
                self.readable(&value, kind.kind, &action.setting)?;
                bound.push(Bound { action, value });
            }
        }
        let outcomes = self.tokens_of(bound.iter())?;
        let (mut tokens, mut bound) = (outcomes.iter(), bound.iter());
        let mut changes = Changes::default();
        let mut rows = Vec::new();
        for (value, ((_, kind), action)) in bulk.values(given).zip(columns()) {
            let value = value?;
            let protected = action.is_some() && matches!(value, BulkValue::Value(_));
            let Some(protected) = protected.then(|| bound.next()).flatten() else {
                bulk::write_value(&mut rows, kind.kind, value);
                continue;
            };
            let tokenized = protected.action.setting.tokenized();
            let changed = match tokenized {
                Some((token_type, _)) if token_value(&protected.value, token_type).is_empty() => {
                    None
                }
                Some(_) => {
                    let setting = &protected.action.setting;
                    let owner = self.openings.owner(setting)?;
                    Some(token_of(tokens.next(), setting, owner)?.to_vec())
                }
                None => self
                    .changed(protected, &mut [].iter(), &mut changes, cx)?
                    .map(|(_, bytes)| bytes),
            };
            let value = changed.as_deref().unwrap_or(&protected.value);
            bulk::write_value(&mut rows, kind.kind, BulkValue::Value(value));
        }
        let stored = self.told(changes, cx)?;
        let mut out = Vec::with_capacity(rows.len() + 64);
        bulk::write(bulk, &types, &rows, &mut out);
        Ok((out, stored))
    }

    /// COM_STMT_RESET drops what came in parts.
    pub(super) fn reset_statement(&mut self, number: u32) {
        if let Some(statement) = self.registry.statement_mut(number) {
            statement.parts.clear();
        }
    }
}

/// The place of a parameter, from 0 on. Arrays are of PostgreSQL alone.
fn place(action: &ParamAction) -> Result<usize, Stop> {
    match (action.elements, usize::from(action.number).checked_sub(1)) {
        (false, Some(at)) => Ok(at),
        _ => Err(unknown_types()),
    }
}

/// The type of a token that is no number.
fn text_type(token_type: TokenType) -> Type {
    match token_type {
        TokenType::Bytes => Type::BLOB,
        _ => Type::VAR_STRING,
    }
}

/// Types as they are kept: names are given with every execution.
fn unnamed(types: &[ParameterType<'_>]) -> Vec<ParameterType<'static>> {
    let unnamed = |kind: &ParameterType<'_>| ParameterType {
        kind: kind.kind,
        is_unsigned: kind.is_unsigned,
        name: b"",
    };
    types.iter().map(unnamed).collect()
}

fn unknown_types() -> Stop {
    Stop::Refuse(
        "parameter-types",
        ClientError::error(
            "0A000",
            "an execution with protected parameters does not give their types",
        )
        .hint("Send the types of all parameters with the first execution of a statement."),
    )
}

pub(super) fn foreign_charset(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "client-encoding",
        ClientError::error(
            "0A000",
            format!("a value for column \"{column}\" of table \"{table}\" is not ASCII and character_set_client is not utf8mb4"),
        ).about(setting.subject())
        .hint("SET NAMES utf8mb4, or bind the value as bytes (BLOB)."),
    )
}

/// In the words of the server.
fn unknown_statement(number: u32) -> Stop {
    Stop::Refuse(
        "unknown-statement",
        ClientError::error(
            "26000",
            format!("Unknown prepared statement handler ({number}) given to COM_STMT_EXECUTE"),
        )
        .hint(
            "acra-server must see a statement's text on this connection to protect its parameters",
        ),
    )
}
