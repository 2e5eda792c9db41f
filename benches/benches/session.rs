//! Messages through a session: frames, rows that pass, rows that are opened, statements.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use acra_benches::conversation::{Conversation, key, message};
use acra_benches::mysql_conversation as my;
use acra_engine::crypto::container;
use acra_engine::wire::mysql::value::Type;
use acra_engine::wire::pg::{Scan, scan};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const ROWS: usize = 1000;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const BYTEA: u32 = 17;

const COLUMNS: &str = "schemas:
  - table: customers
    columns: [id, ssn, name, mail, phone]
    encrypted: [{column: ssn}, {column: name}, {column: mail}, {column: phone, searchable: true}]
";

const MYSQL_COLUMNS: &str = "schemas:
  - table: customers
    columns: [id, ssn, name, mail]
    encrypted: [{column: ssn}, {column: name}, {column: mail}]
";

fn row_description(columns: usize, oid: u32) -> Vec<u8> {
    let mut body = (columns as u16).to_be_bytes().to_vec();
    for _ in 0..columns {
        body.extend(b"c\0\0\0\0\0\0\0");
        body.extend(oid.to_be_bytes());
        body.extend([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
    }
    message(b'T', &body)
}

fn row(cells: &[&[u8]]) -> Vec<u8> {
    let mut body = (cells.len() as u16).to_be_bytes().to_vec();
    for cell in cells {
        body.extend((cell.len() as u32).to_be_bytes());
        body.extend(*cell);
    }
    message(b'D', &body)
}

fn rows(columns: usize, cell: &[u8]) -> Vec<u8> {
    row(&vec![cell; columns]).repeat(ROWS)
}

/// The Bind of statement `s` to so many values, in text format.
fn bind(values: usize) -> Vec<u8> {
    let mut body = b"\0s\0\0\0".to_vec();
    body.extend((values as u16).to_be_bytes());
    for _ in 0..values {
        body.extend(b"\0\0\0\x0b078-05-1120");
    }
    body.extend([0, 0]);
    message(b'B', &body)
}

/// A value as the database shows it.
fn stored(value: &[u8]) -> Vec<u8> {
    format!("\\x{}", const_hex::encode(sealed(value))).into_bytes()
}

fn sealed(value: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    container::seal_block(&key(), &mut rand::rng(), value, &mut sealed).expect("seals");
    sealed
}

fn frames(criterion: &mut Criterion) {
    let bytes = rows(3, b"0123456789");
    let mut group = criterion.benchmark_group("frames");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("scan 1000", |bencher| {
        bencher.iter(|| {
            let (mut at, mut count) = (0, 0);
            while let Scan::Frame(frame) = scan(black_box(&bytes), at) {
                at = frame.range.end;
                count += 1;
            }
            count
        });
    });
    group.finish();
}

fn data_rows(criterion: &mut Criterion) {
    let hex = stored(b"078-05-1120");
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, columns, oid, cell) in [
        ("1000 x 20 plain integers", 20, INT4, &b"1234567"[..]),
        ("1000 x 20 plain texts", 20, TEXT, b"some text"),
        (
            "1000 x 3 plain bytea",
            3,
            BYTEA,
            b"\\x0123456789abcdef0123456789abcdef",
        ),
        ("1000 x 3 sealed", 3, BYTEA, &hex),
    ] {
        let mut conversation = Conversation::postgres(COLUMNS);
        conversation.feed_client(&mut message(b'Q', b"SELECT 1\0"));
        conversation.feed_server(&mut row_description(columns, oid));
        let bytes = rows(columns, cell);
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || bytes.clone(),
                |bytes| conversation.feed_server(bytes),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// Statements that were prepared before: the client's Bind, Execute and Sync, and what the server answers.
fn statements(criterion: &mut Criterion) {
    let hex = stored(b"078-05-1120");
    let mut group = criterion.benchmark_group("statements");
    for (name, text, values, cells) in [
        (
            "point select, plain",
            "SELECT name FROM plain WHERE id = $1",
            1,
            &[&b"some text"[..]][..],
        ),
        (
            "point select, 1 cell",
            "SELECT ssn FROM customers WHERE id = $1",
            1,
            &[&hex],
        ),
        (
            "point select, 3 cells",
            "SELECT ssn, name, mail FROM customers WHERE id = $1",
            1,
            &[&hex, &hex, &hex],
        ),
        (
            "insert of 1 value",
            "INSERT INTO customers (ssn) VALUES ($1)",
            1,
            &[],
        ),
        (
            "insert of 3 values",
            "INSERT INTO customers (ssn, name, mail) VALUES ($1, $2, $3)",
            3,
            &[],
        ),
        (
            "insert of 3 values, 1 searchable",
            "INSERT INTO customers (ssn, name, phone) VALUES ($1, $2, $3)",
            3,
            &[],
        ),
    ] {
        let mut conversation = Conversation::postgres(COLUMNS);
        let parse = [b"s\0", text.as_bytes(), b"\0\0\0"].concat();
        conversation.feed_client(&mut [message(b'P', &parse), message(b'S', b"")].concat());
        conversation.feed_server(&mut [message(b'1', b""), message(b'Z', b"I")].concat());
        let sent = [
            bind(values),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
        ]
        .concat();
        let mut answer = message(b'2', b"");
        if !cells.is_empty() {
            answer.extend(row(cells));
        }
        answer.extend([message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat());
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || (sent.clone(), answer.clone()),
                |(sent, answer)| conversation.feed_client(sent) + conversation.feed_server(answer),
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// The same of MySQL, by a text and by a statement that was prepared before: what the client sends, and what the server answers.
fn mysql(criterion: &mut Criterion) {
    let cell = sealed(b"078-05-1120");
    let plain = [("plain", "name", Type::STRING)];
    let columns = ["ssn", "name", "mail"].map(|name| ("customers", name, Type::BLOB));
    let mut group = criterion.benchmark_group("mysql");
    for (name, statement, columns, cells) in [
        (
            "point select, plain",
            "SELECT name FROM plain WHERE id = '078-05-1120'",
            &plain[..],
            &[&b"some text"[..]][..],
        ),
        (
            "point select, 1 cell",
            "SELECT ssn FROM customers WHERE id = '078-05-1120'",
            &columns[..1],
            &[&cell],
        ),
        (
            "point select, 3 cells",
            "SELECT ssn, name, mail FROM customers WHERE id = '078-05-1120'",
            &columns,
            &[&cell, &cell, &cell],
        ),
        (
            "insert of 1 value",
            "INSERT INTO customers (ssn) VALUES ('078-05-1120')",
            &[],
            &[],
        ),
        (
            "insert of 3 values",
            "INSERT INTO customers (ssn, name, mail) VALUES ('078-05-1120', '078-05-1120', '078-05-1120')",
            &[],
            &[],
        ),
    ] {
        let question = statement.replace("'078-05-1120'", "?");
        let values = question.matches('?').count();
        let answers = |row: Vec<u8>| match columns {
            [] => my::done(),
            columns => my::result(columns, &row),
        };
        let (by_text, by_number) = (answers(my::cells(cells)), answers(my::binary_row(cells)));
        for (how, sent, answer) in [
            ("text", my::text(statement), by_text),
            ("prepared", my::execute(values), by_number),
        ] {
            let mut conversation = Conversation::mysql(MYSQL_COLUMNS, "SELECT id FROM customers");
            conversation.feed_client(&mut my::prepare(&question));
            conversation.feed_server(&mut my::prepared(values, columns));
            group.bench_function(format!("{name}, {how}"), |bencher| {
                bencher.iter_batched_ref(
                    || (sent.clone(), answer.clone()),
                    |(sent, answer)| {
                        conversation.feed_client(sent) + conversation.feed_server(answer)
                    },
                    criterion::BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, frames, data_rows, statements, mysql);
criterion_main!(benches);
