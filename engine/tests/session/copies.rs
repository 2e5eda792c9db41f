//! COPY with a protected table: what reaches either side, and how it ends.

use crate::driver::{Driver, From};
use crate::messages::*;
use crate::script::{
    CLIENT, SECRET, columns, context, hex, keys, protecting_driver, sealed, start, unsealed,
};
use acra_engine::columns::Columns;
use acra_engine::session::ScanColumns;
use acra_engine::session::pg::PgSession;
use acra_engine::session::{Event, Limits};
use proptest::prelude::*;
use std::sync::Arc;

const BINARY: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

fn started() -> Driver<PgSession> {
    let mut driver = protecting_driver();
    start(&mut driver);
    driver
}

fn data(bytes: &[u8]) -> Vec<u8> {
    message(b'd', bytes)
}

fn done() -> Vec<u8> {
    message(b'c', b"")
}

/// CopyInResponse or CopyOutResponse.
fn begins(tag: u8, columns: u16, binary: bool) -> Vec<u8> {
    let mut body = vec![u8::from(binary)];
    body.extend_from_slice(&columns.to_be_bytes());
    for _ in 0..columns {
        body.extend_from_slice(&u16::from(binary).to_be_bytes());
    }
    message(tag, &body)
}

/// The bytes of all CopyData.
fn rows(bytes: &[u8]) -> Vec<u8> {
    let messages = split(bytes);
    let data = messages.into_iter().filter(|(tag, _)| *tag == b'd');
    data.flat_map(|(_, body)| body).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Begins a COPY of (id, name, ssn) into the table, with these options.
fn copying(options: &str) -> Driver<PgSession> {
    let mut driver = started();
    begin(&mut driver, options);
    driver
}

fn begin(driver: &mut Driver<PgSession>, options: &str) {
    driver.to_client.clear();
    let sql = format!("COPY customers FROM STDIN {options}");
    driver.feed(From::Client, &query(&sql));
    let answer = begins(b'G', 3, options.contains("binary"));
    driver.feed(From::Server, &answer);
    assert_eq!(driver.to_client, answer);
    driver.to_client.clear();
    driver.to_server.clear();
}

/// That these rows leave with the secret sealed and nothing else changed. `sealed` writes a container.
fn is_sealed(
    options: &str,
    before: &[u8],
    secret: &[u8],
    after: &[u8],
    plain: &[u8],
    written: fn(&[u8]) -> Vec<u8>,
) {
    let mut driver = copying(options);
    let stream = [before, secret, after].concat();
    driver.feed(From::Client, &[data(&stream), done()].concat());
    assert!(tags(&driver.to_server).ends_with('c'));
    let rows = rows(&driver.to_server);
    let middle = rows
        .strip_prefix(before)
        .and_then(|rows| rows.strip_suffix(after))
        .unwrap_or_else(|| panic!("{}", rows.escape_ascii()));
    let length = sealed(plain).len();
    let found = middle
        .windows(3)
        .position(|bytes| bytes == b"%%%")
        .map(|at| middle[at..at + length].to_vec())
        .or_else(|| {
            let at = middle.windows(6).position(|bytes| bytes == b"252525")?;
            const_hex::decode(&middle[at..at + 2 * length]).ok()
        })
        .unwrap_or_else(|| panic!("{}", middle.escape_ascii()));
    assert_eq!(unsealed(&found), plain, "{options}");
    assert_eq!(middle, written(&found), "{options}");
}

#[test]
fn protected_cells_are_sealed_in_every_format() {
    let in_text = |container: &[u8]| [b"\\", &hex(container)[..]].concat();
    let quoted = |container: &[u8]| [b"\"", &hex(container)[..], b"\""].concat();
    is_sealed("", b"1\tn\\tn\t", SECRET, b"\n", SECRET, in_text);
    is_sealed(
        "",
        b"1\t\\N\t\\N\n2\t\t",
        b"\\\\x0061",
        b"\n3\t\t\n",
        b"\0a",
        in_text,
    );
    is_sealed("", b"1\t\t", b"a\\tb\\\\c", b"", b"a\tb\\c", in_text);
    is_sealed(
        "(DELIMITER '|', NULL 'nil', HEADER)",
        b"id|name|ssn\n1|\\||",
        b"\\N",
        b"\r\n2||nil\r\n",
        b"N",
        in_text,
    );
    is_sealed("CSV", b"1,\"a,\"\"\nb\",", b"x", b"\n2,,\n", b"x", |c| {
        hex(c)
    });
    is_sealed("CSV", b"1,,", b"\"q\"\"\n,\"", b"\n", b"q\"\n,", quoted);
    is_sealed(
        "(FORMAT csv, FORCE_NULL (ssn))",
        b"1,,\"\"\n2,,",
        b"x",
        b"\n",
        b"x",
        hex,
    );
    is_sealed(
        "(FORMAT csv, NULL 'nil', FORCE_NOT_NULL (ssn))",
        b"1,nil,",
        b"nil",
        b"\n",
        b"nil",
        hex,
    );
    is_sealed(
        "(FORMAT csv, NULL 'nil')",
        b"1,nil,nil\n2,,",
        b"\"nil\"",
        b"\n",
        b"nil",
        quoted,
    );
    let before = [BINARY, b"\0\x03\0\0\0\x02\0\x01\xff\xff\xff\xff"].concat();
    let after = b"\0\x03\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\xff\xff";
    is_sealed(
        "(FORMAT binary)",
        &before,
        b"\0\0\0\x03\\x\0",
        after,
        b"\\x\0",
        |container| [&(container.len() as u32).to_be_bytes(), container].concat(),
    );
}

#[test]
fn a_container_and_an_empty_value_stay_as_they_are() {
    let mut driver = copying("");
    let stream = [b"1\t\t\\", &hex(&sealed(SECRET))[..], b"\n2\t\t\n"].concat();
    driver.feed(From::Client, &[data(&stream), done()].concat());
    assert_eq!(driver.to_server, [data(&stream), done()].concat());
    assert_eq!(driver.events, []);
}

/// A COPY in and one out of which the messages come in pieces of these lengths.
fn conversation(cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let long = [&b"5\t"[..], &[b'n'; 40_000], b"\t", &[b's'; 50_000], b"\n"].concat();
    let out = [
        b"1\t",
        &hex(&sealed(SECRET))[..],
        b"\t\\",
        &hex(&sealed(b"other"))[..],
        b"\n",
    ]
    .concat();
    let turns = [
        (From::Client, query("COPY customers FROM STDIN")),
        (From::Server, begins(b'G', 3, false)),
        (
            From::Client,
            [
                data(b"1\tone\t"),
                data(b"uvw"),
                data(b""),
                data(b"xyz\n2\ttwo\tx\n3\tthree\t\\"),
                data(b"N\n"),
                data(&long),
                data(b"4\tfour\tlast"),
                done(),
                query("COPY customers TO STDOUT"),
            ]
            .concat(),
        ),
        (
            From::Server,
            [
                complete("COPY 4"),
                ready(b'I'),
                begins(b'H', 3, false),
                data(&out),
                data(&out[..100]),
                data(&out[100..]),
                done(),
                complete("COPY 2"),
                ready(b'I'),
            ]
            .concat(),
        ),
    ];
    let mut driver = started();
    let mut cuts = cuts.iter().cycle();
    for (from, bytes) in turns {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            driver.feed(from, now);
            rest = later;
        }
    }
    let sealed: u64 = driver
        .events
        .iter()
        .map(|event| match event {
            Event::Sealed { values, .. } => *values,
            _ => 0,
        })
        .sum();
    assert_eq!(sealed, 4);
    (driver.to_server, driver.to_client)
}

