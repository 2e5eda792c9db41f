//! What MySQL has and the parser library or PostgreSQL does not, told from the words of a statement.

use super::run;
use crate::sql::effects::Effects;
use crate::sql::facts::Source;
use crate::sql::spelling::spells;
use crate::sql::token::{Kind, Token};
use std::ops::Range;

/// What of a statement the parser library is not shown, and keywords that it is shown in the place of others.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Ranges of tokens in no order.
    pub(crate) hidden: Vec<Range<usize>>,
    /// In the order of the text.
    pub(crate) keywords: Vec<(usize, &'static str)>,
}

impl Words {
    /// Those of a statement.
    pub(crate) fn of(source: &Source<'_>) -> Self {
        let mut search = Search {
            source,
            words: Self::default(),
        };
        for at in source.range.0..source.range.1 {
            if source.kind(at) == Some(Kind::Word) {
                search.word(at);
            }
        }
        search.words.keywords.sort_unstable();
        search.words
    }
}

/// Words after `SELECT` that do not change what its rows are.
pub(super) const MODIFIERS: [&str; 8] = [
    "high_priority",
    "straight_join",
    "sql_small_result",
    "sql_big_result",
    "sql_buffer_result",
    "sql_no_cache",
    "sql_cache",
    "sql_calc_found_rows",
];

struct Search<'s, 'a> {
    source: &'s Source<'a>,
    words: Words,
}

impl Search<'_, '_> {
    fn word(&mut self, at: usize) {
        let is_first = at == self.source.range.0;
        let begins = is_first || self.source.is_symbol(at - 1, b')');
        if self.source.is(at, "select") {
            self.modifiers(at + 1);
        } else if is_first && self.source.is_any(at, &["insert", "replace"]) {
            if self.source.is(at, "replace") {
                self.words.keywords.push((at, "INSERT"));
            }
            self.hide_all(
                at + 1,
                &["low_priority", "delayed", "high_priority", "ignore"],
            );
            self.values(at + 1);
        } else if begins && self.source.is(at, "update") {
            self.hide_all(at + 1, &["low_priority", "ignore"]);
            self.tables(at + 1);
        } else if begins && self.source.is(at, "delete") {
            self.hide_all(at + 1, &["low_priority", "quick", "ignore"]);
        } else if self.source.is(at, "straight_join") && !self.is_hidden(at) {
            self.words.keywords.push((at, "JOIN"));
        } else if self.source.is(at, "partition")
            && !is_first
            && self.source.kind(at - 1).is_some_and(Kind::is_name)
        {
            self.hide_list(at, at + 1);
        } else if self.source.is(at, "mod") && !is_first && self.is_modulo(at) {
            // Another operator that binds alike.
            self.words.keywords.push((at, "DIV"));
        } else if self.source.is_any(at, &["use", "force", "ignore"])
            && self.source.is_any(at + 1, &["index", "key"])
        {
            let list = match (
                self.source.is(at + 2, "for"),
                self.source.is(at + 3, "join"),
            ) {
                (true, true) => at + 4,
                (true, false) => at + 5,
                (false, _) => at + 2,
            };
            self.hide_list(at, list);
        } else if self.source.is(at, "lock")
            && self.source.is(at + 1, "in")
            && self.source.is(at + 2, "share")
            && self.source.is(at + 3, "mode")
        {
            self.words.hidden.push(at..at + 4);
        }
    }

    /// What may stand after `SELECT`.
    fn modifiers(&mut self, from: usize) {
        let mut at = from;
        loop {
            if self.source.is_any(at, &MODIFIERS) {
                self.words.hidden.push(at..at + 1);
            } else if self.source.is(at, "distinctrow") {
                self.words.keywords.push((at, "DISTINCT"));
            } else if !self.source.is_any(at, &["all", "distinct"]) {
                return;
            }
            at += 1;
        }
    }

