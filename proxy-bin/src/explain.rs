//! `--explain`: what would be done to a statement, without a database and without keys.

use crate::settings::{self, Protocol, StartError};
use crate::{log_problems, log_warnings, say, snapshot};
use acra_cli::Parsed;
use acra_engine::columns::{Envelope, Likeness, ResponseOnFail, Setting, Side, Transform};
use acra_engine::plan::{
    Copy, Edit, Explanation, Lexical, MySql, Planner, Refusal, Role, SqlDialect, Unsupported,
    Verdict, edited, quoted_in,
};
use acra_engine::session::mysql::number_and_state;
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
        Telling {
            text,
            dialect: lexical.dialect,
        }
        .told(&explained),
        matches!(explained.verdict, Verdict::Refuse(_)),
    ))
}

/// An explanation on its way to a reader, in the words of what clients speak.
#[derive(Clone, Copy)]
struct Telling<'a> {
    text: &'a str,
    dialect: SqlDialect,
}

impl Telling<'_> {
    fn told(self, explained: &Explanation) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out, explained);
        out
    }

    fn write(self, out: &mut String, explained: &Explanation) -> std::fmt::Result {
        if let Verdict::Refuse(refusal) = &explained.verdict {
            return self.refusal(out, refusal);
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
            let line = self.text.get(..literal.span.start).unwrap_or_default();
            let place = line.chars().count() + 1;
            let changed = self.changed(&literal.setting, literal.role);
            writeln!(out, "  value at character {place}: {changed}")?;
        }
        for param in &explained.params {
            let sign = match self.dialect {
                SqlDialect::PostgreSql => "$",
                SqlDialect::MySql(_) => "",
            };
            writeln!(
                out,
                "  parameter {sign}{}: {}",
                param.number,
                self.changed(&param.setting, param.role)
            )?;
        }
        for copy in &explained.copies {
            self.copy(out, copy)?;
        }
        for result in &explained.results {
            let label = result.label.as_deref().map(|label| self.name(label));
            let place = match (result.place, label) {
                (Some(place), Some(label)) => format!("result column {place}, {label}"),
                (Some(place), None) => format!("result column {place}"),
                (None, Some(label)) => format!("result column {label}"),
                (None, None) => "a result column".to_owned(),
            };
            writeln!(out, "  {place}: {}", self.opened(&result.setting))?;
        }
        if !is_rewritten {
            return Ok(());
        }
        let mut edits = explained.edits.clone();
        edits.extend(explained.literals.iter().map(|literal| Edit {
            span: literal.span.clone(),
            text: self.stand_in(&literal.setting, literal.role).into(),
        }));
        let sent = edited(self.text.as_bytes(), edits);
        writeln!(
            out,
            "Sent to the database:\n  {}",
            String::from_utf8_lossy(&sent)
        )
    }

    /// The error that a client would get.
    fn refusal(self, out: &mut String, refusal: &Refusal) -> std::fmt::Result {
        writeln!(out, "Refused: {}", refusal.message)?;
        if let Some(detail) = &refusal.detail {
            writeln!(out, "  {detail}")?;
        }
        writeln!(out, "  {}", refusal.hint)?;
        let code = match self.dialect {
            SqlDialect::PostgreSql => format!("SQLSTATE {}", refusal.sqlstate),
            SqlDialect::MySql(_) => {
                let (number, state) = number_and_state(refusal.sqlstate);
                format!("error {number}, SQLSTATE {state}")
            }
        };
        writeln!(out, "  {code}, docs/errors.md#{}", refusal.code.anchor())
    }

    fn copy(self, out: &mut String, copy: &Copy) -> std::fmt::Result {
        let settings: Vec<_> = match copy {
            Copy::In(copy) => copy.columns.iter().map(|it| it.setting.as_ref()).collect(),
            Copy::Load(load) => load.targets.iter().map(|it| it.setting.as_ref()).collect(),
            Copy::Out(_) => return writeln!(out, "  containers in the rows are opened"),
            Copy::Pass => return Ok(()),
        };
        for (at, setting) in settings.into_iter().enumerate() {
            if let Some(setting) = setting {
                writeln!(
                    out,
                    "  column {} of the rows: {}",
                    at + 1,
                    self.changed(setting, Role::Stored)
                )?;
            }
        }
        Ok(())
    }

    /// A name in the quotes of the dialect.
    fn name(self, name: &str) -> String {
        quoted_in(self.dialect, name)
    }

    fn column_of_table(self, setting: &Setting) -> String {
        let (column, table) = (self.name(&setting.column), self.name(&setting.table));
        format!("column {column} of table {table}")
    }

    /// What becomes of a value.
    fn changed(self, setting: &Setting, role: Role) -> String {
        let column = self.column_of_table(setting);
        match (role, setting.likeness()) {
            (Role::Stored, _) => self.encrypted(setting),
            (_, Some(Likeness::Token)) => format!("compared with {column}, by its token"),
            (Role::Pattern, _) => {
                format!("pattern for {column}, whose hash is compared; case counts")
            }
            (Role::Compared, _) => format!("compared with {column}, by its hash"),
        }
    }

    /// Stands in the text that is shown for what becomes of a value. MySQL gets a blank in front of it, as in what is sent.
    fn stand_in(self, setting: &Setting, role: Role) -> String {
        let digits = match (&setting.transform, role) {
            (Transform::Tokenized { .. }, _) => {
                return match self.dialect {
                    SqlDialect::PostgreSql => "'token…'".to_owned(),
                    SqlDialect::MySql(_) => " 'token…'".to_owned(),
                };
            }
            (Transform::Searchable { .. }, Role::Stored) => "7f…252525…",
            (_, Role::Stored) => "252525…",
            (_, Role::Compared | Role::Pattern) => "7f…",
        };
        match self.dialect {
            SqlDialect::PostgreSql => format!("'\\x{digits}'"),
            SqlDialect::MySql(_) => format!(" X'{digits}'"),
        }
    }

    fn encrypted(self, setting: &Setting) -> String {
        let column = self.column_of_table(setting);
        let envelope = match setting.envelope {
            Envelope::AcraBlock => "AcraBlock",
            Envelope::AcraStruct => "AcraStruct",
        };
        let client = match &setting.client_id {
            Some(client) => format!("client \"{client}\""),
            None => "the connection's client".to_owned(),
        };
        let as_type = self.as_type(setting);
        let what = match &setting.transform {
            Transform::Tokenized { .. } => format!("replaced by a token of {client}"),
            Transform::Searchable { .. } => {
                format!("encrypted as {envelope} behind its hash, for {client}")
            }
            Transform::Plain | Transform::Masked { .. } => {
                format!("encrypted as {envelope} for {client}{}", clear(setting))
            }
        };
        format!("{column}{as_type}, {what}")
    }

    /// What a client gets of a column.
    fn opened(self, setting: &Setting) -> String {
        let column = self.column_of_table(setting);
        let as_type = self.as_type(setting);
        let otherwise = match (&setting.transform, setting.response_on_fail) {
            (Transform::Masked { pattern, .. }, _) => format!(", or masked by \"{pattern}\""),
            (_, ResponseOnFail::Error) => ", or an error".to_owned(),
            (_, ResponseOnFail::DefaultValue) => ", or the default value".to_owned(),
            (_, ResponseOnFail::Ciphertext) => String::new(),
        };
        format!("{column}, opened{as_type}{otherwise}")
    }

    fn as_type(self, setting: &Setting) -> String {
        let Some(kind) = setting.shown_type() else {
            return String::new();
        };
        let name = match (self.dialect, kind) {
            (SqlDialect::MySql(_), Type::Int4) => "int",
            (SqlDialect::MySql(_), Type::Bytea) => "blob",
            (_, kind) => kind.name(),
        };
        format!(" as {name}")
    }
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
