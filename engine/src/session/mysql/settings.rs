//! Settings of the session that the meaning of its texts depends on.
//!
//! The server does not report them all by itself. Where it matters they are asked for, and again once a text has passed that
//! may have changed them.

use super::MySqlSession;
use super::own::Row;
use super::probe::folded_name;
use crate::plan::{ClientEncoding, Lexical, MySql, SqlDialect};
use crate::session::ClientError;
use crate::session::stop::Stop;
use crate::wire::mysql::column::BINARY_CHARSET;
use std::sync::Arc;

/// The text that asks for them.
const QUESTION: &str = "SELECT @@SESSION.sql_mode, @@SESSION.character_set_client, @@SESSION.character_set_results, HEX(DATABASE())";

/// `utf8mb4_general_ci`, which every server has.
pub(super) const UTF8MB4: u16 = 45;

/// What is known of the settings.
#[derive(Debug, Default)]
pub(super) enum Settings {
    /// They have not been asked for since they may have changed.
    #[default]
    Unknown,
    Known(Lexical),
    /// The server does not tell.
    Refused,
}

impl MySqlSession {
    /// Something may have changed the settings.
    pub(super) fn settings_changed(&mut self) {
        self.settings = Settings::Unknown;
    }

    /// The text that asks for the settings. A server can be told to greet with another version than it is of, so what it
    /// reads of two comments proves it: that for its version, and not that for the next.
    pub(super) fn settings_question(&self) -> Vec<u8> {
        let maria = if self.mariadb { "M" } else { "" };
        let proof = match self.announced_version {
            Some(own) => format!(
                ", 0 /*{maria}!{own:05} + 1 */ /*{maria}!{next:05} + 2 */",
                next = own + 1
            ),
            None => ", 0".to_owned(),
        };
        [QUESTION, &proof].concat().into_bytes()
    }

    /// The settings that are in force when the next text is read.
    pub(super) fn lexical(&mut self) -> Result<Lexical, Stop> {
        match &self.settings {
            Settings::Known(lexical) => Ok(lexical.clone()),
            Settings::Refused => Err(Stop::Refuse(
                "settings-unknown",
                ClientError::error(
                    "0A000",
                    "a statement that may concern a protected table follows one that may change how it is read, and the database does not tell its settings",
                )
                .hint("Connect again, and see that the user may read @@sql_mode."),
            )),
            Settings::Unknown => {
                if self.is_quiet() {
                    self.asks = Some(super::own::Question::Settings);
                }
                Err(Stop::Wait)
            }
        }
    }

    /// How a text is read by the settings of most sessions.
    pub(super) fn usual_lexical(&self) -> Lexical {
        Lexical::mysql(MySql {
            mariadb: self.mariadb,
            ..MySql::default()
        })
    }

    pub(super) fn settings_answered(&mut self, rows: &[Row], failed: bool) {
        let [row] = rows else {
            self.settings = Settings::Refused;
            return;
        };
        let [Some(mode), Some(client), results, schema, Some(proof)] = &**row else {
            self.settings = Settings::Refused;
            return;
        };
        if failed {
            self.settings = Settings::Refused;
            return;
        }
        self.charset = results.as_deref().map_or(BINARY_CHARSET, charset_number);
        self.utf8 = results.as_deref().is_none_or(is_utf8);
        let dialect = SqlDialect::MySql(MySql {
            ansi_quotes: has_mode(mode, b"ANSI_QUOTES"),
            pipes_as_concat: has_mode(mode, b"PIPES_AS_CONCAT"),
            mariadb: self.mariadb,
            version: self.announced_version.filter(|_| proof == b"1"),
        });
        self.settings = Settings::Known(Lexical {
            dialect,
            standard_conforming_strings: has_mode(mode, b"NO_BACKSLASH_ESCAPES"),
            encoding: ClientEncoding::of_charset(client),
            schema: schema.as_deref().and_then(folded_name).map(Arc::from),
        });
    }
}

fn is_utf8(name: &[u8]) -> bool {
    matches!(name, b"utf8mb4" | b"utf8mb3" | b"utf8")
}

/// The number by which definitions name a character set.
fn charset_number(name: &[u8]) -> u16 {
    match name {
        b"binary" => BINARY_CHARSET,
        b"utf8mb3" | b"utf8" => 33,
        b"latin1" => 8,
        b"ascii" => 11,
        _ => UTF8MB4,
    }
}

/// Whether an SQL mode, a list of words, has this one.
fn has_mode(mode: &[u8], word: &[u8]) -> bool {
    mode.split(|byte| *byte == b',').any(|part| part == word)
}

/// `8.0.36-log` and `5.5.5-10.11.6-MariaDB` as comments write them: 80036, 101106. MariaDB puts a version in front that old
/// replicas take for one of MySQL.
pub(super) fn version_number(text: &[u8]) -> Option<u32> {
    let text = text.strip_prefix(b"5.5.5-").unwrap_or(text);
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.')
        .unwrap_or(text.len());
    let mut parts = std::str::from_utf8(text.get(..end)?).ok()?.split('.');
    let mut part = || parts.next()?.parse().ok().filter(|part| *part < 100);
    let (major, minor, patch): (u32, u32, u32) = (part()?, part()?, part()?);
    Some(major * 10_000 + minor * 100 + patch)
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[test]
    fn versions_are_written_as_in_comments() {
        for (text, number) in [
            ("8.0.36", Some(80_036)),
            ("9.7.4-2", Some(90_704)),
            ("5.7.44-log", Some(50_744)),
            ("5.5.5-10.11.19-MariaDB-0+deb12u1-log", Some(101_119)),
            ("11.4.2-MariaDB", Some(110_402)),
            ("5.5.5-10.11", None),
            ("8.0.100", None),
            ("", None),
            ("TiDB", None),
        ] {
            assert_eq!(version_number(text.as_bytes()), number, "{text}");
        }
    }
}
