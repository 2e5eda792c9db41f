//! export and import (cli.md 13.8 and 13.9, keystore.md 8).

use crate::support::{MASTER, Output, Place};

fn export(place: &Place, more: &[&str]) -> Output {
    let line = [
        "export",
        "--key_bundle_file=data",
        "--key_bundle_secret=secret",
    ];
    place.keys(&[&line[..], more].concat())
}

fn import(place: &Place, more: &[&str]) -> Output {
    let line = [
        "import",
        "--key_bundle_file=data",
        "--key_bundle_secret=secret",
    ];
    place.keys(&[&line[..], more].concat())
}

fn lines(out: &str) -> Vec<&str> {
    out.lines().skip(2).collect()
}

#[test]
fn everything_moves_to_another_key_store() {
    let place = Place::with_keys();
    for _ in 0..2 {
        place
            .keys(&[
                "generate",
                "--client_id=shop-1",
                "--client_storage_symmetric_key",
                "--poison_record_keys",
            ])
            .good();
    }
    place.write(".acrakeys/token.db", "no key");
    let exported = export(&place, &["--all"]);
    assert_eq!(exported.good(), "");
    assert_eq!(
        exported.messages(),
        [
            "info Exported 16 keys",
            "info Exported key data is encrypted and saved here: data",
            "info New encryption keys for import generated here: secret",
            "info DO NOT transport or store these files together",
            "info Import the keys into another keystore like this:\\n\\tacra-keys import --key_bundle_file \\",
        ]
    );
    assert_eq!((place.mode("data"), place.mode("secret")), (0o600, 0o600));
    assert_eq!(place.read("secret").len(), 32);
    let imported = import(&place, &["--keys_dir=other"]);
    assert_eq!(imported.messages(), ["info Successfully imported 16 keys"]);
    assert_eq!(lines(imported.good()).len(), 16);
    let (from, to) = (
        place.keys(&["list", "--rotated-keys"]),
        place.keys(&["list", "--rotated-keys", "--keys_dir=other"]),
    );
    assert_eq!(from.good(), to.good());
    let read = |directory: &str| {
        let directory = format!("--keys_dir={directory}");
        place
            .keys(&["read", &directory, "client/shop-1/symmetric"])
            .bytes
    };
    assert_eq!(read(".acrakeys").len(), 32);
    assert_eq!(read(".acrakeys"), read("other"));
    assert_eq!(
        (place.mode("other"), place.mode("other/shop-1_storage")),
        (0o700, 0o600)
    );
    assert_eq!(place.mode("other/shop-1_storage.pub"), 0o644);
    // Again: nothing changes, and the same is told.
    let before = place.files("other");
    let again = import(&place, &["--keys_dir=other", "--json"]);
    assert_eq!(again.messages(), ["info Successfully imported 16 keys"]);
    let rows: serde_json::Value = serde_json::from_slice(&again.bytes).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 16);
    assert_eq!(place.files("other"), before);
}

#[test]
fn with_another_master_key_and_a_public_directory() {
    let place = Place::new();
    let two = ["--keys_dir=keys", "--keys_dir_public=public"];
    place
        .keys(
            &[
                &["generate", "--keystore=v1", "--client_id=shop-1"][..],
                &two,
            ]
            .concat(),
        )
        .good();
    export(&place, &[&["--all", "--private_keys"][..], &two].concat()).good();
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh4=";
    let tool = env!("CARGO_BIN_EXE_acra-keys");
    let line = [
        "import",
        "--key_bundle_file=data",
        "--key_bundle_secret=secret",
        "--keys_dir=other",
    ];
    let imported = place.run(tool, Some(other), &line);
    let names: Vec<&str> = lines(imported.good())
        .iter()
        .map(|line| line.rsplit("| ").next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "poison_key.pub",
            "shop-1_storage.pub",
            "poison_key",
            "poison_key_sym",
            "secure_log_key",
            "shop-1_hmac",
            "shop-1_storage",
            "shop-1_storage_sym",
        ]
    );
    let id = "client/shop-1/symmetric";
    let read = place.run(tool, Some(other), &["read", "--keys_dir=other", id]);
    assert_eq!((read.code, read.bytes.len()), (0, 32));
    let original = place.keys(&[&["read"][..], &two, &[id]].concat());
    assert_eq!(read.bytes, original.bytes);
    let wrong = place.run(tool, Some(MASTER), &["read", "--keys_dir=other", id]);
    wrong.failed(&["Cannot read client symmetric key", "Failed to read key"]);
}

