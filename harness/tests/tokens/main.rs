//! Tokenized columns: the application sees its values, the database has tokens of the same type, whichever store keeps what
//! they stand for.

mod compared;
mod copies;
mod exchanges;
mod failures;
mod places;
mod types;

use acra_harness::raw::{Connection, Message};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres, Redis, RedisCluster};
use acra_harness::{Error, Result, scene};
use std::path::PathBuf;
use tempfile::TempDir;

const CONFIG: &str = "
schemas:
  - table: people
    columns: [id, age, account, name, raw, mail, code, long, open]
    encrypted:
      - {column: age, token_type: int32}
      - {column: account, token_type: int64, consistent_tokenization: true}
      - {column: name, token_type: str, consistent_tokenization: true}
      - {column: raw, token_type: bytes}
      - {column: mail, token_type: email, consistent_tokenization: true}
      - {column: code, token_type: int32_string}
      - {column: long, token_type: int64_string, consistent_tokenization: true}
  - table: theirs
    columns: [id, name]
    encrypted:
      - {column: name, token_type: str, client_id: another-client}
";

const TABLES: &str = "CREATE TABLE people (id int PRIMARY KEY, age int, account bigint, name text, raw bytea, \
     mail varchar(100), code text, long text, open text); CREATE TABLE theirs (id int PRIMARY KEY, name text)";

/// A value of each column, as text: what no table or file may have.
const SECRETS: [&str; 7] = [
    "1234567890",
    "-9000000000123",
    "Tokenized-Secret-7d",
    "\\x546f6b656e697a65642d4279746573",
    "tokenized.alice@example.com",
    "1987654321",
    "8000000000456",
];

/// The columns of [`SECRETS`].
const COLUMNS: &str = "age, account, name, raw, mail, code, long";

/// Where tokens are kept.
enum Place {
    Memory,
    File(TempDir),
    Redis(Redis),
    Cluster(RedisCluster),
}

impl Place {
    fn file() -> Result<Self> {
        Ok(Self::File(tempfile::tempdir()?))
    }

    fn redis() -> Result<Self> {
        Redis::start().map(Self::Redis)
    }

    fn cluster() -> Result<Self> {
        RedisCluster::start(3).map(Self::Cluster)
    }

    fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(folder) => Some(folder.path().join("tokens")),
            _ => None,
        }
    }

    fn flags(&self) -> Vec<String> {
        match self {
            Self::Memory => Vec::new(),
            Self::File(folder) => vec![format!("--token_db={}/tokens", folder.path().display())],
            Self::Redis(redis) => vec![
                format!("--redis_host_port={}", redis.address()),
                "--redis_db_tokens=1".to_owned(),
            ],
            Self::Cluster(cluster) => vec![
                format!("--redis_host_port={}", cluster.addresses()[0]),
                "--redis_db_tokens=0".to_owned(),
            ],
        }
    }
}

/// A database with [`TABLES`] behind `acra-server`.
struct Tokens<'p> {
    postgres: &'p Postgres,
    config: AcraConfig,
    acra: AcraServer,
    database: String,
}

impl<'p> Tokens<'p> {
    fn on(postgres: &'p Postgres, place: &Place) -> Result<Self> {
        let database = postgres.fresh_database()?;
        postgres.run(&database, TABLES)?;
        let mut config = AcraConfig::new(postgres.address()).encryptor_yaml(CONFIG);
        config.flags = place.flags();
        config.more_client_ids = vec!["another-client".to_owned()];
        Ok(Self {
            postgres,
            acra: AcraServer::start(&config)?,
            config,
            database,
        })
    }

    fn start(place: &Place) -> Result<Self> {
        Self::on(Postgres::shared(15)?, place)
    }

    fn proxied(&self) -> Result<Connection> {
        Connection::login(self.acra.address(), "postgres", &self.database)
    }

    fn direct(&self) -> Result<Connection> {
        Connection::login(self.postgres.address(), "postgres", &self.database)
    }

    /// The rows that a query gives past `acra-server`.
    fn stored(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        scene::rows(&mut self.direct()?, sql)
    }

    /// That a new client is served and that nothing panicked.
    fn works(&self) -> Result<()> {
        scene::value(&mut self.proxied()?, "SELECT 'still works'")?;
        let log = self.acra.log();
        match log.to_lowercase().contains("panic") {
            true => Err(Error::new(format!("a panic:\n{log}"))),
            false => Ok(()),
        }
    }
}

/// The error among the answers.
fn error(answers: &[Message]) -> Result<String> {
    let error = answers.iter().find(|message| message.tag == b'E');
    let error = error.ok_or_else(|| Error::new(format!("no error in {answers:?}")))?;
    Ok(error.to_string())
}
