//! Conversations of exact messages: what reaches the server and the client, message by message.

use crate::driver::{Driver, From};
use crate::messages::*;
use acra_engine::columns::{Columns, Database};
use acra_engine::crypto::{BlockKey, Secret, acrablock, container};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::plan::{Planners, Unsupported};
use acra_engine::session::pg::PgSession;
use acra_engine::session::{
    Activity, ClientError, ClientTls, Context, Limits, ScanColumns, Session,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;

pub(crate) const CLIENT: &str = "client";
pub(crate) const BYTEA: u32 = 17;
const INT4: u32 = 23;
const TEXT: u32 = 25;
pub(crate) const SECRET: &[u8] = b"078-05-1120";

pub(crate) fn context(columns: Columns, scan: ScanColumns) -> Arc<Context> {
    Arc::new(Context {
        protects: !columns.is_empty(),
        schema_probe: false,
        poison: None,
        planners: Arc::new(Planners::new(
            Arc::new(columns),
            Unsupported::Refuse,
            1 << 20,
        )),
        client_id: Some(ClientId::new(CLIENT).unwrap()),
        client_id_variable: None,
        client_tls: ClientTls::Disabled,
        scan,
        limits: Limits {
            max_registry: 4096,
            ..Limits::default()
        },
    })
}

fn customers() -> Columns {
    columns("")
}

/// Column `ssn` of table `customers` is protected, with these further options.
pub(crate) fn columns(options: &str) -> Columns {
    let document = format!(
        "schemas:\n  - table: customers\n    columns: [id, name, ssn]\n    encrypted:\n      - column: ssn\n        {options}\n"
    );
    Columns::parse(document.as_bytes(), Database::PostgreSql)
        .unwrap()
        .columns
}

pub(crate) fn keys() -> Arc<ClientKeys> {
    let key = BlockKey::new(Secret::from(vec![9; 32])).unwrap();
    Arc::new(ClientKeys {
        symmetric: vec![key],
        ..ClientKeys::default()
    })
}

pub(crate) fn sealed(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    container::seal_block(
        &keys().symmetric[0],
        &mut StdRng::seed_from_u64(1),
        value,
        &mut out,
    )
    .unwrap();
    out
}

pub(crate) fn hex(bytes: &[u8]) -> Vec<u8> {
    format!("\\x{}", const_hex::encode(bytes)).into_bytes()
}

/// The plaintext of a serialized container.
pub(crate) fn unsealed(container: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    acrablock::open(&keys().symmetric, &container[12..], &mut out).unwrap();
    out
}

/// Nothing is configured: everything passes, containers are opened.
pub(crate) fn forwarding_session() -> PgSession {
    PgSession::new(context(Columns::empty(), ScanColumns::Typed))
}

/// Column `ssn` of table `customers` is protected.
pub(crate) fn protecting_driver() -> Driver<PgSession> {
    Driver::new(PgSession::new(context(customers(), ScanColumns::Typed))).with_keys(CLIENT, keys())
}

/// Startup up to the first ReadyForQuery.
pub(crate) fn start(driver: &mut Driver<PgSession>) {
    driver.feed(From::Client, &startup());
    driver.feed(
        From::Server,
        &[message(b'R', &[0; 4]), ready(b'I')].concat(),
    );
    driver.to_client.clear();
    driver.to_server.clear();
}

fn started() -> Driver<PgSession> {
    let mut driver = protecting_driver();
    start(&mut driver);
    driver
}

/// A session that seals a literal and two parameters, opens rows, and refuses a statement, in pieces of these lengths.
pub(crate) fn protected_conversation(cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let container = sealed(SECRET);
    let turns = [
        (
            From::Client,
            [
                query("INSERT INTO customers (id, ssn) VALUES (1, '078-05-1120'), (2, NULL)"),
                parse(
                    "s",
                    "INSERT INTO customers (ssn, id) VALUES ($1, $2)",
                    &[TEXT],
                ),
                bind("", "s", 0, &[Some(SECRET), Some(b"3")]),
                execute(""),
                bind("", "s", 1, &[Some(SECRET), Some(&[0, 0, 0, 3])]),
                execute(""),
                sync(),
                query("SELECT * FROM customers WHERE ssn = '1'"),
                query("SELECT id, ssn FROM customers"),
            ]
            .concat(),
        ),
        (
            From::Server,
            [
                complete("INSERT 0 2"),
                ready(b'I'),
                message(b'1', b""),
                message(b'2', b""),
                complete("INSERT 0 1"),
                message(b'2', b""),
                complete("INSERT 0 1"),
                ready(b'I'),
                syntax_error(),
                ready(b'I'),
                row_description(&[INT4, BYTEA], 0),
                data_row(&[Some(b"1"), Some(&hex(&container))]),
                data_row(&[Some(b"2"), None]),
                data_row(&[
                    Some(b"3"),
                    Some(&hex(&[b"before", &*container, b"after"].concat())),
                ]),
                complete("SELECT 3"),
                ready(b'I'),
            ]
            .concat(),
        ),
    ];
    let mut driver = protecting_driver();
    start(&mut driver);
    let mut cuts = cuts.iter().cycle();
    for (from, bytes) in turns {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            driver.feed(from, now);
            rest = later;
        }
    }
    (driver.to_client, driver.to_server)
}

