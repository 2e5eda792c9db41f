//! MySQL: recorded sessions cut anywhere, and scripts of exact packets once the client has been let in.

use crate::chunking::Recording;
use crate::driver::{Driver, From};
use crate::mysql_messages::{
    MORE, OK, USED, answer, answer_of, column, ended, let_in, packet, packets, result, text_row,
};
use crate::script::{self, CLIENT, SECRET, keys, sealed};
use acra_engine::columns::Columns;
use acra_engine::crypto::{BlockKey, Secret, container};
use acra_engine::keys::ClientKeys;
use acra_engine::session::mysql::MySqlSession;
use acra_engine::session::{Activity, Context, Event, Poison, PoisonReply, ScanColumns, Session};
use acra_engine::wire::mysql::packet::{Header, MAX_PAYLOAD};
use acra_engine::wire::mysql::{Capabilities, lenenc};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;

const RECORDINGS: [&str; 5] = [
    "mariadb-connector-j",
    "mariadb-mysqlclient",
    "mysql-connector-c",
    "mysql-connector-python",
    "mysql-pymysql",
];

/// Nothing is protected.
pub(crate) fn context() -> Context {
    Arc::into_inner(script::context(Columns::empty(), ScanColumns::Typed)).unwrap()
}

/// A session before its first byte.
pub(crate) fn session(context: Context) -> MySqlSession {
    MySqlSession::new(Arc::new(context), Arc::default())
}

/// A session in which the client has been let in.
fn live(context: Context, used: Capabilities) -> Driver<MySqlSession> {
    let mut driver = Driver::new(session(context)).with_keys(CLIENT, keys());
    let_in(&mut driver, used);
    driver
}

#[test]
fn recorded_sessions_pass_but_for_capabilities() {
    for name in RECORDINGS {
        let recording = Recording::load(name);
        for cuts in [&[usize::MAX][..], &[1], &[5, 1, 7]] {
            let (to_client, to_server) = recording.play(session(context()), cuts);
            let differ = |left: &[u8], right: &[u8]| {
                assert_eq!(left.len(), right.len(), "{name}");
                let pairs = left.iter().zip(right).enumerate();
                let differing = pairs.filter(|(_, (left, right))| left != right);
                differing.map(|(at, _)| at).collect::<Vec<_>>()
            };
            let greeting = Header::read(&recording.server, 0).unwrap().length;
            let changed = differ(&to_client, &recording.server);
            assert!(
                changed.len() <= 4 && changed.iter().all(|at| *at < greeting),
                "{name}: {changed:?}"
            );
            // The clients did not use what is not offered, but for bits that say nothing.
            let changed = differ(&to_server, &recording.client);
            assert!(changed.iter().all(|at| *at < 36), "{name}: {changed:?}");
        }
    }
}

#[test]
fn containers_are_opened_in_rows_of_texts() {
    let container = sealed(SECRET);
    let around = [b"before", &*container, b"after"].concat();
    let rows = [
        text_row(&[Some(&container), Some(b"")]),
        text_row(&[Some(&around), Some(&container)]),
        text_row(&[Some(b""), None]),
        // In text a container stands at the start or not at all.
        text_row(&[None, Some(&around)]),
    ];
    let mut driver = live(context(), USED);
    driver.feed(From::Client, &packet(0, b"\x03SELECT 1"));
    driver.feed(From::Server, &answer_of(&result(&rows, false)));
    let opened = [
        text_row(&[Some(SECRET), Some(b"")]),
        text_row(&[Some(&[b"before", SECRET, b"after"].concat()), Some(SECRET)]),
        rows[2].clone(),
        rows[3].clone(),
    ];
    assert_eq!(driver.to_client, answer_of(&result(&opened, false)));
    assert!(matches!(driver.events[..], [Event::Decrypted(tally)] if tally.opened_blocks == 3));
}

#[test]
fn every_cell_may_be_looked_into() {
    let around = [b"before", &*sealed(SECRET)].concat();
    let mut driver = live(
        Context {
            scan: ScanColumns::All,
            ..context()
        },
        USED,
    );
    driver.feed(From::Client, &packet(0, b"\x03SELECT 1"));
    driver.feed(
        From::Server,
        &answer_of(&result(&[text_row(&[None, Some(&around)])], false)),
    );
    let opened = text_row(&[None, Some(&[b"before", SECRET].concat())]);
    assert_eq!(driver.to_client, answer_of(&result(&[opened], false)));
}

