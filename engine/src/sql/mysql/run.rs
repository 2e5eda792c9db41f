//! Strings that statements run as texts of their own, and prepared statements by their names.

use super::words::{is, is_routine};
use crate::sql::effects::{Effects, NameEffect};
use crate::sql::ident;
use crate::sql::token::Token;

/// The places in a statement, or in a block of them, of what is run: after `PREPARE name FROM` and `EXECUTE IMMEDIATE`.
pub(crate) fn operands<'a>(
    text: &'a [u8],
    statement: &'a [Token],
) -> impl Iterator<Item = usize> + 'a {
    commands(text, statement).filter_map(move |at| {
        if prepares(text, statement, at) {
            Some(at + 3)
        } else if is(text, statement, at, &["execute"])
            && is(text, statement, at + 1, &["immediate"])
        {
            Some(at + 2)
        } else {
            None
        }
    })
}

fn prepares(text: &[u8], statement: &[Token], at: usize) -> bool {
    is(text, statement, at, &["prepare"]) && is(text, statement, at + 2, &["from"])
}

/// The places of `PREPARE` and `EXECUTE` where a statement may begin with them: in front, and within what holds statements.
fn commands<'a>(text: &'a [u8], statement: &'a [Token]) -> impl Iterator<Item = usize> + 'a {
    const BEFORE: [&str; 7] = ["begin", "atomic", "then", "else", "do", "loop", "repeat"];
    // A handler's statement follows its condition, a routine's what is said of it, and that of MariaDB's SET STATEMENT the settings.
    let anywhere = || {
        is(text, statement, 0, &["declare"])
            || is(text, statement, 0, &["set"]) && is(text, statement, 1, &["statement"])
            || is_routine(text, statement)
    };
    let is_command =
        |token: &Token| token.is_word(text, "prepare") || token.is_word(text, "execute");
    let places = statement.iter().enumerate();
    places.filter_map(move |(at, token)| {
        let begins = || match at.checked_sub(1).and_then(|before| statement.get(before)) {
            None => true,
            Some(before) => {
                let is_keyword = BEFORE.iter().any(|word| before.is_word(text, word));
                is_keyword || before.text(text) == b":" || anywhere()
            }
        };
        (is_command(token) && begins()).then_some(at)
    })
}

/// Adds the names that one statement gives, takes back and executes.
pub(super) fn names(text: &[u8], statement: &[Token], effects: &mut Effects) {
    let name = |at: usize| -> Box<[u8]> {
        let token = statement.get(at);
        token.map_or_else(Box::default, |token| ident::name(token, text).into())
    };
    if is(text, statement, 0, &["deallocate", "drop"]) && is(text, statement, 1, &["prepare"]) {
        effects.names.push(NameEffect::Deallocate(name(2)));
        return;
    }
    for at in commands(text, statement) {
        effects.nested |= at > 0;
        if prepares(text, statement, at) {
            effects.names.push(NameEffect::Prepare(name(at + 1)));
            if at > 0 {
                // Whether it is run is not known, nor how often.
                effects.names.push(NameEffect::Deallocate(name(at + 1)));
            }
        } else if is(text, statement, at, &["execute"])
            && !is(text, statement, at + 1, &["immediate"])
        {
            effects.executes.push(name(at + 1));
        }
    }
}
