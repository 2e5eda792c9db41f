//! Keys, columns and contexts that the targets share.

use acra_engine::cell::{Opener, Tally};
use acra_engine::columns::{Columns, Database};
use acra_engine::crypto::search_hash::SearchKey;
use acra_engine::crypto::{BlockKey, KeyPairType, PrivateKey, Secret, container};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::plan::{ClientEncoding, Lexical, MySql, Planners, Unsupported};
use acra_engine::session::{ClientTls, Context, Limits, ScanColumns};
use arbitrary::Arbitrary;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::{Arc, LazyLock};

/// The client of the sessions. The client `partner` of the corpus has no keys.
pub(crate) const CLIENT: &str = "client";

/// Bytes for the plans of one run, whose planner begins empty so that a run does not depend on those before it.
pub(crate) const PLANS: u64 = 1 << 16;

/// Small ones are met.
const LIMITS: Limits = Limits {
    max_message: 1 << 20,
    max_row: 1 << 12,
    max_registry: 1 << 11,
    max_in_flight: 64,
};

static KEYS: LazyLock<Arc<ClientKeys>> = LazyLock::new(|| {
    let mut rng = StdRng::seed_from_u64(1);
    let private = PrivateKey::generate(KeyPairType::P256, &mut rng).expect("a key pair");
    let symmetric = |byte| BlockKey::new(Secret::from(vec![byte; 32])).expect("a key");
    Arc::new(ClientKeys {
        symmetric: vec![symmetric(9), symmetric(8).into_rotated()],
        search: Some(SearchKey::new(Secret::from(vec![7; 32]))),
        public: Some(private.public().expect("a public key")),
        private: vec![private],
    })
});

static COLUMNS: LazyLock<Arc<Columns>> = LazyLock::new(|| columns_of(Database::PostgreSql));
static MYSQL_COLUMNS: LazyLock<Arc<Columns>> = LazyLock::new(|| columns_of(Database::MySql));

fn columns_of(database: Database) -> Arc<Columns> {
    let document = include_bytes!("../../engine/tests/corpus/encryptor.yaml");
    let loaded = Columns::parse(document, database).expect("the corpus's configuration");
    Arc::new(loaded.columns)
}

pub(crate) fn keys() -> &'static Arc<ClientKeys> {
    &KEYS
}

/// The tables of the engine's corpus of statements.
pub(crate) fn columns() -> Arc<Columns> {
    Arc::clone(&COLUMNS)
}

/// The same for MySQL.
pub(crate) fn mysql_columns() -> Arc<Columns> {
    Arc::clone(&MYSQL_COLUMNS)
}

/// A serialized AcraBlock.
pub(crate) fn block(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rng = StdRng::seed_from_u64(plain.len() as u64);
    container::seal_block(&KEYS.symmetric[0], &mut rng, plain, &mut out).expect("an AcraBlock");
    out
}

/// A serialized AcraStruct.
pub(crate) fn structure(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rng = StdRng::seed_from_u64(plain.len() as u64);
    let key = KEYS.public.as_ref().expect("a public key");
    container::seal_struct(key, &mut rng, plain, &mut out).expect("an AcraStruct");
    out
}

/// Opens with the keys of the client.
pub(crate) fn opener(tally: &mut Tally) -> Opener<'_> {
    Opener {
        keys: keys(),
        poison: None,
        is_poisoned: false,
        pattern: None,
        searches: false,
        tally,
    }
}

/// What all sessions of a run share.
pub(crate) fn context(columns: Arc<Columns>, scan: ScanColumns) -> Arc<Context> {
    Arc::new(Context {
        protects: !columns.is_empty(),
        schema_probe: false,
        poison: None,
        planners: Arc::new(Planners::new(columns, Unsupported::Refuse, PLANS)),
        client_id: ClientId::new(CLIENT).ok(),
        client_id_variable: None,
        client_tls: ClientTls::Disabled,
        scan,
        limits: LIMITS,
    })
}

/// How a text is read.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Reading {
    Standard,
    BackslashEscapes,
    SqlAscii,
    Latin1,
    Sjis,
    MySql,
    MySqlAnsiQuotes,
    MySqlNoBackslashEscapes,
    MariaDb,
    MariaDb11,
    MySql9,
}

impl Reading {
    /// The tables of the corpus, for the database whose SQL it is.
    pub(crate) fn columns(self) -> Arc<Columns> {
        match self.lexical().dialect.is_mysql() {
            true => mysql_columns(),
            false => columns(),
        }
    }

    pub(crate) fn lexical(self) -> Lexical {
        let postgres = |standard_conforming_strings, encoding| Lexical {
            standard_conforming_strings,
            encoding,
            ..Lexical::default()
        };
        let mysql = |ansi_quotes, mariadb| {
            Lexical::mysql(MySql {
                ansi_quotes,
                pipes_as_concat: ansi_quotes,
                mariadb,
                version: None,
            })
        };
        let mysql_of = |version, mariadb| {
            Lexical::mysql(MySql {
                ansi_quotes: false,
                pipes_as_concat: false,
                mariadb,
                version: Some(version),
            })
        };
        match self {
            Self::Standard => postgres(true, ClientEncoding::Utf8),
            Self::BackslashEscapes => postgres(false, ClientEncoding::Utf8),
            Self::SqlAscii => postgres(true, ClientEncoding::SqlAscii),
            Self::Latin1 => postgres(true, ClientEncoding::AsciiSafe),
            Self::Sjis => postgres(true, ClientEncoding::Unsafe),
            Self::MySql => mysql(false, false),
            Self::MySqlAnsiQuotes => mysql(true, false),
            Self::MariaDb => mysql(false, true),
            Self::MariaDb11 => mysql_of(110_800, true),
            Self::MySql9 => mysql_of(90_700, false),
            Self::MySqlNoBackslashEscapes => Lexical {
                standard_conforming_strings: true,
                ..mysql(false, false)
            },
        }
    }
}

/// A text as it can be in a message: without zero bytes.
pub(crate) fn text(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    &bytes[..end]
}

/// Cuts bytes into pieces of these lengths, over and over; without lengths it is one piece.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    let mut cuts = cuts.iter().cycle();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = cuts.next().map_or(rest.len(), |cut| usize::from(*cut) + 1);
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        Some(piece)
    })
}

/// Shows what an input stands for, if `ACRA_FUZZ_SHOW` is set.
pub(crate) fn show(what: impl FnOnce() -> String) {
    static IS_SET: LazyLock<bool> = LazyLock::new(|| std::env::var_os("ACRA_FUZZ_SHOW").is_some());
    if *IS_SET {
        eprintln!("{}", what());
    }
}