/// A row of the binary protocol: an integer, bytes, a double, bytes that are NULL.
fn binary_row(bytes: &[u8]) -> Vec<u8> {
    let mut row = vec![0, 0b10_0000, 7, 0, 0, 0];
    lenenc::write_string(&mut row, bytes);
    row.extend_from_slice(&0.1_f64.to_le_bytes());
    row
}

#[test]
fn containers_are_opened_in_rows_of_statements_and_cursors() {
    let container = sealed(SECRET);
    let definitions = [
        column(3, 63),
        column(252, 63),
        column(5, 63),
        column(253, 63),
    ];
    let [a, b, c, d] = &definitions;
    let end = ended(false);
    let mut driver = live(context(), USED);
    driver.feed(From::Client, &packet(0, b"\x16SELECT ?"));
    let prepared = [0, 9, 0, 0, 0, 4, 0, 1, 0, 0, 0, 0];
    let prepare = answer(&[&prepared, &column(253, 63), &end, a, b, c, d, &end]);
    driver.feed(From::Server, &prepare);
    assert_eq!(driver.to_client, prepare);
    driver.to_client.clear();

    driver.feed(From::Client, &packet(0, b"\x17\x09\0\0\0\0\x01\0\0\0"));
    let row = binary_row(&container);
    driver.feed(From::Server, &answer(&[&[4], a, b, c, d, &end, &row, &end]));
    let opened = binary_row(SECRET);
    assert_eq!(
        driver.to_client,
        answer(&[&[4], a, b, c, d, &end, &opened, &end])
    );
    driver.to_client.clear();

    // A cursor: the rows come when they are fetched.
    driver.feed(From::Client, &packet(0, b"\x17\x09\0\0\0\x01\x01\0\0\0"));
    let cursor = [0xfe, 0, 0, 0x42, 0];
    driver.feed(From::Server, &answer(&[&[4], a, b, c, d, &cursor]));
    assert_eq!(driver.session().activity(), Activity::Idle);
    driver.to_client.clear();
    driver.feed(From::Client, &packet(0, b"\x1c\x09\0\0\0\x05\0\0\0"));
    driver.feed(From::Server, &answer(&[&row, &row, &cursor]));
    assert_eq!(driver.to_client, answer(&[&opened, &opened, &cursor]));
}

#[test]
fn a_row_of_several_packets_is_opened_and_split_again() {
    let container = sealed(SECRET);
    for filler in [MAX_PAYLOAD, MAX_PAYLOAD - SECRET.len() - 6] {
        let long = vec![b'x'; filler];
        let rows = [text_row(&[Some(&container), Some(&long)])];
        let mut driver = live(context(), USED);
        driver.feed(From::Client, &packet(0, b"\x03SELECT 1"));
        driver.feed(From::Server, &answer_of(&result(&rows, false)));
        let opened = [text_row(&[Some(SECRET), Some(&long)])];
        assert!(
            driver.to_client == answer_of(&result(&opened, false)),
            "{filler}"
        );
    }
}

#[test]
fn a_row_above_the_limit_passes_closed() {
    let container = sealed(SECRET);
    let long = vec![b'x'; MAX_PAYLOAD];
    let rows = [
        text_row(&[Some(&container), Some(&long)]),
        text_row(&[Some(&container), None]),
    ];
    let limited = || {
        let mut context = context();
        context.limits.max_row = MAX_PAYLOAD + 100;
        context
    };
    for piece in [usize::MAX, 1 << 20] {
        let mut driver = live(limited(), USED);
        driver.feed(From::Client, &packet(0, b"\x03SELECT 1"));
        for piece in answer_of(&result(&rows, false)).chunks(piece) {
            driver.feed(From::Server, piece);
        }
        let opened = [rows[0].clone(), text_row(&[Some(SECRET), None])];
        assert!(driver.to_client == answer_of(&result(&opened, false)));
        assert!(matches!(driver.events[0], Event::RowTooLarge { .. }));
    }
}