#[test]
fn values_are_sealed_on_the_way_in_and_opened_on_the_way_out() {
    let (to_client, to_server) = protected_conversation(&[usize::MAX]);
    assert!(memchr::memmem::find(&to_server, SECRET).is_none());
    assert_eq!(tags(&to_server), "QPBEBESQQ");
    let rows: Vec<_> = split(&to_client)
        .into_iter()
        .filter(|(tag, _)| *tag == b'D')
        .collect();
    let expected = [
        data_row(&[Some(b"1"), Some(&hex(SECRET))]),
        data_row(&[Some(b"2"), None]),
        data_row(&[
            Some(b"3"),
            Some(&hex(&[b"before", SECRET, b"after"].concat())),
        ]),
    ];
    assert_eq!(rows, split(&expected.concat()));
}

#[test]
fn a_bound_value_arrives_as_a_container_in_its_own_format() {
    let mut driver = started();
    driver.feed(
        From::Client,
        &parse(
            "",
            "UPDATE customers SET ssn = $1 WHERE id = $2",
            &[TEXT, INT4],
        ),
    );
    // The column is bytea, whatever the client says of its text.
    assert_eq!(
        driver.to_server,
        parse(
            "",
            "UPDATE customers SET ssn = $1 WHERE id = $2",
            &[BYTEA, INT4]
        )
    );
    for (format, line) in [
        (0, &b"a line\nwith a \\ in it"[..]),
        (1, b"\\x41"),
        (0, b"\\x41"),
    ] {
        driver.to_server.clear();
        driver.feed(
            From::Client,
            &bind("", "", format, &[Some(line), Some(b"5")]),
        );
        let (_, body) = &split(&driver.to_server)[0];
        let length = u32::from_be_bytes(body[8..12].try_into().unwrap()) as usize;
        let value = &body[12..12 + length];
        let container = if format == 0 {
            const_hex::decode(&value[2..]).unwrap()
        } else {
            value.to_vec()
        };
        let expected: &[u8] = if format == 0 && line == b"\\x41" {
            b"A"
        } else {
            line
        };
        assert_eq!(unsealed(&container), expected);
    }
}

#[test]
fn empty_values_nulls_and_containers_stay_as_they_are() {
    let mut driver = started();
    driver.feed(
        From::Client,
        &parse("", "INSERT INTO customers (ssn) VALUES ($1)", &[]),
    );
    let container = sealed(SECRET);
    for (format, value) in [
        (0, Some(&b""[..])),
        (0, None),
        (1, Some(&*container)),
        (0, Some(&*hex(&container))),
    ] {
        driver.to_server.clear();
        let message = bind("", "", format, &[value]);
        driver.feed(From::Client, &message);
        assert_eq!(driver.to_server, message);
    }
}

