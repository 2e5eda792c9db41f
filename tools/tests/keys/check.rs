//! check, which is ours: the keys that an encryptor configuration needs.

use crate::support::Place;

const CONFIGURATION: &str = "\
schemas:
  - table: orders
    columns: [id, card, note, name]
    encrypted:
      - column: card
      - column: note
        client_id: archive
        crypto_envelope: acrastruct
        reencrypting_to_acrablocks: false
      - column: name
        client_id: archive
        searchable: true
";

#[test]
fn what_is_missing_is_told_and_how_to_make_it() {
    let place = Place::with_keys();
    place.write("encryptor.yaml", CONFIGURATION);
    let check = [
        "check",
        "--encryptor_config_file=encryptor.yaml",
        "--client_id=shop-1",
    ];
    let run = place.keys(&check);
    let table = "\
Key ID                    | State
--------------------------+---------
client/archive/storage    | missing: make it with acra-keys generate --client_id=\"archive\" --client_storage_key
client/archive/symmetric  | missing: make it with acra-keys generate --client_id=\"archive\" --client_storage_symmetric_key
client/archive/searchable | missing: make it with acra-keys generate --client_id=\"archive\" --search_hmac_symmetric_key
client/shop-1/symmetric   | present
";
    assert_eq!((run.code, run.out()), (1, table));
    assert!(run.log.contains(
        "level=fatal msg=\"Keys are not complete\" error=\"3 of 4 keys are missing or unusable\""
    ));
    let made = [
        "generate",
        "--client_id=archive",
        "--client_storage_key",
        "--client_storage_symmetric_key",
        "--search_hmac_symmetric_key",
    ];
    place.keys(&made).good();
    let run = place.keys(&check);
    assert!(
        run.good()
            .lines()
            .skip(2)
            .all(|line| line.ends_with("| present")),
        "{run:?}"
    );
    assert_eq!(run.log, "");
    place.write(".acrakeys/archive_hmac", "damaged");
    let json = place.keys(&[&check[..], &["--json", "--poison_record_keys"]].concat());
    assert_eq!(json.code, 1);
    let keys: serde_json::Value = serde_json::from_slice(&json.bytes).unwrap();
    let states: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            (
                key["KeyID"].as_str().unwrap(),
                key["State"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("client/archive/storage", "present"),
            ("client/archive/symmetric", "present"),
            ("client/archive/searchable", "unusable"),
            ("client/shop-1/symmetric", "present"),
            ("poison-record", "present"),
            ("poison-record-symmetric", "present"),
        ]
    );
    assert_eq!(keys[2]["ClientID"], "archive");
    assert!(
        keys[2]["Problem"]
            .as_str()
            .unwrap()
            .contains("is damaged or was written with another master key")
    );
}

#[test]
fn what_cannot_be_checked_is_said() {
    let place = Place::with_keys();
    place.write("encryptor.yaml", CONFIGURATION.replace("archive", "x"));
    let run = place.keys(&["check", "--encryptor_config_file=encryptor.yaml"]);
    assert_eq!(run.code, 1);
    assert!(run.log.contains(
        "level=warning msg=\"Columns without client_id need keys of the clients that connect"
    ));
    assert!(
        run.out()
            .contains("client/x | unusable: invalid client ID in encryptor.yaml"),
        "{}",
        run.out()
    );
    place
        .keys(&["check", "--encryptor_config_file=nowhere"])
        .failed(&[
            "level=fatal msg=\"Can't load encryptor config\" code=507",
            "nowhere: No such file",
        ]);
    place.write("encryptor.yaml", "schemas: 7\n");
    place
        .keys(&["check", "--encryptor_config_file=encryptor.yaml"])
        .failed(&["Can't load encryptor config", "line 1"]);
    place.write("encryptor.yaml", "");
    let run = place.keys(&["check", "--encryptor_config_file=encryptor.yaml", "--json"]);
    assert_eq!(run.good(), "[]\n");
}
