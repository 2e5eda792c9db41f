//! Every change of a disk fails once, and before every one the process is killed once (keystore.md 1.1).
//!
//! For each command: a key store with keys is copied, the command is run and made to fail at its first change, then, with
//! another copy, at its second, until it completes. After each: what could be opened before can be opened still, the public key
//! belongs to a private one, and the command works when it is run again and leaves nothing behind. The process that is killed is
//! a child: this test program, running [`child`] alone.

use crate::disk::Operation;
use crate::{
    Bundle, Destination, KeyStore, KeyStoreError, Selection, Version, generate_master_key, migrate,
};
use acra_engine::crypto::{PrivateKey, Secret};
use acra_engine::keys::{ClientId, ClientKeys, KeyKind};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

/// What happens at a change.
#[derive(Clone, Copy)]
enum Fault {
    Fails(Errno),
    IsKilled,
}

thread_local! {
    /// How many changes are still made before the fault, and what it is.
    static PLAN: Cell<Option<(u32, Fault)>> = const { Cell::new(None) };
    /// Whether a file had got its final name, or lost it, when the fault came.
    static RENAMED: Cell<bool> = const { Cell::new(false) };
    /// What was done.
    static TRACE: RefCell<Vec<Operation>> = const { RefCell::new(Vec::new()) };
    /// What failed.
    static FAILED: Cell<Option<Operation>> = const { Cell::new(None) };
}

/// Comes before each change.
pub(crate) fn step(operation: Operation) -> io::Result<()> {
    TRACE.with_borrow_mut(|trace| trace.push(operation));
    match PLAN.get() {
        None => {}
        Some((0, fault)) => {
            PLAN.set(None);
            FAILED.set(Some(operation));
            match fault {
                Fault::Fails(error) => return Err(error.into()),
                Fault::IsKilled => kill_process(getpid(), Signal::KILL)?,
            }
        }
        Some((left, fault)) => {
            PLAN.set(Some((left - 1, fault)));
            if matches!(
                operation,
                Operation::Rename | Operation::Remove | Operation::Open
            ) {
                RENAMED.set(true);
            }
        }
    }
    Ok(())
}

const V1_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Base64 of the JSON with two keys.
const V2_KEY: &str = "eyJlbmNyeXB0aW9uIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOD0iLCJzaWduYXR1cmUi\
                      OiJJQ0VpSXlRbEppY29LU29yTEMwdUx6QXhNak0wTlRZM09EazZPenc5UGo4PSJ9";

fn id() -> ClientId {
    ClientId::new("client").unwrap()
}

fn symmetric() -> KeyKind {
    KeyKind::StorageSymmetric(id())
}

fn pair() -> KeyKind {
    KeyKind::StoragePair(id())
}

fn key(version: Version) -> &'static str {
    match version {
        Version::V2 => V2_KEY,
        _ => V1_KEY,
    }
}

fn open(directory: &Path, version: Version) -> Result<KeyStore, KeyStoreError> {
    KeyStore::create(version, directory, None, Some(key(version)))
}

/// A command under test. The directories in the folder that it is given: `keys`, and what it reads from.
struct Command {
    name: &'static str,
    version: Version,
    /// Makes what is there before.
    prepare: fn(&Path, Version),
    run: fn(&Path, Version) -> Result<(), KeyStoreError>,
}

fn with_keys(folder: &Path, version: Version) {
    let store = open(&folder.join("keys"), version).unwrap();
    for kind in [symmetric(), pair(), KeyKind::PoisonPair] {
        store.generate(&kind).unwrap();
        store.generate(&kind).unwrap();
    }
}

fn empty(_: &Path, _: Version) {}

fn with_bundle(folder: &Path, version: Version) {
    with_keys(folder, version);
    let other = open(&folder.join("other"), version).unwrap();
    for kind in [symmetric(), pair(), KeyKind::PoisonSymmetric] {
        other.generate(&kind).unwrap();
    }
    let (bundle, _) = other.export(&Selection::All, true).unwrap();
    fs::remove_dir_all(folder.join("other")).unwrap();
    fs::write(folder.join("data"), bundle.data).unwrap();
    fs::write(folder.join("secret"), bundle.secret.as_bytes()).unwrap();
}

