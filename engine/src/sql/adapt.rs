//! What the parser library reads wrongly is given to it in other words of the same meaning.
//!
//! What is put in has the place of a token of the text, so that nothing is found where nothing is.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// What may follow `TABLE` where it is the label of a column, and the clauses of a query.
const CLAUSES: [Keyword; 13] = [
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

/// The tokens of a statement, without blanks, as the library understands them.
pub(super) fn adapted(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut adapted: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // Whether the last clause is a list of columns, by depth.
    let mut in_list = vec![false];
    let mut rest = tokens.into_iter().filter(is_word).peekable();
    while let Some(token) = rest.next() {
        let span = token.span;
        let next = rest.peek().and_then(keyword);
        match (keyword(&token), &token.token) {
            (Some(Keyword::TABLE), _)
                if next.is_some_and(|next| !CLAUSES.contains(&next))
                    && !adapted.last().is_some_and(precedes_name) =>
            {
                for token in [
                    Token::make_keyword("SELECT"),
                    Token::Mul,
                    Token::make_keyword("FROM"),
                ] {
                    adapted.push(TokenWithSpan { token, span });
                }
                continue;
            }
            // After a column it would be taken for a label.
            (Some(Keyword::ON), _)
                if matches!(next, Some(Keyword::CONFLICT | Keyword::DUPLICATE))
                    && in_list.last() == Some(&true) =>
            {
                for token in [Token::make_keyword("WHERE"), Token::make_keyword("TRUE")] {
                    adapted.push(TokenWithSpan { token, span });
                }
            }
            (_, Token::LParen) => in_list.push(false),
            (_, Token::RParen) if in_list.len() > 1 => drop(in_list.pop()),
            (Some(word), _) => {
                if let Some(list) = in_list.last_mut() {
                    *list = word == Keyword::SELECT || *list && !CLAUSES.contains(&word);
                }
            }
            _ => {}
        }
        adapted.push(token);
    }
    adapted
}

fn is_word(token: &TokenWithSpan) -> bool {
    !matches!(token.token, Token::Whitespace(_))
}

fn keyword(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    }
}

/// Whether a keyword after this token is a name.
fn precedes_name(token: &TokenWithSpan) -> bool {
    token.token == Token::Period || matches!(keyword(token), Some(Keyword::AS | Keyword::INTO))
}
