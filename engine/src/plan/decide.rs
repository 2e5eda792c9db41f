//! The decision on a text that names a protected table, made once per shape.

use super::cast;
use super::copy::{self, Copy};
use super::definition::{self, DefaultValue};
use super::edits::{Insertion, Number};
use super::flow::Flows;
use super::load;
use super::names::name;
use super::params::Param;
use super::refusal::{Refusal, RefusalCode, no_facts};
use super::resolve::Resolver;
use super::results::Results;
use super::schema::Schema;
use super::scope::Rows;
use super::{ParamAction, ResultColumn, Role, SlotAction};
use crate::columns::{Columns, NewChild, Subject, Table};
use crate::sql::copy::is_copy;
use crate::sql::effects::statements;
use crate::sql::facts::{self, Facts, NoFacts, Reading, Source, Wrapped, Wrapper, tree::TableName};
use crate::sql::mysql;
use crate::sql::mysql::load::is_load;
use crate::sql::shape::Shape;
use crate::sql::{Kind, Lexical, Token};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What is done to literals and parameters.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) slots: Vec<Option<SlotAction>>,
    /// What else of the text is changed, in its order.
    pub(super) insertions: Vec<Insertion>,
    /// Slots of numbers that must be what they are taken for.
    pub(super) numbers: Vec<Number>,
    pub(super) params: Vec<ParamAction>,
    /// The same for each `PREPARE` and `DECLARE` of the text.
    pub(super) prepared: Vec<Prepared>,
    /// What results are, by the numbers of their statements.
    pub(super) results: Vec<(usize, Results)>,
    /// The copies with the client, in the order of the text.
    pub(super) copies: Vec<Copy>,
    /// Tables that become children of protected ones.
    pub(super) children: Vec<NewChild>,
}

/// What is known of a statement that gets a name.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) params: Vec<ParamAction>,
    pub(super) result: Option<Results>,
}

/// Decides on all statements of a text; `is_protected` tells the names of protected tables. Protected result columns are
/// added to `found` if somebody wants to know.
pub(super) fn decide(
    columns: &Columns,
    text: &[u8],
    tokens: &[Token],
    shape: &Shape,
    lexical: &Lexical,
    is_protected: impl Fn(&Token) -> bool,
    found: Option<&mut Vec<ResultColumn>>,
) -> Result<Decision, Refusal> {
    // What another statement of the text does to the schema is not known here.
    let is_alone = statements(text, tokens)
        .filter(|range| !range.is_empty())
        .count()
        == 1;
    let mut judge = Judge {
        schema: Schema {
            columns,
            current: lexical.schema.as_deref().filter(|_| is_alone),
        },
        shape,
        lexical,
        protected: Vec::new(),
        decision: Decision::default(),
        params: BTreeMap::new(),
        tested: BTreeSet::new(),
        result: None,
        viewed: None,
        found,
    };
    let params: Vec<usize> = match lexical.dialect.is_mysql() {
        true => (0..tokens.len())
            .filter(|at| {
                tokens
                    .get(*at)
                    .is_some_and(|token| token.kind == Kind::Param)
            })
            .collect(),
        false => Vec::new(),
    };
    let whole = Source {
        text,
        tokens,
        range: (0, tokens.len()),
        folded: shape.folded(),
        dialect: lexical.dialect,
        params: &params,
    };
    let named = whole.tokens().filter(|(_, token)| is_protected(token));
    judge.protected = named.map(|(token, _)| token).collect();
    if lexical.dialect.is_mysql()
        && let Some(named) = judge.protected.first().and_then(|named| tokens.get(*named))
        && mysql::is_routine(text, tokens)
    {
        return Err(no_facts(
            &NoFacts::Form("a procedure, function, trigger or event"),
            &name(named, text),
        ));
    }
    for (number, range) in statements(text, tokens).enumerate() {
        let source = Source {
            range: (range.start, range.end),
            ..whole
        };
        let statement = tokens.get(range).unwrap_or_default();
        let named = judge.protected_in(source.range).first();
        let named = named.and_then(|named| tokens.get(*named));
        // Its parameters are its own.
        let (prepares, declares) = names(text, statement);
        let outside = match prepares {
            true => std::mem::take(&mut judge.params),
            false => BTreeMap::new(),
        };
        let named = named.map(|named| name(named, text));
        if lexical.dialect.is_mysql() && is_load(text, statement) {
            if let Some(named) = named {
                judge.load(&source, &named, is_alone)?;
            }
        } else if is_copy(text, statement) {
            judge.copy(&source, named.as_deref())?;
        } else if let Some(named) = named {
            judge.statement(&source, &named)?;
        }
        let result = judge.result.take();
        if prepares {
            let params = judge.settle_params(&source)?;
            judge.decision.prepared.push(Prepared { params, result });
            judge.params = outside;
        } else if declares {
            let params = Vec::new();
            judge.decision.prepared.push(Prepared { params, result });
        } else {
            let result = result.map(|result| (number, result));
            judge.decision.results.extend(result);
        }
    }
    judge.decision.params = judge.settle_params(&whole)?;
    let viewed = judge.viewed;
    let mut decision = judge.decision;
    // Another statement of the text may name the child or the view, which nothing here knows to be protected.
    let child = decision.children.first().map(|child| &*child.parent.1);
    let made = child
        .map(|parent| ("a child of it that is made beside other statements", parent))
        .or(viewed
            .as_deref()
            .map(|viewed| ("a view of it that is made beside other statements", viewed)));
    if let Some((form, named)) = made
        && statements(text, tokens).count() > 1
    {
        let refusal = no_facts(&NoFacts::Form(form), named);
        return Err(refusal.with_hint("Make it by a text of its own."));
    }
    decision
        .insertions
        .sort_by_key(|insertion| (insertion.token, insertion.place));
    decision.insertions.dedup();
    // They are kept for long.
    decision.slots.shrink_to_fit();
    Ok(decision)
}

