//! Which columns of a view's query are protected.

use super::decide::decide;
use crate::columns::{Columns, Setting};
use crate::sql::shape::Shape;
use crate::sql::{Lexical, Token, ident, lex};
use std::sync::Arc;

/// The places, from 0 on, and settings of the protected columns of a query; `None` if it is not understood.
pub(super) fn protected_columns(
    columns: &Columns,
    query: &str,
    lexical: &Lexical,
) -> Option<Vec<(usize, Arc<Setting>)>> {
    let text = query.as_bytes();
    let mut tokens = Vec::new();
    lex(text, lexical, &mut tokens).ok()?;
    let mut shape = Shape::default();
    shape.compute(text, &tokens, lexical);
    let is_protected = |token: &Token| {
        token.kind.is_name() && ident::with_name(token, text, |name| columns.names_table(name))
    };
    let mut found = Vec::new();
    decide(
        columns,
        text,
        &tokens,
        &shape,
        lexical,
        is_protected,
        Some(&mut found),
    )
    .ok()?;
    let place = |place: Option<usize>| place.and_then(|place| place.checked_sub(1));
    found
        .into_iter()
        .map(|column| Some((place(column.place)?, column.setting)))
        .collect()
}
