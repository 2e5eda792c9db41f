//! Key directories as they are found: good, damaged, open to others, half written.

use crate::{CacheSize, KeyCache, KeyStore, KeyStoreError, Version, version_of};
use acra_engine::crypto::{KeyPairType, PublicKey};
use acra_engine::keys::v1::{self, TimeStamp};
use acra_engine::keys::{ClientId, ClientKeys, KeyKind};
use std::fs::{self, Permissions};
use std::num::NonZeroUsize;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh4=";
const KEY: &str = "client_storage_sym";

fn id() -> ClientId {
    ClientId::new("client").unwrap()
}

fn symmetric() -> KeyKind {
    KeyKind::StorageSymmetric(id())
}

fn pair() -> KeyKind {
    KeyKind::StoragePair(id())
}

/// A directory of mode 0700 and a store in it.
fn store() -> (TempDir, KeyStore) {
    let directory = tempfile::tempdir().unwrap();
    set_mode(directory.path(), 0o700);
    let store = KeyStore::open(directory.path(), None, Some(MASTER)).unwrap();
    (directory, store)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn key_ids(store: &KeyStore) -> Vec<[u8; 2]> {
    let keys = store.load_client(&id()).unwrap();
    keys.symmetric.iter().map(|key| key.id(b"")).collect()
}

fn old_files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory.join(v1::old_directory(KEY)))
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.sort();
    files
}

fn names(directory: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| name(entry.unwrap()))
        .collect();
    names.sort();
    names
}

#[test]
fn a_key_is_made_and_read() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new/keys");
    let store = KeyStore::open(&directory, None, Some(MASTER)).unwrap();
    assert!(store.client_ids().unwrap().is_empty());
    assert!(!directory.exists(), "readers create nothing");
    store.generate(&symmetric()).unwrap();
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join(KEY)), 0o600);
    assert_eq!(fs::metadata(directory.join(KEY)).unwrap().len(), 76);
    assert_eq!(names(&directory), [KEY]);
    let keys = store.load_client(&id()).unwrap();
    assert!(keys.current().is_some());
    assert_eq!(store.client_ids().unwrap(), [id()]);
    KeyStore::open(&directory, None, Some(MASTER)).unwrap();
    assert!(store.take_notices().is_empty());
}

#[test]
fn files_of_acra_are_read_in_their_order() {
    let (directory, _) = store();
    let vectors = "../engine/tests/vectors/keystore_v1.json";
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(vectors).unwrap()).unwrap();
    let unhex = |value: &serde_json::Value| -> Vec<u8> {
        let digits = value.as_str().unwrap().as_bytes();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    let mut expected = Vec::new();
    for vector in vectors["vectors"].as_array().unwrap() {
        let Some(path) = vector["in"]["path"].as_str() else {
            continue;
        };
        let Some(content) = vector["in"].get("file") else {
            continue;
        };
        let to = directory.path().join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&to, unhex(content)).unwrap();
        set_mode(&to, 0o600);
        if path.starts_with("client-alpha_storage_sym") {
            let secret = unhex(&vector["expect"]["decrypts_to"]);
            let key = acra_engine::crypto::BlockKey::new(secret.into()).unwrap();
            expected.push(key.id(b""));
        }
    }
    set_mode(directory.path(), 0o700);
    // The vectors' master key.
    let store = KeyStore::open(directory.path(), None, Some(MASTER)).unwrap();
    let alpha = ClientId::new("client-alpha").unwrap();
    let keys = store.load_client(&alpha).unwrap();
    let ids: Vec<_> = keys.symmetric.iter().map(|key| key.id(b"")).collect();
    assert_eq!((ids.len(), &ids), (2, &expected));
    let public = fs::read(directory.path().join("client-alpha_storage.pub")).unwrap();
    assert_eq!(keys.public.as_ref().unwrap().to_container()[..], public);
    assert_eq!(
        keys.private[0].public().unwrap(),
        keys.public.clone().unwrap()
    );
    assert_eq!(keys.private.len(), 3);
    let poison = store.load_poison().unwrap();
    assert_eq!((poison.symmetric.len(), poison.private.len()), (2, 2));
    assert_eq!(
        store
            .read_secret(&KeyKind::AuditLog)
            .unwrap()
            .as_bytes()
            .len(),
        32
    );
    let b = ClientId::new("client_B 2").unwrap();
    assert_eq!(
        store
            .read_secret(&KeyKind::Search(b))
            .unwrap()
            .as_bytes()
            .len(),
        32
    );
    let all = store.client_ids().unwrap();
    assert_eq!(
        all.iter().map(ClientId::as_str).collect::<Vec<_>>(),
        ["client-alpha", "client_B 2"]
    );
    let cache = KeyCache::new(store, CacheSize::Unlimited);
    cache.load_all().unwrap();
    assert!(cache.cached(&alpha).is_some());
    assert!(cache.take_notices().is_empty());
}