#[test]
fn a_refused_statement_fails_in_its_turn() {
    let mut driver = started();
    driver.feed(From::Client, &query("SELECT 1"));
    driver.feed(From::Client, &query("SELECT lower(ssn) FROM customers"));
    assert_eq!(
        driver.to_client, b"",
        "the error does not overtake the first answer"
    );
    let sent = split(&driver.to_server);
    assert_eq!(
        sent[1],
        (b'Q', b"acra-server refused this statement\0".to_vec())
    );
    driver.feed(
        From::Server,
        &[
            row_description(&[INT4], 0),
            complete("SELECT 1"),
            ready(b'T'),
        ]
        .concat(),
    );
    driver.feed(From::Server, &[syntax_error(), ready(b'E')].concat());
    assert_eq!(tags(&driver.to_client), "TCZEZ");
    let (_, error) = &split(&driver.to_client)[3];
    let text = String::from_utf8_lossy(error);
    assert!(text.contains("C0A000") && text.contains("ssn"), "{text}");
    assert_eq!(driver.events.len(), 1);
}

#[test]
fn a_refusal_in_a_pipeline_leaves_the_rest_to_the_next_sync() {
    let mut driver = started();
    let pipeline = [
        parse("a", "SELECT 1", &[]),
        parse("b", "SELECT lower(ssn) FROM customers", &[]),
        bind("", "b", 0, &[]),
        execute(""),
        sync(),
        bind("", "a", 0, &[]),
        execute(""),
        sync(),
    ];
    driver.feed(From::Client, &pipeline.concat());
    // What follows the refused Parse would be skipped by the server, and does not get there.
    assert_eq!(tags(&driver.to_server), "PPSBES");
    driver.feed(
        From::Server,
        &[message(b'1', b""), syntax_error(), ready(b'I')].concat(),
    );
    driver.feed(
        From::Server,
        &[
            message(b'2', b""),
            data_row(&[Some(b"1")]),
            complete("SELECT 1"),
            ready(b'I'),
        ]
        .concat(),
    );
    assert_eq!(tags(&driver.to_client), "1EZ2DCZ");
}

#[test]
fn after_an_error_nothing_is_sent_before_sync() {
    let mut driver = started();
    driver.feed(
        From::Client,
        &[parse("", "SELECT 1/0", &[]), message(b'H', b"")].concat(),
    );
    driver.feed(From::Server, &syntax_error());
    driver.to_server.clear();
    driver.feed(
        From::Client,
        &[bind("", "", 0, &[]), execute(""), message(b'H', b"")].concat(),
    );
    assert_eq!(tags(&driver.to_server), "H");
    driver.feed(From::Client, &sync());
    assert_eq!(tags(&driver.to_server), "HS");
}

#[test]
fn a_statement_that_failed_is_not_known() {
    let mut driver = started();
    driver.feed(
        From::Client,
        &[parse("s", "SELECT nothing", &[]), sync()].concat(),
    );
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    driver.to_server.clear();
    driver.feed(From::Client, &[bind("", "s", 0, &[]), sync()].concat());
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    let (_, error) = &split(&driver.to_client)[2];
    assert!(String::from_utf8_lossy(error).contains("C26000"));
}

#[test]
fn statements_of_sql_share_the_names_of_the_protocol() {
    let mut driver = started();
    driver.feed(From::Client, &query("PREPARE s AS SELECT 1"));
    driver.feed(From::Server, &[complete("PREPARE"), ready(b'I')].concat());
    driver.to_server.clear();
    driver.feed(
        From::Client,
        &[bind("", "s", 0, &[]), execute(""), sync()].concat(),
    );
    assert_eq!(tags(&driver.to_server), "BES");
    driver.feed(
        From::Server,
        &[message(b'2', b""), complete("SELECT 1"), ready(b'I')].concat(),
    );
    driver.feed(From::Client, &query("DEALLOCATE ALL"));
    driver.feed(
        From::Server,
        &[complete("DEALLOCATE ALL"), ready(b'I')].concat(),
    );
    driver.to_server.clear();
    driver.feed(From::Client, &query("EXECUTE s"));
    assert_eq!(
        split(&driver.to_server)[0].1,
        b"acra-server refused this statement\0"
    );
}

