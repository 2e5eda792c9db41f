//! From names to what they mean: which protected columns and which literals reach which place.
//!
//! A query is resolved to its columns. Whatever needs the plain value of a protected column is refused on the way.

use super::edits::{Insertion, Number};
use super::flow::{Flow, Flows, Leaf, LeafKind, NOTHING, PLAIN};
use super::group::Representative;
use super::like::PatternAt;
use super::literals::Written;
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode};
use super::schema::Schema;
use super::scope::{self, Column, Rel, Rows, Scope, compare};
use super::store::NEW_VALUES;
use crate::columns::Table;
use crate::sql::facts::Source;
use crate::sql::facts::tree::{
    Alias, Body, Cast, Cte, Item, Key, Query, Relation, Select, TableName, Term,
};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// What is said of a column that is compared or computed with.
pub(super) const IN_EXPRESSION: &str = "is used in an expression or condition";

/// Resolves one statement.
pub(super) struct Resolver<'a> {
    pub(super) schema: Schema<'a>,
    pub(super) source: Source<'a>,
    /// The protected name that the statement has, for messages.
    pub(super) named: &'a str,
    pub(super) flows: Flows<'a>,
    /// What is changed in the text besides its literals.
    pub(super) insertions: Vec<Insertion>,
    /// Result columns of which any value of a group stands for the group: their names.
    pub(super) representatives: Vec<Representative>,
    /// Columns whose hashes the database keeps in another column: the tokens of their names, and what takes their place where
    /// hashes are compared.
    pub(super) hash_columns: HashMap<usize, String>,
    /// Patterns: their tokens, and what is around them.
    pub(super) patterns: Vec<(usize, PatternAt)>,
    /// Numbers that must be what they are taken for: their tokens.
    pub(super) numbers: Vec<Number>,
    /// Parameters, and their tokens, of which only is asked whether they are NULL: that stays true of what values become.
    pub(super) tested: Vec<(u16, usize)>,
    /// A protected table is read or written.
    pub(super) concerned: bool,
}

impl<'a> Resolver<'a> {
    /// A form that is not supported.
    pub(super) fn form(&self, what: &str) -> Refusal {
        let named = self.named;
        Refusal::new(
            RefusalCode::StatementForm,
            format!("statement on protected table \"{named}\" is not supported: {what}"),
        )
    }

