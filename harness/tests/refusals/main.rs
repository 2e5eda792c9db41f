//! What is not supported on a protected table is refused before the database sees it: the client is told why and what
//! to do, the session goes on as after any error of the database.

mod doubts;
mod forms;
mod in_step;
mod leaks;
mod lengths;
mod modes;
mod random;
mod transactions;

use acra_harness::raw::{Connection, Message};
use acra_harness::{Error, Result};

/// In every statement that has a value.
const SECRET: &str = "Refused-Secret-77";

/// The one error among these answers.
fn error(answers: &[Message]) -> Result<&Message> {
    let mut errors = answers.iter().filter(|message| message.tag == b'E');
    match (errors.next(), errors.next()) {
        (Some(error), None) => Ok(error),
        _ => Err(Error::new(format!("not one error: {answers:?}"))),
    }
}

/// The state of the transaction as the last answer tells it.
fn state(answers: &[Message]) -> Option<char> {
    let last = answers.last().filter(|message| message.tag == b'Z')?;
    last.body.first().map(|state| char::from(*state))
}

/// That these answers end with this error, and that it says what was refused, why, and what to do.
fn is_refusal(answers: &[Message], code: &str, names: &str) -> Result<()> {
    let error = error(answers)?;
    let field = |name| error.field(name).unwrap_or_default();
    let fits = field(b'C') == code
        && field(b'S') == "ERROR"
        && field(b'M').contains(names)
        && !field(b'H').is_empty()
        && !error.to_string().contains(SECRET)
        && state(answers).is_some();
    match fits {
        true => Ok(()),
        false => Err(Error::new(format!(
            "expected {code} about {names}: {error}"
        ))),
    }
}

/// That a connection goes on.
fn goes_on(connection: &mut Connection) -> Result<()> {
    let answers = connection.query("SELECT 'goes on'")?;
    match answers.get(1).map(ToString::to_string).as_deref() {
        Some("DataRow goes on") => Ok(()),
        _ => Err(Error::new(format!("it does not go on: {answers:?}"))),
    }
}