#[test]
fn a_sync_sent_during_a_copy_is_not_awaited() {
    // libpq's extended COPY: Parse, Bind, Execute, Sync; data; CopyDone, Sync; one ReadyForQuery.
    let mut driver = started();
    driver.feed(
        From::Client,
        &[
            parse("", "COPY t FROM STDIN", &[]),
            bind("", "", 0, &[]),
            execute(""),
            sync(),
        ]
        .concat(),
    );
    driver.feed(
        From::Server,
        &[
            message(b'1', b""),
            message(b'2', b""),
            message(b'G', b"\0\0\0"),
        ]
        .concat(),
    );
    driver.feed(
        From::Client,
        &[message(b'd', b"1\n"), message(b'c', b""), sync()].concat(),
    );
    driver.feed(From::Server, &[complete("COPY 1"), ready(b'I')].concat());
    driver.feed(From::Client, &query("SELECT lower(ssn) FROM customers"));
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert_eq!(tags(&driver.to_client), "12GCZEZ");
    let (_, error) = &split(&driver.to_client)[5];
    assert!(
        String::from_utf8_lossy(error).contains("C0A000"),
        "the ledger is still in step"
    );
}

#[test]
fn a_string_that_may_be_read_otherwise_is_refused() {
    let insert = "INSERT INTO customers (id, ssn) VALUES (1, 'a\\')";
    let mut driver = started();
    driver.feed(
        From::Client,
        &query("SET standard_conforming_strings TO off"),
    );
    driver.to_server.clear();
    driver.feed(From::Client, &query(insert));
    assert_eq!(
        split(&driver.to_server)[0].1,
        b"acra-server refused this statement\0"
    );
    driver.feed(
        From::Server,
        &[complete("SET"), ready(b'I'), syntax_error(), ready(b'I')].concat(),
    );
    driver.feed(
        From::Server,
        &message(b'S', b"standard_conforming_strings\0off\0"),
    );
    driver.to_server.clear();
    driver.feed(
        From::Client,
        &query("INSERT INTO customers (id, ssn) VALUES (1, 'a\\'b')"),
    );
    let (_, text) = &split(&driver.to_server)[0];
    let text = String::from_utf8_lossy(text);
    assert!(
        text.starts_with("INSERT INTO customers (id, ssn) VALUES (1, E'\\\\x252525"),
        "{text}"
    );
}

#[test]
fn text_cells_are_opened_in_their_hex_form_only() {
    let container = sealed(SECRET);
    let mut driver = started();
    driver.feed(From::Client, &query("SELECT note FROM t"));
    let rows = [
        row_description(&[TEXT, INT4], 0),
        data_row(&[Some(&hex(&container)), Some(&hex(&container))]),
        data_row(&[Some(b"%%% plain \"\"\"\" text"), Some(b"\\x25252")]),
    ];
    driver.feed(From::Server, &rows.concat());
    let expected = [
        row_description(&[TEXT, INT4], 0),
        data_row(&[Some(&hex(SECRET)), Some(&hex(&container))]),
        data_row(&[Some(b"%%% plain \"\"\"\" text"), Some(b"\\x25252")]),
    ];
    assert_eq!(driver.to_client, expected.concat());
}