#[test]
fn rotated_keys_stay_newest_first() {
    let (directory, store) = store();
    let mut newest_first = Vec::new();
    for _ in 0..4 {
        store.generate(&symmetric()).unwrap();
        newest_first.insert(0, key_ids(&store)[0]);
    }
    assert_eq!(key_ids(&store), newest_first);
    let old = old_files(directory.path());
    assert_eq!(old.len(), 3);
    for path in &old {
        assert!(TimeStamp::parse(path.file_name().unwrap().to_str().unwrap()).is_some());
        assert_eq!(mode(path), 0o600);
    }
    assert_eq!(mode(&directory.path().join(v1::old_directory(KEY))), 0o700);
    assert_eq!(names(directory.path()), [KEY, "client_storage_sym.old"]);
}

#[test]
fn time_stamps_go_forward_when_the_clock_does_not() {
    let (directory, store) = store();
    store.generate(&symmetric()).unwrap();
    store.generate(&symmetric()).unwrap();
    let old = old_files(directory.path());
    fs::rename(
        &old[0],
        old[0].with_file_name("2999-12-31T23:59:59.999999999"),
    )
    .unwrap();
    let before = key_ids(&store)[0];
    store.generate(&symmetric()).unwrap();
    assert_eq!(key_ids(&store)[1], before);
    assert!(old_files(directory.path())[1].ends_with("3000-01-01T00:00:00"));
}

#[test]
fn a_rotation_that_was_cut_off_is_completed() {
    let (directory, store) = store();
    store.generate(&symmetric()).unwrap();
    // The link has been made, the rename has not; and temporary files lie about.
    let old = directory.path().join(v1::old_directory(KEY));
    fs::create_dir(&old).unwrap();
    fs::hard_link(
        directory.path().join(KEY),
        old.join("2026-11-23T16:41:24.5"),
    )
    .unwrap();
    let ours = directory.path().join(v1::temporary(7));
    let of_acra = directory.path().join("client_storage_sym123456");
    for path in [&ours, &of_acra] {
        fs::write(path, b"half").unwrap();
    }
    assert_eq!(store.client_ids().unwrap(), [id()]);
    assert_eq!(store.take_notices().len(), 2);
    let current = key_ids(&store)[0];
    store.generate(&symmetric()).unwrap();
    assert_eq!(old_files(directory.path()).len(), 1, "no second link");
    assert_eq!(key_ids(&store)[1], current);
    assert!(!ours.exists());
    assert!(of_acra.exists(), "Acra's are never removed");
}

#[test]
fn rotated_keys_open_when_the_current_one_was_destroyed() {
    let (directory, store) = store();
    store.generate(&symmetric()).unwrap();
    let before = key_ids(&store)[0];
    store.generate(&symmetric()).unwrap();
    fs::remove_file(directory.path().join(KEY)).unwrap();
    let keys = store.load_client(&id()).unwrap();
    assert_eq!(keys.symmetric[0].id(b""), before);
    assert!(
        keys.current().is_none(),
        "nothing is sealed with a rotated key"
    );
}