    /// `VALUE` in the place of `VALUES`.
    fn values(&mut self, from: usize) {
        const BEGIN: [&str; 6] = ["value", "values", "set", "select", "with", "table"];
        let mut depth = 0_usize;
        for at in from..self.source.range.1 {
            depth += usize::from(self.source.is_symbol(at, b'('));
            depth = depth.saturating_sub(usize::from(self.source.is_symbol(at, b')')));
            let begins = depth == 0 && at > from && self.source.is_any(at, &BEGIN);
            if begins && !self.source.is_symbol(at - 1, b'.') {
                if self.source.is(at, "value") {
                    self.words.keywords.push((at, "VALUES"));
                }
                return;
            }
        }
    }

    /// Commas between the tables of an `UPDATE`.
    fn tables(&mut self, from: usize) {
        let mut depth = 0_usize;
        for at in from..self.source.range.1 {
            depth += usize::from(self.source.is_symbol(at, b'('));
            depth = depth.saturating_sub(usize::from(self.source.is_symbol(at, b')')));
            if depth == 0 && self.source.is(at, "set") {
                return;
            }
            if depth == 0 && self.source.is_symbol(at, b',') {
                self.words.keywords.push((at, "JOIN"));
            }
        }
    }

    /// Whether `MOD` stands between two values. After a word, what is in parentheses may be arguments of the function.
    fn is_modulo(&self, at: usize) -> bool {
        match self.source.kind(at - 1) {
            Some(Kind::Word) => !self.source.is_symbol(at + 1, b'('),
            Some(Kind::Backtick | Kind::Variable | Kind::Param) => true,
            Some(kind) => kind.is_literal() || self.source.is_symbol(at - 1, b')'),
            None => false,
        }
    }

    fn hide_all(&mut self, from: usize, words: &[&str]) {
        let mut at = from;
        while self.source.is_any(at, words) {
            self.words.hidden.push(at..at + 1);
            at += 1;
        }
    }

    /// Hides what is from `from` on and ends with a list in parentheses, which is nothing but names.
    fn hide_list(&mut self, from: usize, list: usize) {
        if !self.source.is_symbol(list, b'(') {
            return;
        }
        let mut at = list + 1;
        while self.source.kind(at).is_some_and(Kind::is_name) || self.source.is_symbol(at, b',') {
            at += 1;
        }
        if self.source.is_symbol(at, b')') {
            self.words.hidden.push(from..at + 1);
        }
    }

    fn is_hidden(&self, at: usize) -> bool {
        self.words.hidden.last().is_some_and(|last| last.end > at)
    }
}

/// Whether the token at a place is one of these words.
pub(super) fn is(text: &[u8], statement: &[Token], at: usize, words: &[&str]) -> bool {
    let token = statement.get(at);
    token.is_some_and(|token| words.iter().any(|word| token.is_word(text, word)))
}

/// Whether a statement tells about tables or administers them, and can carry neither values nor expressions.
pub(crate) fn is_harmless(text: &[u8], statement: &[Token]) -> bool {
    const READ: [&str; 8] = [
        "select", "insert", "replace", "update", "delete", "with", "values", "table",
    ];
    let has_data = || statement.iter().any(|token| token.kind.is_data());
    let reads = || (1..statement.len()).any(|at| is(text, statement, at, &READ));
    if is(text, statement, 0, &["show"]) {
        return !(1..statement.len()).any(|at| is(text, statement, at, &["where"]));
    }
    if is(text, statement, 0, &["describe", "desc", "explain"]) {
        return !reads();
    }
    if is(text, statement, 0, &["grant", "revoke"]) {
        return true;
    }
    if is(text, statement, 0, &["analyze"]) {
        // With MariaDB it may run a statement.
        const TABLES: [&str; 4] = ["table", "tables", "local", "no_write_to_binlog"];
        return is(text, statement, 1, &TABLES) && !has_data();
    }
    let maintains = [
        "optimize",
        "check",
        "checksum",
        "repair",
        "lock",
        "unlock",
        "flush",
        "truncate",
        "drop",
        "use",
        "savepoint",
        "release",
        "rollback",
    ];
    is(text, statement, 0, &maintains) && !has_data()
}

