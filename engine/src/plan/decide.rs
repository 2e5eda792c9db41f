//! The decision on a text that names a protected table, made once per shape.

use super::copy::{self, Copy};
use super::refusal::{Refusal, RefusalCode};
use super::{ParamAction, SlotAction};
use crate::columns::{Columns, Setting, Table};
use crate::sql::copy::is_copy;
use crate::sql::effects::statements;
use crate::sql::facts::{
    self, Facts, Item, NoFacts, Reading, Role, Source, TableUse, Value, param_number,
};
use crate::sql::shape::Shape;
use crate::sql::{Kind, Lexical, Token, ident};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is done to literals and parameters.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) slots: Vec<Option<SlotAction>>,
    pub(super) params: Vec<ParamAction>,
    /// The copies with the client, in the order of the text.
    pub(super) copies: Vec<Copy>,
}

/// Decides on all statements of a text; `is_protected` tells the names of protected tables.
pub(super) fn decide(
    columns: &Columns,
    text: &[u8],
    tokens: &[Token],
    shape: &Shape,
    lexical: &Lexical,
    is_protected: impl Fn(&Token) -> bool,
) -> Result<Decision, Refusal> {
    let mut judge = Judge {
        columns,
        shape,
        lexical,
        decision: Decision::default(),
        params: BTreeMap::new(),
    };
    let whole = Source {
        text,
        tokens,
        range: (0, tokens.len()),
        folded: shape.folded(),
    };
    for range in statements(text, tokens) {
        let source = Source {
            range: (range.start, range.end),
            ..whole
        };
        let statement = tokens.get(range).unwrap_or_default();
        let named = statement.iter().find(|token| is_protected(token));
        let named = named.map(|named| name(named, text));
        if is_copy(text, statement) {
            judge.copy(&source, named.as_deref(), &is_protected)?;
        } else if let Some(named) = named {
            judge.statement(&source, &named, &is_protected)?;
        }
    }
    judge.settle_params(&whole)?;
    Ok(judge.decision)
}

struct Judge<'a> {
    columns: &'a Columns,
    shape: &'a Shape,
    lexical: &'a Lexical,
    decision: Decision,
    /// Protected parameters and how often each is the value of its column.
    params: BTreeMap<u16, (Arc<Setting>, usize)>,
}

impl<'a> Judge<'a> {
    fn statement(
        &mut self,
        source: &Source<'_>,
        named: &str,
        is_protected: &impl Fn(&Token) -> bool,
    ) -> Result<(), Refusal> {
        let refuse = |none: &NoFacts| no_facts(none, named);
        self.check_names(source, named)?;
        if facts::is_maintenance(source) {
            return Ok(());
        }
        let reading = facts::read(source).map_err(|none| refuse(&none))?;
        if self.is_elsewhere(&reading, source, is_protected) {
            return Ok(());
        }
        let facts = reading.facts.as_ref().map_err(refuse)?;
        let tables: Vec<Protected<'_>> = facts
            .tables
            .iter()
            .filter_map(|used| {
                let table = self.table(used.schema, used.table, source)?;
                Some(Protected { used, table })
            })
            .collect();
        if tables.is_empty() {
            return Err(refuse(&NoFacts::Form("its name for another table")));
        }
        let uses = Uses {
            tables: &tables,
            source,
            facts,
        };
        uses.check()?;
        let Some(target) = facts.tables.first() else {
            return Ok(());
        };
        let Some(target) = self.table(target.schema, target.table, source) else {
            return Ok(());
        };
        if target.is_view() && !facts.writes.is_empty() {
            return Err(view_write(target));
        }
        for write in &facts.writes {
            let column = token_name(write.column, source);
            if let Some(setting) = target.setting(&column) {
                self.write(write.value, setting)?;
            }
        }
        Ok(())
    }

    fn copy(
        &mut self,
        source: &Source<'_>,
        named: Option<&str>,
        is_protected: &impl Fn(&Token) -> bool,
    ) -> Result<(), Refusal> {
        let read = copy::read(source, self.lexical);
        let copy = match named {
            None => copy::passed(read),
            Some(named) => {
                self.check_names(source, named)?;
                copy::judge(self.columns, read, source, named, |query| {
                    self.statement(query, named, is_protected)
                })?
            }
        };
        self.decision.copies.extend(copy);
        Ok(())
    }

