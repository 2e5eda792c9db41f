//! Reading statements: tokens, shape, plan.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use acra_engine::columns::{Columns, Database};
use acra_engine::plan::{Planner, Scratch, Unsupported};
use acra_engine::sql::shape::Shape;
use acra_engine::sql::{Lexical, lex};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

fn statements() -> Vec<(&'static str, String)> {
    let mut hundred = "INSERT INTO customers (id, name, ssn) VALUES ".to_owned();
    for row in 0..100 {
        let _ = write!(
            hundred,
            "{}({row}, 'name {row}', '078-05-{row:04}')",
            if row > 0 { ", " } else { "" }
        );
    }
    vec![
        (
            "unprotected point select",
            "SELECT id, name, price FROM products WHERE id = 4711".to_owned(),
        ),
        (
            "point select",
            "SELECT id, name, ssn FROM customers WHERE id = 4711".to_owned(),
        ),
        (
            "insert 1 row",
            "INSERT INTO customers (id, name, ssn) VALUES (1, 'Ann', '078-05-1120')".to_owned(),
        ),
        ("insert 100 rows", hundred),
    ]
}

fn planner() -> Planner {
    let document = b"schemas:\n  - table: customers\n    encrypted:\n      - column: ssn\n";
    let columns = Columns::parse(document, Database::PostgreSql)
        .expect("is valid")
        .columns;
    Planner::new(Arc::new(columns), Unsupported::Refuse, 1 << 24)
}

fn plan(criterion: &mut Criterion) {
    let lexical = Lexical::default();
    let planner = planner();
    let mut group = criterion.benchmark_group("statement");
    for (name, text) in statements() {
        let text = text.as_bytes();
        let mut tokens = Vec::new();
        group.bench_function(BenchmarkId::new("lex", name), |bencher| {
            bencher.iter(|| lex(black_box(text), &lexical, &mut tokens));
        });
        let mut shape = Shape::default();
        group.bench_function(BenchmarkId::new("shape", name), |bencher| {
            bencher.iter(|| {
                shape.compute(black_box(text), &tokens, &lexical);
                shape.key().len()
            });
        });
        let mut scratch = Scratch::default();
        group.bench_function(BenchmarkId::new("plan hit", name), |bencher| {
            bencher.iter(|| planner.plan(black_box(text), &lexical, &mut scratch));
        });
        group.bench_function(BenchmarkId::new("plan miss", name), |bencher| {
            bencher.iter_batched(
                self::planner,
                |planner| {
                    let plan = planner.plan(black_box(text), &lexical, &mut scratch);
                    (planner, plan)
                },
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, plan);
criterion_main!(benches);
