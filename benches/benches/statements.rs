//! Reading statements: tokens, shape, a plan that is known, a plan that is not; beside the parser library alone.
//!
//! `cargo bench -p acra-benches --bench statements [-- TEXT]`. All parts of a text are measured in turns, and the least time of a
//! part is told: others who use the machine make times longer, never shorter. For a miss every text is new and the
//! cache is full, so each plan replaces another.

#![allow(clippy::print_stdout, reason = "its table is for the terminal")]

use acra_engine::columns::{Columns, Database};
use acra_engine::plan::{Planner, Scratch, Unsupported, Verdict};
use acra_engine::sql::shape::Shape;
use acra_engine::sql::{Lexical, lex};
use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserOptions};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stands in a text for a name that no text before had.
const NEW: &str = "NEW";

const CONFIGURATION: &[u8] = b"
schemas:
  - table: customers
    columns: [id, name, email, ssn, note, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19]
    encrypted:
      - column: ssn
";

/// Kinds of statements by their names.
fn texts() -> Vec<(&'static str, String)> {
    let columns: Vec<String> = (5..19).map(|at| format!("c{at}")).collect();
    let twenty = format!(
        "INSERT INTO customers AS NEW (id, name, email, ssn, note, {}, c19) VALUES ({})",
        columns.join(", "),
        (0..20)
            .map(|at| match at % 3 {
                0 => format!("{at}000"),
                _ => format!("'value {at}'"),
            })
            .collect::<Vec<_>>()
            .join(", ")
    );
    let mut hundred =
        "INSERT INTO customers AS NEW (id, name, email, ssn, note) VALUES ".to_owned();
    for row in 0..100 {
        let _ = write!(
            hundred,
            "{}({row}, 'name {row}', 'mail{row}@example.org', '078-05-{row:04}', NULL)",
            if row > 0 { ", " } else { "" }
        );
    }
    vec![
        (
            "unprotected select",
            "SELECT id, name, price AS NEW FROM products WHERE id = 4711".to_owned(),
        ),
        (
            "point select, $1",
            "SELECT id, name, ssn AS NEW FROM customers WHERE id = $1".to_owned(),
        ),
        (
            "point select, string",
            "SELECT id, name, ssn AS NEW FROM customers WHERE email = 'ann@example.org' LIMIT 1"
                .to_owned(),
        ),
        (
            "join of three tables",
            "SELECT c.id, c.name, c.ssn AS NEW, o.number, o.placed_at, p.title, p.price FROM customers c \
             JOIN orders o ON o.customer_id = c.id LEFT JOIN products p ON p.id = o.product_id \
             WHERE c.id = 4711 AND o.state IN ('open', 'paid') AND p.price > 10.5 \
             ORDER BY o.placed_at DESC LIMIT 20"
                .to_owned(),
        ),
        ("insert of 20 columns", twenty),
        (
            "update",
            "UPDATE customers AS NEW SET name = 'Ann', ssn = '078-05-1120', note = NULL \
             WHERE id = 4711 AND email <> 'ann@example.org'"
                .to_owned(),
        ),
        ("insert of 100 rows", hundred),
    ]
}

/// Texts that none of before is equal to.
fn new_texts(text: &str, count: usize, numbers: &mut u64) -> Vec<String> {
    let mut new = || {
        *numbers += 1;
        text.replace(NEW, &format!("n{numbers:07}"))
    };
    (0..count).map(|_| new()).collect()
}

/// Works on texts; how long it took.
type Run<'a> = dyn FnMut(&[String]) -> Duration + 'a;

/// What is done with a text.
struct Part<'a> {
    name: &'static str,
    /// Works on all of the texts; what it makes is dropped after the clock has stopped.
    run: Box<Run<'a>>,
    least: Duration,
}

impl<'a> Part<'a> {
    fn new<T: 'a>(name: &'static str, mut work: impl FnMut(&str) -> T + 'a) -> Self {
        let mut made = Vec::new();
        Self {
            name,
            run: Box::new(move |texts| {
                made.clear();
                let begin = Instant::now();
                made.extend(texts.iter().map(|text| work(black_box(text))));
                begin.elapsed()
            }),
            least: Duration::MAX,
        }
    }
}

fn parse(text: &str) -> Vec<Statement> {
    Parser::new(&PostgreSqlDialect {})
        .with_options(ParserOptions::new().with_unescape(false))
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .expect("is valid")
}

fn measure(name: &str, text: &str, rounds: usize) {
    let lexical = Lexical::default();
    let columns = Columns::parse(CONFIGURATION, Database::PostgreSql).expect("is valid");
    let columns = Arc::new(columns.columns);
    let planner = |bytes| Planner::new(Arc::clone(&columns), Unsupported::Refuse, bytes);
    let (large, small) = (planner(1 << 24), planner(1 << 16));
    let known = text.replace(NEW, "known");
    let planned = large.plan(known.as_bytes(), &lexical, &mut Scratch::default());
    assert!(
        matches!(planned.verdict, Verdict::Forward | Verdict::Rewrite),
        "{name}: {:?}",
        planned.verdict
    );
    let mut tokens = Vec::new();
    lex(known.as_bytes(), &lexical, &mut tokens).expect("is valid");
    let (mut shape, mut hit, mut miss) = (Shape::default(), Scratch::default(), Scratch::default());
    let mut lexed = Vec::new();
    let mut parts = [
        Part::new("lex", |_| lex(known.as_bytes(), &lexical, &mut lexed)),
        Part::new("shape", |_| {
            shape.compute(black_box(known.as_bytes()), &tokens, &lexical);
            shape.key().len()
        }),
        Part::new("hit", |_| {
            large.plan(black_box(known.as_bytes()), &lexical, &mut hit)
        }),
        Part::new("miss", |text| {
            small.plan(text.as_bytes(), &lexical, &mut miss)
        }),
        Part::new("sqlparser", parse),
    ];
    let count = (1 << 14) / (text.len() + 64);
    let mut numbers = 0;
    for _ in 0..rounds {
        for part in &mut parts {
            let texts = new_texts(text, count.max(8), &mut numbers);
            let taken = (part.run)(&texts) / u32::try_from(texts.len()).unwrap_or(u32::MAX);
            part.least = part.least.min(taken);
        }
    }
    let of = |name| {
        let part = parts.iter().find(|part| part.name == name);
        part.map_or(f64::NAN, |part| part.least.as_nanos() as f64 / 1000.0)
    };
    println!(
        "{name:22} {:6} {:8.3} {:8.3} {:8.3} {:10.3} {:8.3} {:8.2}",
        text.len(),
        of("lex"),
        of("shape"),
        of("hit"),
        of("sqlparser"),
        of("miss"),
        of("miss") / of("sqlparser")
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = match arguments.iter().any(|argument| argument == "--test") {
        true => 1,
        false => 400,
    };
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    println!(
        "{:22} {:>6} {:>8} {:>8} {:>8} {:>10} {:>8} {:>8}",
        "least time in µs", "bytes", "lex", "shape", "hit", "sqlparser", "miss", "miss : sqlparser"
    );
    for (name, text) in texts() {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            measure(name, &text, rounds);
        }
    }
}