/// Whether a statement makes a table of the rows of a query.
pub(crate) fn makes_table(text: &[u8], statement: &[Token]) -> bool {
    let is_at = |at: usize, words: &[&str]| is(text, statement, at, words);
    let tables = (0..statement.len()).filter(|at| is_at(*at, &["table"]));
    let rows = |at: usize| {
        is_at(at, &["select", "with"]) && !is_at(at + 1, &["system", "parser"])
            || is_at(at, &["values"]) && is_at(at + 1, &["row"])
    };
    is_at(0, &["create"])
        && (1..4).any(|at| is_at(at, &["table"]))
        && (tables.count() > 1 || (1..statement.len()).any(rows))
}

/// Whether a text defines what runs later: a procedure, function, trigger or event, whose statements it is full of.
pub(crate) fn is_routine(text: &[u8], tokens: &[Token]) -> bool {
    const ROUTINES: [&str; 5] = ["procedure", "function", "trigger", "event", "package"];
    let named = |at: usize| is(text, tokens, at, &ROUTINES);
    is(text, tokens, 0, &["create", "alter"]) && (1..tokens.len().min(24)).any(named)
}

/// Adds what one statement does to the session.
pub(crate) fn effects(text: &[u8], statement: &[Token], effects: &mut Effects) {
    let changes_reading = changes_reading(text, statement);
    if changes_reading && effects.read_anew.is_none() {
        effects.read_anew = statement.last().map(|last| last.end as usize);
    }
    effects.may_change_settings |= changes_reading || is(text, statement, 0, &["use"]);
    effects.runs_text |= run::operands(text, statement).next().is_some();
    run::names(text, statement, effects);
}

/// Whether a statement may change how texts behind it are read. What a routine sets ends with it.
fn changes_reading(text: &[u8], statement: &[Token]) -> bool {
    let begins = |words: &[&str]| is(text, statement, 0, words);
    if begins(&["set"]) {
        return is(text, statement, 1, &["statement"]) || sets_reading(text, statement);
    }
    if begins(&["begin"]) {
        return statement.len() > 1 && !is(text, statement, 1, &["work"]);
    }
    let is_named = statement.first().is_some_and(|first| first.kind.is_name());
    is_named && !begins(&PLAIN)
}

/// Whether a statement with this first word does nothing to the session but run.
pub(crate) fn changes_nothing(word: &[u8]) -> bool {
    let is = |plain: &str| word.eq_ignore_ascii_case(plain.as_bytes());
    PLAIN.iter().any(|plain| is(plain)) && !is("use")
}

/// First words of statements that change nothing, and hold none that do. Others, such as MariaDB's `IF` and `FOR`, a label, or
/// what is not known, may hold a `SET`.
const PLAIN: [&str; 48] = [
    "select",
    "insert",
    "update",
    "delete",
    "replace",
    "with",
    "values",
    "table",
    "show",
    "commit",
    "rollback",
    "start",
    "savepoint",
    "release",
    "call",
    "do",
    "use",
    "prepare",
    "deallocate",
    "drop",
    "create",
    "alter",
    "rename",
    "truncate",
    "describe",
    "desc",
    "explain",
    "analyze",
    "optimize",
    "check",
    "checksum",
    "repair",
    "lock",
    "unlock",
    "kill",
    "flush",
    "grant",
    "revoke",
    "handler",
    "load",
    "xa",
    "cache",
    "help",
    "signal",
    "reset",
    "purge",
    "change",
    "stop",
];

/// Whether a `SET` names a variable that texts are read by, by itself or within `NAMES` and `CHARACTER SET`.
fn sets_reading(text: &[u8], statement: &[Token]) -> bool {
    let range = match statement {
        [first, .., last] => first.start as usize..last.end as usize,
        _ => return false,
    };
    let statement = text.get(range).unwrap_or_default();
    ["sql_mode", "char", "names"]
        .iter()
        .any(|word| spells(statement, word.as_bytes()))
}
