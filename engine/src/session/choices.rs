//! What a text does to the client that a session has chosen by a variable of SQL (policy.md 4.3).

use super::ClientError;
use super::stop::Stop;
use crate::keys::ClientId;
use crate::plan::{self, Choice, Lexical, Plan, Unclear};

/// What the statements of a text do to the variable, by their numbers.
pub(super) type Choices = Box<[(usize, Choice)]>;

/// What a text does to the variable. `plan` is that of the text.
pub(super) fn choices(
    text: &[u8],
    lexical: &Lexical,
    variable: &str,
    plan: &Plan,
) -> Result<Choices, Stop> {
    let refuse = |sqlstate, message: &str, hint: &str| {
        let message = format!("{variable} {message}");
        Err(Stop::Refuse(
            "client-choice",
            ClientError::error(sqlstate, message).hint(hint),
        ))
    };
    let choices = match plan::choices(text, lexical, variable) {
        Ok(choices) => choices,
        Err(Unclear::NotAValue) => {
            return refuse(
                "0A000",
                "is set to something that is not a string, so that the client whose keys are used would not be known",
                "Write the client id as a string in the statement.",
            );
        }
        Err(Unclear::OtherWay) => {
            return refuse(
                "0A000",
                "may be set in a way that acra-server does not follow, so that the client whose keys are used would not be known",
                "Set it by a SET of its own, and name it nowhere but in queries.",
            );
        }
    };
    let wrong = |choice: &Choice| match choice {
        Choice::Set(Some(id)) | Choice::SetLocal(Some(id)) => ClientId::new(id).is_err(),
        _ => false,
    };
    if choices.iter().any(|(_, choice)| wrong(choice)) {
        return refuse(
            "22023",
            "is set to something that is not a client id",
            "A client id has 5 to 256 letters, digits, hyphens, underscores and blanks.",
        );
    }
    let sets = choices.iter().any(|(_, choice)| choice.sets());
    if sets && (plan.protected || !plan.executes.is_empty()) {
        return refuse(
            "0A000",
            "is set in one text with a statement on a protected table",
            "Send the statement that chooses the client as a text of its own.",
        );
    }
    Ok(choices.into())
}

/// The client that a value of the variable stands for. A text with another value has been refused.
pub(super) fn client(value: Option<&str>) -> Option<ClientId> {
    value.and_then(|id| ClientId::new(id).ok())
}