    /// Which name the server makes of bytes that are not ASCII depends on the client's encoding.
    fn check_names(&self, source: &Source<'_>, named: &str) -> Result<(), Refusal> {
        let is_foreign =
            |token: &Token| token.kind.is_name() && !token.text(source.text).is_ascii();
        if self.lexical.encoding.keeps_bytes()
            || !source.tokens().any(|(_, token)| is_foreign(token))
        {
            return Ok(());
        }
        let message = format!(
            "statement on protected table \"{named}\" has a name that is not ASCII, and client_encoding is not UTF8"
        );
        Err(Refusal::new(RefusalCode::ClientEncoding, message))
    }

    /// Whether the protected name stands for something else in this statement, such as a column of another table.
    ///
    /// Not for an alias of one: a keyword before a table's name that the parser library does not know looks like that.
    fn is_elsewhere(
        &self,
        reading: &Reading,
        source: &Source<'_>,
        is_protected: &impl Fn(&Token) -> bool,
    ) -> bool {
        let all_told = || {
            source
                .tokens()
                .filter(|(_, token)| is_protected(token))
                .all(|(index, _)| {
                    reading.names.binary_search(&index).is_ok() && !reading.aliases.contains(&index)
                })
        };
        reading.complete
            && all_told()
            && reading
                .relations
                .iter()
                .all(|(schema, table)| self.table(*schema, *table, source).is_none())
    }

    fn table(&self, schema: Option<usize>, table: usize, source: &Source<'_>) -> Option<&'a Table> {
        let schema = schema.map(|schema| token_name(schema, source));
        self.columns
            .table(schema.as_deref(), &token_name(table, source))
    }

    fn write(&mut self, value: Value, setting: &Arc<Setting>) -> Result<(), Refusal> {
        let refuse = |code, what: &str| {
            let Setting { table, column, .. } = &**setting;
            Refusal::new(
                code,
                format!("column \"{column}\" of protected table \"{table}\" {what}"),
            )
        };
        let (token, negative) = match value {
            Value::Nothing => return Ok(()),
            Value::Literal(token) => (token, false),
            Value::Negative(token) => (token, true),
            Value::Param(number) => {
                let (earlier, uses) = self
                    .params
                    .entry(number)
                    .or_insert_with(|| (Arc::clone(setting), 0));
                *uses += 1;
                return match Arc::ptr_eq(earlier, setting) {
                    true => Ok(()),
                    false => Err(refuse(
                        RefusalCode::SharedParameter,
                        &format!(
                            "shares parameter ${number} with column \"{}\"",
                            earlier.column
                        ),
                    )),
                };
            }
            Value::Other => {
                return Err(refuse(
                    RefusalCode::ValueForm,
                    "is set to an expression, which cannot be encrypted",
                ));
            }
        };
        let Some(slot) = self.shape.slot(token) else {
            return Err(refuse(
                RefusalCode::NotUnderstood,
                "is set to a value that was not found",
            ));
        };
        let slots = &mut self.decision.slots;
        if slots.len() <= slot {
            slots.resize(slot + 1, None);
        }
        if let Some(place) = slots.get_mut(slot) {
            *place = Some(SlotAction {
                setting: Arc::clone(setting),
                negative,
            });
        }
        Ok(())
    }

    /// A protected parameter that is used for anything else as well would be sealed there too.
    fn settle_params(&mut self, whole: &Source<'_>) -> Result<(), Refusal> {
        if self.params.is_empty() {
            return Ok(());
        }
        let mut written: BTreeMap<u16, usize> = BTreeMap::new();
        for (_, token) in whole.tokens() {
            if token.kind == Kind::Param
                && let Some(number) = param_number(token.text(whole.text))
            {
                *written.entry(number).or_default() += 1;
            }
        }
        for (number, (setting, uses)) in std::mem::take(&mut self.params) {
            if written.get(&number) != Some(&uses) {
                let message = format!(
                    "parameter ${number} is the value of column \"{}\" of protected table \"{}\" and is used elsewhere too",
                    setting.column, setting.table
                );
                return Err(Refusal::new(RefusalCode::SharedParameter, message));
            }
            self.decision.params.push(ParamAction { number, setting });
        }
        Ok(())
    }
}

/// A protected table and where a statement names it.
struct Protected<'a> {
    used: &'a TableUse,
    table: &'a Table,
}

/// Where the names of protected columns and of their tables stand in a statement.
struct Uses<'a> {
    tables: &'a [Protected<'a>],
    source: &'a Source<'a>,
    facts: &'a Facts,
}