fn with_source(folder: &Path, _: Version) {
    with_keys(folder, Version::V1);
    fs::rename(folder.join("keys"), folder.join("source")).unwrap();
}

fn with_source_and_keys(folder: &Path, version: Version) {
    with_source(folder, version);
    with_keys(folder, version);
}

fn generate(folder: &Path, version: Version, kind: &KeyKind) -> Result<(), KeyStoreError> {
    open(&folder.join("keys"), version)?.generate(kind)
}

fn destroy(folder: &Path, version: Version, index: u32) -> Result<(), KeyStoreError> {
    open(&folder.join("keys"), version)?.destroy(&pair(), index)
}

fn import(folder: &Path, version: Version) -> Result<(), KeyStoreError> {
    let bundle = Bundle {
        data: fs::read(folder.join("data")).unwrap(),
        secret: Secret::from(fs::read(folder.join("secret")).unwrap()),
    };
    let store = open(&folder.join("keys"), version)?;
    store.import(&bundle).map(drop)
}

fn migrate_source(folder: &Path, _: Version) -> Result<(), KeyStoreError> {
    let source = KeyStore::open(&folder.join("source"), None, Some(V1_KEY))?;
    let destination = Destination::open(&folder.join("keys"), Some(V2_KEY), true)?;
    migrate(&source, destination, false).map(drop)
}

/// Those of both versions, and those of one.
fn commands() -> Vec<Command> {
    let mut commands = Vec::new();
    for version in [Version::V1, Version::V2] {
        let mut add = |name, prepare, run| {
            commands.push(Command {
                name,
                version,
                prepare,
                run,
            });
        };
        add("first", empty, |folder, version| {
            generate(folder, version, &symmetric())
        });
        add("rotate", with_keys, |folder, version| {
            generate(folder, version, &symmetric())
        });
        add("rotate pair", with_keys, |folder, version| {
            generate(folder, version, &pair())
        });
        add("destroy", with_keys, |folder, version| {
            destroy(folder, version, 1)
        });
        add("destroy rotated", with_keys, |folder, version| {
            destroy(folder, version, 2)
        });
        add("import", with_bundle, import);
        if version == Version::V2 {
            add("migrate", with_source, migrate_source);
            add("migrate to keys", with_source_and_keys, migrate_source);
        }
    }
    commands
}

/// What can be opened in a key store.
#[derive(Debug, Default, PartialEq, Eq)]
struct Opened(BTreeSet<Vec<u8>>);

impl Opened {
    fn of(folder: &Path, version: Version) -> Self {
        let directory = folder.join("keys");
        let mut opened = Self::default();
        let store = match KeyStore::open(&directory, None, Some(key(version))) {
            Ok(store) => store,
            // Not yet one of version 2.
            Err(KeyStoreError::MasterKey(_)) => {
                KeyStore::open(&directory, None, Some(V1_KEY)).unwrap()
            }
            Err(error) => panic!("{error}"),
        };
        for (kind, keys) in [
            (pair(), store.load_client(&id())),
            (KeyKind::PoisonPair, store.load_poison()),
        ] {
            match keys {
                Ok(keys) => opened.add(&store, &kind, &keys),
                Err(error) => assert!(error.is_missing(), "{error}"),
            }
        }
        assert_eq!(store.take_notices(), [], "something does not open");
        opened
    }

