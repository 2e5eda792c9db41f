//! migrate: from a key store v1 to one of version 2 (cli.md 13.10, tools.md 8).

use crate::support::{MASTER, MASTER_2, Output, Place};
use std::fs;

const ENVIRONMENT: [(&str, &str); 2] = [
    ("SRC_ACRA_MASTER_KEY", MASTER),
    ("DST_ACRA_MASTER_KEY", MASTER_2),
];

fn migrate(place: &Place, environment: &[(&str, &str)], more: &[&str]) -> Output {
    let line = [
        "migrate",
        "--src_keystore=v1",
        "--src_keys_dir=.acrakeys",
        "--dst_keystore=v2",
        "--dst_keys_dir=new",
    ];
    let tool = env!("CARGO_BIN_EXE_acra-keys");
    place.run_in(tool, environment, &[&line[..], more].concat())
}

#[test]
fn all_keys_and_their_older_generations() {
    let place = Place::with_keys();
    place
        .keys(&[
            "generate",
            "--client_id=shop-1",
            "--client_storage_key",
            "--client_storage_symmetric_key",
        ])
        .good();
    let before = place.files("");
    let dry = migrate(&place, &ENVIRONMENT, &["--dry_run"]);
    assert_eq!(dry.good(), "");
    let lines = [
        "info Migration complete",
        "info Old keystore: .acrakeys",
        "info New keystore: new",
        "info Run without --dry_run to actually write key data",
    ];
    assert_eq!(dry.messages(), lines);
    assert_eq!(place.files(""), before);
    let done = migrate(&place, &ENVIRONMENT, &[]);
    assert_eq!(
        (done.good(), done.messages()),
        (
            "",
            lines[..3].iter().map(|line| (*line).to_owned()).collect()
        )
    );
    let tool = env!("CARGO_BIN_EXE_acra-keys");
    let new = |line: &[&str]| {
        let line = [&line[..1], &["--keys_dir=new"], &line[1..]].concat();
        place.run(tool, Some(MASTER_2), &line)
    };
    let list = new(&["list", "--rotated-keys"]);
    let (current, rotated) = list.good().split_once("\nRotated keys: \n").unwrap();
    assert_eq!(
        (current.lines().count(), rotated.lines().count()),
        (2 + 6, 2 + 2)
    );
    for line in [
        &["read", "client/shop-1/symmetric"][..],
        &["read", "--private", "client/shop-1/storage"],
        &["read", "--public", "poison-record"],
    ] {
        let read = new(line);
        assert_eq!(read.code, 0);
        assert_eq!(read.bytes, place.keys(line).bytes);
    }
    migrate(&place, &ENVIRONMENT, &[]).failed(&[
        "level=error msg=\"Key directory already exists\" path=new",
        "level=info msg=\"Run with --force to import into existing directory\"",
        "level=fatal msg=\"Failed to open keystore v2 (dst)\"",
        "destination exists",
    ]);
    migrate(&place, &ENVIRONMENT, &["--force"]).good();
    assert_eq!(new(&["list", "--rotated-keys"]).good(), list.good());
}

#[test]
fn what_cannot_be_migrated() {
    let place = Place::with_keys();
    migrate(&place, &ENVIRONMENT[1..], &[]).failed(&[
        "level=fatal msg=\"Failed to open keystore v1 (src)\"",
        "master key is empty: SRC_ACRA_MASTER_KEY must",
    ]);
    migrate(&place, &ENVIRONMENT[..1], &[]).failed(&[
        "level=fatal msg=\"Failed to open keystore v2 (dst)\"",
        "master key is empty: DST_ACRA_MASTER_KEY must",
    ]);
    migrate(&place, &ENVIRONMENT, &["--dst_keys_dir=.acrakeys"]).failed(&[
        "level=fatal msg=\"Failed to open keystore v2 (dst)\"",
        "key directory already holds a keystore of another version",
    ]);
    fs::write(place.path(".acrakeys/shop-1_hmac"), "damaged").unwrap();
    migrate(&place, &ENVIRONMENT, &[]).failed(&[
        "level=warning msg=\"Failed to import key\"",
        "shop-1_hmac is damaged",
        "level=fatal msg=\"Migration failed\"",
        "Incomplete key import",
    ]);
    assert!(!place.path("new").exists());
}
