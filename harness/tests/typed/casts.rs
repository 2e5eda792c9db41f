//! Values with casts that change them: what is stored is what the database makes of the same statement in a table of real
//! columns, and errors are the same.

use acra_harness::Result;
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{Scene, rows_of};
use acra_harness::servers::{AcraConfig, Postgres};

const CONFIG: &str = "schemas:
  - table: sealed
    columns: [id, amount, moment, at, word, login]
    encrypted:
      - {column: amount, data_type_db_identifier: 1700}
      - {column: moment, data_type_db_identifier: 1114}
      - {column: at, data_type_db_identifier: 1083}
      - {column: word, data_type: str, searchable: true}
      - {column: login, token_type: str, consistent_tokenization: true}
";

const TABLES: &str = "CREATE TABLE sealed (id int, amount bytea, moment bytea, at bytea, word bytea, login text); \
    CREATE TABLE twin (id int, amount numeric, moment timestamp, at time, word text, login text)";

/// Statements, and the values that are bound to their parameters. What would be a login in clear has a sign that no token has.
const STATEMENTS: &[(&str, &[Option<&str>])] = &[
    (
        "INSERT INTO sealed VALUES (1, 7.505::numeric(10,2), '2024-02-29 12:00:00.5'::timestamp(0), \
         CAST('23:59:59.9996' AS time(3)), 'Grüezi mit'::varchar(7), 'Log-in-Long'::varchar(5))",
        &[],
    ),
    (
        "INSERT INTO sealed VALUES (2, -0.004::numeric(10, 2), '1999-12-31 23:59:59.5'::timestamp(0) without time zone, \
         '00:00:00.4'::time(0), 'ab  '::char(10), CAST('-' AS character varying(5)))",
        &[],
    ),
    (
        "INSERT INTO sealed VALUES (3, $1::NUMERIC(10, 2), $2::TIMESTAMP(3) WITHOUT TIME ZONE, $3::time(6), $4::char(3), \
         $5::varchar(5))",
        &[
            Some("12345678.995"),
            Some("2024-02-29 12:00:00.0005"),
            Some("12:00:00.123456"),
            Some("abcdef"),
            Some("Lo-ng-Login"),
        ],
    ),
    // Too large, in both ways.
    (
        "INSERT INTO sealed (id, amount) VALUES (4, 99.995::numeric(4,2))",
        &[],
    ),
    (
        "INSERT INTO sealed (id, amount) VALUES (4, $1::decimal(3))",
        &[Some("1000")],
    ),
    // What Django writes for many rows at once.
    (
        "UPDATE sealed SET login = (CASE WHEN (sealed.id = 1) THEN $1 WHEN (id = 2) THEN 'Sec-ond' ELSE NULL END)::varchar(50), \
         amount = (CASE WHEN id = 1 THEN 1.255 ELSE $2 END)::numeric(10, 2) WHERE id IN (1, 2)",
        &[Some("Fi-rst"), Some("2")],
    ),
    (
        "UPDATE sealed SET login = CASE WHEN id = 3 THEN CAST('Th-ird-Long' AS varchar(5)) ELSE $1::varchar(5) END WHERE id = 3",
        &[Some("ot-her")],
    ),
    // What is not given stays.
    (
        "UPDATE sealed SET word = COALESCE($1::text, word), login = COALESCE($2, login), amount = COALESCE($3::numeric, amount) \
         WHERE id = 1",
        &[None, None, Some("5.50")],
    ),
    (
        "UPDATE sealed SET word = COALESCE($1::text, word), login = COALESCE($2, login), amount = COALESCE($3::numeric, amount) \
         WHERE id = 2",
        &[Some("given"), Some("Gi-ven"), None],
    ),
    // Optional filters.
    (
        "SELECT id FROM sealed WHERE $1::text IS NULL OR word = $1 ORDER BY id",
        &[None],
    ),
    (
        "SELECT id FROM sealed WHERE $1::text IS NULL OR word = $1 ORDER BY id",
        &[Some("given")],
    ),
    (
        "SELECT id FROM sealed WHERE CAST($1 AS varchar) IS NULL OR word = $1 ORDER BY id",
        &[Some("abc")],
    ),
    (
        "SELECT id FROM sealed WHERE $1::text IS NULL OR login = $1 ORDER BY id",
        &[Some("Gi-ven")],
    ),
    (
        "SELECT id FROM sealed WHERE $1::text IS NULL OR login = $1 ORDER BY id",
        &[None],
    ),
    (
        "SELECT id FROM sealed WHERE login = $1::varchar(5) ORDER BY id",
        &[Some("Th-ird and more")],
    ),
    // Without the blanks of char(n), but with those of the column.
    (
        "SELECT id FROM sealed WHERE word = 'ab '::char(10) OR word <> 'abc  and more'::char(5) ORDER BY id",
        &[],
    ),
    (
        "SELECT id FROM sealed WHERE word IN ($1::char(3), 'Grüezi') ORDER BY id",
        &[Some("abcdef")],
    ),
    (
        "SELECT id FROM sealed WHERE word = 'given'::char(3) OR word = 'given '",
        &[],
    ),
    // Arguments of EXECUTE.
    (
        "PREPARE p AS INSERT INTO sealed VALUES ($1, $2, $3, $4, $5, $6)",
        &[],
    ),
    (
        "EXECUTE p (5, 1.50::numeric, '2024-01-01 00:00'::timestamp, CAST('12:00' AS time), 'word'::text, CAST('l-g' AS text))",
        &[],
    ),
    (
        "EXECUTE p (6, -3::numeric, CAST('2024-01-02' AS timestamp), '12:30'::time, 'w'::varchar, '~'::varchar)",
        &[],
    ),
    (
        "EXECUTE p (7, '1.505'::numeric(10,2), CAST('2024-01-02 12:00:00.5' AS timestamp(0) without time zone), \
         '12:30:00.25'::time (1), 'word that is long'::varchar(6), 'lo-gin that is long'::character varying(5))",
        &[],
    ),
    (
        "EXECUTE p (8, NULL::numeric(10,2), CAST(NULL AS timestamp), NULL, ''::text, ''::varchar(3))",
        &[],
    ),
    (
        "EXECUTE p (9, 1000::numeric(3), NULL, NULL, NULL, NULL)",
        &[],
    ),
    (
        "PREPARE q (int, numeric) AS INSERT INTO sealed (id, amount) VALUES ($1, $2::numeric(5,1))",
        &[],
    ),
    ("EXECUTE q (10, 12.25::numeric)", &[]),
    ("PREPARE r AS SELECT id FROM sealed WHERE word = $1", &[]),
    ("EXECUTE r ('abcd'::char(3))", &[]),
];

