//! Running the parser library where it can do no harm.

use super::adapt::adapted;
use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Token, Tokenizer};

/// Most tokens of a statement that is parsed.
pub(super) const MAX_TOKENS: usize = 100_000;

/// Deepest nesting. The stack is grown for it.
const MAX_DEPTH: usize = 400;

/// Stack for any statement, and more for each of its tokens: a chain of operators makes a tree as deep as it is long,
/// which is walked and dropped recursively.
const STACK: usize = 4 << 20;
const STACK_PER_TOKEN: usize = 1 << 11;

/// Parses a sanitised copy of one statement and hands the tree to `then`, all on a stack that is large enough.
pub(super) fn with_statement<T>(
    copy: &str,
    tokens: usize,
    then: impl FnOnce(&Statement) -> T,
) -> Result<T, ParserError> {
    let stack = STACK + tokens * STACK_PER_TOKEN;
    stacker::maybe_grow(stack, stack, || {
        let statement = parse(copy)?;
        let outcome = then(&statement);
        drop(statement);
        Ok(outcome)
    })
}

fn parse(copy: &str) -> Result<Statement, ParserError> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, copy)
        .with_unescape(false)
        .tokenize_with_location()?;
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(adapted(tokens));
    let statement = parser.parse_statement()?;
    parser.expect_token(&Token::EOF)?;
    Ok(statement)
}
