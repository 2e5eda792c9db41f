//! The rules of sources, files and outcomes, through the public function.

use std::cell::RefCell;
use std::io;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn set() -> FlagSet {
    FlagSet::new(
        "acra-test",
        [
            Flag::text("config_file", "", "file"),
            Flag::boolean("dump_config", false, "dump"),
            Flag::boolean("generate_markdown_args_table", false, "table"),
            Flag::text("db_host", "", "host"),
            Flag::integer("db_port", 5432, "port"),
            Flag::boolean("d", false, "debug"),
            Flag::boolean("old", false, "old").availability(Availability::Ignored),
            Flag::text("tls_ca", "", "authority"),
            Flag::text("tls_client_ca", "", "authority for clients").general("tls_ca"),
            Flag::integer("tls_auth", 4, "mode"),
            Flag::integer("tls_client_auth", -1, "mode for clients").general("tls_auth"),
            Flag::text("from_cert", "prefer", "use"),
            Flag::text("client_from_cert", "prefer", "use").general("from_cert"),
            Flag::boolean("leaf", false, "leaf"),
            Flag::boolean("client_leaf", false, "leaf").general("leaf"),
            Flag::text("token_db", "", "tokens").not_yet("tokenization"),
            Flag::integer("cache", 1000, "size").not_yet("a bounded cache"),
            Flag::text("orphan", "o", "general is no flag").general("general_only"),
        ],
    )
}

fn run_with(line: &[&str], file: Option<&str>) -> Outcome {
    let read = |_: &Path| {
        file.map(|text| text.as_bytes().to_vec())
            .ok_or(io::ErrorKind::NotFound.into())
    };
    parse(&set(), line.iter().map(OsString::from), read)
}

fn parsed(line: &[&str], file: Option<&str>) -> Parsed {
    match run_with(line, file) {
        Outcome::Run(parsed) => parsed,
        other => panic!("{line:?} {file:?}: {other:?}"),
    }
}

fn failure(line: &[&str], file: Option<&str>) -> Failure {
    match run_with(line, file) {
        Outcome::Error(failure) => failure,
        other => panic!("{line:?} {file:?}: {other:?}"),
    }
}

/// A file with the version key in front.
fn file(body: &str) -> String {
    format!("version: 0.96.0\n{body}")
}

#[test]
fn text_comes_from_the_first_source_that_has_it() {
    for (line, body, expected) in [
        (&[] as &[&str], "", ""),
        (&["--tls_client_ca=a"], "tls_client_ca: b\ntls_ca: c\n", "a"),
        (&["--tls_client_ca="], "tls_client_ca: b\n", ""),
        (&["--tls_ca=g"], "tls_client_ca: b\ntls_ca: c\n", "b"),
        (&["--tls_ca=g"], "tls_client_ca:\ntls_ca: c\n", "g"),
        (&["--tls_ca=g"], "", "g"),
        (&["--tls_ca="], "tls_ca: c\n", ""),
        (&[], "tls_client_ca:\ntls_ca: ca.pem\n", "ca.pem"),
        (&[], "tls_ca: c\n", "c"),
    ] {
        assert_eq!(
            parsed(line, Some(&file(body))).text("tls_client_ca"),
            expected,
            "{line:?} {body}"
        );
    }
}

#[test]
fn an_empty_general_key_counts() {
    assert_eq!(
        parsed(&[], Some(&file("from_cert:\n"))).text("client_from_cert"),
        ""
    );
    assert_eq!(
        parsed(&[], Some(&file("from_cert:\n"))).text("from_cert"),
        "prefer"
    );
}

#[test]
fn a_general_argument_beats_a_key_that_repeats_the_default() {
    let parse = |line: &[&str], body: &str| {
        parsed(line, Some(&file(body)))
            .text("client_from_cert")
            .to_owned()
    };
    assert_eq!(
        parse(&["--from_cert=ignore"], "client_from_cert: prefer\n"),
        "ignore"
    );
    assert_eq!(
        parse(&["--from_cert=ignore"], "client_from_cert: use\n"),
        "use"
    );
    assert_eq!(
        parse(&["--from_cert=ignore", "--client_from_cert=prefer"], ""),
        "prefer"
    );
}

