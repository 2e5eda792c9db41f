//! The command line: commands, flags, configuration files, messages about arguments (cli.md 13).

use crate::support::Place;

const ARGUMENTS: &str = "level=fatal msg=\"Cannot parse arguments\" code=508 error=";
const COMMANDS: &str =
    "\"[list export import migrate read destroy generate extract-client-id check]\"";

#[test]
fn commands() {
    let place = Place::new();
    let none = place.keys(&[]);
    assert_eq!(none.good(), "");
    assert!(none.log.contains("level=info msg=\"No command specified\""));
    assert!(
        none.log.contains(&format!("supported={COMMANDS}")),
        "{}",
        none.log
    );
    place.keys(&["lst"]).failed(&[
        "level=error msg=\"Unknown command: lst\"",
        &format!("expected={COMMANDS}"),
        &format!("{ARGUMENTS}\"unknown command\""),
    ]);
    place.keys(&["list", "--nope"]).failed(&[
        "flag provided but not defined: -nope\n",
        "Command \"list\": ",
        "\n\n\tacra-keys list [options...]\n\nOptions:\n",
        &format!("{ARGUMENTS}\"flag provided but not defined: -nope\""),
    ]);
    let global = place.keys(&["--keys_dir=x", "list"]);
    assert_eq!((global.code, global.out()), (2, ""));
    for (line, text) in [
        (
            &["-h"][..],
            "Supported commands:\n  list, export, import, migrate",
        ),
        (
            &["read", "--help"],
            "\tacra-keys read [options...] <key-ID>\n",
        ),
        (
            &["extract-client-id", "-h"],
            "Command \"extract-client-id\": ",
        ),
    ] {
        let help = place.keys(line);
        assert_eq!(help.good(), "");
        assert!(help.log.contains(text), "{}", help.log);
    }
    assert!(
        place
            .keys(&["--version"])
            .good()
            .starts_with("acra-keys 0.")
    );
    assert!(
        place
            .keys(&["list", "--version"])
            .good()
            .starts_with("acra-keys 0.")
    );
    assert!(place.files("").is_empty());
}

