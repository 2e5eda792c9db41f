//! The columns of a query: of `SELECT`, `VALUES`, sets of them and `WITH`.

use super::flow::{Flow, PLAIN};
use super::refusal::Refusal;
use super::resolve::Resolver;
use super::scope::{self, Column, Rows, Scope, compare};
use crate::sql::facts::tree::{Body, Cte, Item, Key, Operation, Query, Select, Term};
use std::borrow::Cow;
use std::rc::Rc;

impl<'a> Resolver<'a> {
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
                        left,
                        right,
                        ..
                    },
                    true,
                ) if cte.query.ctes.is_empty()
                    && cte.query.order_by.is_empty()
                    && cte.query.operands.is_empty() =>
                {
                    self.recursive(cte, at, *operation, (left, right), &mut scope)?
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
        operation: Operation,
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
        if operation != Operation::UnionAll {
            let how = operation.how();
            for flow in places.iter().copied().chain(other.flows()) {
                compare(flow, &mut self.flows, how)?;
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
                left: first,
                right,
                tokens,
            } => {
                let left = self.body(first, &[], scope)?;
                let right = self.body(right, &[], scope)?;
                if *operation != Operation::UnionAll {
                    self.compared_rows((&left, &right), *operation, first, tokens.as_ref())?;
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
        for label in &select.labels {
            self.labelled(*label, &rows, &scope)?;
        }
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

    /// A label in an expression of MySQL, where the name may also be that of a column: nothing that it may be is protected.
    fn labelled(
        &mut self,
        label: usize,
        rows: &Rows<'a>,
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        let name = self.name(label);
        let column = scope.column(None, &name, &mut self.flows)?;
        for flow in rows.named(&name).chain([column]) {
            if !self.flows.settings(flow).is_empty() {
                return Err(self.form("the label of a column in an expression"));
            }
            self.flows.see(flow);
        }
        Ok(())
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
}
