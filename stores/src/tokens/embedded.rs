//! Tokens in a file of our own: a redb database with one table.
//!
//! ```text
//! table "acra-rs tokens 1"
//! key    66 bytes: digest of the owner (32), name of the record (34)
//! value  a Metadata message
//! ```
//!
//! Readers do not wait for anybody. All writes go through one thread, which takes what has come meanwhile into one
//! transaction: a commit costs a sync of the disk, however many batches are in it. A commit is on the disk before it is
//! answered, and a crash leaves the last one.

use super::batches::{Job, Writer};
use super::error::TokenStoreError;
use super::visit::{Action, Change, VisitSummary, Visited, judged};
use crate::disk;
use acra_engine::tokens::{EntryKey, Reply, StoreCall};
use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase as _, ReadableTable, Table, TableDefinition,
    TableHandle as _, WriteTransaction,
};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a key of the table.
const KEY: usize = 66;
/// The table; another form will have another name.
const TABLE: TableDefinition<'_, &[u8; KEY], &[u8]> = TableDefinition::new("acra-rs tokens 1");

/// What a redb file begins with.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";
/// What the meta pages of a Bolt file have behind their header, little-endian.
const BOLT_MAGIC: [u8; 4] = 0xED0C_DAED_u32.to_le_bytes();
/// Where the first meta page has it. The second one begins at some power of two from 1024 on.
const BOLT_MAGIC_AT: usize = 16;
/// Bytes that are looked at: up to the second meta page of the largest usual page size.
const LOOKED_AT: u64 = (64 << 10) + 64;

/// Memory that pages of the file may take.
const CACHE: usize = 64 << 20;
/// Pause between attempts to open a file that is in use.
const PAUSE: Duration = Duration::from_millis(50);

/// The file and the thread that writes it.
#[derive(Debug)]
pub(super) struct Embedded {
    path: PathBuf,
    database: Arc<Database>,
    writer: Writer,
}

/// Any error of the database.
struct Fault(redb::Error);

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Embedded {
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Self, TokenStoreError> {
        recognise(path)?;
        let until = Instant::now() + patience;
        let database = loop {
            let file = disk::open_database(path).map_err(TokenStoreError::io("open", path))?;
            match database(file) {
                Ok(database) => break database,
                Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < until => {
                    std::thread::sleep(PAUSE);
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => {
                    return Err(TokenStoreError::InUse(path.to_owned()));
                }
                Err(error) => return Err(fault(path, &error.into())),
            }
        };
        prepare(&database, path)?;
        let database = Arc::new(database);
        let writer = Writer::start({
            let database = Arc::clone(&database);
            move |jobs| write(&database, jobs)
        })
        .map_err(TokenStoreError::io("start a thread for", path))?;
        Ok(Self {
            path: path.to_owned(),
            database,
            writer,
        })
    }

    pub(super) async fn run(&self, calls: Vec<StoreCall>) -> Result<Vec<Reply>, TokenStoreError> {
        let reads_only = calls.iter().all(|call| matches!(call, StoreCall::Get(_)));
        let replies = if reads_only {
            let database = Arc::clone(&self.database);
            let reading =
                tokio::task::spawn_blocking(move || read(&database, &calls).map_err(text));
            reading
                .await
                .unwrap_or_else(|_| Err("the read broke off".to_owned()))
        } else {
            self.writer.run(calls).await
        };
        replies.map_err(|error| TokenStoreError::File {
            path: self.path.clone(),
            error,
        })
    }

    pub(super) fn visit(
        &self,
        judge: &mut dyn FnMut(&Visited<'_>) -> Action,
    ) -> Result<VisitSummary, TokenStoreError> {
        let mut visit = || -> Result<_, Fault> {
            let mut summary = VisitSummary::default();
            let transaction = begin(&self.database)?;
            let mut changes = Vec::new();
            {
                let mut table = transaction.open_table(TABLE)?;
                for entry in table.iter()? {
                    let (key, record) = entry?;
                    match judged(entry_key(key.value()), record.value(), &mut summary, judge) {
                        Change::None => {}
                        change => changes.push((*key.value(), change)),
                    }
                }
                for (key, change) in &changes {
                    match change {
                        Change::None => {}
                        Change::Write(record) => drop(table.insert(key, &**record)?),
                        Change::Remove => drop(table.remove(key)?),
                    }
                }
            }
            match changes.is_empty() {
                true => transaction.abort()?,
                false => transaction.commit()?,
            }
            Ok(summary)
        };
        visit().map_err(|Fault(error)| fault(&self.path, &error))
    }
}

/// Refuses a file that is not ours, before anything opens it that might write to it.
fn recognise(path: &Path) -> Result<(), TokenStoreError> {
    let mut start = Vec::new();
    match File::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut start)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(TokenStoreError::io("read", path)(error)),
    }
    // One that somebody was about to make has nothing in it yet.
    let head = start.get(..MAGIC.len()).unwrap_or(&start);
    if head == MAGIC || head.iter().all(|byte| *byte == 0) && !is_bolt(&start) {
        return Ok(());
    }
    Err(match is_bolt(&start) {
        true => TokenStoreError::Bolt(path.to_owned()),
        false => TokenStoreError::Foreign(path.to_owned()),
    })
}

