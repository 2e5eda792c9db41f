//! Messages through a session: frames, rows that pass, rows that are opened.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use acra_engine::columns::{Columns, Database};
use acra_engine::crypto::{BlockKey, Secret, container};
use acra_engine::keys::{ClientId, ClientKeys};
use acra_engine::plan::{Planners, Unsupported};
use acra_engine::session::pg::{Context, PgSession};
use acra_engine::session::{Answer, Ask, Cx, Event, Input, Limits, Output, Session, Step};
use acra_engine::session::{ClientTls, ScanColumns};
use acra_engine::wire::outbox::Outbox;
use acra_engine::wire::pg::{Scan, scan};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

const ROWS: usize = 1000;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const BYTEA: u32 = 17;

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("is short");
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

fn row_description(columns: usize, oid: u32) -> Vec<u8> {
    let mut body = (columns as u16).to_be_bytes().to_vec();
    for _ in 0..columns {
        body.extend(b"c\0\0\0\0\0\0\0");
        body.extend(oid.to_be_bytes());
        body.extend([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
    }
    message(b'T', &body)
}

fn rows(columns: usize, cell: &[u8]) -> Vec<u8> {
    let mut body = (columns as u16).to_be_bytes().to_vec();
    for _ in 0..columns {
        body.extend((cell.len() as u32).to_be_bytes());
        body.extend(cell);
    }
    message(b'D', &body).repeat(ROWS)
}

/// A session in the middle of a query's result.
struct Conversation {
    session: PgSession,
    keys: Arc<ClientKeys>,
    events: Vec<Event>,
}

impl Conversation {
    fn new() -> Self {
        let document = b"schemas:\n  - table: customers\n    encrypted:\n      - column: ssn\n";
        let columns = Columns::parse(document, Database::PostgreSql)
            .expect("is valid")
            .columns;
        let context = Context {
            protects: true,
            schema_probe: false,
            poison: None,
            planners: Arc::new(Planners::new(
                Arc::new(columns),
                Unsupported::Refuse,
                1 << 20,
            )),
            client_id: Some(ClientId::new("client").expect("is valid")),
            client_id_variable: None,
            client_tls: ClientTls::Disabled,
            scan: ScanColumns::Typed,
            limits: Limits::default(),
        };
        let key = BlockKey::new(Secret::from(vec![9; 32])).expect("32 bytes are a key");
        let mut conversation = Self {
            session: PgSession::new(Arc::new(context)),
            keys: Arc::new(ClientKeys {
                symmetric: vec![key],
                ..ClientKeys::default()
            }),
            events: Vec::new(),
        };
        conversation.feed_client(&mut b"\0\0\0\x10\0\x03\0\0user\0x\0\0".to_vec());
        conversation.feed_server(&mut [message(b'R', &[0; 4]), message(b'Z', b"I")].concat());
        conversation.feed_client(&mut message(b'Q', b"SELECT 1\0"));
        conversation
    }

    fn feed_client(&mut self, bytes: &mut Vec<u8>) -> usize {
        self.run(bytes, true)
    }

    fn feed_server(&mut self, bytes: &mut Vec<u8>) -> usize {
        self.run(bytes, false)
    }

    /// Feeds bytes as one read; gives how many come out.
    fn run(&mut self, bytes: &mut Vec<u8>, client: bool) -> usize {
        let (mut to_client, mut to_server) = (Outbox::new(), Outbox::new());
        let mut at = 0;
        loop {
            let mut rng = rand::rng();
            let mut out = Output {
                to_client: &mut to_client,
                to_server: &mut to_server,
            };
            let mut cx = Cx {
                rng: &mut rng,
                events: &mut self.events,
            };
            let mut input = Input { bytes, at };
            let step = match client {
                true => self.session.from_client(&mut input, &mut out, &mut cx),
                false => self.session.from_server(&mut input, &mut out, &mut cx),
            };
            at = input.at;
            match step {
                Step::Ask(Ask::Keys(id)) => {
                    let answer = Answer::Keys(id, Ok(Arc::clone(&self.keys)));
                    self.session.resume(answer);
                }
                Step::Ask(Ask::Tokens(..)) => unreachable!("no column has tokens"),
                Step::Do(_) => self.session.server_dialled(Ok(()), &mut out),
                Step::NeedMore { .. } | Step::Blocked => break,
            }
        }
        let (client, server): (&[u8], &[u8]) = if client { (&[], bytes) } else { (bytes, &[]) };
        to_client.take(client).len() + to_server.take(server).len()
    }
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
    let key = BlockKey::new(Secret::from(vec![9; 32])).expect("32 bytes are a key");
    let mut stored = Vec::new();
    container::seal_block(&key, &mut rand::rng(), b"078-05-1120", &mut stored).expect("seals");
    let hex = format!("\\x{}", const_hex::encode(&stored)).into_bytes();
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
        let mut conversation = Conversation::new();
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

criterion_group!(benches, frames, data_rows);
criterion_main!(benches);