    pub(super) fn name(&self, token: usize) -> Cow<'a, str> {
        token_name(token, &self.source)
    }

    /// A base table: its columns, and its entry if it is protected.
    pub(super) fn base(&mut self, name: TableName) -> (Rows<'a>, Option<&'a Table>) {
        let Some(table) = self.schema.table(name, &self.source) else {
            return (Rows::unknown(), None);
        };
        self.concerned = true;
        let known = self.schema.columns_of(table);
        let mut rows = Rows {
            columns: Vec::new(),
            open: known.is_none().then_some(0),
        };
        match known {
            Some(listed) => {
                for column in listed {
                    let flow = match table.setting(column) {
                        Some(setting) => self.flows.column(setting),
                        None => PLAIN,
                    };
                    rows.columns.push(Column {
                        name: Some(Cow::Borrowed(column)),
                        flow,
                    });
                }
            }
            None => {
                for setting in table.settings() {
                    rows.columns.push(Column {
                        name: Some(Cow::Borrowed(&setting.column)),
                        flow: self.flows.column(setting),
                    });
                }
            }
        }
        (rows, Some(table))
    }

    pub(super) fn query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_, 'a>>,
    ) -> Result<Rows<'a>, Refusal> {
        let mut scope = Scope::inside(outer);
        if query.recursive {
            for cte in &query.ctes {
                scope.ctes.push((self.name(cte.alias.name), None));
            }
        }
        for (at, cte) in query.ctes.iter().enumerate() {
            let name = self.name(cte.alias.name);
            let rows = match (&cte.query.body, query.recursive) {
                (
                    Body::Set {
                        operation,
                        keeps_all,
                        left,
                        right,
                    },
                    true,
                ) if cte.query.ctes.is_empty()
                    && cte.query.order_by.is_empty()
                    && cte.query.operands.is_empty() =>
                {
                    let how = (!keeps_all).then_some(*operation);
                    self.recursive(cte, at, how, (left, right), &mut scope)?
                }
                _ => {
                    let mut rows = self.query(&cte.query, Some(&scope))?;
                    rows.rename(self.labels(&cte.alias), &mut self.flows);
                    rows
                }
            };
            let rows = Some(Rc::new(rows));
            match scope.ctes.get_mut(at) {
                Some(pending) if query.recursive => pending.1 = rows,
                _ => scope.ctes.push((name, rows)),
            }
        }
        let rows = self.body(&query.body, &query.order_by, &scope)?;
        self.operands(&query.operands, &scope)?;
        Ok(rows)
    }

    /// A query of `WITH RECURSIVE` that is two in one: the second may read the whole.
    fn recursive(
        &mut self,
        cte: &Cte,
        at: usize,
        compared_by: Option<&str>,
        (left, right): (&Body, &Body),
        scope: &mut Scope<'_, 'a>,
    ) -> Result<Rows<'a>, Refusal> {
        let mut rows = self.body(left, &[], scope)?;
        for column in &mut rows.columns {
            column.flow = self.flows.open(column.flow);
        }
        let places: Vec<Flow> = rows.flows().collect();
        let open = rows.open;
        rows.rename(self.labels(&cte.alias), &mut self.flows);
        if let Some(itself) = scope.ctes.get_mut(at) {
            itself.1 = Some(Rc::new(rows.clone()));
        }
        let other = self.body(right, &[], scope)?;
        if let Some(how) = compared_by {
            let how = format!("is compared by {how}");
            for flow in places.iter().copied().chain(other.flows()) {
                compare(flow, &mut self.flows, &how)?;
            }
        }
        let differ = "WITH RECURSIVE whose second query has other columns than the first";
        if open.is_some() || other.open.is_some() || places.len() != other.columns.len() {
            let protected = |rows: &Rows<'a>| {
                rows.flows()
                    .any(|flow| !self.flows.settings(flow).is_empty())
            };
            if protected(&rows) || protected(&other) {
                return Err(self.form(differ));
            }
            for flow in rows.flows().chain(other.flows()) {
                self.flows.see(flow);
            }
            return Ok(rows);
        }
        for (place, more) in places.into_iter().zip(other.flows()) {
            if !self.flows.extend(place, more) {
                return Err(self.form(differ));
            }
        }
        Ok(rows)
    }

    fn labels(&self, alias: &Alias) -> Vec<Cow<'a, str>> {
        alias.columns.iter().map(|name| self.name(*name)).collect()
    }

    fn body(
        &mut self,
        body: &Body,
        order_by: &[Key],
        scope: &Scope<'_, 'a>,
    ) -> Result<Rows<'a>, Refusal> {
        let rows = match body {
            Body::Select(select) => return self.select(select, order_by, scope),
            Body::Query(query) => self.query(query, Some(scope))?,
            Body::Write(write) => self.write(write, scope)?,
            Body::Values(rows) => self.values(rows, scope)?,
            Body::Set {
                operation,
                keeps_all,
                left,
                right,
            } => {
                let left = self.body(left, &[], scope)?;
                let right = self.body(right, &[], scope)?;
                if !keeps_all {
                    self.deduplicated(&left, &right, &format!("is compared by {operation}"))?;
                }
                self.both(left, &right)
            }
        };
        for key in order_by {
            self.key(key, &rows, scope)?;
        }
        Ok(rows)
    }

    /// The columns of two queries in one.
    fn both(&mut self, mut left: Rows<'a>, right: &Rows<'a>) -> Rows<'a> {
        let known = left.open.is_none() && right.open.is_none();
        if known && left.columns.len() == right.columns.len() {
            for (column, other) in left.columns.iter_mut().zip(right.flows()) {
                column.flow = self.flows.any([column.flow, other]);
            }
            return left;
        }
        let any: Vec<Flow> = left.flows().chain(right.flows()).chain([PLAIN]).collect();
        let flow = self.flows.any(any);
        for column in &mut left.columns {
            column.flow = flow;
        }
        left.columns.push(Column { name: None, flow });
        left.open = Some(0);
        left
    }

    fn values(&mut self, rows: &[Vec<Term>], scope: &Scope<'_, 'a>) -> Result<Rows<'a>, Refusal> {
        let mut places: Vec<Vec<Flow>> = vec![Vec::new(); rows.first().map_or(0, Vec::len)];
        for row in rows {
            if row.len() != places.len() {
                return Err(self.form("rows of VALUES that differ in length"));
            }
            for (place, term) in places.iter_mut().zip(row) {
                let flow = self.flow(term, scope)?;
                place.push(flow);
            }
        }
        let columns = places.into_iter().enumerate().map(|(at, place)| Column {
            name: Some(Cow::Owned(format!("column{}", at + 1))),
            flow: self.flows.any(place),
        });
        Ok(Rows {
            columns: columns.collect(),
            open: None,
        })
    }

    fn select(
        &mut self,
        select: &Select,
        order_by: &[Key],
        outer: &Scope<'_, 'a>,
    ) -> Result<Rows<'a>, Refusal> {
        let mut scope = Scope::inside(Some(outer));
        self.from(&select.from, &mut scope)?;
        let rows = self.items(&select.items, &scope)?;
        self.operands(&select.operands, &scope)?;
        self.group(select, &rows, &scope)?;
        for key in order_by {
            self.key(key, &rows, &scope)?;
        }
        if let Some(into) = select.into {
            if self.schema.table(into, &self.source).is_some() {
                return Err(self.form("SELECT INTO"));
            }
            self.new_table(&rows)?;
        }
        Ok(rows)
    }

    /// A table that is made of a result is not in the configuration.
    pub(super) fn new_table(&mut self, rows: &Rows<'a>) -> Result<(), Refusal> {
        for flow in rows.flows() {
            compare(
                flow,
                &mut self.flows,
                "would be copied into a new table, which is not protected",
            )?;
        }
        Ok(())
    }

    pub(super) fn relation(
        &mut self,
        relation: &Relation,
        scope: &mut Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let mut is_table = false;
        let (rows, alias, own_name) = match relation {
            Relation::Table(name, alias) => {
                let own = self.name(name.table);
                let cte = match name.schema {
                    None => scope.cte(&own),
                    Some(_) => None,
                };
                let rows = match cte {
                    Some(Some(rows)) => Rows::clone(&rows),
                    Some(None) => {
                        return Err(self.form("WITH RECURSIVE whose queries read later ones"));
                    }
                    None => {
                        let (rows, table) = self.base(*name);
                        let renamed = alias
                            .as_ref()
                            .is_some_and(|alias| !alias.columns.is_empty());
                        is_table = !renamed && table.is_some_and(|table| !table.is_view());
                        rows
                    }
                };
                (rows, alias, Some(own))
            }
            Relation::Derived {
                lateral,
                query,
                alias,
            } => {
                let rows = match lateral {
                    true => self.query(query, Some(scope))?,
                    false => self.query(query, scope.parent)?,
                };
                (rows, alias, None)
            }
            Relation::Function { operands, alias } => {
                self.operands(operands, scope)?;
                (Rows::unknown(), alias, None)
            }
            Relation::Unnest {
                elements,
                ordinality,
                alias,
            } => {
                // Without names of its own a single column has that of the relation.
                let name = match (alias, &**elements) {
                    (Some(alias), [_]) => self.name(alias.name),
                    _ => Cow::Borrowed("unnest"),
                };
                let mut rows = Rows::default();
                for element in elements {
                    let flow = self.flow(element, scope)?;
                    let name = Some(name.clone());
                    rows.columns.push(Column { name, flow });
                }
                rows.columns.extend(ordinality.then_some(Column {
                    name: Some(Cow::Borrowed("ordinality")),
                    flow: PLAIN,
                }));
                (rows, alias, Some(Cow::Borrowed("unnest")))
            }
            Relation::Joined(from, alias) => {
                let (start, split) = (scope.rels.len(), scope.split.len());
                self.from(std::slice::from_ref(from), scope)?;
                if alias.is_none() {
                    return Ok(());
                }
                if scope.split.len() > split {
                    return Err(scope::split("a join in parentheses with a name"));
                }
                let mut rows = Rows::default();
                for rel in scope.rels.drain(start..) {
                    rows.append(&rel.rows);
                }
                if scope.merges {
                    rows.open = Some(0);
                }
                (rows, alias, None)
            }
        };
        let mut rows = rows;
        let name = match alias {
            Some(alias) => {
                rows.rename(self.labels(alias), &mut self.flows);
                Some(self.name(alias.name))
            }
            None => own_name,
        };
        scope.rels.push(Rel {
            name,
            rows: Rc::new(rows),
            is_table,
        });
        Ok(())
    }

    pub(super) fn items(
        &mut self,
        items: &[Item],
        scope: &Scope<'_, 'a>,
    ) -> Result<Rows<'a>, Refusal> {
        let mut rows = Rows::default();
        for item in items {
            match item {
                Item::One { label, term } => {
                    let flow = self.flow(term, scope)?;
                    let name = match (label, term) {
                        (Some(label), _) => Some(self.name(*label)),
                        (None, Term::Column { name, .. }) => Some(self.name(*name)),
                        (None, _) => None,
                    };
                    rows.columns.push(Column { name, flow });
                }
                Item::Wildcard => {
                    if !scope.split.is_empty() {
                        return Err(scope::split("*"));
                    }
                    if scope.merges {
                        rows.open.get_or_insert(rows.columns.len());
                    }
                    for rel in &scope.rels {
                        rows.append(&rel.rows);
                    }
                }
                Item::TableWildcard(qualifier) => {
                    let rels = scope.qualified(&self.name(*qualifier));
                    if rels.len() != 1 {
                        rows.open.get_or_insert(rows.columns.len());
                    }
                    let all = match rels.is_empty() {
                        true => &scope.rels,
                        false => &rels,
                    };
                    for rel in all {
                        rows.append(&rel.rows);
                    }
                }
            }
        }
        Ok(rows)
    }

    /// What rows are ordered by. A name is first looked for among the labels of the result.
    fn key(&mut self, key: &Key, rows: &Rows<'a>, scope: &Scope<'_, 'a>) -> Result<(), Refusal> {
        const HOW: &str = "is compared by ORDER BY";
        match key {
            Key::Computed(operands) => self.operands(operands, scope),
            Key::Column(term) => {
                let flow = self.flow(term, scope)?;
                compare(flow, &mut self.flows, HOW)
            }
            Key::Ordinal(number, _) => {
                let at = number.checked_sub(1);
                let known = at.filter(|at| rows.open.is_none_or(|open| *at < open));
                match known.and_then(|at| rows.columns.get(at)) {
                    Some(column) => compare(column.flow, &mut self.flows, HOW),
                    None => Ok(()),
                }
            }
            Key::Name(token) => {
                let name = self.name(*token);
                let labelled: Vec<Flow> = rows.named(&name).collect();
                if labelled.is_empty() {
                    let flow = scope.column(None, &name, &mut self.flows)?;
                    return compare(flow, &mut self.flows, HOW);
                }
                for flow in labelled {
                    compare(flow, &mut self.flows, HOW)?;
                }
                Ok(())
            }
        }
    }

    pub(super) fn operands(
        &mut self,
        terms: &[Term],
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        for term in terms {
            let flow = self.flow(term, scope)?;
            compare(flow, &mut self.flows, IN_EXPRESSION)?;
        }
        Ok(())
    }

    pub(super) fn flow(&mut self, term: &Term, scope: &Scope<'_, 'a>) -> Result<Flow, Refusal> {
        let leaf = |token: &usize, kind| Leaf {
            token: *token,
            kind,
        };
        Ok(match term {
            Term::Column { qualifier, name } => {
                let qualifier = qualifier.map(|qualifier| self.name(qualifier));
                let (token, name) = (*name, self.name(*name));
                let flow = scope.column(qualifier.as_deref(), &name, &mut self.flows)?;
                let settings = self.flows.settings(flow).iter();
                if settings
                    .clone()
                    .any(|setting| setting.search_column.is_some())
                {
                    self.note_hash_column(token, qualifier.as_deref(), &name, scope);
                }
                flow
            }
            Term::NewValue(name) => {
                let name = self.name(*name);
                scope.column(Some(NEW_VALUES), &name, &mut self.flows)?
            }
            Term::Literal(token) => {
                let kind = LeafKind::Literal(Written::Plainly);
                self.flows.leaf(leaf(token, kind))
            }
            Term::Negative(token) => {
                let kind = LeafKind::Literal(Written::WithMinus);
                self.flows.leaf(leaf(token, kind))
            }
            Term::Param(number, token) => self.flows.leaf(leaf(token, LeafKind::Param(*number))),
            Term::Element(number, token) => {
                self.flows.leaf(leaf(token, LeafKind::Element(*number)))
            }
            Term::ElementOfLiteral(token) => {
                let kind = LeafKind::Literal(Written::InArray);
                self.flows.leaf(leaf(token, kind))
            }
            Term::Nothing => NOTHING,
            Term::Query(query) => self.query(query, Some(scope))?.any(&mut self.flows),
            Term::Choice { results, operands } => {
                self.operands(operands, scope)?;
                let mut all = Vec::with_capacity(results.len());
                for result in results {
                    all.push(self.flow(result, scope)?);
                }
                self.flows.any(all)
            }
            Term::Tested(tested) => {
                if let Term::Param(number, token) = **tested {
                    self.tested.push((number, token));
                    return Ok(PLAIN);
                }
                let flow = self.flow(tested, scope)?;
                self.flows.see(flow);
                PLAIN
            }
            Term::Exists(query) => {
                for flow in self.query(query, Some(scope))?.flows() {
                    self.flows.see(flow);
                }
                PLAIN
            }
            Term::Comparison(comparison) => {
                self.comparison(comparison, scope)?;
                PLAIN
            }
            Term::Like(like) => {
                self.like(like, scope)?;
                PLAIN
            }
            Term::Grouped(value) => {
                self.grouped(value, scope, "is compared by DISTINCT or PARTITION BY")?;
                PLAIN
            }
            Term::HashOf(column, _) => {
                self.operands(std::slice::from_ref(column), scope)?;
                PLAIN
            }
            Term::Computed(operands) | Term::Row(operands) => {
                self.operands(operands, scope)?;
                PLAIN
            }
            Term::Typed(value, cast) => self.cast(value, cast, scope, false)?,
        })
    }

    /// A value with a cast; `stored`: it is written in the place of a column's value.
    pub(super) fn cast(
        &mut self,
        value: &Term,
        cast: &Cast,
        scope: &Scope<'_, 'a>,
        stored: bool,
    ) -> Result<Flow, Refusal> {
        let flow = self.flow(value, scope)?;
        if !self.flows.settings(flow).is_empty() {
            if cast.compared {
                return Ok(flow);
            }
            compare(flow, &mut self.flows, IN_EXPRESSION)?;
            return Ok(PLAIN);
        }
        if self.flows.is_plain(flow) {
            self.flows.see(flow);
            return Ok(PLAIN);
        }
        let is_single = matches!(
            value,
            Term::Literal(_) | Term::Negative(_) | Term::Param(..) | Term::Nothing
        );
        Ok(self.flows.cast(flow, cast, stored && is_single))
    }

    /// A value that is written in the place of a column's.
    pub(super) fn stored(&mut self, term: &Term, scope: &Scope<'_, 'a>) -> Result<Flow, Refusal> {
        match term {
            Term::Typed(value, cast) => self.cast(value, cast, scope, true),
            _ => self.flow(term, scope),
        }
    }
}