/// Whether a file that begins so is a Bolt file: one of its meta pages can be told.
fn is_bolt(start: &[u8]) -> bool {
    let pages = [0].into_iter().chain((0..7).map(|power| 1024 << power));
    pages.into_iter().any(|page: usize| {
        start
            .get(page + BOLT_MAGIC_AT..)
            .is_some_and(|rest| rest.starts_with(&BOLT_MAGIC))
    })
}

fn database(file: File) -> Result<Database, DatabaseError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder.create_with_backend(FileBackend::new(file)?)
}

/// Makes the table in a new file; refuses a file that has others.
fn prepare(database: &Database, path: &Path) -> Result<(), TokenStoreError> {
    let is_known = || -> Result<Option<bool>, Fault> {
        let transaction = database.begin_read()?;
        let names: Vec<String> = transaction
            .list_tables()?
            .map(|table| table.name().to_owned())
            .collect();
        Ok((!names.is_empty()).then(|| names.iter().any(|name| name == TABLE.name())))
    };
    let make = || -> Result<(), Fault> {
        let transaction = begin(database)?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(())
    };
    match is_known() {
        Ok(Some(true)) => Ok(()),
        Ok(Some(false)) => Err(TokenStoreError::OtherVersion(path.to_owned())),
        Ok(None) => make().map_err(|Fault(error)| fault(path, &error)),
        Err(Fault(error)) => Err(fault(path, &error)),
    }
}

/// Begins to write. A file that is closed by a crash opens as fast as any other.
fn begin(database: &Database) -> Result<WriteTransaction, Fault> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

fn read(database: &Database, calls: &[StoreCall]) -> Result<Vec<Reply>, Fault> {
    let table = database.begin_read()?.open_table(TABLE)?;
    let reply = |call: &StoreCall| match call {
        StoreCall::Get(key) => get(&table, key),
        // Not among those that only read.
        StoreCall::Save(..) | StoreCall::Touch { .. } => Ok(Reply::Record(None)),
    };
    calls.iter().map(reply).collect()
}

/// Carries out jobs in one transaction.
fn write(database: &Database, jobs: &[Job]) -> Result<Vec<Vec<Reply>>, String> {
    let run = || -> Result<_, Fault> {
        let transaction = begin(database)?;
        let mut replies = Vec::with_capacity(jobs.len());
        {
            let mut table = transaction.open_table(TABLE)?;
            for job in jobs {
                let of_job = job.calls.iter().map(|call| apply(&mut table, call));
                replies.push(of_job.collect::<Result<_, _>>()?);
            }
        }
        transaction.commit()?;
        Ok(replies)
    };
    run().map_err(text)
}

fn apply(table: &mut Table<'_, &[u8; KEY], &[u8]>, call: &StoreCall) -> Result<Reply, Fault> {
    Ok(match call {
        StoreCall::Get(key) => get(table, key)?,
        StoreCall::Save(key, record) => {
            let key = table_key(key);
            let is_new = table.get(&key)?.is_none();
            if is_new {
                table.insert(&key, &**record)?;
            }
            Reply::Saved(is_new)
        }
        StoreCall::Touch { key, read, record } => {
            let key = table_key(key);
            let is_same = table
                .get(&key)?
                .is_some_and(|stored| stored.value() == read);
            if is_same {
                table.insert(&key, &**record)?;
            }
            Reply::Touched
        }
    })
}

fn get(
    table: &impl ReadableTable<&'static [u8; KEY], &'static [u8]>,
    key: &EntryKey,
) -> Result<Reply, Fault> {
    let record = table.get(&table_key(key))?;
    Ok(Reply::Record(record.map(|record| record.value().to_vec())))
}

fn table_key(key: &EntryKey) -> [u8; KEY] {
    let mut bytes = [0; KEY];
    let (context, entry) = bytes.split_at_mut(key.context.len());
    context.copy_from_slice(&key.context);
    entry.copy_from_slice(&key.entry);
    bytes
}

fn entry_key(bytes: &[u8; KEY]) -> EntryKey {
    let mut key = EntryKey {
        context: [0; 32],
        entry: [0; 34],
    };
    let (context, entry) = bytes.split_at(key.context.len());
    key.context.copy_from_slice(context);
    key.entry.copy_from_slice(entry);
    key
}

fn text(Fault(error): Fault) -> String {
    error.to_string()
}

fn fault(path: &Path, error: &redb::Error) -> TokenStoreError {
    TokenStoreError::File {
        path: path.to_owned(),
        error: error.to_string(),
    }
}