    fn add(&mut self, store: &KeyStore, kind: &KeyKind, keys: &ClientKeys) {
        let container = |key: &PrivateKey| key.to_container().unwrap().as_bytes().to_vec();
        self.0.extend(keys.private.iter().map(container));
        self.0
            .extend(keys.symmetric.iter().map(|key| key.id(b"").to_vec()));
        match store.read_public(kind) {
            Ok(public) => {
                let of_private = |key: &PrivateKey| key.public().unwrap().to_container();
                assert!(
                    keys.private.iter().any(|key| of_private(key)[..] == public),
                    "a public key without private one"
                );
            }
            Err(error) => assert!(error.is_missing(), "{error}"),
        }
    }
}

/// Paths and contents of all files but lock files, which count for nothing.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if !path.ends_with(".lock") {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let is_leftover = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(".tmp-") || name.ends_with(".new")
    };
    files(folder).into_keys().filter(is_leftover).collect()
}

/// An empty folder, in memory where that is possible: hundreds of them are synced again and again.
fn new_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A copy of a folder, modes and hard links included.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = new_folder();
    let status = Process::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to.path())
        .status();
    assert!(status.unwrap().success());
    to
}

/// What must be there after a fault: all that was there before and is there after the command.
struct Expected {
    prepared: tempfile::TempDir,
    kept: BTreeSet<Vec<u8>>,
}

impl Expected {
    fn of(command: &Command) -> Self {
        let prepared = new_folder();
        (command.prepare)(prepared.path(), command.version);
        let before = Opened::of(prepared.path(), command.version).0;
        let done = copy(prepared.path());
        (command.run)(done.path(), command.version).unwrap();
        let after = Opened::of(done.path(), command.version).0;
        let kept = before.intersection(&after).cloned().collect();
        Self { prepared, kept }
    }

    fn check(&self, command: &Command, folder: &Path, place: &str) {
        let opened = Opened::of(folder, command.version);
        assert!(opened.0.is_superset(&self.kept), "{place}: keys are lost");
        match (command.run)(folder, command.version) {
            Ok(()) => {}
            // It has been destroyed already.
            Err(KeyStoreError::NoSuchIndex(_)) => {}
            Err(KeyStoreError::Ring { .. }) if command.name == "destroy" => {}
            Err(error) => panic!("{place}: the command does not work again: {error}"),
        }
        let opened = Opened::of(folder, command.version);
        assert!(opened.0.is_superset(&self.kept), "{place}: keys are lost");
        assert_eq!(leftovers(folder), [] as [PathBuf; 0], "{place}");
        let has_lock = folder.join("keys/.lock").exists();
        assert_eq!(has_lock, command.version == Version::V2, "{place}");
    }
}

#[test]
fn every_change_fails_once() {
    let errors = [Errno::NOSPC, Errno::ROFS, Errno::ACCESS, Errno::IO];
    for command in commands() {
        let expected = Expected::of(&command);
        let mut changes = 0;
        loop {
            let folder = copy(expected.prepared.path());
            let before = files(folder.path());
            let error = errors[changes as usize % errors.len()];
            PLAN.set(Some((changes, Fault::Fails(error))));
            RENAMED.set(false);
            let result = (command.run)(folder.path(), command.version);
            let place = format!("{} {}, change {changes}", command.name, command.version);
            if PLAN.take().is_some() {
                result.unwrap();
                break;
            }
            match result {
                Err(error_text) => {
                    let text = error_text.to_string();
                    assert!(text.starts_with("cannot "), "{place}: {text}");
                    assert!(
                        text.contains(&io::Error::from(error).to_string()),
                        "{place}: {text}"
                    );
                    assert!(
                        text.contains(folder.path().to_str().unwrap()),
                        "{place}: {text}"
                    );
                    if !RENAMED.get() {
                        assert!(files(folder.path()) == before, "{place}: something changed");
                    }
                    assert_eq!(leftovers(folder.path()), [] as [PathBuf; 0], "{place}");
                }
                // A lock file of version 1 that stays disturbs nobody, and where there are no hard links there are copies.
                Ok(()) => assert!(
                    matches!(FAILED.get(), Some(Operation::Remove | Operation::Link)),
                    "{place}: {:?}",
                    FAILED.get()
                ),
            }
            expected.check(&command, folder.path(), &place);
            changes += 1;
        }
        assert!(changes > 5, "{}: {changes} changes", command.name);
    }
}

