//! User variables of MySQL and MariaDB, and what statements do with them.

use super::literal::{name, string};
use super::words::is;
use crate::sql::effects::statements;
use crate::sql::lexical::{Dialect, Lexical};
use crate::sql::token::{Kind, Token};
use std::borrow::Cow;
use std::ops::Range;

/// Statements that write no variable in places of their own, by their first words.
const PLAIN: [&str; 24] = [
    "select",
    "insert",
    "replace",
    "update",
    "delete",
    "with",
    "values",
    "table",
    "set",
    "show",
    "explain",
    "describe",
    "desc",
    "start",
    "commit",
    "rollback",
    "savepoint",
    "release",
    "use",
    "xa",
    "flush",
    "lock",
    "unlock",
    "deallocate",
];

/// What a text does with a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VariableUse {
    /// It reads it.
    Read,
    /// `SET` gives it what these tokens are.
    Set(Range<usize>),
    /// It writes it in another way, or may do so.
    Written,
}

/// A variable in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsedVariable {
    /// Its token.
    pub(crate) token: usize,
    /// The number of its statement, from 0 on.
    pub(crate) statement: usize,
    pub(crate) usage: VariableUse,
}

/// The name of a user variable in lower case, without its `@`. `Some(None)`: its bytes are not known.
pub(crate) fn user_variable<'a>(
    token: &Token,
    text: &'a [u8],
    lexical: &Lexical,
) -> Option<Option<Cow<'a, [u8]>>> {
    if token.kind != Kind::Variable {
        return None;
    }
    let raw = token.text(text).get(1..).unwrap_or_default();
    let ansi_quotes = matches!(lexical.dialect, Dialect::MySql(mysql) if mysql.ansi_quotes);
    match raw.first() {
        Some(b'@') => None,
        Some(b'\'') => Some(lower(string(raw, lexical))),
        Some(b'"') if !ansi_quotes => Some(lower(string(raw, lexical))),
        _ => Some(Some(name(raw))),
    }
}

fn lower(name: Option<Cow<'_, [u8]>>) -> Option<Cow<'_, [u8]>> {
    name.map(|name| Cow::Owned(name.to_ascii_lowercase()))
}

/// What a text does with variables, in its order; `wanted` tells of a token whether it is one of them.
pub(crate) fn used_variables(
    text: &[u8],
    tokens: &[Token],
    wanted: impl Fn(&Token) -> bool,
) -> Vec<UsedVariable> {
    let mut used = Vec::new();
    let mut plain = true;
    for (number, range) in statements(text, tokens).enumerate() {
        let statement = Statement {
            text,
            tokens: tokens.get(range.clone()).unwrap_or_default(),
        };
        let before = used.len();
        let mut place = Place::default();
        for at in 0..statement.tokens.len() {
            if statement.tokens.get(at).is_some_and(&wanted) {
                used.push(UsedVariable {
                    token: range.start + at,
                    statement: number,
                    usage: match statement.usage(at, &place) {
                        VariableUse::Set(value) => {
                            VariableUse::Set(range.start + value.start..range.start + value.end)
                        }
                        usage => usage,
                    },
                });
            }
            place.pass(&statement, at);
        }
        plain &= statement.is_plain(used.len() > before);
    }
    if !plain {
        for one in &mut used {
            one.usage = VariableUse::Written;
        }
    }
    used
}

struct Statement<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
}

/// Where in a statement a token stands.
#[derive(Default)]
struct Place {
    /// In so many parentheses.
    depth: usize,
    /// An assignment of `SET` begins here.
    begins: bool,
    /// In the list of `INTO`.
    into: bool,
}

impl Place {
    /// Goes on behind a token.
    fn pass(&mut self, statement: &Statement<'_>, at: usize) {
        self.depth += usize::from(statement.symbol(at, b"("));
        self.depth = self
            .depth
            .saturating_sub(usize::from(statement.symbol(at, b")")));
        self.begins =
            self.depth == 0 && (statement.symbol(at, b",") || at == 0 && statement.is(0, "set"));
        // What is between the commas of the list is one token each.
        self.into = statement.is(at, "into")
            || self.into && (statement.symbol(at, b",") || statement.symbol(at + 1, b","));
    }
}

impl Statement<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        is(self.text, self.tokens, at, &[word])
    }

    fn symbol(&self, at: usize, symbol: &[u8]) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            matches!(token.kind, Kind::Punctuation | Kind::Operator)
                && token.text(self.text) == symbol
        })
    }

    /// Whether it holds no other statements, and writes variables in no way of its own. `names_any`: it names one of those that are
    /// looked for.
    fn is_plain(&self, names_any: bool) -> bool {
        self.symbol(0, b"(")
            || is(self.text, self.tokens, 0, &PLAIN)
            || self.is(0, "do") && !names_any
            // With more behind it, MariaDB takes it for a block of statements.
            || self.is(0, "begin") && (self.tokens.len() == 1 || self.is(1, "work"))
    }

    /// What is done with the variable at a token.
    fn usage(&self, at: usize, place: &Place) -> VariableUse {
        let assigns = self.symbol(at + 1, b":=");
        if !self.is(0, "set") {
            return match assigns || place.into {
                true => VariableUse::Written,
                false => VariableUse::Read,
            };
        }
        // A function of MariaDB may write its arguments.
        if self.is(1, "statement") || place.depth > 0 {
            return VariableUse::Written;
        }
        if place.begins && (assigns || self.symbol(at + 1, b"=")) {
            return VariableUse::Set(at + 2..self.end_of_value(at + 2));
        }
        match assigns {
            true => VariableUse::Written,
            false => VariableUse::Read,
        }
    }

    /// The end of a value that begins here.
    fn end_of_value(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        let end = (start..self.tokens.len()).find(|at| {
            depth += usize::from(self.symbol(*at, b"("));
            depth = depth.saturating_sub(usize::from(self.symbol(*at, b")")));
            depth == 0 && self.symbol(*at, b",")
        });
        end.unwrap_or(self.tokens.len()).max(start)
    }
}
