//! The corpus of statements in `tests/corpus`: what is sealed of each, or why it is refused.
//!
//! An entry is a statement, of one line or several, and a line that says what is expected of it:
//!
//! ```text
//! => pass                            nothing is sealed
//! => seal ssn=x | card=$2            values and parameters that are sealed, in the order of the text; parameters last; x[] and $2[] are arrays whose elements are
//! => prepare ssn=$1                  parameters of the statement that the text prepares
//! => send TEXT | seal ssn=$1         the text that is sent, with `seal(x)` and `hash(x)`, or `token(x)` and `find(x)`, for what
//!    | hash mail=$2                  becomes of values that are stored and compared, where more than literals is changed, or values
//!                                    are compared; then the parameters
//! => run TEXT                        a string that is run, and planned as a text of its own
//! => refuse column-use               the anchor of docs/errors.md
//! ```
//!
//! Lines that begin with `#` are comments. The tables are those of `encryptor.yaml`.

use acra_engine::columns::{Columns, Database, Setting};
use acra_engine::plan::{
    Edit, Lexical, LiteralKind, MySql, ParamAction, Planner, Role, Scratch, Unsupported, Verdict,
    edited,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn planner(database: Database) -> Planner {
    let mut document = std::fs::read(folder().join("encryptor.yaml")).unwrap();
    if database == Database::PostgreSql {
        document.extend(std::fs::read(folder().join("types.yaml")).unwrap());
    }
    let columns = Columns::parse(&document, database).unwrap();
    Planner::new(Arc::new(columns.columns), Unsupported::Refuse, 1 << 22)
}

fn parameters(params: &[ParamAction]) -> impl Iterator<Item = String> + '_ {
    params.iter().map(|action| {
        let elements = if action.elements { "[]" } else { "" };
        format!("{}=${}{elements}", action.setting.column, action.number)
    })
}

/// What becomes of a value.
fn becomes(role: Role, setting: &Setting) -> &'static str {
    match (role, setting.tokenized()) {
        (Role::Stored, None) => "seal",
        (Role::Compared, None) => "hash",
        (Role::Stored, Some(_)) => "token",
        (Role::Compared, Some(_)) => "find",
        (Role::Pattern, _) => "pattern",
    }
}

/// What is done to a statement, in the words of the corpus.
fn outcome(planner: &Planner, text: &str, lexical: &Lexical) -> String {
    let mut scratch = Scratch::default();
    let plan = planner.plan(text.as_bytes(), lexical, &mut scratch);
    if let Verdict::Refuse(refusal) = &plan.verdict {
        return format!("refuse {}", refusal.code.anchor());
    }
    if let Some(run) = &plan.run {
        let text = run.text(text.as_bytes(), lexical).unwrap();
        return format!("run {}", String::from_utf8_lossy(&text));
    }
    let mut sealed = Vec::new();
    let mut edits: Vec<Edit> = plan.edits(&scratch).collect();
    let mut sends = !edits.is_empty();
    for literal in plan.literals(text.as_bytes(), &scratch) {
        let literal = match literal {
            Ok(literal) => literal,
            Err(refusal) => return format!("refuse {}", refusal.code.anchor()),
        };
        let value = String::from_utf8_lossy(&literal.value);
        sends |= literal.role != Role::Stored;
        edits.push(Edit {
            span: literal.span.clone(),
            text: format!("{}({value})", becomes(literal.role, literal.setting)).into(),
        });
        let elements = match literal.kind {
            LiteralKind::Array => "[]",
            LiteralKind::String | LiteralKind::Number => "",
        };
        sealed.push(format!("{}={value}{elements}", literal.setting.column));
    }
    let all_params = || {
        let prepared = plan.prepared.iter().flat_map(|plan| &plan.params);
        plan.params.iter().chain(prepared)
    };
    if sends || all_params().any(|action| action.role != Role::Stored) {
        let sent = edited(text.as_bytes(), edits);
        let mut outcome = format!("send {}", String::from_utf8_lossy(&sent).replace('\n', " "));
        for action in all_params() {
            let ParamAction {
                number,
                setting,
                role,
                elements,
                cast: _,
            } = action;
            let becomes = becomes(*role, setting);
            let elements = if *elements { "[]" } else { "" };
            outcome.push_str(&format!(
                " | {becomes} {}=${number}{elements}",
                setting.column
            ));
        }
        return outcome;
    }
    sealed.extend(parameters(&plan.params));
    let prepared: Vec<String> = plan
        .prepared
        .iter()
        .flat_map(|plan| parameters(&plan.params))
        .collect();
    match (&*sealed, &*prepared) {
        ([], []) => "pass".to_owned(),
        ([], prepared) => format!("prepare {}", prepared.join(" | ")),
        (sealed, _) => format!("seal {}", sealed.join(" | ")),
    }
}

/// Statements with what is expected of them, and the number of the line that says so.
fn entries(text: &str) -> Vec<(usize, String, String)> {
    let mut entries = Vec::new();
    let mut statement = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("=> ") {
            Some(expected) => {
                entries.push((number + 1, statement.join("\n"), expected.trim().to_owned()));
                statement.clear();
            }
            None if line.starts_with('#') || line.is_empty() => {}
            None => statement.push(line),
        }
    }
    assert!(statement.is_empty(), "nothing is expected of {statement:?}");
    entries
}