#[test]
fn numbers_and_booleans_come_from_the_first_source_that_has_them() {
    let number =
        |line: &[&str], body: &str| parsed(line, Some(&file(body))).integer("tls_client_auth");
    assert_eq!(number(&[], ""), -1);
    assert_eq!(number(&[], "tls_client_auth: -1\ntls_auth: 2\n"), -1);
    assert_eq!(number(&[], "tls_auth: 2\n"), 2);
    assert_eq!(number(&["--tls_auth=3"], "tls_client_auth: 1\n"), 1);
    assert_eq!(
        number(&["--tls_auth=3"], "tls_client_auth: 0x1\ntls_auth: 2\n"),
        1
    );
    assert_eq!(number(&["--tls_auth=3"], "tls_auth: 2\n"), 3);
    let state = |line: &[&str], body: &str| parsed(line, Some(&file(body))).boolean("client_leaf");
    assert!(!state(&["--client_leaf=false"], "client_leaf: true\n"));
    assert!(state(&[], "client_leaf: \"T\"\n"));
    assert!(state(&[], "leaf: 1\n"));
    assert!(!parsed(&["-d=false"], Some(&file("d: true\n"))).boolean("d"));
}

#[test]
fn values_that_do_not_fit_the_kind_are_fatal() {
    for (body, message, value) in [
        ("d:\n", "Can't cast d to boolean value", ""),
        ("d: yes\n", "Can't cast d to boolean value", "yes"),
        ("db_port:\n", "Can't cast db_port to integer value", ""),
        (
            "db_port: 5432a\n",
            "Can't cast db_port to integer value",
            "5432a",
        ),
        ("leaf: maybe\n", "Can't cast leaf to boolean value", "maybe"),
    ] {
        let failure = failure(&[], Some(&file(body)));
        assert_eq!(
            (failure.message.as_str(), failure.exit_code),
            (message, 1),
            "{body}"
        );
        assert_eq!(failure.fields.first(), Some(&("value", value.to_owned())));
        assert_eq!(failure.usage, None);
    }
    // The command line decides before the file is looked at.
    assert_eq!(
        parsed(&["--db_port=1"], Some(&file("db_port:\n"))).integer("db_port"),
        1
    );
}

#[test]
fn given_means_set_by_somebody() {
    let parsed = parsed(&["--db_host="], Some(&file("db_port: 5432\n")));
    assert!(parsed.given("db_host") && parsed.given("db_port"));
    assert!(!parsed.given("d") && !parsed.given("no such flag"));
    let shown = format!("{parsed:?}");
    assert!(
        shown.contains("db_host") && !shown.contains("5432"),
        "{shown}"
    );
}

#[test]
fn parts_that_do_not_exist_yet_are_refused() {
    let argument = failure(&["--token_db=x"], None);
    assert_eq!(
        argument.message,
        "--token_db asks for tokenization, which is not available in this version of acra-test"
    );
    assert_eq!((argument.code, argument.exit_code), (Some(507), 1));
    let key = failure(&[], Some(&file("cache: -1\n")));
    assert_eq!(
        key.message,
        "\"cache\" in configs/acra-test.yaml asks for a bounded cache, which is not available in this version of acra-test"
    );
    // The default asks for nothing, wherever it stands; an empty text in the file is no value.
    parsed(
        &["--token_db=", "--cache=1000"],
        Some(&file("token_db: \ncache: 1000\n")),
    );
    // An argument decides over the file.
    parsed(&["--cache=1000"], Some(&file("cache: 5\n")));
}

#[test]
fn warnings_name_what_is_ignored() {
    let messages = |line: &[&str], body: Option<&str>| -> Vec<String> {
        parsed(line, body)
            .warnings()
            .iter()
            .map(|warning| warning.message.clone())
            .collect()
    };
    assert_eq!(
        messages(
            &[],
            Some(&file("db_hots: x\nqqqqqqq: y\ngeneral_only: z\n"))
        ),
        [
            "unknown key \"db_hots\" in configs/acra-test.yaml, line 2, is ignored, did you mean \"db_host\"?",
            "unknown key \"qqqqqqq\" in configs/acra-test.yaml, line 3, is ignored",
        ]
    );
    assert_eq!(
        messages(&["--old"], None),
        ["flag old is deprecated and ignored"]
    );
    assert_eq!(messages(&["--old=false"], None), [] as [&str; 0]);
    assert_eq!(messages(&[], None), [] as [&str; 0]);
    assert_eq!(
        messages(&["--config_file=x.yaml"], None),
        ["configuration file x.yaml does not exist: defaults are used"]
    );
    assert_eq!(
        messages(&[], Some("version: 0.96.0\n---\nd: true\n")),
        ["only the first YAML document of configs/acra-test.yaml is read"]
    );
}

