//! `acra-tokens` on files; Redis is told apart by the stores, and driven by the scenarios.

use acra_engine::tokens::{EntryKey, Metadata, Owner, StoreCall, context_digest};
use acra_stores::tokens::{Action, TokenStore};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// 2021-01-01T00:00:00Z and a day.
const START: i64 = 1_609_459_200;
const DAY: i64 = 86_400;

fn open(directory: &TempDir) -> TokenStore {
    TokenStore::open_file(&directory.path().join("tokens"), Duration::ZERO).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

/// Ten tokens, made a day after each other and used ten days later; every third one is disabled.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let call = |number: u8| {
        let owner = ["client-1", "client-2"][usize::from(number % 2)];
        let created = START + i64::from(number) * DAY;
        let record = Metadata {
            data: &[number; 100],
            created,
            accessed: created + 10 * DAY,
            disabled: number.is_multiple_of(3),
        };
        let key = EntryKey {
            context: context_digest(Owner::Client(owner)),
            entry: [number; 34],
        };
        StoreCall::Save(key, record.to_bytes())
    };
    block_on(open(&directory).run((0..10).map(call).collect())).unwrap();
    directory
}

/// The numbers of the tokens that are there, and whether each is disabled.
fn tokens(directory: &TempDir) -> Vec<(u8, bool)> {
    let mut tokens = Vec::new();
    let store = open(directory);
    block_on(store.visit(&mut |visited| {
        tokens.push((visited.key.entry[0], visited.metadata.disabled));
        Action::Keep
    }))
    .unwrap();
    tokens.sort_unstable();
    tokens
}

fn run(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_acra-tokens"))
        .current_dir(directory.path())
        .env("TZ", "UTC")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stores/tests/tokens/data");
    folder.join(name)
}

#[track_caller]
fn says(log: &str, texts: &[&str]) {
    for text in texts {
        assert!(log.contains(text), "no {text:?} in {log}");
    }
}

#[test]
fn status_counts_what_passes_the_filters() {
    let directory = directory();
    let (code, out, _) = run(&directory, &["status", "--token_db=tokens"]);
    let expected = "TokenCount: 10\nStorageSize: 1000 (0.98 KB)\nDisabledTokenCount: 4\nDisabledStorageSize: 400 (400 B)\n";
    assert_eq!((code, &*out), (0, expected));
    for (filter, count) in [
        ("--created_after=2021-01-03", 8),
        ("--created_before=2021-01-03T00:00:00", 3),
        ("--created_before=2021-01-02T23:59:59.9Z", 2),
        ("--accessed_after=2021-01-20", 1),
        ("--accessed_before=2021", 0),
        ("--created_after=Jan 2021", 10),
        ("--client_id=client-2", 5),
        ("--client_id=nobody", 0),
    ] {
        let (_, out, log) = run(
            &directory,
            &["status", "--token_db=tokens", "--json", filter],
        );
        let status: serde_json::Value =
            serde_json::from_str(&out).unwrap_or_else(|_| panic!("{log}"));
        assert_eq!(status["token_count"], count, "{filter}");
    }
    let both = ["--created_after=2021-01-03", "--accessed_before=2021-01-15"];
    let (_, out, _) = run(
        &directory,
        &[&["status", "--token_db=tokens"], &both[..]].concat(),
    );
    assert!(out.starts_with("TokenCount: 3\n"), "{out}");
    // One that does not exist is empty.
    let (code, out, _) = run(&directory, &["status", "--token_db=new"]);
    assert_eq!((code, out.lines().next()), (0, Some("TokenCount: 0")));
}

#[test]
fn disable_and_enable_change_what_passes_the_filters() {
    let directory = directory();
    let (code, _, log) = run(
        &directory,
        &[
            "disable",
            "--token_db=tokens",
            "--created_before=2021-01-02",
        ],
    );
    assert_eq!(code, 0);
    says(&log, &["Disabled 1 tokens (out of 2 inspected)"]);
    assert_eq!(tokens(&directory)[..3], [(0, true), (1, true), (2, false)]);
    let (_, _, log) = run(&directory, &["enable", "--token_db=tokens"]);
    says(&log, &["Enabled 5 tokens (out of 10 inspected)"]);
    assert!(tokens(&directory).iter().all(|(_, disabled)| !disabled));
}