#[test]
fn what_arguments_are_refused_with() {
    let place = Place::with_keys();
    let read_id = "client/shop-1/storage";
    let bundle = ["export", "--key_bundle_file=d", "--key_bundle_secret=s"];
    let with = |more: &[&'static str]| [&bundle[..], more].concat();
    let zone =
        "level=warning msg=\"Zone keys are deprecated since 0.94.0 and will be removed soon.\"";
    let cases: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (
            vec!["read"],
            vec![
                "level=error msg=\"\\\"read\\\" command requires key kind\"",
                "\"missing key kind\"",
            ],
        ),
        (
            vec!["read", read_id, read_id],
            vec![
                "\\\"read\\\" command does not support more than one key kind",
                "\"multiple key kinds\"",
            ],
        ),
        (
            vec!["read", "--public", "--private", read_id],
            vec![
                "level=warning msg=\"Options --private and --public cannot be used simultaneously\"",
                "\"both key parts specified\"",
            ],
        ),
        (
            vec!["read", "poison-record"],
            vec![
                "level=warning msg=\"Missing --private or --public for a key pair\"",
                "\"key part not specified\"",
            ],
        ),
        (
            vec!["read", "poison-record-symmetric"],
            vec!["\"unknown key kind\""],
        ),
        (
            vec!["read", "client/shop-1/searchable"],
            vec!["\"unknown key kind\""],
        ),
        (vec!["read", "audit-log"], vec!["\"unknown key kind\""]),
        (
            vec!["read", "zone/shop-1/symmetric"],
            vec![zone, "\"unknown key kind\""],
        ),
        (
            vec!["read", "client/x/symmetric"],
            vec!["\"invalid client ID\""],
        ),
        (
            vec!["read", "client/../symmetric"],
            vec!["\"invalid client ID\""],
        ),
        (
            vec!["destroy"],
            vec![
                "\\\"destroy\\\" command requires key kind",
                "\"missing key kind\"",
            ],
        ),
        (
            vec!["destroy", "--index=0", read_id],
            vec![
                "level=error msg=\"\\\"destroy\\\" expected --index flag value greater than 1\"",
                "\"invalid index value provided\"",
            ],
        ),
        (
            vec!["export", "--all"],
            vec![
                "\\\"--key_bundle_file\\\" and \\\"--key_bundle_secret\\\" options are required",
                "\"output file not specified\"",
            ],
        ),
        (
            vec!["import", "--key_bundle_file=x", "--key_bundle_secret=x"],
            vec!["must not be the same file", "\"output files are the same\""],
        ),
        (
            with(&["--private_keys"]),
            vec![
                "level=error msg=\"\\\"export\\\" command requires at least one key ID\"",
                "level=info msg=\"Use \\\"--all\\\" to export all keys\"",
                "\"missing key IDs\"",
            ],
        ),
        (
            with(&["client/shop-1/nope"]),
            vec![zone, "\"unknown key kind\""],
        ),
        (
            vec!["generate", "--client_id=shop-1", "--tls_client_id_cert=c"],
            vec![
                "You can either specify identifier for keys via specific clientID by --client_id parameter or via TLS \
                 certificate by --tls_cert parameter.",
                "\"client ID and TLS certificate path are both provided\"",
            ],
        ),
        (
            vec!["generate", "--client_storage_key"],
            vec![
                "--client_id or --tls_cert is required to generate keys",
                "\"client ID not specified\"",
            ],
        ),
        (
            vec!["extract-client-id"],
            vec!["\"TLS certificate path not specified\""],
        ),
        (
            vec![
                "extract-client-id",
                "--tls_cert=a",
                "--tls_client_id_cert=b",
            ],
            vec![
                "passed --tls_cert (deprecated since 0.96.0) and --tls_client_id_cert simultaneously",
            ],
        ),
        (
            vec!["migrate", "--src_keystore=v1"],
            vec![
                "level=warning msg=\"Missing required argument: --dst_keystore={v1|v2}\"",
                "\"keystore format not specified\"",
            ],
        ),
        (
            vec!["migrate", "--src_keystore=v1", "--dst_keystore=v2"],
            vec![
                "Missing required argument: --src_keys_dir=<path>",
                "Missing required argument: --dst_keys_dir=<path>",
                "\"keys directory not specified\"",
            ],
        ),
        (
            vec!["check"],
            vec![
                "requires --encryptor_config_file",
                "\"encryptor configuration not specified\"",
            ],
        ),
    ];
    let before = place.files("");
    for (line, said) in cases {
        let refused = place.keys(&line);
        refused.failed(&said);
        let last = refused.log.lines().last().unwrap();
        assert!(last.contains(ARGUMENTS), "{line:?} {}", refused.log);
    }
    assert_eq!(place.files(""), before);
}

