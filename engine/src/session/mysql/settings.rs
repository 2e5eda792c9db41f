//! Settings of the session that the meaning of its texts depends on.
//!
//! The server does not report them all by itself. Where it matters they are asked for, and again once a text has passed that
//! may have changed them.

use super::MySqlSession;
use super::own::Row;
use crate::plan::{ClientEncoding, Lexical, MySql};
use crate::session::ClientError;
use crate::session::stop::Stop;
use crate::wire::mysql::column::BINARY_CHARSET;

/// The text that asks for them.
pub(super) const QUESTION: &[u8] =
    b"SELECT @@SESSION.sql_mode, @@SESSION.character_set_client, @@SESSION.character_set_results";

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
    pub(super) fn usual_lexical(&self, ansi_quotes: bool) -> Lexical {
        Lexical::mysql(MySql {
            ansi_quotes,
            mariadb: self.mariadb,
        })
    }

    pub(super) fn settings_answered(&mut self, rows: &[Row], failed: bool) {
        let [row] = rows else {
            self.settings = Settings::Refused;
            return;
        };
        let [Some(mode), Some(client), results] = &**row else {
            self.settings = Settings::Refused;
            return;
        };
        if failed {
            self.settings = Settings::Refused;
            return;
        }
        self.charset = results.as_deref().map_or(BINARY_CHARSET, charset_number);
        self.utf8 = results.as_deref().is_none_or(is_utf8);
        self.settings = Settings::Known(Lexical {
            standard_conforming_strings: has_mode(mode, b"NO_BACKSLASH_ESCAPES"),
            encoding: ClientEncoding::of_charset(client),
            ..self.usual_lexical(has_mode(mode, b"ANSI_QUOTES"))
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
