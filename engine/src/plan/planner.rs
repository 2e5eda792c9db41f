//! Text → plan, from the cache where its shape is known.

use super::copy;
use super::decide::{Decision, Prepared, decide};
use super::examples::Examples;
use super::glance::Glance;
use super::mention::{may_execute, may_name_variable, mentions};
use super::refusal::{Refusal, RefusalCode};
use super::run::{Runs, runs};
use super::weight::{ENTRY, Weight};
use super::{Plan, ResultColumn, Verdict};
use crate::columns::Columns;
use crate::sql::copy::{is_copy, may_hold_copy};
use crate::sql::effects::{self, Effects};
use crate::sql::mysql::load::is_load;
use crate::sql::shape::Shape;
use crate::sql::{Kind, LexError, Lexical, Token, ident, lex, literal, mysql, spells};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// What happens to statements that are not understood (`--unsupported_statements`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// They are refused.
    Refuse,
    /// They pass unchanged and are reported.
    Observe,
    /// They pass unchanged, as with the reference.
    Forward,
}

/// Makes plans and keeps them. Shared by all sessions.
#[derive(Debug)]
pub struct Planner {
    columns: Arc<Columns>,
    unsupported: Unsupported,
    /// A name of the configuration is not ASCII, and so depends on the encoding of the client.
    foreign_names: bool,
    /// It matters which result columns are protected ones.
    maps: bool,
    searches: bool,
    forward: Arc<Plan>,
    plans: Cache<Box<[u8]>, Arc<Plan>, Weight, foldhash::fast::RandomState>,
    examples: Examples,
}

/// Memory of one session for reading texts, and what is known of the last one.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) tokens: Vec<Token>,
    pub(super) shape: Shape,
    pub(super) lexical: Lexical,
    ambiguous: bool,
}

impl Scratch {
    /// Whether the last text has a string that reads differently under another `standard_conforming_strings`.
    pub fn ambiguous_strings(&self) -> bool {
        self.ambiguous
    }

    /// A text was read by these settings, in which strings were ambiguous or not.
    pub(super) fn note(&mut self, lexical: &Lexical, ambiguous: bool) {
        if self.lexical != *lexical {
            self.lexical = lexical.clone();
        }
        self.ambiguous = ambiguous;
    }

    /// An unusually long text does not keep its memory for the rest of the session: for when another text comes, however that is
    /// planned.
    pub fn trim(&mut self) {
        const USUAL: usize = 1 << 12;
        if self.tokens.capacity() > USUAL {
            self.tokens.truncate(USUAL);
            self.tokens.shrink_to(USUAL);
        }
        self.shape.trim();
    }
}

impl Planner {
    /// A planner for these columns whose plans take at most this many bytes.
    pub fn new(columns: Arc<Columns>, unsupported: Unsupported, cache_bytes: u64) -> Self {
        let foreign_names = columns.tables().any(|table| {
            !table.name().is_ascii() || !table.schema().unwrap_or_default().is_ascii()
        });
        let maps = columns.needs_mapping();
        let searches = columns.searches();
        // Of each plan, there may be an example that holds it.
        let for_examples = cache_bytes / 4;
        let cache_bytes = cache_bytes - for_examples;
        // An estimate that only sizes the first allocation.
        let expected = (cache_bytes / 1024).clamp(16, 1 << 14);
        // Half as many keys are remembered after their plans are gone, and what is freed leaves gaps of other sizes.
        let bytes = (cache_bytes - cache_bytes / 16).saturating_sub(expected / 2 * ENTRY);
        Self {
            columns,
            unsupported,
            foreign_names,
            maps,
            searches,
            forward: Arc::new(Plan::forward()),
            plans: Cache::with(
                expected as usize,
                bytes,
                Weight,
                foldhash::fast::RandomState::default(),
                Default::default(),
            ),
            examples: Examples::new(for_examples),
        }
    }

    /// The columns that it plans for.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The plan by which nothing is done.
    pub fn passing(&self) -> Arc<Plan> {
        Arc::clone(&self.forward)
    }

    /// Whether it matters which result columns are protected ones.
    pub fn maps_results(&self) -> bool {
        self.maps
    }

    /// Whether plans depend on the schema of the session.
    pub fn follows_schema(&self) -> bool {
        self.columns.differ_by_schema()
    }