#[test]
fn fatal_lines_that_are_not_about_the_form_of_arguments() {
    let place = Place::with_keys();
    let bundle = ["export", "--key_bundle_file=d", "--key_bundle_secret=s"];
    let export = |more: &[&'static str]| place.keys(&[&bundle[..], more].concat());
    for id in [
        "client/shop-1/symmetric",
        "shop-1_hmac",
        "client/shop-1/hmac-sym.keyring",
        "poison_key_sym",
        "audit-log",
    ] {
        export(&[id])
            .failed(&["level=fatal msg=\"Export symmetric keys expect \\\"--private_keys\\\"\""]);
    }
    export(&["shop-1_server"]).failed(&[
        "level=fatal msg=\"Unsupported key provided\"",
        "key=shop-1_server",
    ]);
    export(&["nothing"]).failed(&["level=fatal msg=\"key purpose not recognized\" key=nothing"]);
    place.keys(&["generate", "--client_id=a/b"]).failed(&[
        "msg=\"Invalid client ID,  5 <= len(client ID) <= 256, only digits, letters and '_', '-', ' ' characters\" code=502",
    ]);
    place
        .keys(&[
            "migrate",
            "--src_keystore=v2",
            "--dst_keystore=v1",
            "--src_keys_dir=a",
            "--dst_keys_dir=b",
        ])
        .failed(&[
            "level=fatal msg=\"Keystore conversion not supported\"",
            "dst=v1 src=v2",
        ]);
    let tool = env!("CARGO_BIN_EXE_acra-keys");
    for line in [
        &["list"][..],
        &["read", "client/shop-1/symmetric"],
        &["destroy", "poison-record"],
    ] {
        place.run(tool, None, line).failed(&[
            "level=fatal msg=\"Failed to open keystore\"",
            "master key is empty",
        ]);
    }
    place
        .run(
            tool,
            None,
            &[
                "export",
                "--all",
                "--key_bundle_file=d",
                "--key_bundle_secret=s",
            ],
        )
        .failed(&["level=error msg=\"Can't init keystore KeyEncryptor\""]);
    place.keys(&["list", "--keys_dir=nowhere"]).failed(&[
        "level=fatal msg=\"Failed to read key list\"",
        "nowhere: No such file",
    ]);
    place.set_mode(".acrakeys", 0o750);
    place.keys(&["list"]).failed(&[
        "level=fatal msg=\"Failed to open keystore\"",
        "keystore folder has an incorrect permissions",
    ]);
}

#[test]
fn leftover_arguments_are_told() {
    let place = Place::with_keys();
    for line in [
        &["list", "poison-record"][..],
        &["generate", "poison-record"],
        &[
            "export",
            "--all",
            "--key_bundle_file=d",
            "--key_bundle_secret=s",
            "poison-record",
        ],
        &[
            "import",
            "--key_bundle_file=d",
            "--key_bundle_secret=s",
            "poison-record",
        ],
    ] {
        let run = place.keys(line);
        assert_eq!(run.code, 0, "{}", run.log);
        let text = "level=warning msg=\"Unexpected arguments are ignored\" arguments=poison-record";
        assert!(run.log.contains(text), "{}", run.log);
    }
}

#[test]
fn configuration_files_and_their_layers() {
    let place = Place::with_keys();
    place
        .keys(&["--config_file=c.yaml", "--dump_config"])
        .good();
    let dumped = String::from_utf8(place.read("c.yaml")).unwrap();
    let edited = dumped
        .replace("\njson: false", "\njson: true")
        .replace("\nindex: 1", "\nindex: 7");
    place.write("c.yaml", &edited);
    // The file counts, and the command line counts more.
    assert!(
        place
            .keys(&["--config_file=c.yaml", "list"])
            .good()
            .starts_with("[{")
    );
    let list = place.keys(&["--config_file=c.yaml", "list", "--json=false"]);
    assert!(list.good().starts_with("Index | "));
    place
        .keys(&["--config_file=c.yaml", "destroy", "poison-record"])
        .failed(&["there is no key 7 of this kind"]);
    // The default file, and a setting that this version lacks.
    place.write(
        "configs/acra-keys.yaml",
        edited.replace("\nkms_type: ", "\nkms_type: aws"),
    );
    place
        .keys(&["list"])
        .failed(&["a key management service, which is not available"]);
    place.write("configs/acra-keys.yaml", "json: true\n");
    place.keys(&["list"]).failed(&[
        "msg=\"Can't parse config\" code=508",
        "config hasn't version key",
    ]);
    place.write("configs/acra-keys.yaml", "version: 0.96.0\njsn: true\n");
    let list = place.keys(&["list"]);
    assert!(
        list.log.contains("did you mean \\\"json\\\"?"),
        "{}",
        list.log
    );
}
