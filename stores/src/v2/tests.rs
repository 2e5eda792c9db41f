//! Key stores v2 as Acra leaves them, as they are changed, and as they should not be.

use crate::{
    Bundle, Destination, KeyStore, KeyStoreError, ListedKey, Selection, Version, migrate,
    version_of,
};
use acra_engine::crypto::{BlockKey, KeyPairType, Secret};
use acra_engine::keys::v1;
use acra_engine::keys::v2::{BundleError, KeyRing, RingError, RingPath, Sealed, UtcTime};
use acra_engine::keys::{ClientId, KeyKind, MasterKey, MasterKeys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const V1_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn id() -> ClientId {
    ClientId::new("client-alpha").unwrap()
}

fn symmetric() -> KeyKind {
    KeyKind::StorageSymmetric(id())
}

fn pair() -> KeyKind {
    KeyKind::StoragePair(id())
}

fn all_kinds() -> [KeyKind; 6] {
    [
        pair(),
        symmetric(),
        KeyKind::Search(id()),
        KeyKind::PoisonPair,
        KeyKind::PoisonSymmetric,
        KeyKind::AuditLog,
    ]
}

fn vectors() -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/vectors/keystore_v2.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The master keys of the vectors, as an environment variable holds them.
fn master_text() -> String {
    let vectors = vectors();
    let base64 = |name: &str| STANDARD.encode(unhex(&vectors[name]));
    let (encryption, signature) = (base64("encryption_key"), base64("signature_key"));
    STANDARD.encode(format!(
        r#"{{"encryption":"{encryption}","signature":"{signature}"}}"#
    ))
}

fn master() -> MasterKeys {
    MasterKeys::from_base64(&master_text()).unwrap()
}

fn unhex(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes().chunks(2);
    let byte = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

/// The directory that Acra wrote, without its lock file.
fn of_acra() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o700);
    fs::write(folder.path().join(v1::VERSION), v1::VERSION_2).unwrap();
    for vector in vectors()["vectors"].as_array().unwrap() {
        let Some(name) = vector["name"].as_str().unwrap().strip_prefix("file:") else {
            continue;
        };
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, unhex(&vector["in"]["file"])).unwrap();
    }
    folder
}

fn open(directory: &Path) -> KeyStore {
    KeyStore::open(directory, None, Some(&master_text())).unwrap()
}

/// A new key store with a key of each kind.
fn with_all_kinds() -> (TempDir, KeyStore) {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    let master = master_text();
    let store = KeyStore::create(Version::V2, &directory, None, Some(&master)).unwrap();
    for kind in all_kinds() {
        store.generate(&kind).unwrap();
    }
    (folder, store)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Paths, modes and contents of all files.
fn files(directory: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            files.extend(self::files(&path));
        } else {
            files.insert(path.clone(), (mode, fs::read(path).unwrap()));
        }
    }
    files
}

/// What tells keys apart. The number alone is the same for one pair in 65 536.
fn ids(store: &KeyStore) -> Vec<[[u8; 2]; 4]> {
    let keys = store.load_client(&id()).unwrap();
    let id = |key: &BlockKey| [&b""[..], b"1", b"2", b"3"].map(|context| key.id(context));
    keys.symmetric.iter().map(id).collect()
}

fn rows(keys: &[ListedKey]) -> Vec<(u32, &str, &str)> {
    keys.iter()
        .map(|key| (key.index, key.purpose, key.id.as_str()))
        .collect()
}

/// What the ring of a key holds.
fn ring(store: &KeyStore, kind: &KeyKind) -> KeyRing<Sealed> {
    let path = RingPath::of(kind);
    let file = fs::read(store.directory().join(path.file())).unwrap();
    KeyRing::read(&path, &file, &master()).unwrap().0
}

fn put_ring(store: &KeyStore, ring: &KeyRing<Sealed>) {
    let path = store.directory().join(ring.path().file());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, ring.write(UtcTime::new(0), &master()).unwrap()).unwrap();
}

