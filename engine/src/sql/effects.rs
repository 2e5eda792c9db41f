//! What a text does to the session, told from its tokens alone.

use super::ident;
use super::token::{Kind, Token};
use std::ops::Range;

/// Functions that run a text which they get as an argument (PostgreSQL core and its contributed modules).
const RUN_TEXT: [&[u8]; 16] = [
    b"query_to_xml",
    b"query_to_xmlschema",
    b"query_to_xml_and_xmlschema",
    b"ts_stat",
    b"ts_rewrite",
    b"dblink",
    b"dblink_exec",
    b"dblink_open",
    b"dblink_send_query",
    b"crosstab",
    b"crosstab2",
    b"crosstab3",
    b"crosstab4",
    b"crosstabn",
    b"connectby",
    b"xpath_table",
];

/// The lengths of their names, by bits.
const RUN_TEXT_LENGTHS: u64 = {
    let mut lengths = 0;
    let mut names: &[&[u8]] = &RUN_TEXT;
    while let [name, rest @ ..] = names {
        lengths |= 1 << name.len();
        names = rest;
    }
    lengths
};

/// A change of the names of prepared statements and cursors, made when the statement completes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameEffect {
    /// `DECLARE name CURSOR …`, and whether it outlives its transaction.
    Declare(Box<[u8]>, bool),
    /// `CLOSE name`
    Close(Box<[u8]>),
    /// `CLOSE ALL`
    CloseAll,
    /// `PREPARE name AS …`
    Prepare(Box<[u8]>),
    /// `DEALLOCATE name`
    Deallocate(Box<[u8]>),
    /// `DEALLOCATE ALL`
    DeallocateAll,
    /// `DISCARD ALL`
    DiscardAll,
}

impl NameEffect {
    /// Whether a statement gets a name.
    pub fn gives(&self) -> bool {
        matches!(self, Self::Prepare(_) | Self::Declare(..))
    }
}

/// A statement of which the name alone is told, and which gives the rows of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowsOf {
    /// `EXECUTE name`
    Prepared(Box<[u8]>),
    /// `FETCH … name`
    Cursor(Box<[u8]>),
}

/// The effects of a text.
#[derive(Debug, Default)]
pub struct Effects {
    /// In the order of the text.
    pub names: Vec<NameEffect>,
    /// Statements that it executes.
    pub executes: Vec<Box<[u8]>>,
    /// Whose rows its statements give, by their numbers from 0 on.
    pub rows_of: Vec<(usize, RowsOf)>,
    /// Whether it may change how later texts are read.
    pub may_change_settings: bool,
    /// Where the part of a text of MySQL begins that the server reads by settings which statements before it may have made, in
    /// bytes.
    pub read_anew: Option<usize>,
    /// Whether it is one statement.
    pub alone: bool,
    /// Whether a statement of MySQL holds others that prepare or execute.
    pub nested: bool,
    /// Whether a string in it may be run as a text of its own, now or later.
    pub runs_text: bool,
}

impl Effects {
    /// Whether there is nothing to follow.
    pub fn is_nothing(&self) -> bool {
        self.names.is_empty()
            && self.executes.is_empty()
            && self.rows_of.is_empty()
            && !self.may_change_settings
    }
}

/// The statements of a text as ranges of its tokens, without their semicolons; empty ones are left out.
pub fn statements<'a>(
    text: &'a [u8],
    tokens: &'a [Token],
) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        (at <= tokens.len()).then(|| {
            let rest = tokens.get(at..).unwrap_or_default();
            let mut depth = 0_usize;
            let length = rest.iter().position(|token| {
                if token.kind != Kind::Punctuation {
                    return false;
                }
                match token.text(text) {
                    b"(" => depth += 1,
                    b")" => depth = depth.saturating_sub(1),
                    b";" => return depth == 0,
                    _ => {}
                }
                false
            });
            let start = at;
            let end = start + length.unwrap_or(rest.len());
            at = end + 1;
            start..end
        })
    })
    .filter(|range| !range.is_empty())
}

/// The place of the name of the prepared statement that a statement executes.
pub fn executed(text: &[u8], statement: &[Token]) -> Option<usize> {
    let is = |at: usize, word: &str| {
        let token: Option<&Token> = statement.get(at);
        token.is_some_and(|token| token.is_word(text, word))
    };
    if is(0, "execute") {
        return Some(1);
    }
    let wraps = is(0, "explain") || is(0, "create");
    let run = (1..statement.len())
        .find(|at| wraps && is(*at, "execute") && (is(0, "explain") || is(at - 1, "as")));
    run.map(|at| at + 1)
}

/// Adds the effects of one statement, the `number`-th of the text from 0 on.
pub fn of_statement(text: &[u8], statement: &[Token], number: usize, effects: &mut Effects) {
    let is = |at: usize, word: &str| {
        statement
            .get(at)
            .is_some_and(|token| token.is_word(text, word))
    };
    let name = |at: usize| {
        statement
            .get(at)
            .map(|token| ident::name(token, text).into())
            .unwrap_or_default()
    };
    if is(0, "prepare") && !is(1, "transaction") {
        effects.names.push(NameEffect::Prepare(name(1)));
    } else if is(0, "deallocate") {
        let at = 1 + usize::from(is(1, "prepare") && statement.len() > 2);
        effects.names.push(match is(at, "all") {
            true => NameEffect::DeallocateAll,
            false => NameEffect::Deallocate(name(at)),
        });
    } else if is(0, "discard") && is(1, "all") {
        effects.names.push(NameEffect::DiscardAll);
        effects.may_change_settings = true;
    } else if is(0, "declare") {
        let holds = (2..statement.len()).find(|at| is(*at, "for"));
        let holds = holds.is_some_and(|end| is(end - 1, "hold") && is(end - 2, "with"));
        effects.names.push(NameEffect::Declare(name(1), holds));
    } else if is(0, "close") {
        effects.names.push(match is(1, "all") {
            true => NameEffect::CloseAll,
            false => NameEffect::Close(name(1)),
        });
    } else if is(0, "fetch") {
        let cursor = RowsOf::Cursor(name(statement.len() - 1));
        effects.rows_of.push((number, cursor));
    } else if is(0, "execute") || is(0, "explain") || is(0, "create") {
        if is(0, "execute") {
            effects.rows_of.push((number, RowsOf::Prepared(name(1))));
        }
        effects.executes.extend(executed(text, statement).map(name));
        effects.runs_text |=
            is(0, "create") && (1..5).any(|at| is(at, "function") || is(at, "procedure"));
    } else if is(0, "do") {
        effects.runs_text = true;
        effects.may_change_settings = true;
    } else {
        // A transaction that is rolled back takes its SETs with it.
        effects.may_change_settings |= ["set", "reset", "rollback", "abort", "call"]
            .iter()
            .any(|word| is(0, word));
    }
    for token in statement {
        // No function of interest has a shorter name.
        if !token.kind.is_name() || token.end - token.start < 6 {
            continue;
        }
        ident::with_name(token, text, |name| {
            effects.may_change_settings |= name == b"set_config";
            effects.runs_text |=
                RUN_TEXT_LENGTHS >> name.len() & 1 == 1 && RUN_TEXT.contains(&name);
        });
    }
}