impl Uses<'_> {
    /// The setting of a column of this name of any of the tables: which one is meant is not looked for.
    fn setting(&self, column: &str) -> Option<&Setting> {
        self.tables
            .iter()
            .find_map(|protected| protected.table.setting(column))
            .map(|setting| &**setting)
    }

    /// Refuses a column where its plain value would be needed. A name that has no role stands in an expression.
    fn check(&self) -> Result<(), Refusal> {
        let names: Vec<(Cow<'_, str>, &Table)> = self
            .tables
            .iter()
            .flat_map(|Protected { used, table }| {
                let tokens = std::iter::once(used.table).chain(used.alias);
                tokens.map(|token| (token_name(token, self.source), *table))
            })
            .collect();
        for (index, token) in self
            .source
            .tokens()
            .filter(|(_, token)| token.kind.is_name())
        {
            let name = name(token, self.source.text);
            let role = self.role(index);
            if let Some(setting) = self.setting(&name) {
                if role.is_none() {
                    return Err(misused(setting, "is used in an expression or condition"));
                }
                continue;
            }
            // After a dot it is a column, whatever tables are called.
            let qualified = index
                .checked_sub(1)
                .and_then(|before| self.source.tokens.get(before))
                .is_some_and(|before| before.is(self.source.text, b'.'));
            let table = names.iter().find(|(table, _)| !qualified && *table == name);
            if let Some((_, table)) = table
                && !matches!(role, Some(Role::Table | Role::Label))
            {
                let message = format!(
                    "protected table \"{}\" is used as a value: its whole row",
                    table.name()
                );
                return Err(Refusal::new(RefusalCode::ColumnUse, message));
            }
        }
        self.check_comparisons()
    }

    /// Rows of encrypted values are never equal and have no order.
    fn check_comparisons(&self) -> Result<(), Refusal> {
        let protected = |item: &Item| match item {
            Item::Column(token) => self.setting(&token_name(*token, self.source)),
            Item::Wildcard | Item::Expression => None,
        };
        let compared = |how: &str| {
            let table = self.tables.first().map_or("", |first| first.table.name());
            let message =
                format!("all columns of protected table \"{table}\" are compared by {how}");
            Err(Refusal::new(RefusalCode::ColumnUse, message))
        };
        if self.facts.natural {
            return compared("NATURAL JOIN");
        }
        if self.facts.distinct {
            if let Some(setting) = self.facts.items.iter().find_map(protected) {
                return Err(misused(setting, "is compared by DISTINCT"));
            }
            if self.facts.items.contains(&Item::Wildcard) {
                return compared("DISTINCT");
            }
        }
        for ordinal in &self.facts.ordinals {
            let Some(at) = ordinal.checked_sub(1) else {
                continue;
            };
            // What `*` stands for is not known here, and so not where later columns are.
            let known = self
                .facts
                .items
                .iter()
                .take(at)
                .all(|item| *item != Item::Wildcard);
            if known && let Some(setting) = self.facts.items.get(at).and_then(protected) {
                return Err(misused(setting, "is compared by ORDER BY or GROUP BY"));
            }
        }
        Ok(())
    }

    fn role(&self, token: usize) -> Option<Role> {
        let roles = &self.facts.roles;
        let at = roles.binary_search_by_key(&token, |(at, _)| *at).ok()?;
        roles.get(at).map(|(_, role)| *role)
    }
}

pub(super) fn view_write(view: &Table) -> Refusal {
    let message = format!(
        "\"{}\" is a view of a protected table: what is written through it cannot be protected",
        view.name()
    );
    Refusal::new(RefusalCode::ViewWrite, message)
}

pub(super) fn misused(setting: &Setting, how: &str) -> Refusal {
    let Setting { table, column, .. } = setting;
    Refusal::new(
        RefusalCode::ColumnUse,
        format!("protected column \"{column}\" of table \"{table}\" {how}"),
    )
}

fn name<'a>(token: &Token, text: &'a [u8]) -> Cow<'a, str> {
    match ident::name(token, text) {
        Cow::Borrowed(name) => String::from_utf8_lossy(name),
        Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
    }
}

pub(super) fn token_name<'a>(token: usize, source: &Source<'a>) -> Cow<'a, str> {
    source
        .tokens
        .get(token)
        .map_or(Cow::Borrowed(""), |token| name(token, source.text))
}

fn no_facts(none: &NoFacts, table: &str) -> Refusal {
    match none {
        NoFacts::Form(what) => Refusal::new(
            RefusalCode::StatementForm,
            format!("statement on protected table \"{table}\" is not supported: {what}"),
        ),
        NoFacts::NotUnderstood => Refusal::new(
            RefusalCode::NotUnderstood,
            format!("statement on protected table \"{table}\" was not understood"),
        ),
        NoFacts::TooLong => Refusal::new(
            RefusalCode::TooLong,
            format!("statement on protected table \"{table}\" is too long to be understood"),
        ),
    }
}