fn ring_error(error: KeyStoreError) -> RingError {
    match error {
        KeyStoreError::Ring { error, .. } => error,
        other => panic!("{other}"),
    }
}

#[test]
fn a_directory_of_acra_is_read_and_stays_as_it_is() {
    let folder = of_acra();
    let before = fs::read_dir(folder.path()).unwrap().count();
    let store = open(folder.path());
    assert_eq!(store.version(), Version::V2);
    assert_eq!(store.client_ids().unwrap(), [id()]);
    let keys = store.load_client(&id()).unwrap();
    assert_eq!((keys.symmetric.len(), keys.private.len()), (2, 2));
    assert!(keys.current().is_some());
    let public = keys.private[0].public().unwrap();
    assert!(keys.public == Some(public));
    let poison = store.load_poison().unwrap();
    assert_eq!((poison.symmetric.len(), poison.private.len()), (1, 1));
    for kind in all_kinds() {
        let length = if kind.is_pair() { 45 } else { 32 };
        assert_eq!(store.read_secret(&kind).unwrap().as_bytes().len(), length);
        match store.read_public(&kind) {
            Ok(public) => assert_eq!((public.len(), kind.is_pair()), (45, true)),
            Err(error) => assert!(error.is_missing() && !kind.is_pair()),
        }
    }
    assert_eq!(
        rows(&store.list(true).unwrap()),
        [
            (1, "audit log signature key", "audit-log"),
            (
                1,
                "encrypted search HMAC key",
                "client/client-alpha/hmac-sym"
            ),
            (
                1,
                "client storage symmetric key",
                "client/client-alpha/storage-sym"
            ),
            (1, "client storage key", "client/client-alpha/storage"),
            (1, "poison record symmetric key", "poison-record-sym"),
            (1, "poison record key", "poison-record"),
            (
                2,
                "client storage symmetric key",
                "client/client-alpha/storage-sym"
            ),
            (2, "client storage key", "client/client-alpha/storage"),
        ]
    );
    let created = store.list(false).unwrap()[0].created.unwrap();
    assert_eq!(created.to_string(), "2026-11-23T16:56:10");
    assert_eq!(store.take_notices(), []);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
}

#[test]
fn keys_are_made_and_rotated() {
    let (_folder, store) = with_all_kinds();
    for (path, (mode, content)) in files(store.directory()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = if name == v1::VERSION { 0o644 } else { 0o600 };
        assert_eq!(mode, expected, "{name}");
        assert_eq!(content.is_empty(), name == v1::LOCK);
    }
    let first = ids(&store);
    for pair_type in [KeyPairType::P256, KeyPairType::X25519] {
        store.generate(&symmetric()).unwrap();
        store.generate_of_type(&pair(), pair_type).unwrap();
    }
    let keys = store.load_client(&id()).unwrap();
    assert_eq!((keys.symmetric.len(), keys.private.len()), (3, 3));
    assert!(!keys.symmetric[0].is_rotated() && keys.symmetric[1].is_rotated());
    assert_eq!(ids(&store)[2..], first);
    let kinds = keys.private.iter().map(|key| key.public().unwrap().kind());
    let expected = [KeyPairType::X25519, KeyPairType::P256, KeyPairType::P256];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    let private = store.read_secret(&pair()).unwrap();
    let newest = keys.private[0].to_container().unwrap();
    assert_eq!(private.as_bytes(), newest.as_bytes());
    // Opening and making it again changes nothing.
    let before = files(store.directory());
    let master = master_text();
    KeyStore::create(Version::V2, store.directory(), None, Some(&master)).unwrap();
    assert!(files(store.directory()) == before);
}

#[test]
fn writers_take_turns_and_readers_see_whole_rings() {
    let (_folder, store) = with_all_kinds();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..4 {
                    store.generate(&symmetric()).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                assert!(!ids(&store).is_empty());
            }
        });
    });
    assert_eq!(ids(&store).len(), 13);
    let ring = ring(&store, &symmetric());
    let seqnums: Vec<i64> = ring.keys().iter().map(|key| key.seqnum()).collect();
    assert_eq!(seqnums, (1..=13).collect::<Vec<_>>());
}

