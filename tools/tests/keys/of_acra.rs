//! Key directories and bundles that Acra wrote (the vectors of keystore.md).

use crate::support::Place;
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!(
        "{}/../engine/tests/vectors/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// The directory of the vectors, as `keys`; also the names of its files, and what the sealed ones hold.
fn directory(place: &Place) -> Vec<(String, Vec<u8>)> {
    let mut contents = Vec::new();
    for vector in vectors("keystore_v1.json")["vectors"].as_array().unwrap() {
        let Some(file) = vector["in"]
            .get("file")
            .filter(|_| vector["in"].get("path").is_some())
        else {
            continue;
        };
        let name = vector["in"]["path"].as_str().unwrap();
        let path = format!("keys/{name}");
        place.write(&path, unhex(file));
        place.set_mode(&path, 0o600);
        let expect = &vector["expect"];
        let content = expect.get("decrypts_to").unwrap_or(&expect["output"]);
        contents.push((name.to_owned(), unhex(content)));
    }
    place.set_mode("keys", 0o700);
    assert_eq!(contents.len(), 27);
    contents
}

#[test]
fn a_directory_of_acra_is_listed_and_read() {
    let place = Place::new();
    let contents = directory(&place);
    let of = |name: &str| {
        contents
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .clone()
    };
    let list = place.keys(&["list", "--keys_dir=keys", "--rotated-keys"]);
    let (current, rotated) = list.good().split_once("\nRotated keys: \n").unwrap();
    let expected = "\
Index | Key purpose     | Client       | Key ID
------+-----------------+--------------+-------------------------
1     | poison_key      |              | poison_key
1     | poison_key      |              | poison_key.pub
1     | poison_sym_key  |              | poison_key_sym
1     | search_hmac     | client-alpha | client-alpha_hmac
1     | private_storage | client-alpha | client-alpha_storage
1     | public_storage  | client-alpha | client-alpha_storage.pub
1     | storage_sym_key | client-alpha | client-alpha_storage_sym
1     | search_hmac     | client_B 2   | client_B 2_hmac
1     | private_storage | client_B 2   | client_B 2_storage
1     | public_storage  | client_B 2   | client_B 2_storage.pub
1     | storage_sym_key | client_B 2   | client_B 2_storage_sym
1     | audit_log       |              | secure_log_key
";
    assert_eq!(current, expected);
    let first = "2     | poison_key      |              | 2026-11-23 16:41:24.365822923 +0000 UTC | poison_key";
    assert_eq!(rotated.lines().nth(2), Some(first));
    assert_eq!(rotated.lines().count(), 2 + 9);
    assert_eq!(
        list.messages()
            .iter()
            .filter(|line| *line == "warning Ignoring legacy key")
            .count(),
        6
    );
    for (line, file) in [
        (
            &["read", "client/client-alpha/symmetric"][..],
            "client-alpha_storage_sym",
        ),
        (
            &["read", "--private", "client/client-alpha/storage"],
            "client-alpha_storage",
        ),
        (
            &["read", "--public", "client/client_B 2/storage"],
            "client_B 2_storage.pub",
        ),
        (
            &["read", "--private", "poison-record"],
            ".poison_key/poison_key",
        ),
    ] {
        let line = [line, &["--keys_dir=keys"]].concat();
        // Flags stand before key IDs.
        let (id, flags) = (
            line[line.len() - 2],
            [&line[..line.len() - 2], &line[line.len() - 1..]].concat(),
        );
        let read = place.keys(&[&flags[..], &[id]].concat());
        assert_eq!((read.code, read.bytes), (0, of(file)), "{id}");
    }
}

#[test]
fn all_of_it_is_exported_and_imported() {
    let place = Place::new();
    let contents = directory(&place);
    let bundle = ["--key_bundle_file=data", "--key_bundle_secret=secret"];
    let exported = place.keys(&[&["export", "--all", "--keys_dir=keys"][..], &bundle].concat());
    // With the poison keys and keys of kinds that are no longer used, at which Acra fails or which it opens wrongly.
    assert!(
        exported
            .messages()
            .contains(&"info Exported 27 keys".to_owned()),
        "{}",
        exported.log
    );
    let imported = place.keys(&[&["import", "--keys_dir=new"][..], &bundle].concat());
    assert_eq!(imported.messages(), ["info Successfully imported 27 keys"]);
    let mut names: Vec<String> = contents.into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(place.files("new"), names);
    let list = |directory: &str| {
        let line = ["list", "--rotated-keys", &format!("--keys_dir={directory}")];
        place.keys(&line).good().to_owned()
    };
    assert_eq!(list("new"), list("keys"));
}

#[test]
fn bundles_of_acra() {
    let file = vectors("key_bundles.json");
    let mut run = 0;
    for vector in file["vectors"].as_array().unwrap() {
        if vector["op"] != "bundle_v1.open" {
            continue;
        }
        run += 1;
        let place = Place::new();
        place.write("data", unhex(&vector["in"]["data"]));
        place.write("secret", unhex(&vector["in"]["secret"]));
        let imported = place.keys(&[
            "import",
            "--key_bundle_file=data",
            "--key_bundle_secret=secret",
        ]);
        let expect = &vector["expect"];
        if expect["must_fail"] == true || expect["import_must_refuse_zero_keys"] == true {
            imported.failed(&["level=fatal msg=\"Failed to import keys\" error="]);
            assert_eq!(place.files(""), ["data", "secret"], "{}", vector["name"]);
            continue;
        }
        let records = expect["records"].as_array().unwrap();
        let message = format!("info Successfully imported {} keys", records.len());
        assert_eq!(imported.messages(), [message], "{}", vector["name"]);
        let mut names: Vec<&str> = records
            .iter()
            .map(|record| record["name"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(place.files(".acrakeys"), names);
    }
    assert_eq!(run, 10);
}