#[test]
fn rows_that_nobody_has_described_are_opened_wherever_they_stand() {
    let plain = [
        data_row(&[Some(b"1"), Some(b"plain"), None]),
        data_row(&[Some(b"2"), Some(b"C:\\folder"), Some(b"")]),
    ];
    let container = sealed(SECRET);
    let around = [b"before", &*container].concat();
    let rows = [
        plain.concat(),
        data_row(&[Some(b"3"), Some(&hex(&container)), Some(&hex(&around))]),
        plain.concat(),
    ];
    let opened = [
        plain.concat(),
        data_row(&[
            Some(b"3"),
            Some(&hex(SECRET)),
            Some(&hex(&[b"before", SECRET].concat())),
        ]),
        plain.concat(),
    ];
    let answer = |rows: &[Vec<u8>]| {
        [
            message(b'1', b""),
            message(b'2', b""),
            rows.concat(),
            complete("SELECT 5"),
            ready(b'I'),
            row_description(&[INT4, INT4], 0),
            data_row(&[Some(b"1"), None]).repeat(3),
            complete("SELECT 3"),
            ready(b'I'),
        ]
        .concat()
    };
    for piece in [usize::MAX, 1, 7, 64] {
        let mut driver = started();
        let asked = [
            parse("", "SELECT * FROM t", &[]),
            bind("", "", 0, &[]),
            execute(""),
            sync(),
            query("SELECT a, b FROM t"),
        ];
        driver.feed(From::Client, &asked.concat());
        for bytes in answer(&rows).chunks(piece) {
            driver.feed(From::Server, bytes);
        }
        assert_eq!(driver.to_client, answer(&opened), "{piece}");
    }
}

#[test]
fn a_value_in_escape_form_may_grow() {
    let mut plain = Vec::from([b'a'; 400]);
    plain.extend(sealed(SECRET));
    let escaped: Vec<u8> = plain
        .iter()
        .flat_map(|byte| match byte {
            b'\\' => b"\\\\".to_vec(),
            32..=126 => vec![*byte],
            _ => format!("\\{byte:03o}").into_bytes(),
        })
        .collect();
    let mut driver = started();
    driver.feed(From::Client, &query("SELECT id, c, id FROM t"));
    driver.feed(From::Server, &row_description(&[INT4, BYTEA, INT4], 0));
    driver.to_client.clear();
    driver.feed(From::Server, &data_row(&[Some(b"1"), Some(&escaped), None]));
    let expected = hex(&[&[b'a'; 400], SECRET].concat());
    assert_eq!(
        driver.to_client,
        data_row(&[Some(b"1"), Some(&expected), None])
    );
}

#[test]
fn a_container_that_no_key_opens_passes_and_is_reported() {
    let mut driver = started();
    let mut container = sealed(SECRET);
    *container.last_mut().unwrap() ^= 1;
    driver.feed(From::Client, &query("SELECT c FROM t"));
    let reply = [
        row_description(&[BYTEA], 0),
        data_row(&[Some(&hex(&container))]),
        complete("SELECT 1"),
        ready(b'I'),
    ];
    driver.feed(From::Server, &reply.concat());
    assert_eq!(driver.to_client, reply.concat());
    assert_eq!(
        driver.events,
        [
            acra_engine::session::Event::Unopened { containers: 1 },
            acra_engine::session::Event::Decrypted(acra_engine::cell::Tally {
                failed_blocks: 1,
                ..Default::default()
            })
        ]
    );
}

#[test]
fn without_keys_writing_is_refused_and_reading_passes() {
    let mut driver = Driver::new(PgSession::new(context(customers(), ScanColumns::Typed)));
    start(&mut driver);
    driver.feed(
        From::Client,
        &query("INSERT INTO customers (ssn) VALUES ('x')"),
    );
    assert_eq!(
        split(&driver.to_server)[0].1,
        b"acra-server refused this statement\0"
    );
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert!(String::from_utf8_lossy(&driver.to_client).contains("C58000"));
    driver.to_client.clear();
    driver.feed(From::Client, &query("SELECT ssn FROM customers"));
    let reply = [
        row_description(&[BYTEA], 0),
        data_row(&[Some(&hex(&sealed(SECRET)))]),
    ]
    .concat();
    driver.feed(From::Server, &reply);
    assert_eq!(driver.to_client, reply);
}