    /// Whether some column is searchable.
    pub fn searches(&self) -> bool {
        self.searches
    }

    /// The plan for a text. Until the next call, `scratch` is what [`Plan::literals`] needs.
    pub fn plan(&self, text: &[u8], lexical: &Lexical, scratch: &mut Scratch) -> Arc<Plan> {
        scratch.trim();
        match self.recall(text, lexical, scratch) {
            Some(plan) => plan,
            None => self.plan_anew(text, lexical, scratch),
        }
    }

    /// The same, if it is known from a text that differed in literals alone.
    pub fn recall(
        &self,
        text: &[u8],
        lexical: &Lexical,
        scratch: &mut Scratch,
    ) -> Option<Arc<Plan>> {
        match self.columns.is_empty() {
            true => None,
            false => self.examples.find(text, lexical, scratch),
        }
    }

    /// The same, where [`Self::recall`] has said nothing.
    pub fn plan_anew(&self, text: &[u8], lexical: &Lexical, scratch: &mut Scratch) -> Arc<Plan> {
        let plan = self.plan_statements(text, lexical, scratch);
        match self.may_name_variable(text, lexical) {
            true => self.with_variables(plan, text, scratch),
            false => plan,
        }
    }

    fn may_name_variable(&self, text: &[u8], lexical: &Lexical) -> bool {
        lexical.dialect.is_mysql()
            && !self.columns.is_empty()
            && may_name_variable(&self.columns, text)
    }

    /// The plan for what the statements of a text do with protected tables.
    fn plan_statements(&self, text: &[u8], lexical: &Lexical, scratch: &mut Scratch) -> Arc<Plan> {
        if self.columns.is_empty() {
            if lexical.dialect.is_mysql() {
                return Arc::clone(&self.forward);
            }
            return self.plan_unconfigured(text, lexical, scratch);
        }
        match lex(text, lexical, &mut scratch.tokens) {
            Ok(ambiguous) => scratch.note(lexical, ambiguous),
            Err(error) => {
                scratch.note(lexical, false);
                scratch.tokens.clear();
                return self.unreadable(text, lexical, error);
            }
        }
        let mut effects = Effects::default();
        let mut copies = false;
        for (number, range) in effects::statements(text, &scratch.tokens).enumerate() {
            effects.alone = number == 0;
            let statement = scratch.tokens.get(range).unwrap_or_default();
            if lexical.dialect.is_mysql() {
                copies |= is_load(text, statement);
                mysql::effects(text, statement, &mut effects);
            } else {
                copies |= is_copy(text, statement);
                effects::of_statement(text, statement, number, &mut effects);
            }
        }
        if !self.maps {
            effects.rows_of = Vec::new();
        }
        if effects.runs_text {
            let refusal = match lexical.dialect.is_mysql() {
                true => match runs(text, scratch, |run| {
                    mentions(&self.columns, run) || may_name_variable(&self.columns, run)
                }) {
                    Runs::Other => None,
                    Runs::Refused(refusal) => Some(refusal),
                    Runs::One(run) => {
                        let plan = Plan {
                            run: Some(run),
                            ..Plan::forward()
                        };
                        return Arc::new(self.with_effects(plan, effects));
                    }
                },
                false => self.run_text(text, scratch),
            };
            if let Some(refusal) = refusal {
                return Arc::new(self.with_effects(self.refused(refusal), effects));
            }
        }
        let read_anew = effects.read_anew.and_then(|from| text.get(from..));
        if let Some(refusal) = read_anew.and_then(|rest| self.read_anew(rest)) {
            return Arc::new(self.with_effects(self.refused(refusal), effects));
        }
        if !scratch
            .tokens
            .iter()
            .any(|token| self.is_protected(token, text, lexical))
        {
            if effects.is_nothing() && !copies {
                return Arc::clone(&self.forward);
            }
            let plan = Plan {
                copies: match copies && !lexical.dialect.is_mysql() {
                    true => copy::unprotected(text, &scratch.tokens, lexical),
                    false => Vec::new(),
                },
                ..Plan::forward()
            };
            return Arc::new(self.with_effects(plan, effects));
        }
        scratch.shape.compute(text, &scratch.tokens, lexical);
        // What the options of a COPY say is in its literals, which a shape leaves out. So is what a string says that is run, and
        // what is read anew.
        let by_example = !copies && !effects.runs_text && effects.read_anew.is_none();
        if !copies && let Some(plan) = self.plans.get(scratch.shape.key()) {
            if by_example {
                self.keep_example(text, lexical, scratch, &plan);
            }
            return plan;
        }
        let plan = match decide(
            &self.columns,
            text,
            &scratch.tokens,
            &scratch.shape,
            lexical,
            |token| self.is_protected(token, text, lexical),
            None,
        ) {
            Ok(Decision {
                slots,
                insertions,
                numbers,
                params,
                copies,
                prepared,
                children,
                results,
            }) => Plan {
                children,
                results,
                prepared: prepared.into_iter().map(executed).collect(),
                // Numbers are not changed, but looked at in every text.
                verdict: match slots.is_empty() && insertions.is_empty() && numbers.is_empty() {
                    true => Verdict::Forward,
                    false => Verdict::Rewrite,
                },
                params,
                slots,
                insertions,
                numbers,
                copies,
                protected: true,
                ..Plan::forward()
            },
            Err(refusal) => Plan {
                // Where it passes all the same, so do its rows.
                copies: match copies
                    && !lexical.dialect.is_mysql()
                    && self.unsupported != Unsupported::Refuse
                {
                    true => copy::unprotected(text, &scratch.tokens, lexical),
                    false => Vec::new(),
                },
                ..self.refused(refusal)
            },
        };
        let plan = Arc::new(self.with_effects(plan, effects));
        if !copies {
            self.plans
                .insert(scratch.shape.key().into(), Arc::clone(&plan));
        }
        if by_example {
            self.keep_example(text, lexical, scratch, &plan);
        }
        plan
    }