#[test]
fn rows_are_sealed_and_opened_however_they_are_cut_into_messages() {
    let (to_server, to_client) = conversation(&[usize::MAX]);
    let written = text(&rows(&to_server));
    assert!(
        !written.contains("uvw") && !written.contains("ssss"),
        "{written}"
    );
    let cells: Vec<Vec<&str>> = written
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    for (row, plain) in [
        (0, &b"uvwxyz"[..]),
        (1, b"x"),
        (3, &[b's'; 50_000]),
        (4, b"last"),
    ] {
        let container = const_hex::decode(cells[row][2].strip_prefix("\\\\x").unwrap()).unwrap();
        assert_eq!(unsealed(&container), plain);
    }
    assert_eq!(cells[2], ["3", "three", "\\N"]);
    let opened = format!(
        "1\t{}\t\\{}\n",
        text(&hex(&sealed(SECRET))),
        text(&hex(b"other"))
    );
    // A cell of text in hexadecimal form has one backslash only where it is none of `bytea`.
    assert_eq!(text(&rows(&to_client)), opened.repeat(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_cutting_of_a_copy_gives_the_same(cuts in proptest::collection::vec(1usize..5000, 1..20)) {
        prop_assert!(conversation(&[usize::MAX]) == conversation(&cuts));
    }

    #[test]
    fn no_data_make_a_copy_panic(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..20),
        options in "|CSV|\\(FORMAT binary\\)",
        header in any::<bool>(),
    ) {
        for out in [false, true] {
            let mut driver = started();
            let binary = options.contains("binary");
            let (sql, tag, from) = match out {
                false => ("FROM STDIN", b'G', From::Client),
                true => ("TO STDOUT", b'H', From::Server),
            };
            driver.feed(From::Client, &query(&format!("COPY customers {sql} {options}")));
            driver.feed(From::Server, &begins(tag, 3, binary));
            if header {
                driver.feed(from, &data(BINARY));
            }
            for piece in &pieces {
                driver.feed(from, &data(piece));
            }
            driver.feed(from, &done());
        }
    }
}

#[test]
fn containers_are_opened_in_every_format_and_in_copies_of_any_table() {
    let container = sealed(SECRET);
    let (closed, open) = (text(&hex(&container)), text(&hex(SECRET)));
    let binary = |value: &[u8]| {
        [
            BINARY,
            b"\0\x02\0\0\0\x01x",
            &(value.len() as u32).to_be_bytes(),
            value,
            b"\xff\xff",
        ]
        .concat()
    };
    for (options, closed, open) in [
        (
            "",
            format!("x\t\\{closed}\n\\N\t\\.\n").into_bytes(),
            format!("x\t\\{open}\n\\N\t\\.\n").into_bytes(),
        ),
        (
            "CSV",
            format!("x,{closed}\n").into_bytes(),
            format!("x,{open}\n").into_bytes(),
        ),
        (
            "CSV QUOTE '5'",
            format!("x,5{}5\n", closed.replace('5', "55")).into_bytes(),
            format!("x,5{}5\n", open.replace('5', "55")).into_bytes(),
        ),
        ("BINARY", binary(&container), binary(SECRET)),
    ] {
        for protects in [true, false] {
            let columns = if protects {
                columns("")
            } else {
                Columns::empty()
            };
            let context = context(columns, ScanColumns::Typed);
            let mut driver = Driver::new(PgSession::new(context)).with_keys(CLIENT, keys());
            start(&mut driver);
            driver.feed(
                From::Client,
                &query(&format!("SELECT 1; COPY t TO STDOUT {options}")),
            );
            let rest = [done(), complete("COPY 1"), ready(b'I')].concat();
            driver.feed(
                From::Server,
                &[
                    complete("SELECT 1"),
                    begins(b'H', 2, options == "BINARY"),
                    data(&closed),
                    rest.clone(),
                ]
                .concat(),
            );
            let expected = [
                complete("SELECT 1"),
                begins(b'H', 2, options == "BINARY"),
                data(&open),
                rest,
            ]
            .concat();
            assert_eq!(text(&driver.to_client), text(&expected), "{options}");
        }
    }
}

#[test]
fn a_row_stays_one_message() {
    let mut driver = started();
    driver.feed(From::Client, &query("COPY t TO STDOUT"));
    let row = |secret: &[u8]| [b"1\t\\", &hex(secret)[..], b"\n"].concat();
    let plain = [7; 100_000];
    driver.feed(
        From::Server,
        &[
            begins(b'H', 2, false),
            data(&row(&sealed(&plain))),
            data(&row(&plain)),
            data(b"2\t\n"),
        ]
        .concat(),
    );
    let expected = [
        begins(b'H', 2, false),
        data(&row(&plain)),
        data(&row(&plain)),
        data(b"2\t\n"),
    ];
    assert!(driver.to_client == expected.concat());
}

/// That the COPY was ended on the server, and that the client is told this in the place of what the server says.
fn is_refused(driver: &mut Driver<PgSession>, code: &str, place: &str) {
    assert!(
        tags(&driver.to_server).ends_with('f'),
        "{}",
        text(&driver.to_server)
    );
    driver.to_server.clear();
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert_eq!(tags(&driver.to_client), "EZ");
    let told = text(&driver.to_client);
    assert!(
        told.contains(&format!("C{code}\0")) && told.contains(&format!("W{place}\0")),
        "{told}"
    );
    assert!(!told.contains("secret"), "{told}");
    driver.to_client.clear();
}

#[test]
fn a_value_that_cannot_be_sealed_ends_the_copy() {
    for (rows, code, place) in [
        (
            &b"1\tn\tsecret\n2\tn\t\\\\xsecret\n"[..],
            "22P02",
            "COPY customers, line 2, column ssn",
        ),
        (b"1\tn\tsecret\tsecret\n", "22P04", "COPY customers, line 1"),
        (
            b"1\tn\tx\\.\n",
            "22P04",
            "COPY customers, line 1, column ssn",
        ),
        (
            b"1\tn\tx\\0\n",
            "22021",
            "COPY customers, line 1, column ssn",
        ),
    ] {
        let mut driver = copying("");
        driver.feed(From::Client, &data(rows));
        // What the client goes on to send does not reach the server.
        driver.feed(From::Client, &[data(b"2\tn\tsecret\n"), done()].concat());
        assert_eq!(tags(&driver.to_server), "f");
        is_refused(&mut driver, code, place);
        driver.feed(From::Client, &query("SELECT 1"));
        assert_eq!(driver.to_server, query("SELECT 1"));
        driver.to_server.clear();
        driver.feed(From::Server, &[complete("SELECT 1"), ready(b'I')].concat());
        begin(&mut { driver }, "CSV");
    }
}

#[test]
fn a_value_at_the_end_of_the_data_may_fail_too() {
    let mut driver = copying("CSV");
    driver.feed(From::Client, &[data(b"1,n,\"secret"), done()].concat());
    is_refused(&mut driver, "22P04", "COPY customers, line 1, column ssn");
    driver.feed(From::Client, &query("SELECT 1"));
    assert_eq!(driver.to_server, query("SELECT 1"));
}

#[test]
fn without_keys_nothing_is_copied_into_the_table() {
    let context = context(columns(""), ScanColumns::Typed);
    let mut driver = Driver::new(PgSession::new(context));
    start(&mut driver);
    begin(&mut driver, "");
    driver.feed(From::Client, &data(b"1\tn\tsecret\n"));
    is_refused(&mut driver, "58000", "COPY customers, line 1, column ssn");
}

#[test]
fn a_copy_of_other_columns_than_the_configuration_has_is_ended() {
    let mut driver = started();
    driver.feed(From::Client, &query("COPY customers FROM STDIN"));
    driver.feed(From::Server, &begins(b'G', 4, false));
    driver.feed(From::Client, &[data(b"1\t2\tn\tsecret\n"), done()].concat());
    assert_eq!(tags(&driver.to_server), "Qf");
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert_eq!(tags(&driver.to_client), "GEZ");
    assert!(text(&driver.to_client).contains("4 columns in the database, and 3 are known here"));
}

#[test]
fn data_that_come_before_the_server_asks_wait() {
    let mut driver = started();
    let stream = [
        query("COPY customers FROM STDIN"),
        data(b"1\tn\tsecret\n"),
        done(),
        query("SELECT 1"),
    ]
    .concat();
    driver.feed(From::Client, &stream);
    assert_eq!(tags(&driver.to_server), "Q");
    driver.feed(From::Server, &begins(b'G', 3, false));
    assert_eq!(tags(&driver.to_server), "QdcQ");
    assert!(!text(&driver.to_server).contains("secret"));
    // The server does not begin it at all.
    let mut driver = started();
    driver.feed(From::Client, &stream);
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert_eq!(tags(&driver.to_server), "QQ");
    assert_eq!(driver.to_client, [syntax_error(), ready(b'I')].concat());
}

#[test]
fn after_an_error_of_the_server_no_more_data_reach_it() {
    let mut driver = copying("");
    driver.feed(From::Client, &data(b"x\tn\ta value\n"));
    assert_eq!(tags(&driver.to_server), "d");
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    driver.feed(
        From::Client,
        &[data(b"2\tn\tsecret\n"), done(), query("SELECT 1")].concat(),
    );
    assert_eq!(tags(&driver.to_server), "dQ");
    assert_eq!(driver.to_client, [syntax_error(), ready(b'I')].concat());
}

#[test]
fn the_client_may_break_off() {
    let mut driver = copying("");
    driver.feed(
        From::Client,
        &[
            data(b"1\tn\thalf a sec"),
            message(b'f', b"enough\0"),
            query("SELECT 1"),
        ]
        .concat(),
    );
    assert_eq!(tags(&driver.to_server), "dfQ");
    assert_eq!(rows(&driver.to_server), b"1\tn\t");
}

#[test]
fn the_extended_protocol_stays_in_step() {
    let ask = [
        parse("", "COPY customers (id, ssn) FROM STDIN", &[]),
        bind("", "", 0, &[]),
        execute(""),
        sync(),
    ]
    .concat();
    let answer = [
        message(b'1', b""),
        message(b'2', b""),
        begins(b'G', 2, false),
    ]
    .concat();
    for (row, ends) in [(&b"1\tgood\n"[..], "dcS"), (b"1\t\\\\xbad\n", "fS")] {
        let mut driver = started();
        driver.feed(From::Client, &ask);
        driver.feed(From::Server, &answer);
        driver.to_server.clear();
        driver.to_client.clear();
        driver.feed(From::Client, &[data(row), data(b"2\tmore\n")].concat());
        driver.feed(From::Client, &[done(), sync(), query("SELECT 1")].concat());
        let expected = match ends {
            "fS" => "fSQ",
            _ => "ddcSQ",
        };
        assert_eq!(tags(&driver.to_server), expected);
        match ends {
            "fS" => {
                driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
                assert!(text(&driver.to_client).contains("C22P02"));
            }
            _ => driver.feed(From::Server, &[complete("COPY 2"), ready(b'I')].concat()),
        }
        driver.feed(From::Server, &[complete("SELECT 1"), ready(b'I')].concat());
        assert!(tags(&driver.to_client).ends_with("ZCZ"));
    }
}

#[test]
fn what_is_not_ascii_needs_an_encoding_that_is_known() {
    let row = "1\tn\tgrüezi\n".as_bytes();
    for (sql, setting, sealed) in [
        ("COPY customers FROM STDIN", "UTF8", true),
        ("COPY customers FROM STDIN", "LATIN1", false),
        ("COPY customers FROM STDIN", "SJIS", false),
        (
            "COPY customers FROM STDIN (ENCODING 'utf-8')",
            "LATIN1",
            true,
        ),
        (
            "COPY customers FROM STDIN (ENCODING 'latin1')",
            "UTF8",
            false,
        ),
        // The server tells of the change only before ReadyForQuery.
        (
            "SET client_encoding TO latin1; COPY customers FROM STDIN",
            "UTF8",
            false,
        ),
    ] {
        let mut driver = started();
        driver.feed(
            From::Server,
            &message(b'S', format!("client_encoding\0{setting}\0").as_bytes()),
        );
        driver.feed(From::Client, &query(sql));
        driver.feed(From::Server, &begins(b'G', 3, false));
        driver.to_server.clear();
        driver.feed(From::Client, &data(row));
        assert_eq!(
            tags(&driver.to_server),
            if sealed { "d" } else { "f" },
            "{sql} {setting}"
        );
    }
}

#[test]
fn a_cell_above_the_limit_is_refused_on_its_way_in_and_passes_on_its_way_out() {
    let mut context = Arc::into_inner(context(columns(""), ScanColumns::Typed)).unwrap();
    context.limits = Limits {
        max_row: 200,
        ..Limits::default()
    };
    let context = Arc::new(context);
    let started = || {
        let mut driver =
            Driver::new(PgSession::new(Arc::clone(&context))).with_keys(CLIENT, keys());
        start(&mut driver);
        driver
    };
    let mut driver = started();
    begin(&mut driver, "");
    driver.feed(
        From::Client,
        &data(&[&b"1\t"[..], &[b'n'; 500], b"\t"].concat()),
    );
    for _ in 0..5 {
        driver.feed(From::Client, &data(&[b's'; 50]));
    }
    is_refused(&mut driver, "54000", "COPY customers, line 1, column ssn");
    let mut driver = started();
    driver.feed(From::Client, &query("COPY customers TO STDOUT"));
    let (big, small) = (hex(&sealed(&[7; 300])), hex(&sealed(b"x")));
    let row = [b"1\t\\", &big[..], b"\t\\", &small[..small.len()], b"\n"].concat();
    driver.feed(
        From::Server,
        &[begins(b'H', 3, false), data(&row[..150]), data(&row[150..])].concat(),
    );
    let expected = [b"1\t\\", &big[..], b"\t\\", &small[..], b"\n"].concat();
    assert_eq!(text(&rows(&driver.to_client)), text(&expected));
    assert!(
        driver
            .events
            .iter()
            .any(|event| matches!(event, Event::RowTooLarge { .. }))
    );
}

#[test]
fn rows_for_a_copy_that_is_refused_do_not_reach_the_server() {
    // The client does not wait to be asked for them.
    let mut driver = started();
    let text = "COPY customers FROM STDIN WHERE ssn = 'x'";
    driver.feed(From::Client, &query(text));
    driver.to_server.clear();
    driver.feed(From::Client, &[data(b"1\tn\tx\n"), done()].concat());
    assert!(driver.to_server.is_empty());
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    driver.feed(From::Client, &data(b"1\tn\tx\n"));
    assert!(driver.to_server.is_empty());
    driver.feed(From::Client, &query("COPY other FROM STDIN"));
    driver.to_server.clear();
    driver.feed(From::Client, &[data(b"1\n"), done()].concat());
    assert_eq!(tags(&driver.to_server), "dc");
}

#[test]
fn rows_for_a_copy_that_fails_with_what_is_before_it_do_not_reach_the_server() {
    let mut driver = started();
    let messages = [
        parse("", "SELECT nothing", &[]),
        parse("c", "COPY customers FROM STDIN", &[]),
        bind("", "c", 0, &[]),
        execute(""),
        sync(),
        data(b"1\tn\tx\n"),
        done(),
    ];
    driver.feed(From::Client, &messages.concat());
    assert_eq!(tags(&driver.to_server), "PPBES");
    driver.feed(From::Server, &[syntax_error(), ready(b'I')].concat());
    assert_eq!(tags(&driver.to_server), "PPBES");
}

#[test]
fn a_client_that_leaves_a_copy_unfinished_sends_no_rows_by_its_rules() {
    // The server gives up at the second COPY; these rows are of its form, in which the first column is protected.
    for asked_before in [true, false] {
        let mut driver = started();
        driver.feed(
            From::Client,
            &query("COPY customers (id, name, ssn) FROM STDIN"),
        );
        if asked_before {
            driver.feed(From::Server, &begins(b'G', 3, false));
        }
        driver.feed(From::Client, &query("COPY customers (ssn) FROM STDIN"));
        driver.to_server.clear();
        driver.feed(From::Client, &data(b"secret\n"));
        if !asked_before {
            driver.feed(From::Server, &begins(b'G', 3, false));
        }
        assert!(driver.to_server.is_empty(), "{}", text(&driver.to_server));
    }
}
