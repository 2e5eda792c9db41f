//! A database with a protected table, and `acra-server` before it: what most scenarios begin with.

use crate::raw::{Connection, Message};
use crate::servers::{AcraConfig, AcraServer, Postgres};
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// The protected columns of [`TABLE`].
pub const CONFIG: &str = "schemas:\n  - table: vault\n    columns: [id, note, secret, other, open]\n    encrypted:\n      \
     - column: secret\n      - column: other\n";

/// A table of which two columns are protected, and one that has nothing to do with it.
pub const TABLE: &str = "CREATE TABLE vault (id int PRIMARY KEY, note text, secret bytea, other bytea, open bytea); \
     CREATE TABLE plain (id int, note text)";

/// How long [`eventually`] waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long it waits before it looks again.
const LOOK: Duration = Duration::from_millis(10);

/// A database with [`TABLE`] in it, behind `acra-server`.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The database server.
    pub postgres: &'a Postgres,
    /// What stands before it.
    pub acra: AcraServer,
    /// The database.
    pub database: String,
}

impl Scene<'static> {
    /// On the shared PostgreSQL 15, with [`CONFIG`].
    pub fn start() -> Result<Self> {
        Self::with(|config| config)
    }

    /// The same with another configuration of `acra-server`.
    pub fn with(change: impl FnOnce(AcraConfig) -> AcraConfig) -> Result<Self> {
        Scene::on(Postgres::shared(15)?, change)
    }
}

impl<'a> Scene<'a> {
    /// On a server of the test's own.
    pub fn on(
        postgres: &'a Postgres,
        change: impl FnOnce(AcraConfig) -> AcraConfig,
    ) -> Result<Self> {
        let database = postgres.fresh_database()?;
        postgres.run(&database, TABLE)?;
        let config = AcraConfig::new(postgres.address()).encryptor_yaml(CONFIG);
        Ok(Self {
            postgres,
            acra: AcraServer::start(&change(config))?,
            database,
        })
    }

    /// A connection through `acra-server`.
    pub fn proxied(&self) -> Result<Connection> {
        Connection::login(self.acra.address(), "postgres", &self.database)
    }

    /// A connection to the database itself.
    pub fn direct(&self) -> Result<Connection> {
        Connection::login(self.postgres.address(), "postgres", &self.database)
    }

    /// Runs SQL past `acra-server`.
    pub fn run_directly(&self, sql: &str) -> Result<()> {
        self.postgres.run(&self.database, sql)
    }

    /// The one value that a query gives, as the database itself has it.
    pub fn stored(&self, sql: &str) -> Result<String> {
        value(&mut self.direct()?, sql)
    }

    /// Waits until a session in the database sleeps (`pg_sleep`), which no other session there does.
    pub fn sleeps(&self) -> Result<()> {
        eventually("a session sleeps", || self.is_asleep())
    }

    /// The same for a test whose own tasks have to go on meanwhile.
    pub async fn sleeps_beside_tasks(&self) -> Result<()> {
        eventually_beside_tasks("a session sleeps", || self.is_asleep()).await
    }

    fn is_asleep(&self) -> Result<bool> {
        let sql = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event = 'PgSleep'";
        Ok(self.stored(sql)? == "1")
    }

    /// That a new client is served, protected columns included, and that nothing panicked.
    pub fn works(&self) -> Result<()> {
        const ID: i32 = i32::MAX;
        let mut next = self.proxied()?;
        next.run(&format!(
            "INSERT INTO vault (id, secret) VALUES ({ID}, 'still works')"
        ))?;
        let read = value(
            &mut next,
            &format!("DELETE FROM vault WHERE id = {ID} RETURNING secret"),
        )?;
        let log = self.acra.log();
        if read != hex(b"still works") {
            return Err(Error::new(format!(
                "the next client read {read}; log:\n{log}"
            )));
        }
        match log.to_lowercase().contains("panic") {
            true => Err(Error::new(format!("a panic:\n{log}"))),
            false => Ok(()),
        }
    }
}

/// The text form of a `bytea`.
pub fn hex(bytes: &[u8]) -> String {
    format!("\\x{}", const_hex::encode(bytes))
}

/// Runs a query and gives its rows, NULL as the word; an error if it failed.
pub fn rows(connection: &mut Connection, sql: &str) -> Result<Vec<Vec<String>>> {
    rows_of(&connection.query(sql)?).map_err(|error| Error::new(format!("{sql}: {error}")))
}

/// The rows among the answers to a query, NULL as the word; an error if there is one among them.
pub fn rows_of(answers: &[Message]) -> Result<Vec<Vec<String>>> {
    if let Some(error) = answers.iter().find(|message| message.tag == b'E') {
        return Err(Error::new(error.to_string()));
    }
    let text = |value: Option<&[u8]>| {
        value.map_or("NULL".into(), |value| {
            String::from_utf8_lossy(value).into_owned()
        })
    };
    Ok(answers
        .iter()
        .filter_map(Message::values)
        .map(|row| row.into_iter().map(text).collect())
        .collect())
}

/// The one value that a query gives.
pub fn value(connection: &mut Connection, sql: &str) -> Result<String> {
    let rows = rows(connection, sql)?;
    match &*rows {
        [row] if row.len() == 1 => Ok(row.concat()),
        other => Err(Error::new(format!("{sql} gave {other:?}"))),
    }
}

/// Waits until something holds that another process is about to do.
pub fn eventually(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let begin = Instant::now();
    while !holds()? {
        is_in_time(what, begin)?;
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// The same for a test whose own tasks have to go on meanwhile.
pub async fn eventually_beside_tasks(
    what: &str,
    mut holds: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let begin = Instant::now();
    while !holds()? {
        is_in_time(what, begin)?;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn is_in_time(what: &str, begin: Instant) -> Result<()> {
    match begin.elapsed() > PATIENCE {
        true => Err(Error::new(format!("not within {PATIENCE:?}: {what}"))),
        false => Ok(()),
    }
}

/// Does something whose time is short; again where the machine was too slow for it.
pub fn in_short_time<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let begin = Instant::now();
    loop {
        match attempt() {
            Err(_) if begin.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            outcome => return outcome,
        }
    }
}