/// The protected columns of a result.
fn results<'r, 'a>(
    rows: &'r Rows<'a>,
    flows: &'r Flows<'a>,
) -> impl Iterator<Item = ResultColumn> + use<'r, 'a> {
    rows.columns
        .iter()
        .enumerate()
        .flat_map(move |(at, column)| {
            let settings = flows.settings(column.flow).iter();
            settings.map(move |setting| ResultColumn {
                place: rows.open.is_none_or(|open| at < open).then_some(at + 1),
                label: column.name.as_deref().map(str::to_owned),
                setting: Arc::clone(setting),
            })
        })
}

/// Whether a statement is `PREPARE`, or `DECLARE`, by its first words.
fn names(text: &[u8], statement: &[Token]) -> (bool, bool) {
    let is = |at: usize, word| {
        let token: Option<&Token> = statement.get(at);
        token.is_some_and(|token| token.is_word(text, word))
    };
    (is(0, "prepare") && !is(1, "transaction"), is(0, "declare"))
}

pub(super) struct Judge<'a> {
    pub(super) schema: Schema<'a>,
    pub(super) shape: &'a Shape,
    pub(super) lexical: &'a Lexical,
    /// Tokens that are names of protected tables, whatever they stand for, without those that repeat others.
    pub(super) protected: Vec<usize>,
    pub(super) decision: Decision,
    /// Protected parameters.
    pub(super) params: BTreeMap<u16, Param>,
    /// Parameters of which only is asked whether they are NULL, and their tokens.
    pub(super) tested: BTreeSet<(u16, usize)>,
    /// What the result of the current statement is.
    pub(super) result: Option<Results>,
    /// A protected table of which a view is made.
    viewed: Option<String>,
    /// Where protected result columns are told, if they are.
    pub(super) found: Option<&'a mut Vec<ResultColumn>>,
}

impl<'a> Judge<'a> {
    /// The protected names among the tokens from the first of these up to the second.
    fn protected_in(&self, (start, end): (usize, usize)) -> &[usize] {
        let place = |token| self.protected.partition_point(|named| *named < token);
        self.protected
            .get(place(start)..place(end))
            .unwrap_or_default()
    }

    fn statement(&mut self, source: &Source<'_>, named: &str) -> Result<(), Refusal> {
        self.check_names(source, named)?;
        if facts::is_maintenance(source) {
            return Ok(());
        }
        let range = source.range.0..source.range.1;
        let statement = source.tokens.get(range).unwrap_or_default();
        if source.dialect.is_mysql() && mysql::makes_table(source.text, statement) {
            let refusal = no_facts(&NoFacts::Form("CREATE TABLE … SELECT"), named);
            return Err(refusal.with_hint(
                "Make the table with its columns, give it an entry in the encryptor configuration that protects them alike, and fill it by INSERT … SELECT.",
            ));
        }
        if let Some(verdict) = definition::judge(source, self.schema, named) {
            let defined = verdict?;
            self.decision.children.extend(defined.children);
            for DefaultValue {
                setting,
                token,
                written,
            } in defined.defaults
            {
                let stored = SlotAction {
                    setting: Arc::clone(setting),
                    role: Role::Stored,
                    written,
                    cast: None,
                    pattern: None,
                };
                self.act(token, stored)?;
            }
            return Ok(());
        }
        let other = || no_facts(&facts::OTHER_STATEMENT, named);
        let Wrapped { wrapper, inner } = facts::unwrap(source).ok_or_else(other)?;
        let outside = (source.range.0, inner.0);
        if wrapper == Wrapper::NewTable && !self.protected_in(outside).is_empty() {
            return Err(no_facts(
                &NoFacts::Form("a protected table made by CREATE … AS"),
                named,
            ));
        }
        if self.protected_in(inner).is_empty() {
            return Ok(());
        }
        let inner = Source {
            range: inner,
            ..*source
        };
        facts::read(&inner, |reading| {
            self.reading(&reading, &wrapper, &inner, named)
        })
        .map_err(|none| no_facts(&none, named))?
    }

