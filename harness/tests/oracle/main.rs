//! Beside PostgreSQL's own grammar: what is sealed is what reaches a protected column, nothing less and nothing else.
//!
//! `oracle.py` asks libpg_query for the tree of a statement and finds by itself where constants and parameters go; the
//! engine's plan is compared with that. The statements are the engine's corpus, pieces of it exchanged at random, those of
//! [`acra_harness::statements`], and nested ones.

mod grammar;
mod mutations;
mod verdict;

use acra_engine::columns::{Columns, Database};
use acra_engine::plan::{Planner, Unsupported};
use acra_harness::statements::{Random, seed};
use acra_harness::{Context, Error, Result, paths};
use mutations::Pieces;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::{env, fs, io};
use verdict::{Outcome, judge};

const GENERATED: usize = 5_000;
const MUTATED: usize = 10_000;
const NESTED: usize = 5_000;

fn corpus() -> PathBuf {
    paths::workspace().join("engine/tests/corpus")
}

fn planner() -> Result<Planner> {
    planner_of(&fs::read_to_string(corpus().join("encryptor.yaml"))?)
}

fn planner_of(configuration: &str) -> Result<Planner> {
    let columns = Columns::parse(configuration.as_bytes(), Database::PostgreSql)?;
    Ok(Planner::new(
        Arc::new(columns.columns),
        Unsupported::Refuse,
        1 << 24,
    ))
}

/// The statements of the corpus; what is expected of each is for its own test to say.
fn statements() -> Result<Vec<String>> {
    let mut statements = Vec::new();
    for entry in fs::read_dir(corpus())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let mut lines = Vec::new();
        for line in fs::read_to_string(&path)?.lines() {
            if line.starts_with("=> ") {
                statements.push(lines.join("\n"));
                lines.clear();
            } else if !line.starts_with('#') && !line.is_empty() {
                lines.push(line);
            }
        }
    }
    statements.sort();
    Ok(statements)
}

/// The tables in the words of the oracle.
fn tables(columns: &Columns) -> Vec<String> {
    let table = |table: &acra_engine::columns::Table| {
        let schema = table.schema().map(|schema| format!("{schema}."));
        let protected: Vec<&str> = table
            .settings()
            .map(|setting| setting.column.as_str())
            .collect();
        format!(
            "{}{}:{}:{}",
            schema.unwrap_or_default(),
            table.name(),
            table.columns().unwrap_or_default().join(","),
            protected.join(",")
        )
    };
    columns.tables().map(table).collect()
}