    /// Keeps a text for others that differ in literals alone, unless more is to be told of it than its plan does: what it does to
    /// variables, and what a glance shows.
    fn keep_example(&self, text: &[u8], lexical: &Lexical, scratch: &Scratch, plan: &Arc<Plan>) {
        let says_more = || {
            lexical.dialect.is_mysql()
                && (self.may_name_variable(text, lexical) || self.glance(text).has_keywords())
        };
        self.examples.keep(text, scratch, plan, says_more);
    }

    /// The protected result columns of a text that was just planned.
    pub(super) fn results(
        &self,
        text: &[u8],
        lexical: &Lexical,
        scratch: &Scratch,
    ) -> Vec<ResultColumn> {
        let is_protected = |token: &Token| self.is_protected(token, text, lexical);
        if !scratch.tokens.iter().any(is_protected) {
            return Vec::new();
        }
        let mut results = Vec::new();
        let decision = decide(
            &self.columns,
            text,
            &scratch.tokens,
            &scratch.shape,
            lexical,
            is_protected,
            Some(&mut results),
        );
        // Nothing comes back of a statement that is refused.
        decision.map(|_| results).unwrap_or_default()
    }

    /// The plan where nothing is protected: only the rows of a COPY need one, since containers in them are opened.
    fn plan_unconfigured(
        &self,
        text: &[u8],
        lexical: &Lexical,
        scratch: &mut Scratch,
    ) -> Arc<Plan> {
        if !may_hold_copy(text) {
            return Arc::clone(&self.forward);
        }
        if lex(text, lexical, &mut scratch.tokens).is_err() {
            return Arc::clone(&self.forward);
        }
        let copies = copy::unprotected(text, &scratch.tokens, lexical);
        if copies.is_empty() {
            return Arc::clone(&self.forward);
        }
        Arc::new(Plan {
            copies,
            ..Plan::forward()
        })
    }

    /// What a text for MySQL shows before it is read.
    pub fn glance(&self, text: &[u8]) -> Glance {
        Glance::at(text, &self.columns, self.foreign_names)
    }

    /// Refuses the rest of a text that the server reads by settings which the statements before it make.
    fn read_anew(&self, rest: &[u8]) -> Option<Refusal> {
        let foreign = self.foreign_names && !rest.is_ascii();
        let concerns = foreign
            || mentions(&self.columns, rest)
            || may_execute(rest)
            || may_name_variable(&self.columns, rest);
        concerns.then(|| {
            Refusal::new(
                RefusalCode::SettingsChange,
                "a statement that may concern a protected table follows one in the same text that may change how it is read",
            )
        })
    }

