//! The embedded file.

use super::{ask, key, listed, record, runtime};
use acra_engine::tokens::{Operation, StoreCall};
use acra_stores::tokens::{TokenStore, TokenStoreError};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn open(path: &Path) -> Result<TokenStore, TokenStoreError> {
    TokenStore::open_file(path, Duration::ZERO)
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tokens/data")
        .join(name)
}

#[test]
fn tokens_outlive_the_process_and_are_for_its_user_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let runtime = runtime();
    let token = {
        let store = open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        runtime
            .block_on(ask(&store, Operation::Consistent, b"a value"))
            .0
            .unwrap()
            .unwrap()
    };
    let store = open(&path).unwrap();
    let value = runtime.block_on(ask(&store, Operation::Open, &token)).0;
    assert_eq!(value, Ok(Some(b"a value".to_vec())));
    let bytes = fs::read(&path).unwrap();
    let hold = |needle: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    assert!(!hold(b"a value") && !hold(&token));
}

#[test]
fn one_process_at_a_time_has_it_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let first = open(&path).unwrap();
    let second = open(&path).unwrap_err();
    assert!(matches!(second, TokenStoreError::InUse(_)), "{second}");
    let begun = Instant::now();
    let waits = std::thread::spawn({
        let path = path.clone();
        move || TokenStore::open_file(&path, Duration::from_secs(60))
    });
    std::thread::sleep(Duration::from_millis(200));
    drop(first);
    waits.join().unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[test]
fn files_of_others_are_refused_and_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    for (name, hint) in [
        ("acra-0.96.db", "acra-tokens import"),
        ("bbolt-1.3.6.db", "acra-tokens import"),
        ("acra-0.96.entries", "is no token store"),
    ] {
        let content = fs::read(data(name)).unwrap();
        fs::write(&path, &content).unwrap();
        let error = open(&path).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
        assert!(fs::read(&path).unwrap() == content, "{name} was changed");
    }
    // A Bolt file whose first page was lost.
    let mut content = fs::read(data("acra-0.96.db")).unwrap();
    content[..4096].fill(0);
    fs::write(&path, &content).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, TokenStoreError::Bolt(_)), "{error}");

    let other = directory.path().join("other");
    let database = redb::Database::create(&other).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<u8, u8>::new("another table");
    transaction.open_table(table).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open(&other).unwrap_err();
    assert!(matches!(error, TokenStoreError::OtherVersion(_)), "{error}");

    let nowhere = open(&directory.path().join("missing/tokens")).unwrap_err();
    assert!(nowhere.to_string().contains("missing/tokens"), "{nowhere}");
}

#[test]
fn a_file_that_was_cut_off_while_it_was_written_opens_with_its_last_commit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let runtime = runtime();
    let store = open(&path).unwrap();
    for number in 0..50 {
        let call = StoreCall::Save(key(1, number), record(&[number]));
        runtime.block_on(store.run(vec![call])).unwrap();
    }
    // As a crash leaves it: what is in the file now, and nobody who would close it.
    let crashed = directory.path().join("crashed");
    fs::copy(&path, &crashed).unwrap();
    let (all, _) = runtime.block_on(listed(&open(&crashed).unwrap()));
    assert_eq!(all.len(), 50);
}