#[test]
fn keys_are_destroyed_by_the_index_that_is_listed() {
    let (_folder, store) = with_all_kinds();
    for _ in 0..3 {
        store.generate(&symmetric()).unwrap();
    }
    let [newest, third, second, first] = ids(&store)[..] else {
        panic!("four keys")
    };
    store.destroy(&symmetric(), 3).unwrap();
    assert_eq!(ids(&store), [newest, third, first]);
    let error = store.destroy(&symmetric(), 4).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("invalid index value provided")
    );
    store.destroy(&symmetric(), 1).unwrap();
    assert_eq!(ids(&store), [third, first]);
    assert_ne!(second, third);
    let keys = store.load_client(&id()).unwrap();
    assert!(keys.current().is_none());
    let error = ring_error(store.destroy(&symmetric(), 1).unwrap_err());
    assert_eq!(error, RingError::Transition);
    let error = store.read_secret(&symmetric()).unwrap_err();
    assert!(error.is_missing() && error.to_string().starts_with("key has been destroyed"));
    // It is listed all the same.
    let listed = store.list(true).unwrap();
    let of_ring = listed.iter().filter(|key| key.kind == symmetric());
    assert_eq!(of_ring.map(|key| key.index).collect::<Vec<_>>(), [1, 2, 3]);

    // No ring is made by destroying or reading.
    let other = KeyKind::Search(ClientId::new("other").unwrap());
    let error = ring_error(store.destroy(&other, 1).unwrap_err());
    assert_eq!(error, RingError::NoCurrent);
    assert!(store.read_secret(&other).unwrap_err().is_missing());
    assert!(!store.directory().join("client/other").exists());
}

#[test]
fn what_else_lies_in_the_directory() {
    let (_folder, store) = with_all_kinds();
    let path = |name: &str| store.directory().join(name);
    let zone = RingPath::parse("zone/DDDDDDDDzxzXVyBBaNclkgPS/storage").unwrap();
    put_ring(&store, &KeyRing::new(zone));
    put_ring(
        &store,
        &KeyRing::new(RingPath::of(&KeyKind::Search(
            ClientId::new("empty").unwrap(),
        ))),
    );
    fs::write(path("client/client-alpha/storage.keyring.new"), "half").unwrap();
    fs::write(path("client/client-alpha/notes.txt"), "").unwrap();
    fs::write(path(&v1::temporary(1)), "").unwrap();
    assert_eq!(store.list(true).unwrap().len(), 6);
    let notices = store.take_notices();
    let count = |message: &str| {
        notices
            .iter()
            .filter(|notice| notice.message == message)
            .count()
    };
    assert_eq!(count("Ignoring legacy key"), 1);
    assert_eq!(count("Ignoring unknown file"), 1);
    assert_eq!(count("Ignoring unfinished key file"), 2);
    assert_eq!(notices.len(), 4);
    // A writer removes what is left over where it writes.
    store.generate(&pair()).unwrap();
    assert!(!path("client/client-alpha/storage.keyring.new").exists());
    assert!(!path(&v1::temporary(1)).exists());
    assert!(path("client/client-alpha/notes.txt").exists());
}