    fn copy(&mut self, source: &Source<'_>, named: Option<&str>) -> Result<(), Refusal> {
        let read = copy::read(source, self.lexical);
        let copy = match named {
            None => copy::passed(read),
            Some(named) => {
                self.check_names(source, named)?;
                copy::judge(self.schema, read, source, named, |query| {
                    self.statement(query, named)?;
                    Ok(self.result.take())
                })?
            }
        };
        self.decision.copies.extend(copy);
        Ok(())
    }

    fn load(&mut self, source: &Source<'_>, named: &str, is_alone: bool) -> Result<(), Refusal> {
        self.check_names(source, named)?;
        if !is_alone {
            let beside = NoFacts::Form("LOAD DATA beside other statements");
            return Err(no_facts(&beside, named).with_hint("Load by a text of its own."));
        }
        let (load, insertion) = load::judge(self.schema, source, self.lexical, named)?;
        self.decision
            .insertions
            .push(insertion.of_shape(self.shape));
        self.decision.copies.push(Copy::Load(Arc::new(load)));
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
        Err(Refusal::new(RefusalCode::ClientEncoding, message).about(Subject::of_table(named)))
    }

    fn reading(
        &mut self,
        reading: &Reading,
        wrapper: &Wrapper,
        source: &Source<'_>,
        named: &str,
    ) -> Result<(), Refusal> {
        if self.is_elsewhere(reading, source) {
            return Ok(());
        }
        match &reading.facts {
            Ok(facts) => self.facts(facts, reading, wrapper, source, named),
            Err(none) => Err(no_facts(none, named)),
        }
    }

    fn facts(
        &mut self,
        facts: &Facts,
        reading: &Reading,
        wrapper: &Wrapper,
        source: &Source<'_>,
        named: &str,
    ) -> Result<(), Refusal> {
        let is_name = |token| reading.names.binary_search(token).is_ok();
        if !self.protected_in(source.range).iter().all(is_name) {
            return Err(no_facts(&NoFacts::NotUnderstood, named));
        }
        if *wrapper == Wrapper::View {
            self.viewed = Some(named.to_owned());
        }
        let mut resolver = Resolver {
            schema: self.schema,
            source: *source,
            named,
            flows: Flows::new(),
            insertions: Vec::new(),
            hash_columns: HashMap::new(),
            representatives: Vec::new(),
            sets: Vec::new(),
            patterns: Vec::new(),
            numbers: Vec::new(),
            tested: Vec::new(),
            doubtful: Vec::new(),
            concerned: false,
        };
        let rows = resolver.query(facts, None)?;
        match wrapper {
            Wrapper::Client | Wrapper::Prepare(_) | Wrapper::View | Wrapper::Explain => {
                for flow in rows.flows() {
                    resolver.flows.see(flow);
                }
                if let Some(found) = &mut self.found {
                    found.extend(results(&rows, &resolver.flows));
                }
                if matches!(wrapper, Wrapper::Client | Wrapper::Prepare(_)) {
                    self.result = Results::of(&rows, &resolver.flows)?;
                }
            }
            Wrapper::NewTable => resolver.new_table(&rows)?,
        }
        // A word before a table's name that the parser library does not know makes an alias of the name.
        let is_alias = |token| reading.aliases.contains(token);
        if !resolver.concerned && self.protected_in(source.range).iter().any(is_alias) {
            return Err(no_facts(
                &NoFacts::Form("its name for another table"),
                named,
            ));
        }
        resolver.write_representatives();
        resolver.write_sets()?;
        let Resolver {
            flows,
            insertions,
            patterns,
            numbers,
            tested,
            ..
        } = resolver;
        let (fates, casts) = flows.into_fates();
        for fate in fates {
            self.settle(&fate, &casts, wrapper, source, &patterns)?;
        }
        for tested in tested {
            self.settle_tested(&tested)?;
        }
        for number in numbers {
            self.settle_number(number, source)?;
        }
        let insertions = insertions.into_iter().chain(cast::changes(&casts)?);
        self.decision
            .insertions
            .extend(insertions.map(|insertion| insertion.of_shape(self.shape)));
        Ok(())
    }

    /// Whether the protected name stands for something else in this statement, such as a column of another table.
    ///
    /// Not for an alias of one: a keyword before a table's name that the parser library does not know looks like that.
    fn is_elsewhere(&self, reading: &Reading, source: &Source<'_>) -> bool {
        let all_told = || {
            self.protected_in(source.range).iter().all(|token| {
                reading.names.binary_search(token).is_ok() && !reading.aliases.contains(token)
            })
        };
        reading.complete
            && all_told()
            && reading.relations.iter().all(|(schema, table)| {
                let name = TableName {
                    schema: *schema,
                    table: *table,
                };
                self.table(name, source).is_none()
            })
    }

    fn table(&self, name: TableName, source: &Source<'_>) -> Option<&'a Table> {
        self.schema.table(name, source)
    }
}