#[test]
fn only_disabled_tokens_are_removed_where_that_is_asked_for() {
    let directory = directory();
    let only = ["remove", "--token_db=tokens", "--only_disabled"];
    let (code, _, log) = run(&directory, &[&only[..], &["--dry_run"]].concat());
    assert_eq!(code, 0);
    says(
        &log,
        &[
            "Removed 4 tokens (out of 10 in total)",
            "Freed approximately 400 B of token storage",
            "would remove 0 enabled and 4 disabled tokens",
            "Now run without --dry_run to actually remove the tokens",
        ],
    );
    assert_eq!(tokens(&directory).len(), 10);
    let (_, _, log) = run(&directory, &[&only[..], &["--all"]].concat());
    says(
        &log,
        &[
            "Only disabled tokens are removed",
            "Removed 4 tokens (out of 10 in total)",
        ],
    );
    assert!(tokens(&directory).iter().all(|(_, disabled)| !disabled));
    let all = [
        "remove",
        "--token_db=tokens",
        "--all",
        "--client_id=client-1",
    ];
    let (_, _, log) = run(&directory, &all);
    says(&log, &["Removed 3 tokens (out of 6 in total)"]);
    assert!(tokens(&directory).iter().all(|(number, _)| number % 2 == 1));
}

#[test]
fn a_bolt_file_is_refused_imported_and_never_changed() {
    let directory = tempfile::tempdir().unwrap();
    for (name, count) in [("acra-0.96.db", 14), ("bbolt-1.3.6.db", 63)] {
        let bolt = directory.path().join(name);
        std::fs::copy(data(name), &bolt).unwrap();
        let (code, _, log) = run(&directory, &["status", &format!("--token_db={name}")]);
        assert_eq!(code, 1);
        says(
            &log,
            &[
                "Cannot initialize BoltDB token storage",
                "Cannot open token storage",
                "acra-tokens import",
            ],
        );
        let import = [
            "import",
            &format!("--bolt_file={name}"),
            "--token_db=tokens",
        ];
        let (code, _, log) = run(&directory, &import);
        assert_eq!(code, 0, "{log}");
        says(
            &log,
            &[&format!(
                "Imported {count} tokens (out of {count} in {name})"
            )],
        );
        let (_, _, log) = run(&directory, &import);
        says(&log, &["Imported 0 tokens"]);
        assert_eq!(
            std::fs::read(&bolt).unwrap(),
            std::fs::read(data(name)).unwrap()
        );
    }
    let (_, out, _) = run(&directory, &["status", "--token_db=tokens"]);
    assert!(out.starts_with("TokenCount: 77\n"), "{out}");
}

#[test]
fn wrong_arguments_say_what_is_wrong() {
    let directory = directory();
    let redis = "--redis_host_port=127.0.0.1:1";
    for (arguments, texts) in [
        (
            &["status"][..],
            &[
                "Either --redis_host_port or --token_db is required",
                "token storage is configured incorrectly",
            ][..],
        ),
        (
            &["status", "--token_db=tokens", redis],
            &["Both --redis_host_port and --token_db cannot be used simultaneously"],
        ),
        (
            &["enable", "--token_db=tokens", "--created_before=yesterday"],
            &[
                "Invalid date for --created_before",
                "unrecognized date format",
            ],
        ),
        (
            &["remove", "--token_db=tokens"],
            &[
                "Either --all or --only_disabled must be specified",
                "underspecified removal conditions",
            ],
        ),
        (
            &["import", "--token_db=tokens"],
            &["--bolt_file is required"],
        ),
        (
            &["purge"],
            &[
                "Unknown command: purge",
                "[status disable enable remove import]",
            ],
        ),
        (
            &["status", redis],
            &["Cannot open token storage", "127.0.0.1:1"],
        ),
        (&["status", "--redis_host_port=x"], &["<host>:<port>"]),
        (
            &["status", "--token_db=no/tokens"],
            &[
                "Cannot initialize BoltDB token storage",
                "Cannot open token storage",
                "no/tokens",
            ],
        ),
        (
            &[
                "status",
                redis,
                "--redis_tls_enable",
                "--redis_tls_ocsp_client_url=https://x",
            ],
            &["--redis_tls_ocsp_client_url (or --tls_ocsp_url)"],
        ),
    ] {
        let (code, out, log) = run(&directory, arguments);
        assert_eq!((code, &*out), (1, ""), "{arguments:?}: {log}");
        says(&log, texts);
    }
    assert_eq!(tokens(&directory).len(), 10);
}

#[test]
fn a_file_in_use_is_waited_for_and_then_named() {
    let directory = directory();
    let store = open(&directory);
    let (code, _, log) = run(&directory, &["status", "--token_db=tokens"]);
    assert_eq!(code, 1);
    says(
        &log,
        &[
            "Cannot open token storage",
            "tokens is in use by another process",
        ],
    );
    drop(store);
}