#[test]
fn rings_that_are_damaged_or_moved() {
    let (_folder, store) = with_all_kinds();
    let path = |kind: &KeyKind| store.directory().join(RingPath::of(kind).file());
    fs::copy(path(&KeyKind::AuditLog), path(&KeyKind::PoisonSymmetric)).unwrap();
    let error = ring_error(store.load_poison().unwrap_err());
    assert_eq!(error, RingError::Signature);
    assert!(store.list(false).is_err());
    let error = store.generate(&KeyKind::PoisonSymmetric).unwrap_err();
    assert!(error.to_string().contains("poison-record-sym.keyring"));

    // Without the pair AcraBlocks still open.
    fs::write(path(&pair()), "").unwrap();
    let keys = store.load_client(&id()).unwrap();
    assert_eq!((keys.symmetric.len(), keys.private.len()), (1, 0));
    assert!(store.take_notices().iter().any(|notice| notice.is_error));

    // A rotated key that does not open is passed over, a current one is not.
    let foreign = MasterKeys::generate(&mut rand::rng());
    let own = ring(&store, &symmetric());
    let mut mixed = own
        .open_all(&master())
        .unwrap()
        .seal(&foreign, &mut rand::rng())
        .unwrap();
    put_ring(&store, &mixed);
    assert!(store.load_client(&id()).is_err());
    let key = acra_engine::keys::v2::NewKey::Symmetric(Secret::from(vec![7; 32]));
    mixed
        .rotate(key, UtcTime::new(0), &master(), &mut rand::rng())
        .unwrap();
    put_ring(&store, &mixed);
    store.take_notices();
    assert_eq!(ids(&store).len(), 1);
    assert_eq!(store.take_notices()[0].message, "Cannot open rotated key");
}

#[test]
fn directories_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("keys");
    let master = master_text();
    let create = || KeyStore::create(Version::V2, &directory, None, Some(&master));
    let v1_store = KeyStore::open(&directory, None, Some(V1_KEY)).unwrap();
    v1_store.generate(&KeyKind::PoisonPair).unwrap();
    let before = files(&directory);
    let error = create().unwrap_err();
    assert!(
        matches!(
            &error,
            KeyStoreError::OtherVersion {
                found: Version::V1,
                ..
            }
        ),
        "{error}"
    );
    assert!(files(&directory) == before);

    // Other files do not stand in the way.
    fs::remove_dir_all(directory.join(v1::POISON_DIRECTORY)).unwrap();
    fs::write(directory.join("token.db"), "").unwrap();
    create().unwrap();
    assert_eq!(version_of(&directory).unwrap(), Version::V2);

    // An initialisation that was cut off is completed, but only in an empty directory.
    fs::write(directory.join(v1::VERSION), "").unwrap();
    assert!(matches!(
        create().unwrap_err(),
        KeyStoreError::VersionFile(_)
    ));
    fs::remove_file(directory.join("token.db")).unwrap();
    create().unwrap();

    set_mode(&directory, 0o750);
    let error = KeyStore::open(&directory, None, Some(&master)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("invalid key directory access permissions")
    );
    set_mode(&directory, 0o700);
    let error = KeyStore::open(&directory, None, Some(V1_KEY)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("master key of keystore v2 is not JSON")
    );

    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "").unwrap();
    let error = create().unwrap_err();
    assert!(error.to_string().starts_with("cannot ") || error.to_string().contains("directory"));
}

#[test]
fn bundles_carry_keys_to_another_key_store() {
    let (folder, store) = with_all_kinds();
    store.generate(&symmetric()).unwrap();
    store.destroy(&symmetric(), 2).unwrap();
    store
        .generate_of_type(&pair(), KeyPairType::X25519)
        .unwrap();
    let (bundle, _) = store.export(&Selection::All, true).unwrap();
    assert_eq!(bundle.version(), Version::V2);

    // An empty directory becomes a key store of the bundle's version, with a master key of its own.
    let other = folder.path().join("other");
    let own = STANDARD.encode(MasterKeys::generate(&mut rand::rng()).to_json().as_bytes());
    let other = KeyStore::for_import(&bundle, &other, None, Some(&own)).unwrap();
    let imported = other.import(&bundle).unwrap();
    assert_eq!((imported.count, imported.keys.len()), (6, 6));
    assert!(imported.keys.iter().all(ListedKey::is_current));
    for kind in all_kinds() {
        let key = |store: &KeyStore| store.read_secret(&kind).unwrap().as_bytes().to_vec();
        assert_eq!(key(&store), key(&other));
    }
    assert_eq!(other.list(true).unwrap(), store.list(true).unwrap());

    // Twice is once.
    let before = files(other.directory());
    assert_eq!(other.import(&bundle).unwrap().count, 6);
    assert!(files(other.directory()) == before);

    // Another current key becomes a rotated one.
    let former = ids(&other);
    store.generate(&symmetric()).unwrap();
    let selection = Selection::Keys(vec![symmetric(), symmetric()]);
    let (bundle, _) = store.export(&selection, true).unwrap();
    assert_eq!(other.import(&bundle).unwrap().count, 1);
    assert_eq!(ids(&other), [&ids(&store)[..1], &former].concat());
}

