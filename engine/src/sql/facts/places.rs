//! Where the queries of `UNION`, `INTERSECT` and `EXCEPT` are in the text, and `NATURAL`.
//!
//! The parser library tells the first word of a `SELECT` and where names are. What it does not tell, where the operation is and where a
//! query ends, is found by words that are reserved, so that they are no names there.

use super::reader::Reader;
use super::tree::{Alias, Body, NaturalTokens, Relation, SetTokens, TableName};
use sqlparser::ast::{Query, SetExpr};

/// What ends a `SELECT`, besides a parenthesis.
const FOLLOWING: [&str; 9] = [
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "returning",
];

/// What may follow a table that is joined by `NATURAL`, besides a comma, a parenthesis and the end.
const AFTER_TABLE: [&str; 21] = [
    "natural",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "where",
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "set",
    "returning",
];

impl Reader<'_> {
    /// Where the parts of a set operation are; `None` if that is not certain. Each query is told as it was parsed and as it was read.
    pub(super) fn set_tokens(
        &mut self,
        left: (&SetExpr, &Body),
        right: (&SetExpr, &Body),
    ) -> Option<SetTokens> {
        let second = self.first_of(right)?;
        let mut operation = second.checked_sub(1)?;
        if self.is_word(operation, "all") || self.is_word(operation, "distinct") {
            operation = operation.checked_sub(1)?;
        }
        let names = ["union", "intersect", "except"];
        let is_operation = names.iter().any(|name| self.is_word(operation, name));
        let tokens = SetTokens {
            first: self.first_of(left)?,
            operation: operation..second,
            last: self.last_of(right, second)?,
        };
        let is_once = |at| {
            let mut repeats = self.source.folded.iter();
            !repeats.any(|range| range.contains(&at))
        };
        let all = [tokens.first, operation, tokens.last];
        (is_operation && tokens.first < operation && all.into_iter().all(is_once)).then_some(tokens)
    }

    /// The first token of a query.
    fn first_of(&self, query: (&SetExpr, &Body)) -> Option<usize> {
        match query {
            (SetExpr::Select(select), _) => self.source.token_at(select.select_token.0.span),
            (SetExpr::SetOperation { .. }, Body::Set { tokens, .. }) => {
                Some(tokens.as_ref()?.first)
            }
            (SetExpr::Query(query), Body::Query(read)) => {
                let Query { with, body, .. } = &**query;
                let inner = match with {
                    Some(with) => self.source.token_at(with.with_token.0.span)?,
                    None => self.first_of((body, &read.body))?,
                };
                let open = inner.checked_sub(1)?;
                self.source.is_symbol(open, b'(').then_some(open)
            }
            _ => None,
        }
    }

    /// The last token of a query that begins at a token.
    fn last_of(&mut self, query: (&SetExpr, &Body), first: usize) -> Option<usize> {
        match query {
            (SetExpr::Select(_), _) => self.end_of_select(first),
            (SetExpr::SetOperation { .. }, Body::Set { tokens, .. }) => Some(tokens.as_ref()?.last),
            (SetExpr::Query(_), _) => self.closing(first),
            _ => None,
        }
    }

    /// The parenthesis that closes the one at a token.
    fn closing(&mut self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in open..self.source.range.1 {
            if !self.walk_again() {
                return None;
            }
            if self.source.is_symbol(at, b'(') {
                depth += 1;
            } else if self.source.is_symbol(at, b')') {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        None
    }

    /// The last token of a `SELECT` that begins at a token.
    fn end_of_select(&mut self, select: usize) -> Option<usize> {
        let mut at = select + 1;
        while at < self.source.range.1 && !self.source.is_symbol(at, b')') {
            if self.source.is_symbol(at, b'(') {
                at = self.closing(at)? + 1;
                continue;
            }
            // A label after AS and a name after a dot can be any word.
            let is_name = self.is_word(at - 1, "as") || self.source.is_symbol(at - 1, b'.');
            let follows = FOLLOWING.iter().any(|word| self.is_word(at, word))
                || self.is_word(at, "on") && self.is_word(at + 1, "conflict")
                || self.source.dialect.is_mysql()
                    && (self.is_word(at, "lock")
                        || self.is_word(at, "on") && self.is_word(at + 1, "duplicate"));
            if follows && !is_name {
                break;
            }
            at += 1;
        }
        Some(at - 1)
    }

    /// Where `NATURAL JOIN` of a relation is; `None` if that is not certain.
    pub(super) fn natural(&self, joined: &Relation) -> Option<NaturalTokens> {
        let Relation::Table(TableName { schema, table }, alias) = joined else {
            return None;
        };
        let last = match alias {
            None => *table,
            Some(Alias { name, columns }) => match columns.last() {
                None => *name,
                Some(column) => column + 1,
            },
        };
        let next = last + 1;
        let ends = next >= self.source.range.1
            || [b',', b')']
                .into_iter()
                .any(|symbol| self.source.is_symbol(next, symbol))
            || AFTER_TABLE.iter().any(|word| self.is_word(next, word));
        let mut before = schema.unwrap_or(*table).checked_sub(1)?;
        if !ends || !self.is_word(before, "join") {
            return None;
        }
        before = before.checked_sub(1)?;
        if self.is_word(before, "outer") {
            before = before.checked_sub(1)?;
        }
        if ["inner", "left", "right", "full"]
            .iter()
            .any(|how| self.is_word(before, how))
        {
            before = before.checked_sub(1)?;
        }
        let natural = self.is_word(before, "natural").then_some(before)?;
        Some(NaturalTokens { natural, last })
    }
}
