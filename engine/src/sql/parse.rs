//! Running the parser library where it can do no harm.

use super::adapt::adapted;
use super::lexical::Dialect;
use sqlparser::ast::Statement;
use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect};
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Deepest nesting. The stack is grown for it.
const MAX_DEPTH: usize = 400;

/// Stack for any statement, and more for each of its tokens: a chain of operators makes a tree as deep as it is long,
/// which is walked and dropped recursively.
const STACK: usize = 4 << 20;
const STACK_PER_TOKEN: usize = match cfg!(debug_assertions) {
    true => 1 << 14,
    false => 1 << 11,
};

/// Parses the tokens of one statement and hands the tree to `then`, all on a stack that is large enough.
pub(super) fn with_statement<T>(
    tokens: Vec<TokenWithSpan>,
    dialect: Dialect,
    then: impl FnOnce(&Statement) -> T,
) -> Result<T, ParserError> {
    let stack = STACK + tokens.len() * STACK_PER_TOKEN;
    stacker::maybe_grow(stack, stack, || {
        let statement = parse(tokens, dialect)?;
        let outcome = then(&statement);
        drop(statement);
        Ok(outcome)
    })
}

fn parse(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Result<Statement, ParserError> {
    let library: &dyn sqlparser::dialect::Dialect = match dialect {
        Dialect::PostgreSql => &PostgreSqlDialect {},
        Dialect::MySql(_) => &MySqlDialect {},
    };
    let mut parser = Parser::new(library)
        .with_recursion_limit(MAX_DEPTH)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(adapted(tokens));
    let statement = parser.parse_statement()?;
    parser.expect_token(&Token::EOF)?;
    Ok(statement)
}