    /// Bytes that the kept plans take.
    pub fn cached_bytes(&self) -> u64 {
        self.plans.weight() + self.examples.bytes()
    }

    /// Whether a token is the name of a protected table, whatever it stands for.
    fn is_protected(&self, token: &Token, text: &[u8], lexical: &Lexical) -> bool {
        if !token.kind.is_name() {
            return false;
        }
        // Others have quotes and escapes besides.
        if token.kind == Kind::Word
            && !self.foreign_names
            && !self.columns.has_name_as_long(token.len())
        {
            return false;
        }
        let foreign =
            self.foreign_names && !lexical.encoding.keeps_bytes() && !token.text(text).is_ascii();
        foreign || ident::with_name(token, text, |name| self.columns.names_table(name))
    }

    /// Refuses a text in which a string may be run that concerns a protected table.
    fn run_text(&self, text: &[u8], scratch: &Scratch) -> Option<Refusal> {
        let concerns = scratch.tokens.iter().any(|token| match token.kind {
            Kind::Param => true,
            kind if kind.is_string() => match literal::string(token, text, &scratch.lexical) {
                Some(value) => mentions(&self.columns, &value),
                None => true,
            },
            _ => false,
        });
        concerns.then(|| {
            Refusal::new(
                RefusalCode::RunsText,
                "a string or parameter of this statement is run as a text of its own and may concern a protected table",
            )
        })
    }

    /// The plan for a text without tokens. The server cannot read most of them either, but one that could hold a
    /// protected value must not leave on that assumption.
    fn unreadable(&self, text: &[u8], lexical: &Lexical, error: LexError) -> Arc<Plan> {
        let foreign_names = self.foreign_names && error == LexError::Encoding;
        let concerns = if foreign_names || mentions(&self.columns, text) {
            "statement on a protected table"
        } else if may_execute(text) || lexical.dialect.is_mysql() && spells(text, b"prepare") {
            "statement that may have a value for a protected column in EXECUTE"
        } else if lexical.dialect.is_mysql() && may_name_variable(&self.columns, text) {
            "statement that may set a variable for a protected column"
        } else if lexical.dialect.is_mysql() {
            return Arc::new(Plan {
                may_change_settings: true,
                ..Plan::forward()
            });
        } else {
            return Arc::clone(&self.forward);
        };
        let (code, what) = match error {
            LexError::Unterminated => (
                RefusalCode::NotUnderstood,
                "a string, quoted name or comment in it has no end",
            ),
            LexError::TooLong => (RefusalCode::TooLong, "it has too many parts"),
            LexError::Encoding => (
                RefusalCode::ClientEncoding,
                "it is not ASCII, and the client's encoding is one in which characters may hold ASCII bytes",
            ),
            LexError::Version => (
                RefusalCode::NotUnderstood,
                "it has a comment or a number that not all servers read alike",
            ),
        };
        let message = format!("{concerns} cannot be read: {what}");
        Arc::new(self.refused(Refusal::new(code, message)))
    }

    pub(super) fn refused(&self, refusal: Refusal) -> Plan {
        let verdict = match self.unsupported {
            Unsupported::Refuse => Verdict::Refuse(refusal),
            Unsupported::Observe => Verdict::Observe(refusal),
            Unsupported::Forward => Verdict::Forward,
        };
        Plan {
            verdict,
            protected: true,
            ..Plan::forward()
        }
    }

    fn with_effects(&self, plan: Plan, effects: Effects) -> Plan {
        Plan {
            names: effects.names,
            executes: effects.executes,
            alone: effects.alone && !effects.nested,
            rows_of: effects.rows_of,
            may_change_settings: effects.may_change_settings,
            ..plan
        }
    }
}

/// The plan of a statement that gets a name: what its arguments and its rows are.
fn executed(Prepared { params, result }: Prepared) -> Arc<Plan> {
    Arc::new(Plan {
        protected: !params.is_empty() || result.is_some(),
        params,
        results: result.into_iter().map(|result| (0, result)).collect(),
        ..Plan::forward()
    })
}
