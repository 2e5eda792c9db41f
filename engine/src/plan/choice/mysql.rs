//! What the statements of a text do to a user variable of MySQL and MariaDB, such as `@app.client_id`.
//!
//! A user variable can be written in many places. One is followed, an assignment of a literal by `SET`; where the variable
//! is named in the others, or may be without being spelled, the text is refused.

use super::{Choice, Unclear};
use crate::sql::effects::statements;
use crate::sql::{Dialect, Kind, Lexical, Token, lex, literal, mysql, spells};

/// Longest name of a user variable.
const MAX_NAME: usize = 64;

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
    let mut choices = Vec::new();
    let (mut named, mut plain) = (false, true);
    for (number, range) in statements(text, tokens).enumerate() {
        let statement = Statement {
            text,
            tokens: tokens.get(range).unwrap_or_default(),
            lexical,
            variable,
        };
        statement.strings_that_run()?;
        plain &= statement.is_plain();
        named |= statement.names_it();
        if statement.is(0, "set") {
            statement.assignments(|value| choices.push((number, Choice::Set(value))))?;
        } else {
            statement.reads_only()?;
        }
        if statement.is(0, "flush") && statement.has_word("user_variables") {
            choices.push((number, Choice::Set(None)));
        }
    }
    match named && !plain {
        true => Err(Unclear::OtherWay),
        false => Ok(choices),
    }
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

    fn has_word(&self, word: &str) -> bool {
        (1..self.tokens.len()).any(|at| self.is(at, word))
    }

    fn symbol(&self, at: usize, symbol: &[u8]) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            matches!(token.kind, Kind::Punctuation | Kind::Operator)
                && token.text(self.text) == symbol
        })
    }

    fn is_plain(&self) -> bool {
        self.symbol(0, b"(")
            || PLAIN.iter().any(|word| self.is(0, word))
            || self.is(0, "do") && !self.names_it()
            // With more behind it, MariaDB takes it for a block of statements.
            || self.is(0, "begin") && (self.tokens.len() == 1 || self.is(1, "work"))
    }

    /// What the variable at a token is called.
    fn named(&self, at: usize) -> Named {
        let token = self.tokens.get(at);
        let Some(token) = token.filter(|token| token.kind == Kind::Variable) else {
            return Named::No;
        };
        let wanted = self.variable.trim_start_matches('@');
        let raw = token.text(self.text).get(1..).unwrap_or_default();
        let name = match raw.first() {
            Some(b'@') => return Named::No,
            Some(b'\'') => literal_name(raw, self.lexical),
            Some(b'"') if !self.ansi_quotes() => literal_name(raw, self.lexical),
            _ => Some(mysql::name(raw).into_owned()),
        };
        let Some(name) = name.and_then(|name| String::from_utf8(name).ok()) else {
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

    fn ansi_quotes(&self) -> bool {
        matches!(self.lexical.dialect, Dialect::MySql(mysql) if mysql.ansi_quotes)
    }

    fn names_it(&self) -> bool {
        (0..self.tokens.len()).any(|at| self.named(at) != Named::No)
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
            let run = Statement {
                text: &text,
                tokens: &tokens,
                ..*self
            };
            // Servers prepare no text that prepares another.
            let nests = run.is(0, "prepare") || run.is(0, "execute");
            if nests || run.names_it() || run.has_word("user_variables") {
                return Err(Unclear::OtherWay);
            }
        }
        Ok(())
    }

    /// That a statement which is not `SET` does not write the variable.
    fn reads_only(&self) -> Result<(), Unclear> {
        for at in 0..self.tokens.len() {
            let reads = match self.named(at) {
                Named::No => true,
                Named::Maybe => false,
                Named::Yes => !self.symbol(at + 1, b":=") && !self.is_target(at),
            };
            if !reads {
                return Err(Unclear::OtherWay);
            }
        }
        Ok(())
    }

    /// Whether a token is in the list of `INTO`.
    fn is_target(&self, at: usize) -> bool {
        let mut before = at;
        loop {
            let Some(at) = before.checked_sub(1) else {
                return false;
            };
            if self.is(at, "into") {
                return true;
            }
            if !self.symbol(at, b",") {
                return false;
            }
            before = at.saturating_sub(1);
        }
    }

    /// The assignments of a `SET` to the variable.
    fn assignments(&self, mut found: impl FnMut(Option<Box<str>>)) -> Result<(), Unclear> {
        let for_statement = self.is(1, "statement");
        let (mut depth, mut begins) = (0_usize, true);
        for at in 1..self.tokens.len() {
            match self.named(at) {
                Named::No => {}
                Named::Maybe => return Err(Unclear::OtherWay),
                // A function of MariaDB may write its arguments.
                Named::Yes if for_statement || depth > 0 => return Err(Unclear::OtherWay),
                Named::Yes if begins && self.assigns(at) => found(self.value(at + 2)?),
                Named::Yes if self.symbol(at + 1, b":=") => return Err(Unclear::OtherWay),
                Named::Yes => {}
            }
            depth += usize::from(self.symbol(at, b"("));
            depth = depth.saturating_sub(usize::from(self.symbol(at, b")")));
            begins = depth == 0 && self.symbol(at, b",");
        }
        Ok(())
    }

    fn assigns(&self, at: usize) -> bool {
        self.symbol(at + 1, b"=") || self.symbol(at + 1, b":=")
    }

    /// What is assigned: one literal. An empty value is none.
    fn value(&self, at: usize) -> Result<Option<Box<str>>, Unclear> {
        let ends = self.tokens.len() == at + 1 || self.symbol(at + 1, b",");
        let token = self.tokens.get(at).filter(|_| ends);
        let token = token.ok_or(Unclear::NotAValue)?;
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

/// A name in quotes of a string.
fn literal_name(raw: &[u8], lexical: &Lexical) -> Option<Vec<u8>> {
    mysql::string(raw, lexical).map(|name| name.into_owned())
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