#[test]
fn an_error_of_our_own_waits_for_its_turn() {
    let mut driver = live(context(), USED);
    let commands = [
        packet(0, b"\x03SELECT 1"),
        packet(0, b"\xfeCOM_MULTI"),
        packet(0, b"\x0e"),
    ];
    driver.feed(From::Client, &commands.concat());
    assert_eq!(driver.to_server, [&*commands[0], &commands[2]].concat());
    assert!(driver.to_client.is_empty());
    driver.feed(From::Server, &answer(&[OK]));
    driver.feed(From::Server, &answer(&[OK]));
    let unknown = packet(1, b"\xff\x17\x04#08S01Unknown command");
    assert_eq!(
        driver.to_client,
        [answer(&[OK]), unknown.clone(), answer(&[OK])].concat()
    );
    driver.to_client.clear();
    // Alone it comes at once, however long the command is.
    driver.feed(From::Client, &packet(0, &vec![0xfe; MAX_PAYLOAD + 1]));
    assert_eq!(driver.to_client, packet(2, &unknown[4..]));
}

#[test]
fn results_files_and_commands_without_answer() {
    let mut driver = live(context(), USED);
    driver.feed(From::Client, &packet(0, b"\x03SELECT 1; DO 1; LOAD DATA"));
    let rows = [text_row(&[Some(b""), Some(b"\xfe")])];
    let mut payloads = result(&rows, true);
    payloads.push(MORE.to_vec());
    payloads.push(b"\xfbfile".to_vec());
    let wanted = answer_of(&payloads);
    driver.feed(From::Server, &wanted);
    assert_eq!(driver.to_client, wanted);
    // Nine packets have come; the file follows, then the last answer.
    let file = [packet(9, b"\x03DROP TABLE t"), packet(10, b"")].concat();
    driver.to_server.clear();
    driver.feed(From::Client, &file);
    assert_eq!(driver.to_server, file);
    driver.feed(From::Server, &packet(11, OK));
    assert_eq!(driver.session().activity(), Activity::Idle);
    // Neither is answered.
    driver.feed(From::Client, &packet(0, b"\x19\x09\0\0\0"));
    driver.feed(From::Client, &packet(0, b"\x18\x09\0\0\0\0\0part"));
    assert_eq!(driver.session().activity(), Activity::Idle);
}

/// Which statements poison records were met in.
fn told_of(driver: &Driver<MySqlSession>) -> Vec<&str> {
    let events = driver.events.iter();
    let statements = events.filter_map(|event| match event {
        Event::Poison { statement, .. } => Some(statement.as_deref().unwrap_or("-")),
        _ => None,
    });
    statements.collect()
}

/// A key that poison records are made with, and one of them.
fn poison(reply: PoisonReply) -> (Context, Vec<u8>) {
    let key = BlockKey::new(Secret::from(vec![8; 32])).unwrap();
    let mut poison = Vec::new();
    let mut rng = StdRng::seed_from_u64(3);
    container::seal_block(&key, &mut rng, b"poison", &mut poison).unwrap();
    let keys = ClientKeys {
        symmetric: vec![key],
        ..ClientKeys::default()
    };
    let keys = Arc::new(keys);
    let context = Context {
        poison: Some(Poison { keys, reply }),
        ..context()
    };
    (context, poison)
}

/// Without its data; a text that the server may read in several ways is not told.
#[test]
fn the_statement_that_met_poison_is_told() {
    let (context, poison) = poison(PoisonReply::Pass);
    let mut driver = live(context, USED);
    let long = format!("SELECT '{}'", "x".repeat(5000));
    for (text, told) in [
        (
            "SELECT v /* 'c' */ FROM t WHERE k = 'secret'",
            "SELECT v FROM t WHERE k = ?",
        ),
        ("SELECT v FROM t WHERE k = \"secret\"", "-"),
        ("SELECT v FROM t WHERE k = '\\'' OR k = ' OR secret'", "-"),
        ("SELECT v FROM t WHERE k = 'ä'", "-"),
        (&long, "-"),
    ] {
        driver.events.clear();
        // In two pieces, of which the first has no whole text.
        let query = packet(0, format!("\x03{text}").as_bytes());
        let (first, second) = query.split_at(8);
        driver.feed(From::Client, first);
        driver.feed(From::Client, second);
        driver.feed(
            From::Server,
            &answer_of(&result(&[text_row(&[Some(&poison), None])], false)),
        );
        assert_eq!(told_of(&driver), [told]);
    }
}