#[test]
fn statements_are_understood_or_refused_as_the_corpus_says() {
    let planner = planner(Database::PostgreSql);
    check(&folder(), &planner, &Lexical::default(), 300);
}

#[test]
fn statements_of_mysql_are_understood_or_refused_as_the_corpus_says() {
    let planner = planner(Database::MySql);
    let lexical = Lexical::mysql(MySql::default());
    check(&folder().join("mysql"), &planner, &lexical, 600);
}

#[test]
fn pipes_put_strings_together_in_that_sql_mode_alone() {
    let planner = planner(Database::MySql);
    let with = |pipes_as_concat| {
        Lexical::mysql(MySql {
            pipes_as_concat,
            ..MySql::default()
        })
    };
    let folder = folder().join("mysql/pipes_as_concat");
    check(&folder, &planner, &with(true), 12);
    // The cache tells the modes apart.
    let text = "SELECT * FROM people WHERE email = 'a' || phone = 'b'";
    for (pipes, expected) in [(false, "send "), (true, "refuse "), (false, "send ")] {
        let found = outcome(&planner, text, &with(pipes));
        assert!(found.starts_with(expected), "{found}");
    }
}

/// Compares what is found with what is expected, in all files of a folder.
fn check(folder: &Path, planner: &Planner, lexical: &Lexical, least: usize) {
    let mut wrong = String::new();
    let mut count = 0;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for (line, statement, expected) in entries(&text) {
            count += 1;
            // Twice, so that what the cache says is compared too.
            for _ in 0..2 {
                let found = outcome(planner, &statement, lexical);
                if found != expected {
                    wrong.push_str(&format!(
                        "\n{file}:{line}: {statement}\n  expected: {expected}\n  found:    {found}"
                    ));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= least, "only {count} statements");
}

#[test]
fn long_texts_take_bounded_time() {
    let planner = planner(Database::PostgreSql);
    let chain = |first: &str, more: &str, count: usize, last: &str| {
        format!("{first}{}{last}", more.repeat(count))
    };
    for (text, expected) in [
        (
            chain(
                "SELECT ssn FROM customers WHERE id = 1",
                " OR id = 1",
                100_000,
                "",
            ),
            "refuse too-long",
        ),
        (
            chain(
                "SELECT ssn FROM customers WHERE id = 1",
                " OR id = 1",
                20_000,
                "",
            ),
            "pass",
        ),
        (
            chain(
                "SELECT ssn FROM customers WHERE id IN (1",
                ", 1",
                1_000_000,
                ")",
            ),
            "pass",
        ),
        (
            chain(
                "SELECT ssn FROM customers",
                " UNION ALL SELECT ssn FROM customers",
                10_000,
                "",
            ),
            "pass",
        ),
        (
            chain(
                "SELECT id FROM customers",
                " UNION SELECT id FROM customers",
                10_000,
                "",
            ),
            "pass",
        ),
        (
            chain(
                "SELECT id FROM customers",
                " EXCEPT (SELECT id FROM customers",
                40,
                &")".repeat(40),
            ),
            "pass",
        ),
        (
            chain(
                "SELECT email FROM people",
                " EXCEPT SELECT mail FROM accounts",
                5_000,
                " UNION SELECT ssn FROM customers",
            ),
            "refuse column-use",
        ),
        (
            chain(
                "UPDATE customers SET ssn = CASE WHEN id = 0 THEN 'x'::bytea",
                " WHEN id = 1 THEN $1::bytea",
                5_000,
                " END",
            ),
            "seal ssn=x | ssn=$1",
        ),
        (
            chain("SELECT ", "(", 50_000, "ssn FROM customers"),
            "refuse not-understood",
        ),
        (
            chain(
                "WITH v AS (SELECT ssn AS a, ssn AS b FROM customers) SELECT 1",
                ", (SELECT a FROM v)",
                5_000,
                " FROM v",
            ),
            "pass",
        ),
    ] {
        let before = used();
        let found = outcome(&planner, &text, &Lexical::default());
        let limit = Duration::from_secs(60);
        assert_eq!(found, expected, "{}", &text[..60]);
        let took = used() - before;
        assert!(took < limit, "{took:?} for {}", &text[..60]);
    }
}

/// The processor's time that this thread has used, which is no longer because others use the machine.
fn used() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    // Behind the name, which is in parentheses, are eleven fields; then the time in programs and in the kernel.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // Of a hundredth of a second each.
    Duration::from_millis(ticks * 10)
}

#[test]
fn lengths_of_casts_are_those_of_the_text() {
    let planner = planner(Database::PostgreSql);
    let mut scratch = Scratch::default();
    for length in [3, 5] {
        let text = format!("INSERT INTO kinds (s) VALUES ('x'::varchar({length}))");
        let plan = planner.plan(text.as_bytes(), &Lexical::default(), &mut scratch);
        let lengths: Vec<_> = plan
            .literals(text.as_bytes(), &scratch)
            .map(|literal| literal.unwrap().cast.unwrap().modifier)
            .collect();
        assert_eq!(lengths, [Some([length, 0])]);
    }
}
