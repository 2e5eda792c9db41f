//! Texts that the client sends: they are planned, and their protected literals sealed (policy.md 6.5).

use super::MySqlSession;
use super::ledger::{Awaited, PrepareStep, ResultStep, Results};
use crate::cell::typed::{Form, Said};
use crate::cell::{Kind, token};
use crate::columns::{Setting, TokenType};
use crate::plan::{
    Edit, LiteralKind, LiteralValue, Plan, Refusal, Role, Verdict, in_order, splice,
};
use crate::session::sealing::plain;
use crate::session::search::{self, Changes};
use crate::session::stop::Stop;
use crate::session::stored::Stored;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, ClientFacing, Cx, Event};
use crate::sql::spells;
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
    /// The longest container in it.
    pub(super) stored: Option<Stored>,
}

/// A text with edits, and the longest container in it.
type Rewritten = (Vec<u8>, Option<Stored>);

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
        let (plan, rewritten) = self.rewrite(query.text, cx)?;
        let before = payload.get(..query.text_at).unwrap_or_default();
        let redefines = self.follow(query.text, &plan);
        // After a procedure, of how many results nobody knows, places do not tell.
        let counts = !spells(query.text, b"call") || !plan.copies.is_empty();
        let (payload, stored) = match rewritten {
            None => (Payload::Same, None),
            Some((text, stored)) => (Payload::New([before, &text].concat()), stored),
        };
        Ok(Judged {
            payload,
            awaited: Some(Awaited::Results(Results {
                format: RowFormat::Text,
                statement: None,
                step: ResultStep::Head,
                more: false,
                plan: counts.then_some(plan),
                number: 0,
            })),
            redefines,
            stored,
        })
    }

    /// COM_STMT_PREPARE.
    pub(super) fn prepare(&mut self, payload: &[u8], cx: &mut Cx<'_>) -> Result<Judged, Stop> {
        let Some((command, text)) = payload.split_first() else {
            return Err(Stop::Malformed("a command"));
        };
        let (plan, rewritten) = self.rewrite(text, cx)?;
        if !plan.copies.is_empty() {
            return Err(prepared_load());
        }
        Ok(Judged {
            payload: match rewritten {
                None => Payload::Same,
                Some((text, _)) => Payload::New([&[*command][..], &text].concat()),
            },
            awaited: Some(Awaited::Prepare(PrepareStep::Head, plan)),
            redefines: has_definition(text),
            stored: None,
        })
    }

    /// What a statement that is run does to the session; whether it may change definitions.
    pub(super) fn follow(&mut self, text: &[u8], plan: &Plan) -> bool {
        if plan.may_change_settings {
            self.settings_changed();
        }
        has_definition(text)
    }

    /// The plan for a text, and the text to send instead if something of it is changed.
    fn rewrite(
        &mut self,
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<(Arc<Plan>, Option<Rewritten>), Stop> {
        let plan = self.plan(text, cx)?;
        if plan.verdict != Verdict::Rewrite {
            return Ok((plan, None));
        }
        let edits: Vec<_> = plan.edits(&self.sql).collect();
        let mut values = Vec::new();
        for literal in plan.literals(text, &self.sql) {
            values.push(literal.map_err(|refusal| refused(&refusal))?);
        }
        let rewritten = self.change_text(&values, edits, text, cx)?;
        Ok((plan, rewritten))
    }

    /// Plans a text and refuses what the plan does not allow.
    fn plan(&mut self, text: &[u8], cx: &mut Cx<'_>) -> Result<Arc<Plan>, Stop> {
        if self.ignored {
            return Ok(self.planner.passing());
        }
        let lexical = match self.planner.may_concern(text) {
            true => {
                self.knows_schema()?;
                self.lexical()?
            }
            // Whatever the settings are, nothing in it is protected.
            false => self.usual_lexical(false),
        };
        let plan = self.planner.plan(text, &lexical, &mut self.sql);
        match &plan.verdict {
            Verdict::Refuse(refusal) => return Err(refused(refusal)),
            Verdict::Observe(refusal) => cx.events.push(Event::Observed {
                code: refusal.code.anchor(),
                message: refusal.message.clone(),
            }),
            Verdict::Forward | Verdict::Rewrite => {}
        }
        self.context
            .planners
            .announced(self.catalog.as_deref(), &plan.children)
            .map_err(|refusal| refused(&refusal))?;
        Ok(plan)
    }

    /// The text with these edits, and these values of it sealed, hashed or replaced by tokens; `None` if nothing had to
    /// change.
    fn change_text(
        &self,
        values: &[LiteralValue<'_>],
        mut edits: Vec<Edit>,
        text: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rewritten>, Stop> {
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
        for literal in values {
            let setting = literal.setting;
            let instead = if let Some((token_type, _)) = setting.tokenized() {
                if token_value(&literal.value, token_type).is_empty() {
                    continue;
                }
                let token = token_of(tokens.next(), setting, self.openings.owner(setting)?)?;
                token_literal(token, token_type, literal.kind)
            } else {
                let value = plain(&literal.value, Form::Raw, setting, Said::default())?;
                let value = search::asked_for(value, literal, &mut edits)?;
                let changed = self.openings.change(&value, setting, literal.role, cx)?;
                let Some(changed) = changed else { continue };
                changes.add(setting, &changed);
                hexadecimal(changed.as_bytes())
            };
            edits.push(Edit {
                span: literal.span.clone(),
                text: instead,
            });
        }
        if edits.is_empty() {
            return Ok(None);
        }
        let stored = changes.tell(cx);
        let mut out = Vec::with_capacity(
            text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>(),
        );
        splice(text, &in_order(edits), &mut out);
        Ok(Some((out, stored)))
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
        let changed = self.openings.change(&value, setting, role, cx)?;
        Ok(changed.map(|changed| {
            changes.add(setting, &changed);
            changed.as_bytes().to_vec()
        }))
    }
}

fn prepared_load() -> Stop {
    Stop::Refuse(
        "statement-form",
        ClientError::error("0A000", "LOAD DATA into a protected table is prepared")
            .hint("Send it as a text."),
    )
}

fn refused(refusal: &Refusal) -> Stop {
    Stop::Refuse(refusal.code.anchor(), refusal.client_error())
}

/// What a literal or a bound value stands for that becomes a token.
pub(super) fn token_value(value: &[u8], token_type: TokenType) -> Cow<'_, [u8]> {
    // In this form a value is never wrong.
    token::read(value, token_type, Kind::Raw, Format::Text).unwrap_or(Cow::Borrowed(value))
}

/// Bytes as a literal. The blank keeps it apart from a word before it.
fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    format!(" X'{}'", const_hex::encode(bytes)).into_bytes()
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

/// Whether a text may change definitions.
fn has_definition(text: &[u8]) -> bool {
    [&b"create"[..], b"alter", b"drop", b"rename"]
        .iter()
        .any(|word| spells(text, word))
}