#[test]
fn too_many_statements_are_refused_and_closing_makes_room() {
    let mut driver = started();
    for number in 0..40 {
        driver.feed(
            From::Client,
            &[parse(&format!("s{number}"), "SELECT 1", &[]), sync()].concat(),
        );
        let refused = memchr::memmem::find(&driver.to_server, b"acra-server refused").is_some();
        let reply = if refused {
            syntax_error()
        } else {
            message(b'1', b"")
        };
        driver.feed(From::Server, &[reply, ready(b'I')].concat());
    }
    assert!(String::from_utf8_lossy(&driver.to_client).contains("C53200"));
    driver.to_server.clear();
    driver.feed(
        From::Client,
        &[
            message(b'C', b"Ss0\0"),
            parse("again", "SELECT 1", &[]),
            sync(),
        ]
        .concat(),
    );
    assert_eq!(tags(&driver.to_server), "CPS");
    assert!(memchr::memmem::find(&driver.to_server, b"refused").is_none());
}

#[test]
fn tls_and_gss_are_declined_and_cancel_goes_upstream() {
    let mut driver = protecting_driver();
    driver.feed(
        From::Client,
        &[0, 0, 0, 8, 4, 210, 22, 48, 0, 0, 0, 8, 4, 210, 22, 47],
    );
    assert_eq!(
        (&*driver.to_client, &*driver.to_server),
        (&b"NN"[..], &b""[..])
    );
    let cancel = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2];
    driver.feed(From::Client, &cancel);
    assert_eq!(driver.to_server, cancel);
    assert!(driver.closed);
}