/// What the oracle says of each text; nothing if it is not installed and need not be.
fn ask(columns: &Columns, texts: &[String]) -> Result<Option<Vec<String>>> {
    let packages = paths::workspace().join(".cache/oracle");
    if !packages.is_dir() {
        let missing = "the grammar of PostgreSQL is not installed; run: scripts/setup.sh oracle";
        if env::var_os("ACRA_TEST_REQUIRE_ALL").is_some() {
            return Err(Error::new(missing));
        }
        // Not by a macro, whose output is hidden when a test passes.
        writeln!(io::stderr(), "SKIPPED: {missing}")?;
        return Ok(None);
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/oracle.py");
    let answers = std::thread::scope(|scope| {
        // One for each half: it is most of the time of the test.
        let halves = texts.chunks(texts.len().div_ceil(2).max(1)).map(|texts| {
            let mut command = Command::new("python3");
            command
                .arg(&program)
                .args(tables(columns))
                .env("PYTHONPATH", &packages)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            scope.spawn(move || -> Result<Vec<String>> {
                let mut child = command.spawn().context(|| "python3".to_owned())?;
                let mut input = child.stdin.take().ok_or_else(|| Error::new("no input"))?;
                let writer = scope.spawn(move || input.write_all(texts.join("\0").as_bytes()));
                let output = child.wait_with_output()?;
                let written = writer.join();
                if !output.status.success() || !matches!(written, Ok(Ok(()))) {
                    return Err(Error::new(format!("oracle.py failed: {}", output.status)));
                }
                let answers = String::from_utf8(output.stdout)?;
                Ok(answers.lines().map(str::to_owned).collect())
            })
        });
        let halves: Vec<_> = halves.collect();
        let mut answers = Vec::new();
        for half in halves {
            answers.extend(half.join().map_err(|_| Error::new("a thread panicked"))??);
        }
        Ok::<_, Error>(answers)
    })?;
    assert_eq!(answers.len(), texts.len());
    Ok(Some(answers))
}

#[derive(Debug, Default)]
struct Count {
    accepted: usize,
    refused: usize,
    sealed: usize,
    unsure: usize,
}

/// Compares the plans of these texts with what the oracle says of them.
fn compare(planner: &Planner, texts: &[String]) -> Result<Option<Count>> {
    let Some(answers) = ask(planner.columns(), texts)? else {
        return Ok(None);
    };
    let mut count = Count::default();
    let mut faults = BTreeSet::new();
    for (text, answer) in texts.iter().zip(&answers) {
        let Some(judged) = judge(planner, text, answer)? else {
            continue;
        };
        count.accepted += 1;
        count.unsure += usize::from(judged.unsure);
        match judged.outcome {
            Outcome::Refused => count.refused += 1,
            Outcome::Passed { sealed } => count.sealed += sealed,
            Outcome::Wrong(what) => drop(faults.insert((what, text.as_str()))),
        }
    }
    let shown: Vec<String> = faults
        .iter()
        .take(20)
        .map(|(what, text)| format!("{what}: {text}"))
        .collect();
    assert!(
        faults.is_empty(),
        "{} statements are not understood as PostgreSQL does (seed {}):\n{}",
        faults.len(),
        seed()?,
        shown.join("\n")
    );
    // Not by a macro, whose output is hidden when a test passes.
    writeln!(io::stderr(), "{} statements: {count:?}", texts.len())?;
    Ok(Some(count))
}

/// That the comparison was one: enough was accepted and sealed, and little was left open.
fn is_telling(count: Option<Count>, accepted: usize, sealed: usize) {
    let Some(count) = count else { return };
    assert!(count.accepted >= accepted, "{count:?}");
    assert!(count.sealed >= sealed, "{count:?}");
    assert!(count.unsure * 10 <= count.accepted, "{count:?}");
}

#[test]
fn a_plan_that_seals_too_little_or_too_much_is_found_out() -> Result<()> {
    let texts = [
        "INSERT INTO customers (id, ssn) SELECT 1, s FROM (VALUES ('x'::bytea)) v (s)",
        "UPDATE customers SET (name, ssn) = ('n', $1)",
        "PREPARE p AS UPDATE customers SET ssn = $1",
        "SELECT id FROM customers WHERE ssn = 'x'",
        "UPDATE customers SET ssn = lower('x')",
    ]
    .map(str::to_owned);
    let less = "schemas: [{table: customers, columns: [id, name, ssn, card], encrypted: [{column: card}]}]";
    let (full, less) = (planner()?, planner_of(less)?);
    let Some(answers) = ask(full.columns(), &texts)? else {
        return Ok(());
    };
    let is_wrong = |planner: &Planner, text: &str, answer: &str| -> Result<bool> {
        let judged = judge(planner, text, answer)?;
        Ok(judged.is_some_and(|judged| matches!(judged.outcome, Outcome::Wrong(_))))
    };
    for (text, answer) in texts.iter().zip(&answers) {
        assert!(is_wrong(&less, text, answer)?, "{text}: {answer}");
        assert!(!is_wrong(&full, text, answer)?, "{text}: {answer}");
    }
    let sealing = texts.iter().take(3);
    for (text, answer) in sealing.zip(ask(less.columns(), &texts)?.unwrap_or_default()) {
        assert!(is_wrong(&full, text, &answer)?, "{text}: {answer}");
    }
    Ok(())
}

#[test]
fn the_corpus_is_understood_as_by_postgresql() -> Result<()> {
    let count = compare(&planner()?, &statements()?)?;
    is_telling(count, 400, 100);
    Ok(())
}

#[test]
fn mutations_of_the_corpus_are_understood_as_by_postgresql() -> Result<()> {
    let statements = statements()?;
    let pieces = Pieces::of(&statements);
    let mut random = Random::new(seed()?);
    let texts: Vec<String> = (0..MUTATED)
        .map(|_| pieces.mutate(&statements, &mut random))
        .collect();
    let count = compare(&planner()?, &texts)?;
    is_telling(count, MUTATED / 10, MUTATED / 100);
    Ok(())
}

#[test]
fn random_statements_are_understood_as_by_postgresql() -> Result<()> {
    let mut random = Random::new(seed()?);
    let texts: Vec<String> = (0..GENERATED)
        .map(|number| random.statement(number))
        .collect();
    let count = compare(&planner()?, &texts)?;
    is_telling(count, GENERATED / 2, GENERATED / 50);
    Ok(())
}

#[test]
fn nested_statements_are_understood_as_by_postgresql() -> Result<()> {
    let mut random = Random::new(seed()?);
    let texts: Vec<String> = (0..NESTED)
        .map(|_| grammar::statement(&mut random))
        .collect();
    let count = compare(&planner()?, &texts)?;
    is_telling(count, NESTED / 2, NESTED / 20);
    Ok(())
}
