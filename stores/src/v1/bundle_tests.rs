//! Bundles with odd contents, and key stores that have some of their keys.

use super::Store;
use crate::{Bundle, Imported, KeyStoreError, Selection};
use acra_engine::crypto::{KeyPairType, PrivateKey};
use acra_engine::crypto::{Secret, secure_cell};
use acra_engine::keys::v1::bundle::{self, Record};
use acra_engine::keys::{ClientId, KeyKind, MasterKey};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn store(directory: &Path) -> Store {
    let master = MasterKey::from_base64(MASTER).unwrap();
    Store::new(directory, directory, master)
}

/// A place for a store that does not exist yet.
fn place() -> (TempDir, Store) {
    let parent = tempfile::tempdir().unwrap();
    let store = store(&parent.path().join("keys"));
    (parent, store)
}

fn import(store: &Store, records: &[(&str, &[u8])]) -> Result<Imported, KeyStoreError> {
    let record = |(name, content): &(&str, &[u8])| Record {
        name: (*name).to_owned(),
        content: Secret::from(content.to_vec()),
    };
    let records: Vec<Record> = records.iter().map(record).collect();
    let (data, secret) = bundle::seal(&records, &mut rand::rng()).unwrap();
    store.import(&Bundle { data, secret })
}

fn indexes(imported: &Imported) -> Vec<u32> {
    imported.keys.iter().map(|key| key.index).collect()
}

#[test]
fn what_is_no_key_file_is_refused() {
    let key: &[u8] = &[7; 32];
    let pair = PrivateKey::generate(KeyPairType::default(), &mut rand::rng()).unwrap();
    let private = pair.to_container().unwrap();
    for records in [
        &[("../client_hmac", key)][..],
        &[("/client_hmac", key)],
        &[("./client_hmac", key)],
        &[("client_hmac.old/../x", key)],
        &[("client_hmac.old/now", key)],
        &[("client_hmac.old/2026-11-23T16:41:24/x", key)],
        &[(".poison_key/client_hmac", key)],
        &[("bad_hmac", key)],
        &[("../client_server", key)],
        &[("client_hmac.pub", key)],
        &[("token.db", key)],
        &[("", key)],
        &[("client_hmac", key), ("client_hmac", key)],
        &[("client_hmac", &[0; 32])],
        &[("client_hmac", b"")],
        &[("client_storage", key)],
        &[("client_storage.pub", private.as_bytes())],
        // One that is good does not help the other.
        &[("client_hmac", key), ("x", key)],
    ] {
        let (_parent, store) = place();
        let refused = import(&store, records).unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with("the bundle has a "), "{text}");
        assert!(!store.directory.exists(), "{records:?}");
    }
}

#[test]
fn keys_of_old_kinds() {
    let (_parent, store) = place();
    let pair = PrivateKey::generate(KeyPairType::default(), &mut rand::rng()).unwrap();
    let public = pair.public().unwrap().to_container();
    let records: [(&str, &[u8]); 3] = [
        ("auth_key", b"in the clear"),
        ("client_server", b"private"),
        ("client_server.pub", &public),
    ];
    let imported = import(&store, &records).unwrap();
    assert_eq!((imported.count, imported.keys.len()), (3, 0));
    assert_eq!(store.take_notices().len(), 1);
    assert!(!store.directory.join("auth_key").exists());
    let file = fs::read(store.directory.join("client_server")).unwrap();
    assert_eq!(
        store.open_key("client_server", &file).unwrap().as_bytes(),
        b"private"
    );
    // They are exported again; what has such a name and is no key is passed over.
    fs::write(store.directory.join("auth_key"), "x").unwrap();
    fs::write(store.directory.join("README"), "x").unwrap();
    let (_, count) = store.export(&Selection::All, false).unwrap();
    assert_eq!(count, 2);
    let notices = store.take_notices();
    assert!(
        notices
            .iter()
            .all(|notice| notice.message == "Ignoring legacy key")
    );
    fs::set_permissions(
        store.directory.join("README"),
        Permissions::from_mode(0o600),
    )
    .unwrap();
    let (_, count) = store.export(&Selection::All, false).unwrap();
    assert_eq!(count, 2);
}

#[test]
fn generations_are_added_to_those_that_are_there() {
    let (_parent, store) = place();
    let first: [(&str, &[u8]); 2] = [
        ("client_hmac", &[1; 32]),
        ("client_hmac.old/2026-01-01T00:00:00", &[2; 32]),
    ];
    assert_eq!(indexes(&import(&store, &first).unwrap()), [1, 2]);
    let second: [(&str, &[u8]); 4] = [
        // It replaces the current one, which is also among the older ones of the bundle.
        ("client_hmac", &[3; 32]),
        ("client_hmac.old/2025-01-01T00:00:00", &[1; 32]),
        // The name is taken by another key.
        ("client_hmac.old/2026-01-01T00:00:00", &[4; 32]),
        ("client_hmac.old/2027-01-01T00:00:00", &[2; 32]),
    ];
    let imported = import(&store, &second).unwrap();
    assert_eq!(imported.count, 4);
    assert_eq!(indexes(&imported), [1, 4, 3, 2]);
    let older = store
        .time_stamped(&store.directory.join("client_hmac.old"))
        .unwrap();
    let times: Vec<String> = older.iter().map(|(time, _)| time.to_string()).collect();
    assert_eq!(
        times[..2],
        ["2026-01-01T00:00:00", "2026-01-01T00:00:00.000000001"]
    );
    assert_eq!(times.len(), 3);
    // Again: the same, and nothing is written.
    assert_eq!(indexes(&import(&store, &second).unwrap()), [1, 4, 3, 2]);
    assert_eq!(
        store
            .time_stamped(&store.directory.join("client_hmac.old"))
            .unwrap(),
        older
    );
}

#[test]
fn a_key_that_does_not_open_ends_an_import() {
    let (_parent, store) = place();
    let kind = KeyKind::Search(ClientId::new("client").unwrap());
    store.generate(&kind, KeyPairType::default()).unwrap();
    let path = store.directory.join("client_hmac");
    fs::write(&path, "damaged").unwrap();
    let records: [(&str, &[u8]); 2] = [("other_hmac", &[1; 32]), ("client_hmac", &[1; 32])];
    let refused = import(&store, &records).unwrap_err();
    assert!(matches!(refused, KeyStoreError::Unopened(of) if of == path));
    assert!(!store.directory.join("other_hmac").exists());
}

#[test]
fn a_symmetric_poison_key_that_acra_imported_opens() {
    let (_parent, store) = place();
    store
        .generate(&KeyKind::PoisonPair, KeyPairType::default())
        .unwrap();
    let mut file = Vec::new();
    let master = MasterKey::from_base64(MASTER).unwrap();
    let context = b".poison_key/poison_key";
    secure_cell::seal(
        &mut rand::rng(),
        master.as_bytes(),
        context,
        &[5; 32],
        &mut file,
    )
    .unwrap();
    let path = store.directory.join(".poison_key/poison_key_sym");
    fs::write(&path, file).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let key = store.read_secret(&KeyKind::PoisonSymmetric).unwrap();
    assert_eq!(key.as_bytes(), [5; 32]);
    assert_eq!(store.export(&Selection::All, true).unwrap().1, 3);
}
