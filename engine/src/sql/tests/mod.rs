mod lexing;
mod literals;
mod mysql;
mod reading;
mod shapes;

use super::{Kind, Lexical, Token, lex};

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    lex(text.as_bytes(), &Lexical::default(), &mut tokens).unwrap();
    tokens
}

/// Tokens as kind and text.
fn spelled(text: &str) -> Vec<(Kind, &str)> {
    tokens(text)
        .iter()
        .map(|token| (token.kind, &text[token.span()]))
        .collect()
}
