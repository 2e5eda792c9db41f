//! The built `acra-keymaker`: what it writes, prints and ends with.

use acra_engine::keys::{ClientId, KeyKind};
use acra_stores::KeyStore;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Output {
    code: i32,
    out: String,
    log: String,
}

/// Runs the tool in `directory`.
fn keymaker(directory: &Path, master_key: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acra-keymaker"));
    command
        .current_dir(directory)
        .args(arguments)
        .env_remove("ACRA_MASTER_KEY");
    if let Some(key) = master_key {
        command.env("ACRA_MASTER_KEY", key);
    }
    let output = command.output().unwrap();
    Output {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        log: String::from_utf8(output.stderr).unwrap(),
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_master_key_and_then_a_storage_key() {
    let directory = directory();
    let made = keymaker(
        directory.path(),
        None,
        &["--keystore=v1", "--generate_master_key=master.key"],
    );
    assert_eq!((made.code, &*made.out, &*made.log), (0, "", ""));
    let file = directory.path().join("master.key");
    let master = fs::read(&file).unwrap();
    assert_eq!((master.len(), mode(&file)), (32, 0o600));

    let master = STANDARD.encode(master);
    let arguments = [
        "--client_id=client_1",
        "--generate_symmetric_storage_key",
        "--keystore=v1",
    ];
    let made = keymaker(directory.path(), Some(&master), &arguments);
    assert_eq!((made.code, &*made.log), (0, ""));
    assert_eq!(made.out, "Generated storage symmetric key for clientID\n");
    let keys = directory.path().join(".acrakeys");
    let file = keys.join("client_1_storage_sym");
    assert_eq!((mode(&keys), mode(&file)), (0o700, 0o600));

    // The directory now says by itself that it is v1; the key is rotated.
    let made = keymaker(directory.path(), Some(&master), &arguments[..2]);
    assert_eq!(made.code, 0, "{}", made.log);
    let store = KeyStore::open(&keys, None, Some(&master)).unwrap();
    let id = ClientId::new("client_1").unwrap();
    assert_eq!(store.load_client(&id).unwrap().symmetric.len(), 2);
}

#[test]
fn an_existing_master_key_is_kept() {
    let directory = directory();
    let file = directory.path().join("master.key");
    fs::write(&file, b"former").unwrap();
    let arguments = ["--keystore=v1", "--generate_master_key=master.key"];
    let made = keymaker(directory.path(), None, &arguments);
    assert_eq!(made.code, 0);
    assert!(
        made.log.contains("Previous master key kept as "),
        "{}",
        made.log
    );
    let kept = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| *path != file)
        .unwrap();
    assert_eq!(fs::read(&kept).unwrap(), b"former");
    assert_eq!((mode(&kept), mode(&file)), (0o600, 0o600));
    assert_eq!(fs::read(&file).unwrap().len(), 32);
}

#[test]
fn what_cannot_be_done_is_said() {
    let key = "--generate_symmetric_storage_key";
    let v1 = "--keystore=v1";
    let cases: [(&[&str], Option<&str>, &str); 13] = [
        (&[v1, key], None, "master key is empty"),
        (
            &[v1, key],
            Some("AAEC"),
            "master key must have 32 length in bytes",
        ),
        (
            &[key],
            Some(MASTER),
            "Keystore version is required: --keystore={v1|v2}",
        ),
        (
            &["--generate_master_key=m"],
            None,
            "Keystore version is required: --keystore={v1|v2}",
        ),
        (
            &["--keystore=v3", "--generate_master_key=m"],
            None,
            "Unknown --keystore option: v3",
        ),
        (
            &["--keystore=v3", key],
            Some(MASTER),
            "Unknown --keystore version: v3 (supported: v1, v2)",
        ),
        (
            &["--keystore=v2", key],
            Some(MASTER),
            "master key of keystore v2 is not JSON",
        ),
        (
            &["--keystore=v2", key],
            Some("e30="),
            "encryption and signature master keys are equal",
        ),
        (
            &[v1, key, "--client_id=../x"],
            Some(MASTER),
            "Invalid client ID,  5 <= len(client ID) <= 256, only digits, letters and '_', '-', ' ' characters",
        ),
        (
            &[v1, key, "--client_id=", "--generate_master_key=m"],
            None,
            "Invalid client ID",
        ),
        (&[v1, "--client_id="], Some(MASTER), "Invalid client ID"),
        (
            &[v1, "--generate_hmac_key", "--client_id=x"],
            Some(MASTER),
            "Invalid client ID",
        ),
        (
            &[v1, "--generate_master_key=no/where"],
            None,
            "Failed to write master key",
        ),
    ];
    for (arguments, master, text) in cases {
        let directory = directory();
        let refused = keymaker(directory.path(), master, arguments);
        assert_eq!(refused.code, 1, "{arguments:?} {}", refused.log);
        assert!(refused.log.contains(text), "{arguments:?} {}", refused.log);
        assert_eq!(refused.out, "");
        let left = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(left, 0, "{arguments:?} left something behind");
    }
    let unknown = keymaker(directory().path(), None, &["--generate_everything"]);
    assert_eq!(unknown.code, 2);
}

#[test]
fn a_directory_that_does_not_fit_stays_as_it_is() {
    let arguments = [
        "--keystore=v1",
        "--generate_symmetric_storage_key",
        "--keys_output_dir=keys",
    ];
    let directory = directory();
    let keys = directory.path().join("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o755)).unwrap();
    let open = keymaker(directory.path(), Some(MASTER), &arguments);
    assert_eq!(open.code, 1);
    assert!(open.log.contains("Can't init keystore"), "{}", open.log);
    assert!(
        open.log
            .contains("keystore folder has an incorrect permissions"),
        "{}",
        open.log
    );

    fs::set_permissions(&keys, Permissions::from_mode(0o700)).unwrap();
    fs::write(keys.join("version"), "Acra Keystore v2").unwrap();
    let other = keymaker(directory.path(), Some(MASTER), &arguments);
    assert_eq!(other.code, 1);
    let text = "key directory already holds a keystore of another version";
    assert!(other.log.contains(text), "{}", other.log);
    assert_eq!(fs::read_dir(&keys).unwrap().count(), 1);

    fs::remove_file(keys.join("version")).unwrap();
    let made = keymaker(directory.path(), Some(MASTER), &arguments);
    assert_eq!(made.code, 0, "{}", made.log);
    let before = files(&keys);
    let arguments = ["--keystore=v2", arguments[1], arguments[2]];
    let other = keymaker(directory.path(), Some(&master_keys()), &arguments);
    assert_eq!(other.code, 1);
    assert!(other.log.contains("Cannot open key directory"));
    assert!(other.log.contains(text), "{}", other.log);
    assert_eq!(files(&keys), before);
}

/// The base64 of the master keys of a key store v2, which the tool makes.
fn master_keys() -> String {
    let directory = directory();
    let arguments = ["--keystore=v2", "--generate_master_key=m"];
    let made = keymaker(directory.path(), None, &arguments);
    assert_eq!((made.code, &*made.out, &*made.log), (0, "", ""));
    let file = directory.path().join("m");
    assert_eq!(mode(&file), 0o600);
    let json = fs::read_to_string(&file).unwrap();
    assert!(json.starts_with("{\"encryption\":\"") && json.ends_with("=\"}"));
    STANDARD.encode(json)
}

#[test]
fn a_key_store_of_version_2() {
    let directory = directory();
    let master = master_keys();
    let arguments = ["--keystore=v2", "--client_id=client_1"];
    let made = keymaker(directory.path(), Some(&master), &arguments);
    assert_eq!((made.code, &*made.log), (0, ""));
    assert_eq!(made.out.lines().count(), 6);
    let keys = directory.path().join(".acrakeys");
    let expected = [
        (".lock", 0o600),
        ("audit-log.keyring", 0o600),
        ("client/client_1/hmac-sym.keyring", 0o600),
        ("client/client_1/storage-sym.keyring", 0o600),
        ("client/client_1/storage.keyring", 0o600),
        ("poison-record-sym.keyring", 0o600),
        ("poison-record.keyring", 0o600),
        ("version", 0o644),
    ];
    let expected = expected.map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(files(&keys), expected);

    // The directory now says by itself that it is v2; the key is rotated.
    let rotate = ["--client_id=client_1", "--generate_symmetric_storage_key"];
    let made = keymaker(directory.path(), Some(&master), &rotate);
    assert_eq!((made.code, &*made.log), (0, ""));
    let store = KeyStore::open(&keys, None, Some(&master)).unwrap();
    let id = ClientId::new("client_1").unwrap();
    assert_eq!(store.load_client(&id).unwrap().symmetric.len(), 2);
}

/// Paths and modes of the files below a directory.
fn files(directory: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut to_visit = vec![directory.to_owned()];
    while let Some(next) = to_visit.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                to_visit.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap();
                found.push((name.to_owned(), mode(&path)));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn all_keys() {
    let directory = directory();
    let made = keymaker(
        directory.path(),
        Some(MASTER),
        &["--keystore=v1", "--client_id=client_1"],
    );
    assert_eq!((made.code, &*made.log), (0, ""));
    let lines: Vec<_> = made.out.lines().collect();
    let expected = [
        "Generated storage encryption keypair",
        "Generated HMAC key for searchable encryption",
        "Generated HMAC key for secure logging",
        "Generated storage symmetric key for clientID",
        "Generated symmetric key for poison records",
        "Generated keypair for poison records",
    ];
    assert_eq!(lines, expected);
    let keys = directory.path().join(".acrakeys");
    let expected = [
        (".poison_key/poison_key", 0o600),
        (".poison_key/poison_key.pub", 0o644),
        (".poison_key/poison_key_sym", 0o600),
        ("client_1_hmac", 0o600),
        ("client_1_storage", 0o600),
        ("client_1_storage.pub", 0o644),
        ("client_1_storage_sym", 0o600),
        ("secure_log_key", 0o600),
    ];
    let expected = expected.map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(files(&keys), expected);
    let store = KeyStore::open(&keys, None, Some(MASTER)).unwrap();
    let id = ClientId::new("client_1").unwrap();
    for keys in [
        store.load_client(&id).unwrap(),
        store.load_poison().unwrap(),
    ] {
        assert_eq!((keys.symmetric.len(), keys.private.len()), (1, 1));
        assert!(keys.public.is_some());
    }
    assert_eq!(
        store
            .read_secret(&KeyKind::Search(id.clone()))
            .unwrap()
            .as_bytes()
            .len(),
        32
    );
    assert_eq!(
        store
            .read_secret(&KeyKind::AuditLog)
            .unwrap()
            .as_bytes()
            .len(),
        32
    );
}

#[test]
fn chosen_keys_in_their_order() {
    let directory = directory();
    let made = keymaker(
        directory.path(),
        Some(MASTER),
        &[
            "--keystore=v1",
            "--keys_output_dir=keys",
            "--generate_log_key",
            "--generate_acrawriter_keys",
            "--generate_poisonrecord_keys",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.log);
    assert!(made.log.contains("Public keys are written to .acrakeys"));
    let lines: Vec<_> = made.out.lines().collect();
    let expected = [
        "Generated symmetric key for poison records",
        "Generated keypair for poison records",
        "Generated storage encryption keypair",
        "Generated HMAC key for secure logging",
    ];
    assert_eq!(lines, expected);
    let public = files(&directory.path().join(".acrakeys"));
    let public: Vec<_> = public.iter().map(|(name, _)| &**name).collect();
    assert_eq!(public, [".poison_key/poison_key.pub", "client_storage.pub"]);
    // Log and poison keys are nobody's.
    let made = keymaker(
        directory.path(),
        Some(MASTER),
        &[
            "--keys_output_dir=keys",
            "--client_id=",
            "--generate_log_key",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.log);
}

#[test]
fn key_pairs_of_our_own_type_are_made_only_if_asked_for() {
    let directory = directory();
    let arguments = |more: &'static str| {
        [
            "--keystore=v1",
            "--client_id=client",
            "--generate_acrawriter_keys",
            "--keys_output_dir=keys",
            "--keys_public_output_dir=keys",
            more,
        ]
    };
    let public = directory.path().join("keys/client_storage.pub");
    for (more, tag) in [
        ("--keypair_type=p256", b"UEC2"),
        ("--keypair_type=x25519", b"UX25"),
        ("--keystore=v1", b"UEC2"),
    ] {
        let made = keymaker(directory.path(), Some(MASTER), &arguments(more));
        assert_eq!(made.code, 0, "{}", made.log);
        assert_eq!(fs::read(&public).unwrap()[..4], *tag);
    }
    let keys = directory.path().join("keys");
    let store = KeyStore::open(&keys, None, Some(MASTER)).unwrap();
    let id = ClientId::new("client").unwrap();
    assert_eq!(store.load_client(&id).unwrap().private.len(), 3);

    let refused = keymaker(
        directory.path(),
        Some(MASTER),
        &arguments("--keypair_type=x448"),
    );
    assert_eq!(refused.code, 1);
    assert!(refused.log.contains("Unknown --keypair_type: x448"));
}