#[test]
fn bundles_of_public_keys() {
    let (_folder, store) = with_all_kinds();
    let (bundle, _) = store.export(&Selection::All, false).unwrap();
    let notices = store.take_notices();
    assert_eq!(notices.len(), 4);
    assert!(
        notices[0]
            .message
            .starts_with("Key not exported: audit-log ")
    );
    let (_other, receiver) = with_all_kinds();
    receiver.destroy(&pair(), 1).unwrap();
    assert_eq!(receiver.import(&bundle).unwrap().count, 2);
    let keys = receiver.load_client(&id()).unwrap();
    assert!(keys.private.is_empty() && keys.public.is_some());
    let selection = Selection::Keys(vec![symmetric()]);
    let error = store.export(&selection, false).unwrap_err();
    assert_eq!(error.to_string(), "no keys to export");
    let missing = KeyKind::StoragePair(ClientId::new("other").unwrap());
    let error = store
        .export(&Selection::Keys(vec![missing]), true)
        .unwrap_err();
    assert!(error.is_missing());
}

#[test]
fn bundles_that_do_not_fit_change_nothing() {
    let (_folder, store) = with_all_kinds();
    let (_other, other) = with_all_kinds();
    let before = files(store.directory());
    let (bundle, _) = other.export(&Selection::All, true).unwrap();
    let with = |data: &[u8], secret: &[u8]| Bundle {
        data: data.to_vec(),
        secret: Secret::from(secret.to_vec()),
    };
    let damaged = with(&bundle.data[1..], bundle.secret.as_bytes());
    let error = store.import(&damaged).unwrap_err();
    assert!(matches!(error, KeyStoreError::BundleVersion { .. }));
    let mut flipped = with(&bundle.data, bundle.secret.as_bytes());
    *flipped.data.last_mut().unwrap() ^= 1;
    let error = store.import(&flipped).unwrap_err();
    let signature = BundleError::from(RingError::Signature);
    assert!(matches!(error, KeyStoreError::Bundle(error) if error == signature));
    let error = store.import(&with(&bundle.data, b"{}")).unwrap_err();
    assert!(matches!(error, KeyStoreError::BundleSecret(_)));
    // One ring of the store that cannot be extended stops all.
    let path = store.directory().join("poison-record.keyring");
    fs::write(&path, "").unwrap();
    assert!(store.import(&bundle).is_err());
    fs::write(&path, &before[&path].1).unwrap();
    assert!(files(store.directory()) == before);
}

/// A key store v1 with two generations of each kind.
fn source(folder: &Path) -> KeyStore {
    let store = KeyStore::open(&folder.join("v1"), None, Some(V1_KEY)).unwrap();
    for kind in all_kinds() {
        store.generate(&kind).unwrap();
        store.generate(&kind).unwrap();
    }
    store
}

fn destination(folder: &Path, force: bool) -> Result<Destination, KeyStoreError> {
    Destination::open(&folder.join("v2"), Some(&master_text()), force)
}

