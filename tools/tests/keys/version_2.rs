//! The same commands on a key store v2.

use crate::support::{MASTER_2, Output, Place};

fn keys(place: &Place, arguments: &[&str]) -> Output {
    place.run(env!("CARGO_BIN_EXE_acra-keys"), Some(MASTER_2), arguments)
}

fn with_keys() -> Place {
    let place = Place::new();
    keys(&place, &["generate", "--keystore=v2", "--client_id=shop-1"]).good();
    place
}

#[test]
fn keys_are_made_listed_read_and_destroyed() {
    let place = with_keys();
    assert_eq!(place.read(".acrakeys/version"), b"Acra Keystore v2");
    keys(
        &place,
        &[
            "generate",
            "--client_id=shop-1",
            "--client_storage_symmetric_key",
        ],
    )
    .good();
    let list = keys(&place, &["list", "--rotated-keys"]);
    let (current, rotated) = list.good().split_once("\nRotated keys: \n").unwrap();
    let expected = "\
Index | Key purpose                  | Client | Key ID
------+------------------------------+--------+--------------------------
1     | audit log signature key      |        | audit-log
1     | encrypted search HMAC key    | shop-1 | client/shop-1/hmac-sym
1     | client storage symmetric key | shop-1 | client/shop-1/storage-sym
1     | client storage key           | shop-1 | client/shop-1/storage
1     | poison record symmetric key  |        | poison-record-sym
1     | poison record key            |        | poison-record
";
    assert_eq!(current, expected);
    let row = rotated.lines().nth(2).unwrap();
    assert!(
        row.starts_with("2     | client storage symmetric key | shop-1 | 20"),
        "{row}"
    );
    assert!(
        row.ends_with(" +0000 UTC | client/shop-1/storage-sym"),
        "{row}"
    );
    let json = keys(&place, &["list", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&json.bytes).unwrap();
    assert_eq!(rows[1]["ClientID"], "shop-1");
    assert!(rows[1]["CreationTime"].as_str().unwrap().ends_with('Z'));

    assert_eq!(
        keys(&place, &["read", "client/shop-1/symmetric"])
            .bytes
            .len(),
        32
    );
    let private = keys(&place, &["read", "--private", "poison-record"]);
    assert!(private.bytes.starts_with(b"REC2"));
    keys(&place, &["destroy", "client/shop-1/symmetric"]).good();
    keys(&place, &["destroy", "client/shop-1/symmetric"]).failed(&[
        "level=fatal msg=\"Failed to destroy key\"",
        "invalid state transition",
    ]);
    keys(&place, &["read", "client/shop-1/symmetric"])
        .failed(&["Failed to read key", "key has been destroyed"]);
    keys(&place, &["destroy", "--index=7", "poison-record"])
        .failed(&["invalid index value provided"]);
}

#[test]
fn versions_are_not_mixed() {
    let place = with_keys();
    let other = "key directory already holds a keystore of another version";
    place
        .keys(&["generate", "--keystore=v1", "--client_id=shop-1"])
        .failed(&["level=fatal msg=\"Failed to open keystore\"", other]);
    let place = Place::with_keys();
    keys(&place, &["generate", "--keystore=v2", "--client_id=shop-1"])
        .failed(&["level=fatal msg=\"Failed to open keystore\"", other]);
    assert!(!place.path(".acrakeys/version").exists());
}

#[test]
fn bundles() {
    let place = with_keys();
    let bundle = ["--key_bundle_file=data", "--key_bundle_secret=secret"];
    let with = |line: &[&'static str]| keys(&place, &[&line[..1], &bundle, &line[1..]].concat());
    // All is public keys only, as in Acra.
    let public = with(&["export", "--all"]);
    assert!(
        public
            .messages()
            .contains(&"info Exported 2 keys".to_owned()),
        "{}",
        public.log
    );
    let all = with(&["export", "--all", "--private_keys"]);
    assert!(
        all.messages().contains(&"info Exported 6 keys".to_owned()),
        "{}",
        all.log
    );
    assert!(place.read("secret").starts_with(b"{\"encryption\":\""));
    let imported = with(&["import", "--keys_dir=new"]);
    assert_eq!(imported.messages(), ["info Successfully imported 6 keys"]);
    assert_eq!(imported.good().lines().count(), 2 + 6);
    let list = |directory: &'static str| keys(&place, &["list", directory]).good().to_owned();
    assert_eq!(list("--keys_dir=new"), list("--keys_dir=.acrakeys"));
    assert_eq!(with(&["import", "--keys_dir=new", "--json"]).code, 0);
    // A secret that is not that of the bundle makes no key store.
    let secret = place.read("secret");
    place.write("secret", MASTER_2);
    with(&["import", "--keys_dir=none"]).failed(&["level=fatal msg=\"Failed to import keys\""]);
    let swapped = b"{\"encryption\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\",\"signature\":\"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\"}";
    place.write("secret", swapped);
    with(&["import", "--keys_dir=none"]).failed(&["level=fatal msg=\"Failed to import keys\""]);
    place.write("secret", secret);
    assert!(!place.path("none/version").exists());
    // Key IDs of Acra for single rings; an older name is no zone here.
    let some = with(&[
        "export",
        "--private_keys",
        "client/shop-1/hmac-sym.keyring",
        "audit-log",
    ]);
    assert!(
        some.messages().contains(&"info Exported 2 keys".to_owned()),
        "{}",
        some.log
    );
    assert!(!some.log.contains("Zone keys"));
    // A bundle of the other version.
    let old = Place::with_keys();
    old.keys(&[&["export", "--all"][..], &bundle].concat())
        .good();
    place.write("data", old.read("data"));
    place.write("secret", old.read("secret"));
    with(&["import"]).failed(&["level=fatal msg=\"Failed to import keys\""]);
    place
        .run(
            env!("CARGO_BIN_EXE_acra-keys"),
            None,
            &[&["export", "--all"][..], &bundle].concat(),
        )
        .failed(&[
            "level=error msg=\"Can't open V2 keystore\"",
            "master key is empty",
        ]);
}

#[test]
fn poison_records_and_needs() {
    let place = with_keys();
    let tool = env!("CARGO_BIN_EXE_acra-poisonrecordmaker");
    for record_type in ["acrastruct", "acrablock"] {
        let made = place.run(tool, Some(MASTER_2), &[&format!("--type={record_type}")]);
        assert!(made.good().len() > 100);
    }
    keys(&place, &["destroy", "poison-record-symmetric"]).good();
    place
        .run(tool, Some(MASTER_2), &["--type=acrablock"])
        .failed(&[
            "level=error msg=\"Can't create poison record\"",
            "key has been destroyed",
        ]);
    place.write(
        "e.yaml",
        "schemas:\n  - table: t\n    columns: [a]\n    encrypted:\n      - column: a\n",
    );
    let check = [
        "check",
        "--encryptor_config_file=e.yaml",
        "--client_id=shop-1",
    ];
    assert!(
        keys(&place, &check)
            .good()
            .contains("client/shop-1/symmetric | present")
    );
}