#[test]
fn poison_ends_the_answer_and_not_the_session() {
    let (context, poison) = poison(PoisonReply::Error);
    let mut driver = live(context, USED);
    driver.feed(
        From::Client,
        &packet(0, b"\x03SELECT 1; SELECT 'two'; LOAD DATA"),
    );
    let rows = [&b"first"[..], &poison, b"last"].map(|cell| text_row(&[Some(cell), None]));
    let mut payloads = result(&rows, true);
    payloads.extend(result(&rows[..1], true));
    payloads.push(b"\xfbfile".to_vec());
    driver.to_server.clear();
    driver.feed(From::Server, &answer_of(&payloads));
    // The client does not hear of the file: it has none.
    assert_eq!(driver.to_server, packet(payloads.len() as u8 + 1, b""));
    driver.feed(From::Server, &packet(payloads.len() as u8 + 2, OK));
    let told = packets(&driver.to_client);
    assert_eq!(told.len(), 6, "up to the row, and the error");
    assert_eq!(told[4].1, rows[0]);
    let error = b"\xff\x51\x04#HY000Row withheld: see the server's log";
    assert_eq!(told[5], (6, error.to_vec()));
    assert_eq!(told_of(&driver), ["SELECT ?; SELECT ?; LOAD DATA"]);
    driver.to_client.clear();
    driver.feed(From::Client, &packet(0, b"\x0e"));
    driver.feed(From::Server, &answer(&[OK]));
    assert_eq!(driver.to_client, answer(&[OK]));
}

#[test]
fn progress_is_no_end_and_definitions_may_be_left_out() {
    let used = USED
        .with(Capabilities::DEPRECATE_EOF)
        .with(Capabilities::MARIADB_PROGRESS)
        .with(Capabilities::MARIADB_CACHE_METADATA);
    let mut driver = live(context(), used);
    let end = [0xfe, 0, 0, 2, 0, 0, 0];
    let bytes = column(252, 63);
    driver.feed(From::Client, &packet(0, b"\x16SELECT 1"));
    driver.feed(
        From::Client,
        &packet(0, b"\x17\xff\xff\xff\xff\0\x01\0\0\0"),
    );
    driver.feed(
        From::Server,
        &answer(&[&[0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], &bytes]),
    );
    driver.to_client.clear();
    let mut row = vec![0, 0];
    lenenc::write_string(&mut row, &sealed(SECRET));
    let mut opened = vec![0, 0];
    lenenc::write_string(&mut opened, SECRET);
    let progress = b"\xff\xff\xff\x01\x01\x01\0\0\0\x05stage";
    driver.feed(From::Server, &answer(&[progress, &[1, 0], &row, &end]));
    assert_eq!(
        driver.to_client,
        answer(&[progress, &[1, 0], &opened, &end])
    );
    assert_eq!(driver.session().activity(), Activity::Idle);
}

/// As MariaDB 11.8 answers: the counts are told with definitions each time, the statement's own rows without, once they are known.
#[test]
fn counts_of_rows_in_bulk_are_no_rows_of_the_statement() {
    let used = USED
        .with(Capabilities::DEPRECATE_EOF)
        .with(Capabilities::MARIADB_STMT_BULK_OPERATIONS)
        .with(Capabilities::MARIADB_CACHE_METADATA)
        .with(Capabilities::MARIADB_BULK_UNIT_RESULTS);
    let (more, end) = ([0xfe, 0, 0, 10, 0, 0, 0], [0xfe, 0, 0, 2, 0, 0, 0]);
    let (bytes, number) = (column(252, 63), column(8, 63));
    let mut row = vec![0, 0];
    lenenc::write_string(&mut row, &sealed(SECRET));
    let mut opened = vec![0, 0];
    lenenc::write_string(&mut opened, SECRET);
    let count = [&[0, 0][..], &7_u64.to_le_bytes(), &1_u64.to_le_bytes()].concat();
    let counts: [&[u8]; 5] = [&[2, 1], &number, &number, &count, &end];
    let execution = packet(0, b"\xfa\x03\0\0\0\xc0\0\xfd\0\0\x01a");
    // One that returns rows, twice.
    let mut driver = live(context(), used);
    driver.feed(
        From::Client,
        &packet(0, b"\x16INSERT INTO t VALUES (?) RETURNING a"),
    );
    let prepared: [&[u8]; 3] = [&[0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], &bytes, &bytes];
    driver.feed(From::Server, &answer(&prepared));
    for known in [false, true] {
        driver.to_client.clear();
        driver.feed(From::Client, &execution);
        let head: &[&[u8]] = match known {
            false => &[&[1, 1], &bytes],
            true => &[&[1, 0]],
        };
        let answered = |row: &[u8]| answer(&[head, &[row, &more], &counts].concat());
        driver.feed(From::Server, &answered(&row));
        assert_eq!(driver.to_client, answered(&opened));
        assert_eq!(driver.session().activity(), Activity::Idle);
    }
    // One that returns none.
    driver.feed(From::Client, &packet(0, b"\x16INSERT INTO t VALUES (?)"));
    driver.feed(
        From::Server,
        &answer(&[&[0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], &bytes]),
    );
    for _ in 0..2 {
        driver.to_client.clear();
        driver.feed(From::Client, &execution);
        driver.feed(From::Server, &answer(&counts));
        assert_eq!(driver.to_client, answer(&counts));
        assert_eq!(driver.session().activity(), Activity::Idle);
    }
}