/// A machine that loses power keeps what was synced: contents come before names, and names before success.
#[test]
fn what_is_written_is_synced_in_order() {
    for command in commands() {
        let folder = new_folder();
        (command.prepare)(folder.path(), command.version);
        TRACE.take();
        (command.run)(folder.path(), command.version).unwrap();
        let mut trace = TRACE.take();
        if command.version == Version::V1 {
            assert_eq!(trace.pop(), Some(Operation::Remove), "the lock file");
        }
        // The version file of a new key store is written before the first ring.
        let is_new_store =
            command.version == Version::V2 && matches!(command.name, "first" | "migrate");
        let (mut content, mut names) = (false, false);
        let mut is_renamed = false;
        for operation in trace {
            // All files of a command are complete before the first gets its name.
            let writes = operation == Operation::Write;
            assert!(!(writes && is_renamed), "{}: late writing", command.name);
            match operation {
                Operation::Create | Operation::Write | Operation::SetMode => content = true,
                Operation::Sync => content = false,
                Operation::SyncDirectory => names = false,
                Operation::Rename => {
                    assert!(!content, "{}: renamed before it was synced", command.name);
                    (names, is_renamed) = (true, !is_new_store);
                }
                Operation::Link | Operation::Remove | Operation::CreateDirectory => names = true,
                Operation::Lock | Operation::Open => {}
            }
        }
        assert!(
            !content && !names,
            "{}: not synced at the end",
            command.name
        );
    }
}

/// Environment of a child: which command, and how many changes it makes.
const CHILD: &str = "ACRA_STORES_TEST_CRASH";

#[test]
fn killed_before_every_change() {
    let program = std::env::current_exe().unwrap();
    for (number, command) in commands().iter().enumerate() {
        let expected = Expected::of(command);
        let mut changes = 0;
        loop {
            let folder = copy(expected.prepared.path());
            let place = format!("{} {}, change {changes}", command.name, command.version);
            let output = Process::new(&program)
                .args(["--exact", "crash_tests::child", "--nocapture"])
                .env(
                    CHILD,
                    format!("{number} {changes} {}", folder.path().display()),
                )
                .output()
                .unwrap();
            if output.status.success() {
                break;
            }
            let signal = output.status.signal();
            assert_eq!(signal, Some(Signal::KILL.as_raw()), "{place}: {output:?}");
            expected.check(command, folder.path(), &place);
            changes += 1;
        }
        assert!(changes > 5, "{}: {changes} changes", command.name);
    }
}

/// Runs a command and kills this process before a change. Without the environment of a child it has nothing to do.
#[test]
fn child() {
    let Ok(what) = std::env::var(CHILD) else {
        return;
    };
    let mut words = what.splitn(3, ' ');
    let mut number = || words.next().unwrap().parse().unwrap();
    let (command, changes) = (number(), number());
    let folder = PathBuf::from(words.next().unwrap());
    let command = &commands()[command as usize];
    PLAN.set(Some((changes, Fault::IsKilled)));
    (command.run)(&folder, command.version).unwrap();
}

#[test]
fn a_master_key_file_is_never_lost() {
    for changes in 0.. {
        let folder = new_folder();
        let path = folder.path().join("master.key");
        fs::write(&path, b"former key").unwrap();
        PLAN.set(Some((changes, Fault::Fails(Errno::NOSPC))));
        let result = generate_master_key(&path);
        if PLAN.take().is_some() {
            assert!(result.is_ok() && changes > 5);
            break;
        }
        assert!(result.unwrap_err().to_string().contains("No space left"));
        let files = files(folder.path());
        assert!(files.values().any(|content| content == b"former key"));
        assert!(!files[&path].is_empty());
        assert_eq!(leftovers(folder.path()), [] as [PathBuf; 0]);
    }
}