#[test]
fn keys_that_cannot_be_had() {
    let (directory, store) = store();
    let missing = store.load_client(&id()).unwrap_err();
    assert!(missing.is_missing() && missing.to_string().contains(KEY));

    store.generate(&symmetric()).unwrap();
    let path = directory.path().join(KEY);
    let other = KeyStore::open(directory.path(), None, Some(OTHER_MASTER)).unwrap();
    let wrong = other.load_client(&id()).unwrap_err();
    assert!(!wrong.is_missing());
    let text = wrong.to_string();
    assert!(
        text.contains(KEY) && text.contains("ACRA_MASTER_KEY"),
        "{text}"
    );

    store.generate(&symmetric()).unwrap();
    let [old] = &old_files(directory.path())[..] else {
        panic!("one older generation")
    };
    fs::write(old, b"damaged").unwrap();
    assert_eq!(key_ids(&store).len(), 1);
    let notices = store.take_notices();
    assert_eq!(
        (&*notices[0].message, &notices[0].path),
        ("Cannot open rotated key", old)
    );
    assert!(notices[0].is_error);

    for damaged in [&b""[..], b"damaged", &[0; 76], &vec![0; 1 << 20]] {
        fs::write(&path, damaged).unwrap();
        let error = store.load_client(&id()).unwrap_err();
        assert!(matches!(error, KeyStoreError::Unopened(_)), "{error}");
    }
    let cache = KeyCache::new(store, CacheSize::Unlimited);
    assert!(cache.load_all().is_err());
}

#[test]
fn modes_are_checked() {
    let (directory, store) = store();
    store.generate(&symmetric()).unwrap();
    set_mode(&directory.path().join(KEY), 0o640);
    store.load_client(&id()).unwrap();
    let [notice] = &store.take_notices()[..] else {
        panic!("one notice")
    };
    assert!(notice.message.contains("has incorrect permissions 0640"));
    for mode in [0o755, 0o750, 0o500, 0o1700] {
        set_mode(directory.path(), mode);
        let error = KeyStore::open(directory.path(), None, Some(MASTER))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("keystore folder has an incorrect permissions"),
            "{error}"
        );
        assert!(error.contains("chmod 700"), "{error}");
    }
}

#[test]
fn master_keys_are_checked() {
    let (directory, _) = store();
    for (text, error) in [
        (None, "master key is empty"),
        (Some(""), "master key is empty"),
        (Some("AAEC"), "master key must have 32 length in bytes"),
        (Some("?"), "master key is not standard base64"),
    ] {
        let refused = KeyStore::open(directory.path(), None, text)
            .unwrap_err()
            .to_string();
        assert!(refused.starts_with(error), "{refused}");
    }
}

#[test]
fn versions() {
    let (directory, store) = store();
    let version = || version_of(directory.path());
    assert_eq!(version().unwrap(), Version::Empty);
    assert_eq!(
        version_of(&directory.path().join("none")).unwrap(),
        Version::Empty
    );
    fs::write(directory.path().join(v1::LOCK), b"").unwrap();
    fs::write(directory.path().join(v1::temporary(1)), b"").unwrap();
    assert_eq!(version().unwrap(), Version::Empty);
    store.generate(&symmetric()).unwrap();
    assert_eq!(version().unwrap(), Version::V1);

    let file = directory.path().join(v1::VERSION);
    fs::write(&file, "Acra Keystore v2").unwrap();
    assert_eq!(version().unwrap(), Version::V2);
    let error = KeyStore::create(Version::V1, directory.path(), None, Some(MASTER)).unwrap_err();
    assert!(matches!(error, KeyStoreError::OtherVersion { .. }));
    assert!(error.to_string().contains("keystore v2"));
    for content in ["", "Acra Keystore v2\n", "Acra Keystore v3"] {
        fs::write(&file, content).unwrap();
        let error = KeyStore::open(directory.path(), None, Some(MASTER)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("invalid keystore version file content")
        );
    }
}