#[test]
fn leftovers_are_kept_for_the_program() {
    let parsed = parsed(&["-d", "false", "word", "--db_host=x"], None);
    assert_eq!(parsed.rest(), ["word", "--db_host=x"]);
    assert_eq!(parsed.text("db_host"), "");
}

#[test]
fn the_file_is_the_named_one_or_the_default() {
    let asked = RefCell::new(Vec::new());
    for line in [
        &[] as &[&str],
        &["--config_file=a/b.yaml"],
        &["--config_file="],
    ] {
        let read = |path: &Path| {
            asked.borrow_mut().push(path.to_owned());
            Err(io::ErrorKind::NotFound.into())
        };
        let _ = parse(&set(), line.iter().map(OsString::from), read);
    }
    let asked = asked.into_inner();
    let expected = [
        "configs/acra-test.yaml",
        "a/b.yaml",
        "configs/acra-test.yaml",
    ];
    assert_eq!(asked, expected.map(std::path::PathBuf::from));
}

#[test]
fn files_that_cannot_be_read_are_fatal() {
    for (body, error) in [
        ("d: true\n", "config hasn't version key"),
        (
            "version: 0.95.0\n",
            "config version \"0.95.0\" is not supported, expects \"0.96.0\" version",
        ),
        (
            "version: 0.96.0\nd:\n  e: 1\n",
            "line 3, column 3: the value of \"d\" must be one value, not a list or a mapping",
        ),
    ] {
        let failure = failure(&[], Some(body));
        assert_eq!(
            (failure.message.as_str(), failure.code, failure.exit_code),
            ("Can't parse config", Some(508), 1)
        );
        assert_eq!(failure.fields.first(), Some(&("error", error.to_owned())));
    }
    let denied = parse(&set(), [], |_| Err(io::ErrorKind::PermissionDenied.into()));
    let Outcome::Error(failure) = denied else {
        panic!("{denied:?}")
    };
    assert_eq!(failure.code, Some(508));
    assert_eq!(
        failure.to_string(),
        "Can't parse config error=\"permission denied\" path=\"configs/acra-test.yaml\""
    );
}

#[test]
fn a_wrong_command_line_is_answered_with_the_usage() {
    let failure = failure(&["--nope"], None);
    assert_eq!(
        (failure.message.as_str(), failure.exit_code),
        ("flag provided but not defined: -nope", 2)
    );
    assert!(failure.usage.unwrap().contains("--db_port"));
}

#[cfg(unix)]
#[test]
fn arguments_must_be_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let argument = OsString::from_vec(b"--db_host=\xff".to_vec());
    let outcome = parse(&set(), [argument], |_| Err(io::ErrorKind::NotFound.into()));
    assert!(
        matches!(outcome, Outcome::Error(Failure { exit_code: 2, .. })),
        "{outcome:?}"
    );
}

#[test]
fn help_version_and_dump_come_before_the_file() {
    assert!(
        matches!(run_with(&["--help"], Some("[")), Outcome::Help(text) if text.contains("--db_host"))
    );
    assert!(
        matches!(run_with(&["--version"], Some("[")), Outcome::Version(text) if text.contains("acra-test"))
    );
    let dump = run_with(
        &["--dump_config", "--db_host=x", "--config_file=d/e.yaml"],
        Some("["),
    );
    let Outcome::Dump(dump) = dump else {
        panic!("{dump:?}")
    };
    assert_eq!(dump.path, Path::new("d/e.yaml"));
    assert!(dump.content.contains("db_host: \n") && dump.markdown.is_none());
    let both = run_with(&["--dump_config", "--generate_markdown_args_table"], None);
    assert!(matches!(
        both,
        Outcome::Dump(Dump {
            markdown: Some(_),
            ..
        })
    ));
    // What was dumped can be read, and asks for nothing that does not exist.
    assert!(parsed(&[], Some(&dump.content)).warnings().is_empty());
}

proptest! {
    #[test]
    fn any_input_has_an_outcome(
        line in proptest::collection::vec("-{0,3}(d|db_port|db_host|config_file|help)?=?.{0,4}", 0..5),
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = parse(&set(), line.into_iter().map(OsString::from), |_| Ok(bytes));
    }

    #[test]
    fn any_yaml_has_an_outcome(text in "(version: 0.96.0\n)?([a-z_]{1,8}|[&*!|>'\"{}\\[\\]#,:? \n-]){0,40}") {
        let _ = run_with(&[], Some(&text));
    }
}