fn tls_driver(client_tls: ClientTls) -> Driver<PgSession> {
    let context = Arc::into_inner(context(customers(), ScanColumns::Typed)).unwrap();
    Driver::new(PgSession::new(Arc::new(Context {
        client_tls,
        ..context
    })))
    .with_keys(CLIENT, keys())
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

#[test]
fn a_client_may_encrypt_and_must_where_it_is_required() {
    for (mode, plain, encrypted) in [
        (ClientTls::Allowed, true, true),
        (ClientTls::Required, false, true),
    ] {
        let mut driver = tls_driver(mode);
        driver.feed(From::Client, &startup());
        assert_eq!(driver.to_server == startup(), plain);
        assert_eq!(
            String::from_utf8_lossy(&driver.to_client).contains("C28000"),
            !plain
        );
        let mut driver = tls_driver(mode);
        driver.feed(From::Client, &SSL_REQUEST);
        assert_eq!(driver.to_client, b"S");
        driver.feed(From::Client, &startup());
        assert_eq!(driver.to_server == startup(), encrypted);
    }
}

#[test]
fn bytes_before_the_answer_to_the_request_for_tls_are_not_taken() {
    let mut driver = tls_driver(ClientTls::Allowed);
    driver.feed(From::Client, &[&SSL_REQUEST[..], &startup()].concat());
    assert!(driver.closed && driver.to_server.is_empty());
    assert!(String::from_utf8_lossy(&driver.to_client).contains("C08P01"));
}

#[test]
fn a_second_request_for_tls_inside_tls_is_an_error() {
    let mut driver = tls_driver(ClientTls::Allowed);
    driver.feed(From::Client, &SSL_REQUEST);
    driver.feed(From::Client, &SSL_REQUEST);
    assert!(driver.closed);
}

#[test]
fn channel_binding_is_told_to_be_impossible() {
    let offer = [&[0, 0, 0, 10][..], b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"].concat();
    for (mechanism, passes) in [("SCRAM-SHA-256", true), ("SCRAM-SHA-256-PLUS", false)] {
        let mut driver = protecting_driver();
        driver.feed(From::Client, &startup());
        driver.feed(From::Server, &message(b'R', &offer));
        driver.to_server.clear();
        let answer = message(b'p', &[mechanism.as_bytes(), b"\0\0\0\0\x03n,,"].concat());
        driver.feed(From::Client, &answer);
        assert_eq!(driver.to_server == answer, passes);
        assert_eq!(
            String::from_utf8_lossy(&driver.to_client).contains("channel_binding=disable"),
            !passes
        );
    }
}

#[test]
fn who_is_turned_away_hears_why_and_the_database_does_not_hear_of_it() {
    let mut session = PgSession::new(context(customers(), ScanColumns::Typed));
    session.turn_away(ClientError::fatal("53300", "too many"));
    let mut driver = Driver::new(session);
    driver.feed(From::Client, &[&SSL_REQUEST[..], &startup()].concat());
    let text = String::from_utf8_lossy(&driver.to_client).into_owned();
    assert!(text.starts_with('N') && text.contains("C53300"), "{text}");
    assert!(driver.closed && driver.to_server.is_empty());
}

#[test]
fn activity_follows_the_server() {
    let mut driver = protecting_driver();
    assert_eq!(driver.session().activity(), Activity::Starting);
    start(&mut driver);
    assert_eq!(driver.session().activity(), Activity::Idle);
    driver.feed(From::Client, &query("BEGIN"));
    assert_eq!(driver.session().activity(), Activity::Busy);
    driver.feed(From::Server, &[complete("BEGIN"), ready(b'T')].concat());
    assert_eq!(driver.session().activity(), Activity::IdleInTransaction);
}

#[test]
fn a_changed_configuration_makes_statements_be_prepared_again() {
    let mut driver = started();
    driver.feed(
        From::Client,
        &[parse("s", "SELECT 1", &[]), sync()].concat(),
    );
    driver.feed(From::Server, &[message(b'1', b""), ready(b'I')].concat());
    let context = context(customers(), ScanColumns::Typed);
    driver.session().reconfigure(context);
    driver.to_server.clear();
    driver.feed(From::Client, &[bind("", "s", 0, &[]), sync()].concat());
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert!(String::from_utf8_lossy(&driver.to_client).contains("C26000"));
}

#[test]
fn a_statement_of_the_former_configuration_does_not_come_back() {
    let mut driver = started();
    driver.feed(
        From::Client,
        &[parse("s", "SELECT 1", &[]), sync()].concat(),
    );
    driver.feed(From::Server, &[message(b'1', b""), ready(b'I')].concat());
    // Its name is given again, columns change meanwhile, and the server refuses: it still has the first one.
    driver.feed(
        From::Client,
        &[parse("s", "SELECT nothing", &[]), sync()].concat(),
    );
    driver
        .session()
        .reconfigure(context(customers(), ScanColumns::Typed));
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    driver.to_client.clear();
    driver.feed(From::Client, &[bind("", "s", 0, &[]), sync()].concat());
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert!(String::from_utf8_lossy(&driver.to_client).contains("C26000"));
}

#[test]
fn malformed_messages_end_the_session_with_a_reason() {
    for bytes in [
        &b"Q\0\0\0\x03"[..],
        b"Q\0\0\0\x06ab",
        b"B\0\0\0\x05\0",
        b"P\0\0\0\x06\0\0",
    ] {
        let mut driver = started();
        driver.feed(From::Client, bytes);
        assert!(driver.closed);
        let text = String::from_utf8_lossy(&driver.to_client).into_owned();
        assert!(text.contains("SFATAL") && text.contains("C08P01"), "{text}");
    }
}

#[test]
fn a_startup_packet_of_a_wrong_length_is_refused_by_its_length() {
    for pieces in [&[&[0, 0, 0, 3][..]][..], &[&[0], &[0, 0, 3]]] {
        let mut driver = protecting_driver();
        for piece in pieces {
            driver.feed(From::Client, piece);
        }
        assert!(driver.closed);
    }
}

#[test]
fn a_lost_database_is_a_fatal_error_unless_it_said_why() {
    let mut driver = started();
    driver.server_closes();
    assert!(String::from_utf8_lossy(&driver.to_client).contains("C08006"));
    let mut driver = started();
    let goodbye = message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0");
    driver.feed(From::Server, &goodbye);
    driver.server_closes();
    assert_eq!(driver.to_client, goodbye);
}