#[test]
fn writers_take_turns() {
    let (directory, store) = store();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| store.generate(&symmetric()).unwrap());
        }
    });
    assert_eq!(old_files(directory.path()).len(), 7);
    assert_eq!(key_ids(&store).len(), 8);
    let inodes = old_files(directory.path())
        .iter()
        .map(|path| fs::metadata(path).unwrap().ino())
        .collect::<std::collections::HashSet<_>>();
    assert_eq!(inodes.len(), 7);
    assert_eq!(names(directory.path()), [KEY, "client_storage_sym.old"]);
}

#[test]
fn the_cache_keeps_what_it_has_read() {
    fn shared<T: Send + Sync>(_: &T) {}
    let (directory, store) = store();
    store.generate(&symmetric()).unwrap();
    let cache = KeyCache::new(store, CacheSize::Unlimited);
    shared(&cache);
    assert!(cache.cached(&id()).is_none());
    let keys = cache.load(&id()).unwrap();
    assert!(cache.cached(&id()).is_some());
    fs::remove_dir_all(directory.path()).unwrap();
    assert_eq!(
        cache.load(&id()).unwrap().symmetric.len(),
        keys.symmetric.len()
    );
    assert!(
        cache
            .load(&ClientId::new("nobody").unwrap())
            .unwrap_err()
            .is_missing()
    );
    cache.load_all().unwrap();
    assert!(
        cache.cached(&id()).is_none(),
        "reloading forgets what is gone"
    );
}

#[test]
fn sessions_of_a_client_share_its_keys_and_a_later_one_gets_the_same() {
    let (directory, store) = store();
    store.generate(&symmetric()).unwrap();
    store.generate(&pair()).unwrap();
    store
        .generate_of_type(&pair(), KeyPairType::X25519)
        .unwrap();
    let expected = store.load_client(&id()).unwrap();
    let cache = KeyCache::new(store, CacheSize::Unlimited);
    cache.load_all().unwrap();
    fs::remove_dir_all(directory.path()).unwrap();
    let (first, second) = (cache.cached(&id()).unwrap(), cache.load(&id()).unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    let gone = Arc::downgrade(&first);
    drop((first, second));
    assert!(gone.upgrade().is_none(), "nobody uses them: they are wiped");
    let again = cache.cached(&id()).unwrap();
    assert_eq!(again.public, expected.public);
    assert_eq!(again.symmetric[0].id(b""), expected.symmetric[0].id(b""));
    let publics = |keys: &ClientKeys| -> Vec<PublicKey> {
        keys.private
            .iter()
            .map(|key| key.public().unwrap())
            .collect()
    };
    let kinds: Vec<KeyPairType> = publics(&again).iter().map(PublicKey::kind).collect();
    assert_eq!(kinds, [KeyPairType::X25519, KeyPairType::P256]);
    assert_eq!(publics(&again), publics(&expected));
}

#[test]
fn no_more_clients_are_kept_than_asked_for() {
    for (size, kept) in [
        (CacheSize::None, 0),
        (CacheSize::Clients(NonZeroUsize::new(2).unwrap()), 2),
        (CacheSize::Unlimited, 3),
    ] {
        let (_directory, store) = store();
        let ids = ["client 0", "client 1", "client 2"].map(|id| ClientId::new(id).unwrap());
        for id in &ids {
            let kind = KeyKind::StorageSymmetric(id.clone());
            store.generate(&kind).unwrap();
        }
        let cache = KeyCache::new(store, size);
        cache.load_all().unwrap();
        let cached = ids.iter().filter(|id| cache.cached(id).is_some());
        assert_eq!(cached.count(), kept);
        for id in &ids {
            assert_eq!(cache.load(id).unwrap().symmetric.len(), 1);
        }
    }
}

const PRIVATE: &str = "client_storage";

/// The private keys of the client by their public parts, newest first.
fn pairs(store: &KeyStore) -> Vec<[u8; 45]> {
    let keys = store.load_client(&id()).unwrap();
    let public = |key: &acra_engine::crypto::PrivateKey| key.public().unwrap().to_container();
    keys.private.iter().map(public).collect()
}

#[test]
fn key_pairs_are_rotated_and_stay_newest_first() {
    let (directory, store) = store();
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        store.generate(&pair()).unwrap();
        newest_first.insert(0, pairs(&store)[0]);
    }
    assert_eq!(pairs(&store), newest_first);
    assert_eq!(store.client_ids().unwrap(), [id()]);
    let public = directory.path().join("client_storage.pub");
    assert_eq!(fs::read(&public).unwrap(), newest_first[0]);
    assert_eq!(mode(&public), 0o644);
    assert_eq!(mode(&directory.path().join(PRIVATE)), 0o600);
    for old in ["client_storage.old", "client_storage.pub.old"] {
        assert_eq!(fs::read_dir(directory.path().join(old)).unwrap().count(), 2);
    }
    // After the current one was destroyed the others still open, and nothing is sealed.
    fs::remove_file(&public).unwrap();
    fs::remove_file(directory.path().join(PRIVATE)).unwrap();
    let keys = store.load_client(&id()).unwrap();
    assert_eq!((keys.private.len(), keys.public), (2, None));
    assert!(store.take_notices().is_empty());
}

