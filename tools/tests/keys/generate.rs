//! generate (cli.md 13.6).

use crate::support::Place;

#[test]
fn the_first_generation_is_all_keys() {
    let place = Place::new();
    let made = place.keys(&["generate", "--keystore=v1", "--client_id=shop-1", "--json"]);
    let json = "[{\"KeyID\":\"client/shop-1/storage\",\"ClientID\":\"shop-1\"},\
                {\"KeyID\":\"client/shop-1/symmetric\",\"ClientID\":\"shop-1\"},{\"KeyID\":\"audit-log\"},\
                {\"KeyID\":\"client/shop-1/searchable\",\"ClientID\":\"shop-1\"},\
                {\"KeyID\":\"poison-record-symmetric\"},{\"KeyID\":\"poison-record\"}]\n";
    assert_eq!(made.good(), json);
    let lines = [
        "info Generated client storage key",
        "info Generated client storage symmetric key",
        "info Generated HMAC key for audit log",
        "info Generated HMAC key for searchable encryption",
        "info Generated symmetric key for poison records",
        "info Generated keypair for poison records",
    ];
    assert_eq!(made.messages(), lines);
    let files = [
        ".poison_key/poison_key",
        ".poison_key/poison_key.pub",
        ".poison_key/poison_key_sym",
        "secure_log_key",
        "shop-1_hmac",
        "shop-1_storage",
        "shop-1_storage.pub",
        "shop-1_storage_sym",
    ];
    assert_eq!(place.files(".acrakeys"), files);
    assert_eq!(place.mode(".acrakeys"), 0o700);
    // Once there is a key store, nothing is made unless it is asked for.
    let nothing = place.keys(&["generate", "--client_id=shop-1"]);
    assert_eq!(
        (nothing.good(), nothing.messages()),
        ("", vec!["info No keys were updated".to_owned()])
    );
    assert_eq!(place.files(".acrakeys"), files);
}

#[test]
fn what_is_asked_for_is_made_and_rotated() {
    let place = Place::new();
    let made = place.keys(&[
        "generate",
        "--keystore=v1",
        "--keys_dir=keys",
        "--keys_dir_public=public",
        "--poison_record_keys",
        "--audit_log_symmetric_key",
    ]);
    // Without a client id: none of these keys is a client's.
    assert_eq!(made.good(), "");
    assert_eq!(
        made.messages(),
        [
            "info Generated HMAC key for audit log",
            "info Generated symmetric key for poison records",
            "info Generated keypair for poison records",
        ]
    );
    assert_eq!(place.files("public"), [".poison_key/poison_key.pub"]);
    let more = [
        "generate",
        "--keys_dir=keys",
        "--keys_dir_public=public",
        "--client_id=shop-1",
        "--client_storage_key",
        "--search_hmac_symmetric_key",
    ];
    for rotated in [0, 4] {
        place.keys(&more).good();
        let list = place.keys(&[
            "list",
            "--keys_dir=keys",
            "--keys_dir_public=public",
            "--rotated-keys",
        ]);
        let (_, older) = list.good().split_once("Rotated keys: \n").unwrap();
        // Header and separator, then the private, the public and the search key.
        assert_eq!(
            older.lines().count(),
            if rotated == 0 { 2 } else { 5 },
            "{older}"
        );
    }
}

#[test]
fn what_cannot_be_made_is_said() {
    let place = Place::new();
    let key = "--client_storage_key";
    place
        .keys(&["generate", "--client_id=shop-1", key])
        .failed(&["level=fatal msg=\"Keystore version is required: --keystore={v1|v2}\""]);
    place
        .keys(&["generate", "--client_id=shop-1", key, "--keystore=v3"])
        .failed(&["level=fatal msg=\"Unknown --keystore option: v3\""]);
    assert!(place.files("").is_empty());
    place.write("keys", "a file where the directory would be");
    place
        .keys(&[
            "generate",
            "--keystore=v1",
            "--keys_dir=keys",
            "--client_id=shop-1",
        ])
        .failed(&["level=fatal msg=\"Failed to open keystore\""]);
    let place = Place::with_keys();
    place.write(
        ".acrakeys/shop-1_storage_sym.old",
        "a file where a directory would be",
    );
    place
        .keys(&[
            "generate",
            "--client_id=shop-1",
            "--client_storage_symmetric_key",
            "--poison_record_keys",
        ])
        .failed(&[
            "level=error msg=\"Failed to generate client storage symmetric key\"",
            "level=fatal msg=\"Failed to generate keys\"",
        ]);
    assert!(place.path(".acrakeys/.poison_key/poison_key").exists());
    assert!(!place.path(".acrakeys/.poison_key/poison_key.old").exists());
}

#[test]
fn pairs_of_another_type() {
    let place = Place::new();
    let line = [
        "generate",
        "--keystore=v1",
        "--client_id=shop-1",
        "--client_storage_key",
    ];
    place
        .keys(&[&line[..], &["--keypair_type=rsa"]].concat())
        .failed(&["level=fatal msg=\"Unknown --keypair_type: rsa (supported: p256, x25519)\""]);
    assert!(place.files("").is_empty());
    place
        .keys(&[&line[..], &["--keypair_type=x25519"]].concat())
        .good();
    let read = ["read", "--public", "client/shop-1/storage"];
    assert!(!place.keys(&read).bytes.starts_with(b"UEC2"));
    let bundle = ["--key_bundle_file=d", "--key_bundle_secret=s"];
    place
        .keys(&[&["export", "--all"][..], &bundle].concat())
        .good();
    place
        .keys(&[&["import", "--keys_dir=new"][..], &bundle].concat())
        .good();
    let other = [
        "read",
        "--keys_dir=new",
        "--public",
        "client/shop-1/storage",
    ];
    assert_eq!(place.keys(&other).bytes, place.keys(&read).bytes);
}
