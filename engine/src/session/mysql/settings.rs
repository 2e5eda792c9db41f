//! Settings of the session that the meaning of its texts depends on.
//!
//! The server does not report them all by itself. Where it matters they are asked for, and again once a text has passed that
//! may have changed them.

use super::MySqlSession;
use super::own::Row;
use crate::plan::{ClientEncoding, Lexical};
use crate::session::ClientError;
use crate::session::stop::Stop;
use crate::wire::mysql::column::BINARY_CHARSET;

/// The text that asks for them.
pub(super) const QUESTION: &[u8] =
    b"SELECT @@SESSION.sql_mode, @@SESSION.character_set_client, @@SESSION.character_set_results";

/// `utf8mb4_general_ci`, which every server has.
pub(super) const UTF8MB4: u16 = 45;

/// The settings of most sessions.
pub(super) fn usual() -> Lexical {
    lexical(b"", ClientEncoding::Utf8)
}

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
        self.settings = Settings::Known(lexical(mode, encoding(client)));
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

/// What a character set means for reading a text byte by byte.
fn encoding(name: &[u8]) -> ClientEncoding {
    match name {
        name if is_utf8(name) => ClientEncoding::Utf8,
        // The server takes the bytes as they are.
        b"binary" => ClientEncoding::SqlAscii,
        b"ascii" | b"latin1" | b"latin2" | b"latin5" | b"latin7" | b"cp1250" | b"cp1251"
        | b"cp1256" | b"cp1257" | b"cp850" | b"cp852" | b"cp866" | b"dec8" | b"hp8" | b"koi8r"
        | b"koi8u" | b"greek" | b"hebrew" | b"tis620" | b"armscii8" | b"geostd8" | b"macce"
        | b"macroman" | b"keybcs2" | b"ujis" | b"eucjpms" | b"euckr" | b"gb2312" => {
            ClientEncoding::AsciiSafe
        }
        _ => ClientEncoding::Unsafe,
    }
}

pub(super) fn lexical(_mode: &[u8], encoding: ClientEncoding) -> Lexical {
    Lexical {
        encoding,
        ..Lexical::default()
    }
}