#[test]
fn public_keys_in_a_directory_of_their_own() {
    let (directory, _) = store();
    let public = tempfile::tempdir().unwrap();
    set_mode(public.path(), 0o755);
    let store = KeyStore::open(directory.path(), Some(public.path()), Some(MASTER)).unwrap();
    store.generate(&pair()).unwrap();
    let file = fs::read(public.path().join("client_storage.pub")).unwrap();
    assert_eq!(pairs(&store), [<[u8; 45]>::try_from(file).unwrap()]);
    assert_eq!(names(directory.path()), [PRIVATE]);
    fs::remove_file(directory.path().join(PRIVATE)).unwrap();
    let keys = store.load_client(&id()).unwrap();
    assert!(keys.private.is_empty() && keys.public.is_some());
    fs::write(public.path().join("client_storage.pub"), b"damaged").unwrap();
    assert!(store.load_client(&id()).is_err());
}

#[test]
fn private_keys_that_others_can_read_are_refused() {
    let (directory, store) = store();
    store.generate(&pair()).unwrap();
    let path = directory.path().join(PRIVATE);
    for mode in [0o640, 0o577, 0o601, 0o700] {
        set_mode(&path, mode);
        let error = store.load_client(&id()).unwrap_err().to_string();
        assert!(error.starts_with("private key file "), "{error}");
        assert!(error.contains("has incorrect permissions"), "{error}");
    }
    // Whoever also has symmetric keys goes on with those.
    store.generate(&symmetric()).unwrap();
    let keys = store.load_client(&id()).unwrap();
    assert_eq!((keys.symmetric.len(), keys.private.len()), (1, 0));
    let [notice] = &store.take_notices()[..] else {
        panic!("one notice")
    };
    assert!(notice.is_error && notice.path == path);
    set_mode(&path, 0o400);
    assert_eq!(pairs(&store).len(), 1);
}

/// Index, purpose and file name of all listed keys.
fn listed(store: &KeyStore) -> Vec<(u32, &'static str, String)> {
    let keys = store.list(true).unwrap();
    keys.into_iter()
        .map(|key| (key.index, key.purpose, key.id))
        .collect()
}