#[test]
fn chosen_keys() {
    let place = Place::with_keys();
    export(
        &place,
        &["client/shop-1/storage", "poison_key.pub", "shop-1_storage"],
    )
    .good();
    let rows = import(&place, &["--keys_dir=a"]);
    assert_eq!(
        lines(rows.good()),
        [
            "1     | public_storage | shop-1 | shop-1_storage.pub",
            "1     | poison_key     |        | poison_key.pub",
        ]
    );
    let all = [
        "--private_keys",
        "client/shop-1/storage",
        "client/shop-1/symmetric",
        "client/shop-1/hmac-sym",
        "poison-record-symmetric",
        "secure_log_key",
    ];
    export(&place, &all).good();
    let rows = import(&place, &["--keys_dir=b"]);
    assert_eq!(lines(rows.good()).len(), 6);
    // What was exported is the keys, and not zeros as with Acra.
    let id = "client/shop-1/symmetric";
    let read = place.keys(&["read", "--keys_dir=b", id]);
    assert_eq!(read.code, 0);
    assert_eq!(place.keys(&["read", id]).bytes, read.bytes);
    assert_eq!(place.files("b").len(), 6);
    let before = place.read("data");
    export(&place, &["client/nobody/storage"]).failed(&[
        "level=fatal msg=\"Failed to export keys\"",
        "key does not exist",
        "nobody_storage.pub",
    ]);
    assert_eq!(place.read("data"), before);
}

#[test]
fn keys_that_are_replaced_are_kept() {
    let place = Place::with_keys();
    export(&place, &["--private_keys", "client/shop-1/symmetric"]).good();
    let first = place.keys(&["read", "client/shop-1/symmetric"]).bytes;
    place
        .keys(&[
            "generate",
            "--client_id=shop-1",
            "--client_storage_symmetric_key",
        ])
        .good();
    let rows = import(&place, &[]);
    assert_eq!(
        lines(rows.good()),
        ["1     | storage_sym_key | shop-1 | shop-1_storage_sym"]
    );
    assert_eq!(
        place.keys(&["read", "client/shop-1/symmetric"]).bytes,
        first
    );
    let list = place.keys(&["list", "--rotated-keys"]);
    let (_, rotated) = list.good().split_once("Rotated keys: \n").unwrap();
    // The first key when it was rotated, and the one that the import replaced.
    assert_eq!(lines(rotated).len(), 2, "{rotated}");
}

#[test]
fn files_that_cannot_be_written_or_read() {
    let place = Place::with_keys();
    export(&place, &["--all"]).good();
    let (data, secret) = (place.read("data"), place.read("secret"));
    place.set_mode("secret", 0o644);
    export(&place, &["--all"]).failed(&[
        "level=error msg=\"Incorrect output file permissions\"",
        "actual=-rw-r--r-- expected=-rw------- path=",
        "level=fatal msg=\"Failed to write exported data\"",
        "incorrect output file permissions",
    ]);
    assert_eq!(
        (place.read("data"), place.read("secret")),
        (data.clone(), secret.clone())
    );
    let line = |data: &'static str, secret: &'static str| {
        place.keys(&["import", data, secret, "--keys_dir=new"])
    };
    line("--key_bundle_file=none", "--key_bundle_secret=secret")
        .failed(&["level=fatal msg=\"Failed to read data file\" error=\"none: No such file"]);
    line("--key_bundle_file=data", "--key_bundle_secret=none")
        .failed(&["level=fatal msg=\"Failed to read key file\""]);
    place.write("secret", [&secret[..], b"\n"].concat());
    import(&place, &["--keys_dir=new"]).failed(&[
        "level=fatal msg=\"Failed to import keys\"",
        "the secret file is not the one",
    ]);
    place.write("secret", "");
    import(&place, &["--keys_dir=new"]).failed(&["Failed to import keys"]);
    assert!(!place.path("new").exists());
    place.write(".acrakeys/shop-1_hmac", "damaged");
    std::fs::remove_file(place.path("secret")).unwrap();
    export(&place, &["--all"]).failed(&[
        "level=fatal msg=\"Failed to export keys\"",
        "shop-1_hmac is damaged",
    ]);
    assert_eq!(place.read("data"), data);
    let empty = Place::new();
    export(&empty, &["--all"])
        .failed(&["level=fatal msg=\"Failed to export keys\" error=\"no keys to export\""]);
    assert!(empty.files("").is_empty());
}
