//! Running the parser library where it can do no harm.

use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

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
    let mut tokens = Tokenizer::new(&dialect, copy)
        .with_unescape(false)
        .tokenize_with_location()?;
    select_tables(&mut tokens);
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_options(ParserOptions::new().with_unescape(false))
        .with_tokens_with_locations(tokens);
    let statement = parser.parse_statement()?;
    parser.expect_token(&Token::EOF)?;
    Ok(statement)
}

/// Makes `SELECT * FROM name` of `TABLE name`, which the library reads wrongly inside of statements.
fn select_tables(tokens: &mut Vec<TokenWithSpan>) {
    /// What may follow `TABLE` where it is the label of a column.
    const FOLLOW_LABEL: [Keyword; 13] = [
        Keyword::FROM,
        Keyword::WHERE,
        Keyword::GROUP,
        Keyword::HAVING,
        Keyword::WINDOW,
        Keyword::UNION,
        Keyword::EXCEPT,
        Keyword::INTERSECT,
        Keyword::ORDER,
        Keyword::LIMIT,
        Keyword::OFFSET,
        Keyword::FETCH,
        Keyword::FOR,
    ];
    let keyword = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    };
    if !tokens
        .iter()
        .any(|token| keyword(token) == Some(Keyword::TABLE))
    {
        return;
    }
    let mut all = Vec::with_capacity(tokens.len() + 8);
    let mut before = None;
    let mut rest = std::mem::take(tokens).into_iter().peekable();
    while let Some(token) = rest.next() {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let is_label = matches!(before, Some(Token::Period))
            || matches!(&before, Some(Token::Word(word)) if matches!(word.keyword, Keyword::AS | Keyword::INTO));
        while rest
            .next_if(|next| matches!(next.token, Token::Whitespace(_)))
            .is_some()
        {}
        let names = rest
            .peek()
            .and_then(keyword)
            .is_some_and(|next| !FOLLOW_LABEL.contains(&next));
        before = Some(token.token.clone());
        if keyword(&token) == Some(Keyword::TABLE) && names && !is_label {
            let span = token.span;
            for token in [
                Token::make_keyword("SELECT"),
                Token::Mul,
                Token::make_keyword("FROM"),
            ] {
                all.push(TokenWithSpan { token, span });
            }
        } else {
            all.push(token);
        }
    }
    *tokens = all;
}