#[test]
fn keys_are_listed_in_the_order_of_names() {
    let (directory, store) = store();
    for kind in [symmetric(), pair(), pair(), KeyKind::AuditLog] {
        store.generate(&kind).unwrap();
    }
    for kind in [KeyKind::PoisonSymmetric, KeyKind::PoisonSymmetric] {
        store.generate(&kind).unwrap();
    }
    let legacy = directory.path().join("auth_key");
    let unknown = directory.path().join("client_backup");
    let in_old = directory.path().join("client_storage.old/notes");
    for path in [
        &legacy,
        &unknown,
        &in_old,
        &directory.path().join("token.db"),
    ] {
        fs::write(path, b"").unwrap();
    }
    let row = |index, purpose, id: &str| (index, purpose, id.to_owned());
    assert_eq!(
        listed(&store),
        [
            row(1, "poison_sym_key", "poison_key_sym"),
            row(1, "private_storage", "client_storage"),
            row(1, "public_storage", "client_storage.pub"),
            row(1, "storage_sym_key", "client_storage_sym"),
            row(1, "audit_log", "secure_log_key"),
            row(2, "poison_sym_key", "poison_key_sym"),
            row(2, "private_storage", "client_storage"),
            row(2, "public_storage", "client_storage.pub"),
        ]
    );
    assert_eq!(store.list(false).unwrap().len(), 5);
    let mut notices: Vec<(String, PathBuf)> = store
        .take_notices()
        .into_iter()
        .map(|notice| (notice.message, notice.path))
        .collect();
    notices.sort();
    assert_eq!(
        notices,
        [
            ("Ignoring legacy key".to_owned(), legacy),
            ("Ignoring unknown file".to_owned(), unknown),
            ("Ignoring unknown file".to_owned(), in_old),
        ]
    );
    let nowhere = KeyStore::open(&directory.path().join("none"), None, Some(MASTER)).unwrap();
    assert!(nowhere.list(false).is_err());
}

#[test]
fn the_key_that_is_listed_is_destroyed() {
    let (directory, store) = store();
    let mut newest_first = Vec::new();
    for _ in 0..4 {
        store.generate(&symmetric()).unwrap();
        newest_first.insert(0, key_ids(&store)[0]);
    }
    // 2 is the oldest one.
    store.destroy(&symmetric(), 3).unwrap();
    newest_first.remove(2);
    assert_eq!(key_ids(&store), newest_first);
    for index in [0, 4, u32::MAX] {
        let error = store.destroy(&symmetric(), index).unwrap_err();
        assert!(error.to_string().starts_with("invalid index value"));
    }
    store.destroy(&symmetric(), 1).unwrap();
    store.destroy(&symmetric(), 1).unwrap();
    assert_eq!(key_ids(&store), newest_first[1..]);
    store.destroy(&symmetric(), 2).unwrap();
    store.destroy(&symmetric(), 2).unwrap();
    assert!(
        names(directory.path()).is_empty(),
        "no empty directory stays"
    );
}

#[test]
fn both_parts_of_a_pair_are_destroyed() {
    let (directory, store) = store();
    for _ in 0..4 {
        store.generate(&pair()).unwrap();
    }
    let before = pairs(&store);
    // A public file less: the right one is still found by the private key.
    let publics = directory.path().join("client_storage.pub.old");
    fs::remove_file(publics.join(&names(&publics)[0])).unwrap();
    store.destroy(&pair(), 4).unwrap();
    assert_eq!(pairs(&store), [before[0], before[2], before[3]]);
    let left = names(&publics);
    assert_eq!(left.len(), 1);
    assert_eq!(fs::read(publics.join(&left[0])).unwrap(), before[2]);
    // One that does not open, and no telling which public file is its own.
    let privates = directory.path().join("client_storage.old");
    fs::write(privates.join(&names(&privates)[0]), b"damaged").unwrap();
    store.destroy(&pair(), 2).unwrap();
    let [notice] = &store.take_notices()[..] else {
        panic!("one notice")
    };
    assert_eq!(notice.message, "No public key found for the destroyed key");
    assert_eq!(names(&publics).len(), 1);
    store.destroy(&pair(), 1).unwrap();
    assert_eq!(
        names(directory.path()),
        ["client_storage.old", "client_storage.pub.old"]
    );
}