#[test]
fn what_nobody_asked_for_ends_the_session() {
    let mut driver = live(context(), USED);
    driver.feed(From::Server, &packet(0, OK));
    assert!(driver.closed);
    // A server that closes says why.
    let mut driver = live(context(), USED);
    let timeout = packet(0, b"\xff\xbf\x0f#HY000The client was disconnected");
    driver.feed(From::Server, &timeout);
    driver.server_closes();
    assert_eq!(driver.to_client, timeout);
    assert_eq!(driver.events, []);
    // Commands begin with 0, as the server would say.
    let mut driver = live(context(), USED);
    driver.feed(From::Client, &packet(1, b"\x03SELECT 1"));
    assert!(driver.closed && driver.to_server.is_empty());
}

#[test]
fn commands_wait_for_another_user_and_for_a_new_session() {
    for first in [&b"\x1f"[..], b"\x11bob\0\0\0"] {
        let mut driver = live(context(), USED);
        let query = packet(0, b"\x03SELECT 1");
        driver.feed(From::Client, &[packet(0, first), query.clone()].concat());
        assert_eq!(driver.to_server, packet(0, first));
        driver.feed(From::Server, &packet(1, OK));
        assert_eq!(driver.to_server, [packet(0, first), query].concat());
    }
}

#[test]
fn statements_have_a_limit() {
    let mut driver = live(context(), USED);
    for number in 0..200_u32 {
        driver.feed(From::Client, &packet(0, b"\x16DO 1"));
        let [a, b, ..] = number.to_le_bytes();
        driver.feed(
            From::Server,
            &answer(&[&[0, a, b, 0, 0, 0, 0, 0, 0, 0, 0, 0]]),
        );
        if driver.events.iter().any(|event| {
            matches!(
                event,
                Event::Refused {
                    code: "too-many-names",
                    ..
                }
            )
        }) {
            return;
        }
    }
    panic!("no limit");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_cutting_of_a_recorded_session_gives_the_same(cuts in proptest::collection::vec(1usize..600, 1..20)) {
        for name in RECORDINGS {
            let recording = Recording::load(name);
            let play = |cuts: &[usize]| recording.play(session(context()), cuts);
            prop_assert!(play(&cuts) == play(&[usize::MAX]));
        }
    }

    #[test]
    fn no_bytes_make_a_session_panic(
        pieces in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..20),
        is_live in any::<bool>(),
    ) {
        let mut driver = match is_live {
            true => live(context(), USED),
            false => Driver::new(session(context())),
        };
        for (client, bytes) in pieces {
            driver.feed(if client { From::Client } else { From::Server }, &bytes);
        }
    }

    #[test]
    fn no_packets_make_a_session_panic(
        pieces in proptest::collection::vec((any::<bool>(), 0u8..4, prop_oneof![0u8..0x20, 0xfau8..=0xff], proptest::collection::vec(0u8..16, 0..30)), 0..30),
        bits in any::<u64>(),
    ) {
        let mut driver = live(context(), USED.with(Capabilities(bits).without(Capabilities::SSL.with(Capabilities::COMPRESSION))));
        for (client, sequence, first, rest) in pieces {
            let payload = [&[first][..], &rest].concat();
            let packet = packet(if client { 0 } else { sequence }, &payload);
            driver.feed(if client { From::Client } else { From::Server }, &packet);
        }
    }
}

#[test]
fn an_empty_message_is_not_read_by_the_one_behind_it() {
    let mut driver = live(context(), USED);
    let error = packet(0, b"\xff\x15\x04#28000no");
    driver.feed(From::Server, &[packet(0, b""), error].concat());
    assert!(driver.closed);
    let [(_, told)] = &packets(&driver.to_client)[..] else {
        panic!("{}", driver.to_client.escape_ascii());
    };
    assert!(told.ends_with(b"no message that nobody has asked for"));
}
