//! `--explain`: what would be done to a statement, without a database and without keys.

use crate::settings::{self, Protocol, StartError};
use crate::{log_problems, log_warnings, say, snapshot};
use acra_cli::Parsed;
use acra_engine::columns::{Envelope, Likeness, ResponseOnFail, Setting, Side, Transform};
use acra_engine::plan::{
    Copy, Edit, Explanation, Lexical, MySql, Planner, Role, Unsupported, Verdict, in_order, splice,
};
use acra_engine::types::Type;
use acra_telemetry::Logger;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

/// Explains the text of the flag; the exit code is 1 if it is refused or the configuration is wrong.
pub(crate) fn run(parsed: &Parsed) -> ExitCode {
    let logger = match settings::console_logger(parsed) {
        Ok(logger) => logger,
        Err(error) => return say(std::io::stderr(), &error.to_string(), 1),
    };
    log_warnings(parsed, &logger);
    match explanation(parsed, &logger) {
        Ok((text, refused)) => say(std::io::stdout(), &text, u8::from(refused)),
        Err(error) => {
            log_problems(&error.into(), &logger);
            ExitCode::FAILURE
        }
    }
}

/// The explanation, and whether it is that of a refusal.
fn explanation(parsed: &Parsed, logger: &Logger) -> Result<(String, bool), StartError> {
    let path = settings::encryptor_config(parsed);
    let document = snapshot::document(path.as_deref())?;
    let protocol = settings::protocol(parsed)?;
    let columns = snapshot::columns(path.as_deref(), &document, protocol, logger)?;
    // The whole of the little that is planned here.
    let planner = Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 20);
    let text = parsed.text("explain");
    let lexical = match protocol {
        Protocol::PostgreSql => Lexical::default(),
        Protocol::MySql => Lexical::mysql(MySql::default()),
    };
    let explained = planner.explain(text.as_bytes(), &lexical);
    Ok((
        told(text, &explained),
        matches!(explained.verdict, Verdict::Refuse(_)),
    ))
}

fn told(text: &str, explained: &Explanation) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, text, explained);
    out
}

fn write(out: &mut String, text: &str, explained: &Explanation) -> std::fmt::Result {
    if let Verdict::Refuse(refusal) = &explained.verdict {
        writeln!(out, "Refused: {}", refusal.message)?;
        if let Some(detail) = &refusal.detail {
            writeln!(out, "  {detail}")?;
        }
        writeln!(out, "  {}", refusal.hint)?;
        return writeln!(
            out,
            "  SQLSTATE {}, docs/errors.md#{}",
            refusal.sqlstate,
            refusal.code.anchor()
        );
    }
    if !explained.protected {
        return writeln!(
            out,
            "Passes as it is: it names no protected table. Containers in its result are opened."
        );
    }
    let is_rewritten = !explained.literals.is_empty() || !explained.edits.is_empty();
    writeln!(
        out,
        "{}",
        if is_rewritten {
            "Rewritten:"
        } else {
            "Passes as it is."
        }
    )?;
    for literal in &explained.literals {
        let line = text.get(..literal.span.start).unwrap_or_default();
        let place = line.chars().count() + 1;
        let changed = changed(&literal.setting, literal.role);
        writeln!(out, "  value at character {place}: {changed}")?;
    }
    for param in &explained.params {
        writeln!(
            out,
            "  parameter ${}: {}",
            param.number,
            changed(&param.setting, param.role)
        )?;
    }
    for copy in &explained.copies {
        match copy {
            Copy::In(copy) => {
                let columns = copy.columns.iter().enumerate();
                for (at, column) in columns {
                    if let Some(setting) = &column.setting {
                        writeln!(
                            out,
                            "  column {} of the rows: {}",
                            at + 1,
                            changed(setting, Role::Stored)
                        )?;
                    }
                }
            }
            Copy::Load(load) => {
                for (at, target) in load.targets.iter().enumerate() {
                    if let Some(setting) = &target.setting {
                        writeln!(
                            out,
                            "  column {} of the rows: {}",
                            at + 1,
                            changed(setting, Role::Stored)
                        )?;
                    }
                }
            }
            Copy::Out(_) => writeln!(out, "  containers in the rows are opened")?,
            Copy::Pass => {}
        }
    }
    for result in &explained.results {
        let place = match (result.place, &result.label) {
            (Some(place), Some(label)) => format!("result column {place}, \"{label}\""),
            (Some(place), None) => format!("result column {place}"),
            (None, Some(label)) => format!("result column \"{label}\""),
            (None, None) => "a result column".to_owned(),
        };
        writeln!(out, "  {place}: {}", opened(&result.setting))?;
    }
    if !is_rewritten {
        return Ok(());
    }
    let mut edits = explained.edits.clone();
    edits.extend(explained.literals.iter().map(|literal| Edit {
        span: literal.span.clone(),
        text: stand_in(&literal.setting, literal.role).into(),
    }));
    let mut sent = Vec::new();
    splice(text.as_bytes(), &in_order(edits), &mut sent);
    writeln!(
        out,
        "Sent to the database:\n  {}",
        String::from_utf8_lossy(&sent)
    )
}

