//! What the statements of a text do to a user variable of MySQL and MariaDB, such as `@app.client_id`.
//!
//! A user variable can be written in many places. One is followed, an assignment of a literal by `SET`; where the variable
//! is named in the others, or may be without being spelled, the text is refused.

use super::{Choice, Unclear};
use crate::sql::effects::statements;
use crate::sql::mysql::{UsedVariable, VariableUse};
use crate::sql::{Kind, Lexical, Token, lex, literal, mysql, spells};
use std::ops::Range;

/// Longest name of a user variable.
const MAX_NAME: usize = 64;

/// Whether this is the name of a user variable, with its `@`, that needs no quotes.
pub fn is_variable(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    name.strip_prefix('@')
        .is_some_and(|name| !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_part))
}

/// Whether a text may set the variable, however it is read.
pub fn may_choose(text: &[u8], variable: &str) -> bool {
    let name = variable.trim_start_matches('@').to_ascii_lowercase();
    // A name can be written with escapes, and with other letters that are equal to these.
    let is_plain = || text.is_ascii() && !text.contains(&b'\\') || !text.contains(&b'@');
    spells(text, name.as_bytes())
        || spells(text, b"prepare")
        || spells(text, b"immediate")
        || spells(text, b"user_variables")
        || !is_plain()
}

/// What a variable is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Another one.
    No,
    Yes,
    /// The same one, for some servers.
    Maybe,
}

/// Tells what the statements of a text do to the variable, by their numbers.
pub(super) fn text(
    text: &[u8],
    tokens: &[Token],
    lexical: &Lexical,
    variable: &str,
) -> Result<Vec<(usize, Choice)>, Unclear> {
    let read = Text {
        text,
        tokens,
        lexical,
        variable,
    };
    let mut choices = Vec::new();
    for used in read.uses() {
        let is_it = tokens.get(used.token).map(|token| read.named(token)) == Some(Named::Yes);
        match used.usage {
            _ if !is_it => return Err(Unclear::OtherWay),
            VariableUse::Written => return Err(Unclear::OtherWay),
            VariableUse::Set(value) => {
                choices.push((used.statement, Choice::Set(read.value(value)?)));
            }
            VariableUse::Read => {}
        }
    }
    for (number, range) in statements(text, tokens).enumerate() {
        let statement = Text {
            tokens: tokens.get(range).unwrap_or_default(),
            ..read
        };
        statement.strings_that_run()?;
        if statement.is(0, "flush") && statement.has_word("user_variables") {
            choices.push((number, Choice::Set(None)));
        }
    }
    choices.sort_by_key(|(number, _)| *number);
    Ok(choices)
}

/// A text, or one statement of it.
#[derive(Clone, Copy)]
struct Text<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    lexical: &'a Lexical,
    variable: &'a str,
}

