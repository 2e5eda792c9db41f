//! What a statement of PostgreSQL does to the variable.

use super::{Choice, Unclear};
use crate::sql::effects::statements;
use crate::sql::{Kind, Lexical, Token, ident, literal};

/// Tells what the statements of a text do to the variable, by their numbers.
pub(super) fn text(
    text: &[u8],
    tokens: &[Token],
    lexical: &Lexical,
    variable: &str,
) -> Result<Vec<(usize, Choice)>, Unclear> {
    let mut choices = Vec::new();
    for (number, range) in statements(text, tokens).enumerate() {
        let statement = Statement {
            text,
            tokens: tokens.get(range).unwrap_or_default(),
            lexical,
            variable,
        };
        choices.extend(
            statement
                .first_words()?
                .into_iter()
                .map(|choice| (number, choice)),
        );
        statement.calls(|choice| choices.push((number, choice)))?;
    }
    Ok(choices)
}

struct Statement<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    lexical: &'a Lexical,
    variable: &'a str,
}

impl Statement<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| token.is_word(self.text, word))
    }

    fn symbol(&self, at: usize, symbol: u8) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| token.is(self.text, symbol))
    }

    fn name(&self, at: usize) -> Box<[u8]> {
        let token = self.tokens.get(at);
        token.map_or_else(Box::default, |token| ident::name(token, self.text).into())
    }

    fn last_name(&self) -> Box<[u8]> {
        self.name(self.tokens.len().saturating_sub(1))
    }

    fn first_words(&self) -> Result<Option<Choice>, Unclear> {
        let prepared = self.is(1, "prepared");
        Ok(match () {
            () if self.is(0, "set") => {
                let local = self.is(1, "local");
                let start = 1 + usize::from(local || self.is(1, "session"));
                let Some(end) = self.variable_at(start) else {
                    return Ok(None);
                };
                let value = self.value(end + 1)?;
                Some(match local {
                    true => Choice::SetLocal(value),
                    false => Choice::Set(value),
                })
            }
            () if self.is(0, "reset") => {
                let resets = self.is(1, "all") || self.variable_at(1).is_some();
                resets.then_some(Choice::Set(None))
            }
            () if self.is(0, "discard") && self.is(1, "all") => Some(Choice::Set(None)),
            () if prepared => None,
            () if self.is(0, "commit") || self.is(0, "end") => Some(Choice::Commit),
            () if self.is(0, "prepare") && self.is(1, "transaction") => Some(Choice::Commit),
            () if self.is(0, "rollback") || self.is(0, "abort") => {
                let to = (1..self.tokens.len()).any(|at| self.is(at, "to"));
                Some(match to {
                    true => Choice::RollbackTo(self.last_name()),
                    false => Choice::Rollback,
                })
            }
            () if self.is(0, "savepoint") => Some(Choice::Savepoint(self.name(1))),
            () if self.is(0, "release") => Some(Choice::Release(self.last_name())),
            () => None,
        })
    }

    /// The token behind the variable's name, if that is what stands here.
    fn variable_at(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let mut name = String::new();
        loop {
            let token = self.tokens.get(at)?;
            if !token.kind.is_name() {
                return None;
            }
            name.push_str(&String::from_utf8_lossy(&ident::name(token, self.text)));
            at += 1;
            if !self.symbol(at, b'.') {
                break;
            }
            name.push('.');
            at += 1;
        }
        name.eq_ignore_ascii_case(self.variable).then_some(at)
    }

    /// The value behind `=` or `TO`: all that is left of the statement.
    fn value(&self, at: usize) -> Result<Option<Box<str>>, Unclear> {
        if self.tokens.len() != at + 1 {
            return Err(Unclear::NotAValue);
        }
        match self.is(at, "default") {
            true => Ok(None),
            false => self.literal(at),
        }
    }

    /// A string, number or word. An empty value is none.
    fn literal(&self, at: usize) -> Result<Option<Box<str>>, Unclear> {
        let token = self.tokens.get(at).ok_or(Unclear::NotAValue)?;
        let value = match token.kind {
            Kind::Number => token.text(self.text).into(),
            kind if kind.is_name() => ident::name(token, self.text),
            _ => literal::string(token, self.text, self.lexical).ok_or(Unclear::NotAValue)?,
        };
        let value = std::str::from_utf8(&value).map_err(|_| Unclear::NotAValue)?;
        Ok((!value.is_empty()).then(|| value.into()))
    }

    /// Calls of `set_config('variable', 'value', is_local)`.
    fn calls(&self, mut found: impl FnMut(Choice)) -> Result<(), Unclear> {
        for (at, token) in self.tokens.iter().enumerate() {
            let is_call = token.kind.is_name()
                && ident::with_name(token, self.text, |name| name == b"set_config")
                && self.symbol(at + 1, b'(');
            let named = self.tokens.get(at + 2).filter(|_| is_call);
            let named = named.filter(|token| token.kind.is_string());
            let named = named.and_then(|token| literal::string(token, self.text, self.lexical));
            if !named.is_some_and(|name| name.eq_ignore_ascii_case(self.variable.as_bytes())) {
                continue;
            }
            let value = match self.is(at + 4, "null") {
                true => None,
                false => self.literal(at + 4)?,
            };
            let local = match () {
                () if self.is(at + 6, "true") => true,
                () if self.is(at + 6, "false") => false,
                () => return Err(Unclear::NotAValue),
            };
            let ends = self.symbol(at + 3, b',') && self.symbol(at + 5, b',');
            if !ends || !self.symbol(at + 7, b')') {
                return Err(Unclear::NotAValue);
            }
            found(match local {
                true => Choice::SetLocal(value),
                false => Choice::Set(value),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Choice, Unclear, choices};
    use crate::sql::Lexical;

    fn of(text: &str) -> Result<Vec<(usize, Choice)>, Unclear> {
        choices(text.as_bytes(), &Lexical::default(), "app.client_id")
    }

    fn set(value: &str) -> Choice {
        Choice::Set(Some(value.into()))
    }

    #[test]
    fn what_a_text_does_to_the_variable() {
        for (text, expected) in [
            ("SET app.client_id = 'one'", Some(set("one"))),
            ("set Session APP.\"client_id\" to one", Some(set("one"))),
            ("SET app.client_id = E'o\\x6ee'", Some(set("one"))),
            ("SET app.client_id = 12345", Some(set("12345"))),
            ("SET app.client_id TO DEFAULT", Some(Choice::Set(None))),
            ("SET app.client_id = ''", Some(Choice::Set(None))),
            (
                "SET LOCAL app.client_id = 'one'",
                Some(Choice::SetLocal(Some("one".into()))),
            ),
            ("RESET app.client_id", Some(Choice::Set(None))),
            ("RESET ALL", Some(Choice::Set(None))),
            ("DISCARD ALL", Some(Choice::Set(None))),
            (
                "SELECT pg_catalog.set_config('App.Client_id', 'one', false)",
                Some(set("one")),
            ),
            (
                "SELECT set_config('app.client_id', NULL, true) FROM t",
                Some(Choice::SetLocal(None)),
            ),
            ("END", Some(Choice::Commit)),
            ("PREPARE TRANSACTION 'x'", Some(Choice::Commit)),
            ("ROLLBACK WORK", Some(Choice::Rollback)),
            ("SAVEPOINT s", Some(Choice::Savepoint(b"s"[..].into()))),
            ("ROLLBACK TO S", Some(Choice::RollbackTo(b"s"[..].into()))),
            (
                "RELEASE SAVEPOINT s",
                Some(Choice::Release(b"s"[..].into())),
            ),
            ("COMMIT PREPARED 'x'", None),
            ("SET app.other = 'one'", None),
            ("SET client_id = 'one'", None),
            ("SET app.client_id.more = 'one'", None),
            ("SELECT set_config('app.other', x, y)", None),
            ("SELECT 'SET app.client_id = 1'", None),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|choice| (0, choice)).collect();
            assert_eq!(of(text), Ok(expected), "{text}");
        }
        assert_eq!(
            of("BEGIN; SET app.client_id = 'one'; COMMIT"),
            Ok(vec![(1, set("one")), (2, Choice::Commit)])
        );
    }

    #[test]
    fn what_is_not_a_value_is_told() {
        for text in [
            "SET app.client_id = 'one', 'two'",
            "SET app.client_id = $1",
            "SET app.client_id",
            "SELECT set_config('app.client_id', $1, false)",
            "SELECT set_config('app.client_id', 'a' || 'b', false)",
            "SELECT set_config('app.client_id', 'a', x)",
        ] {
            assert_eq!(of(text), Err(Unclear::NotAValue), "{text}");
        }
    }
}