/// What becomes of a value.
fn changed(setting: &Setting, role: Role) -> String {
    let Setting { table, column, .. } = setting;
    match (role, setting.likeness()) {
        (Role::Stored, _) => encrypted(setting),
        (_, Some(Likeness::Token)) => {
            format!("compared with column \"{column}\" of table \"{table}\", by its token")
        }
        (Role::Pattern, _) => {
            format!(
                "pattern for column \"{column}\" of table \"{table}\", whose hash is compared; case counts"
            )
        }
        (Role::Compared, _) => {
            format!("compared with column \"{column}\" of table \"{table}\", by its hash")
        }
    }
}

/// Stands in the text that is shown for what becomes of a value.
fn stand_in(setting: &Setting, role: Role) -> &'static str {
    match (&setting.transform, role) {
        (Transform::Tokenized { .. }, _) => "'token…'",
        (Transform::Searchable { .. }, Role::Stored) => "'\\x7f…252525…'",
        (_, Role::Stored) => "'\\x252525…'",
        (_, Role::Compared | Role::Pattern) => "'\\x7f…'",
    }
}

fn encrypted(setting: &Setting) -> String {
    let Setting { table, column, .. } = setting;
    let envelope = match setting.envelope {
        Envelope::AcraBlock => "AcraBlock",
        Envelope::AcraStruct => "AcraStruct",
    };
    let client = match &setting.client_id {
        Some(client) => format!("client \"{client}\""),
        None => "the connection's client".to_owned(),
    };
    let as_type = as_type(setting);
    let what = match &setting.transform {
        Transform::Tokenized { .. } => format!("replaced by a token of {client}"),
        Transform::Searchable { .. } => {
            format!("encrypted as {envelope} behind its hash, for {client}")
        }
        Transform::Plain | Transform::Masked { .. } => {
            format!("encrypted as {envelope} for {client}{}", clear(setting))
        }
    };
    format!("column \"{column}\" of table \"{table}\"{as_type}, {what}")
}

/// What a client gets of a column.
fn opened(setting: &Setting) -> String {
    let Setting { table, column, .. } = setting;
    let as_type = as_type(setting);
    let otherwise = match (&setting.transform, setting.response_on_fail) {
        (Transform::Masked { pattern, .. }, _) => format!(", or masked by \"{pattern}\""),
        (_, ResponseOnFail::Error) => ", or an error".to_owned(),
        (_, ResponseOnFail::DefaultValue) => ", or the default value".to_owned(),
        (_, ResponseOnFail::Ciphertext) => String::new(),
    };
    format!("column \"{column}\" of table \"{table}\", opened{as_type}{otherwise}")
}

fn as_type(setting: &Setting) -> String {
    let named = |kind: Type| format!(" as {}", kind.name());
    setting.shown_type().map(named).unwrap_or_default()
}

/// What a mask leaves in clear.
fn clear(setting: &Setting) -> String {
    match &setting.transform {
        Transform::Masked {
            plaintext_length,
            side,
            ..
        } => {
            let end = match side {
                Side::Left => "first",
                Side::Right => "last",
            };
            format!(", but for its {end} {plaintext_length} bytes")
        }
        _ => String::new(),
    }
}