fn run(
    session: &mut Connection,
    sql: &str,
    values: &[Option<&str>],
) -> Result<std::result::Result<Vec<Vec<String>>, String>> {
    let values: Vec<_> = values
        .iter()
        .map(|value| value.map(str::as_bytes))
        .collect();
    let bind = Bind {
        values: &values,
        ..Bind::default()
    };
    session.send_all(&[
        f::parse("", sql, &[]),
        f::bind("", "", bind),
        f::execute("", 0),
        f::sync(),
    ])?;
    let answers: Vec<Message> = session.ready()?;
    match answers.iter().find(|message| message.tag == b'E') {
        Some(error) => Ok(Err(error.field(b'C').unwrap_or_default().to_owned())),
        None => rows_of(&answers).map(Ok),
    }
}

fn same(version: u32) -> Result<()> {
    let scene = Scene::on(Postgres::shared(version)?, |acra| AcraConfig {
        search_keys: true,
        ..acra.encryptor_yaml(CONFIG)
    })?;
    scene.run_directly(TABLES)?;
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    for (sql, values) in STATEMENTS {
        let twin = sql.replace("sealed", "twin");
        let expected = run(&mut direct, &twin, values)?;
        assert_eq!(
            run(&mut proxied, sql, values)?,
            expected,
            "{sql} {values:?}"
        );
        let all = "SELECT id, amount, moment, at, word, login FROM sealed ORDER BY id";
        let expected = run(&mut direct, &all.replace("sealed", "twin"), &[])?;
        assert_eq!(run(&mut proxied, all, &[])?, expected, "{sql} {values:?}");
    }
    // Eight rows have arrived, and nothing of them is in clear.
    assert_eq!(scene.stored("SELECT count(*) FROM sealed")?, "8");
    let clear = "SELECT count(*) FROM sealed s JOIN twin USING (id) WHERE substr(s.amount, 1, 3) <> '%%%' \
        OR substr(s.moment, 1, 3) <> '%%%' OR substr(s.at, 1, 3) <> '%%%' OR twin.word <> '' AND substr(s.word, 34, 3) <> '%%%' \
        OR twin.login <> '' AND s.login = twin.login";
    assert_eq!(scene.stored(clear)?, "0");
    Ok(())
}

#[test]
fn casts_make_of_values_what_the_database_does_on_15() -> Result<()> {
    same(15)
}

#[test]
fn casts_make_of_values_what_the_database_does_on_18() -> Result<()> {
    same(18)
}