#[test]
fn a_migration_brings_all_generations() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let target = folder.path().join("v2");
    let before = files(source.directory());
    assert_eq!(
        migrate(&source, destination(folder.path(), false).unwrap(), true).unwrap(),
        6
    );
    assert!(!target.exists());
    assert_eq!(
        migrate(&source, destination(folder.path(), false).unwrap(), false).unwrap(),
        6
    );
    assert!(files(source.directory()) == before);

    let store = open(&target);
    assert_eq!(ids(&store), ids(&source));
    let containers = |store: &KeyStore| -> Vec<Vec<u8>> {
        let keys = store.load_client(&id()).unwrap().private;
        let container =
            |key: &acra_engine::crypto::PrivateKey| key.to_container().unwrap().as_bytes().to_vec();
        keys.iter().map(container).collect()
    };
    assert_eq!(containers(&store), containers(&source));
    for kind in all_kinds() {
        let key = |store: &KeyStore| store.read_secret(&kind).unwrap().as_bytes().to_vec();
        assert_eq!(key(&store), key(&source));
    }
    // Rotated keys show the times of their files, without fractions.
    let time = |store: &KeyStore| {
        let rotated = store.list(true).unwrap().into_iter();
        let mut rotated = rotated.filter(|key| !key.is_current() && key.kind == symmetric());
        rotated.next().unwrap().created.unwrap().seconds()
    };
    assert_eq!(time(&store), time(&source));

    // Once more: only with force, and to no effect.
    let error = destination(folder.path(), false).unwrap_err();
    assert!(error.to_string().starts_with("destination exists"));
    let before = files(&target);
    migrate(&source, destination(folder.path(), true).unwrap(), true).unwrap();
    migrate(&source, destination(folder.path(), true).unwrap(), false).unwrap();
    assert!(files(&target) == before);
    // And never from or to the wrong version.
    assert!(migrate(&store, destination(folder.path(), true).unwrap(), false).is_err());
    let error = Destination::open(source.directory(), Some(&master_text()), true).unwrap_err();
    assert!(matches!(error, KeyStoreError::OtherVersion { .. }));
}

#[test]
fn a_key_that_does_not_open_stops_a_migration() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let path = source.directory().join("secure_log_key");
    fs::write(&path, "damaged").unwrap();
    let error = migrate(&source, destination(folder.path(), false).unwrap(), false).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Incomplete key import: one key")
    );
    let KeyStoreError::Incomplete(keys) = error else {
        panic!("keys")
    };
    assert_eq!(keys[0].kind, KeyKind::AuditLog);
    assert!(!folder.path().join("v2").exists());
}

#[test]
fn a_migration_knows_what_acra_leaves_behind() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let path = |name: &str| source.directory().join(name);
    // A poison key sealed like the pair's private key, by an import of Acra.
    let poison = source.read_secret(&KeyKind::PoisonSymmetric).unwrap();
    let master = MasterKey::from_base64(V1_KEY).unwrap();
    let mistaken = v1::file(&KeyKind::PoisonPair);
    let sealed = v1::seal(&master, &mistaken, poison.as_bytes(), &mut rand::rng()).unwrap();
    fs::write(path(&v1::file(&KeyKind::PoisonSymmetric)), sealed).unwrap();
    // A public key alone, legacy keys and other files.
    let public = source.read_public(&pair()).unwrap();
    fs::write(path("other-client_storage.pub"), &public).unwrap();
    fs::write(path("client_server"), "legacy").unwrap();
    fs::write(path("token.db"), "").unwrap();
    // The current key was destroyed.
    source.destroy(&KeyKind::Search(id()), 1).unwrap();

    migrate(&source, destination(folder.path(), false).unwrap(), false).unwrap();
    let store = open(&folder.path().join("v2"));
    let migrated = store.read_secret(&KeyKind::PoisonSymmetric).unwrap();
    assert_eq!(migrated.as_bytes(), poison.as_bytes());
    let other = KeyKind::StoragePair(ClientId::new("other-client").unwrap());
    assert_eq!(store.read_public(&other).unwrap(), public);
    let error = ring_error(store.read_secret(&other).unwrap_err());
    assert_eq!(error, RingError::NoKeyData);
    let search = KeyKind::Search(id());
    assert!(store.read_secret(&search).unwrap_err().is_missing());
    assert_eq!(ring(&store, &search).rotated().len(), 1);
}