impl Text<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| token.is_word(self.text, word))
    }

    fn has_word(&self, word: &str) -> bool {
        (1..self.tokens.len()).any(|at| self.is(at, word))
    }

    /// What is done with the variable.
    fn uses(&self) -> Vec<UsedVariable> {
        mysql::used_variables(self.text, self.tokens, |token| {
            self.named(token) != Named::No
        })
    }

    /// What the variable at a token is called.
    fn named(&self, token: &Token) -> Named {
        let wanted = self.variable.trim_start_matches('@');
        let name = match mysql::user_variable(token, self.text, self.lexical) {
            None => return Named::No,
            Some(name) => name.and_then(|name| String::from_utf8(name.into_owned()).ok()),
        };
        let Some(name) = name else {
            return Named::Maybe;
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Named::Yes;
        }
        // MySQL compares names without accents, and without blanks at their ends.
        let mut letters = name.trim_end_matches(' ').chars();
        let same = |wanted: char| {
            let letter = letters.next();
            letter.is_some_and(|letter| !letter.is_ascii() || letter.eq_ignore_ascii_case(&wanted))
        };
        match wanted.chars().all(same) && letters.next().is_none() {
            true => Named::Maybe,
            false => Named::No,
        }
    }

    /// That strings which are run as texts of their own do not name the variable.
    fn strings_that_run(&self) -> Result<(), Unclear> {
        for runs in mysql::operands(self.text, self.tokens) {
            let token = self.tokens.get(runs).ok_or(Unclear::OtherWay)?;
            let text = literal::string(token, self.text, self.lexical);
            let text = text.ok_or(Unclear::OtherWay)?;
            let is_whole = self.tokens.len() == runs + 1 || self.is(runs + 1, "using");
            let mut tokens = Vec::new();
            if !is_whole || lex(&text, self.lexical, &mut tokens).is_err() {
                return Err(Unclear::OtherWay);
            }
            let run = Text {
                text: &text,
                tokens: &tokens,
                ..*self
            };
            // Servers prepare no text that prepares another.
            let nests = run.is(0, "prepare") || run.is(0, "execute");
            if nests || !run.uses().is_empty() || run.has_word("user_variables") {
                return Err(Unclear::OtherWay);
            }
        }
        Ok(())
    }

    /// What is assigned: one literal. An empty value is none.
    fn value(&self, value: Range<usize>) -> Result<Option<Box<str>>, Unclear> {
        let token = match self.tokens.get(value) {
            Some([token]) => token,
            _ => return Err(Unclear::NotAValue),
        };
        if token.is_word(self.text, "null") {
            return Ok(None);
        }
        let value = match token.kind {
            Kind::Number => token.text(self.text).into(),
            _ => literal::string(token, self.text, self.lexical).ok_or(Unclear::NotAValue)?,
        };
        let value = std::str::from_utf8(&value).map_err(|_| Unclear::NotAValue)?;
        Ok((!value.is_empty()).then(|| value.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Choice, Unclear, choices};
    use super::{is_variable, may_choose};
    use crate::sql::{Lexical, MySql};

    const VARIABLE: &str = "@app.client_id";

    fn of(text: &str) -> Result<Vec<(usize, Choice)>, Unclear> {
        let lexical = Lexical::mysql(MySql::default());
        let choices = choices(text.as_bytes(), &lexical, VARIABLE);
        if choices.as_ref() != Ok(&Vec::new()) {
            assert!(may_choose(text.as_bytes(), VARIABLE), "{text}");
        }
        choices
    }

    fn set(value: &str) -> Choice {
        Choice::Set(Some(value.into()))
    }

    #[test]
    fn what_a_text_does_to_the_variable() {
        for (text, expected) in [
            ("SET @app.client_id = 'one'", Some(set("one"))),
            ("set @APP.Client_ID:=\"one\"", Some(set("one"))),
            ("SET @`app.client_id` = 'o''ne'", Some(set("o'ne"))),
            ("SET @'app.\\client_id' = X'6F6E65'", Some(set("one"))),
            ("SET @app.client_id = 12345", Some(set("12345"))),
            ("SET @app.client_id = NULL", Some(Choice::Set(None))),
            ("SET @app.client_id = ''", Some(Choice::Set(None))),
            (
                "SET autocommit = 0, @a = (1, 2), @app.client_id = 'one', @b = @app.client_id",
                Some(set("one")),
            ),
            ("FLUSH LOCAL USER_VARIABLES", Some(Choice::Set(None))),
            ("SET @app.client_id TO 'one'", None),
            ("SET @app.client = 'one'", None),
            ("SET @app = 'one'", None),
            ("SET @@app.client_id = 'one'", None),
            ("SET @other = @app.client_id", None),
            ("SELECT '@app.client_id := 1'", None),
            ("SELECT @app.client_id, @x := @app.client_id = 'one'", None),
            (
                "INSERT INTO t VALUES (@app.client_id); SELECT @app.client_id INTO @a",
                None,
            ),
            ("BEGIN; SELECT @app.client_id; COMMIT", None),
            ("CALL p(@other)", None),
            (
                "PREPARE s FROM 'SET @other = 1'; EXECUTE s USING @other",
                None,
            ),
            ("EXECUTE IMMEDIATE 'SELECT ?' USING @other", None),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|choice| (0, choice)).collect();
            assert_eq!(of(text), Ok(expected), "{text}");
        }
        assert_eq!(
            of("BEGIN; SET @app.client_id = 'one', @app.client_id = 'two'; COMMIT"),
            Ok(vec![(1, set("one")), (1, set("two"))])
        );
    }

    #[test]
    fn what_is_not_a_value_is_told() {
        for text in [
            "SET @app.client_id = 'a' || 'b'",
            "SET @app.client_id = ?",
            "SET @app.client_id = @other",
            "SET @app.client_id = ('a')",
            "SET @app.client_id = _latin1'a'",
            "SET @app.client_id = DEFAULT",
            "SET @app.client_id = 'a' COLLATE utf8mb4_bin",
        ] {
            assert_eq!(of(text), Err(Unclear::NotAValue), "{text}");
        }
    }

    #[test]
    fn other_ways_of_setting_it_are_told() {
        for text in [
            "SELECT @app.client_id := 'one'",
            "SET @a = @app.client_id := 'one'",
            "SET @a = f(@app.client_id)",
            "DO f(@app.client_id)",
            "SELECT 'one' INTO @app.client_id",
            "SELECT 1, 'one' INTO a, @app.client_id",
            "CALL p(@app.client_id)",
            "EXECUTE s USING @app.client_id",
            "GET DIAGNOSTICS @app.client_id = NUMBER",
            "LOAD DATA LOCAL INFILE 'f' INTO TABLE t (@app.client_id)",
            "SET STATEMENT max_statement_time = 1 FOR SET @app.client_id = 'one'",
            "BEGIN NOT ATOMIC SET @app.client_id = 'one'; END",
            "IF 1 THEN DO 1; SET @app.client_id = 'one'; END IF",
            "CREATE PROCEDURE p() BEGIN DO 1; SET @app.client_id = 'one'; END",
            "SET @`app.client_id ` = 'one'",
            "SET @àpp.client_id = 'one'",
            "SELECT @'app.\\client_id' := 'one'",
            "PREPARE s FROM 'SET @app.client_id = 1'",
            "PREPARE s FROM 'SET @\\'app.\\\\client_id\\' = 1'",
            "PREPARE s FROM @text",
            "PREPARE s FROM 'EXECUTE IMMEDIATE \"SET @x = 1\"'",
            "EXECUTE IMMEDIATE CONCAT('SET @app.cl', 'ient_id = 1')",
            "BEGIN NOT ATOMIC PREPARE s FROM @text; END",
            "/*!80000 SET @app.client_id = 'one' */",
        ] {
            assert_eq!(of(text), Err(Unclear::OtherWay), "{text}");
        }
    }

    #[test]
    fn names_of_variables() {
        for name in ["@app.client_id", "@a", "@A$1"] {
            assert!(is_variable(name), "{name}");
        }
        for name in ["app.client_id", "@", "@@a", "@a b", "@é", "@'a'"] {
            assert!(!is_variable(name), "{name}");
        }
    }
}
