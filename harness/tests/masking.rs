//! Masked columns: whoever has the keys reads the value, all others its clear end and a pattern, by every way of writing
//! and reading.

use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{Scene, hex, rows, rows_of, value};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use acra_harness::{Error, Result, at_rest, clients};

const CONFIG: &str = "schemas:\n  - table: vault\n    columns: [id, note, secret, other, open]\n    encrypted:\n      \
     - {column: secret, masking: xxxx, plaintext_length: 4, plaintext_side: left}\n      \
     - {column: other, masking: '****', plaintext_length: 6, plaintext_side: right, data_type: str}\n      \
     - {column: note, masking: '#', plaintext_length: 2, plaintext_side: left, data_type: str}\n";

/// The sealed part of every value; it may not be found in the database.
const HIDDEN: &str = "Hidden-Part-77";

/// A database, its owner's server, and those of a client with other keys and of one without.
struct Cast {
    scene: Scene<'static>,
    stranger: AcraServer,
    nobody: AcraServer,
}

impl Cast {
    fn new(version: u32, change: fn(AcraConfig) -> AcraConfig) -> Result<Self> {
        let configured = |config: AcraConfig| change(config.encryptor_yaml(CONFIG));
        let scene = Scene::on(Postgres::shared(version)?, configured)?;
        let config = configured(AcraConfig::new(scene.postgres.address()));
        Ok(Self {
            stranger: AcraServer::start(&config)?,
            nobody: AcraServer::start(&config.flag("--client_id=nobody-here"))?,
            scene,
        })
    }

    fn others(&self) -> Result<[Connection; 2]> {
        let connect =
            |acra: &AcraServer| Connection::login(acra.address(), "postgres", &self.scene.database);
        Ok([connect(&self.stranger)?, connect(&self.nobody)?])
    }
}

fn left() -> String {
    format!("4111{HIDDEN}")
}

/// Its last six bytes begin within a character.
fn right() -> String {
    format!("{HIDDEN}жж1é")
}

fn note() -> String {
    format!("ok{HIDDEN}")
}

/// What a client reads of the three columns in text.
fn full() -> [String; 3] {
    [hex(left().as_bytes()), right(), note()]
}

fn masked() -> [String; 3] {
    [hex(b"4111xxxx"), "****ж1é".to_owned(), "ok#".to_owned()]
}

const SELECT: &str = "SELECT secret, other, note FROM vault ORDER BY id";

/// Writes rows in every way; says how many.
fn write(scene: &Scene<'_>) -> Result<usize> {
    let mut session = scene.proxied()?;
    let (left, right, note) = (left(), right(), note());
    session.run(&format!(
        "INSERT INTO vault (id, secret, other, note) VALUES (1, '{left}', '{right}', '{note}'), (2, '{}', '{right}', '{note}')",
        hex(left.as_bytes())
    ))?;
    let insert = "INSERT INTO vault (id, secret, other, note) VALUES ($1::text::int, $2, $3, $4)";
    let text = [Some("3"), Some(&*left), Some(&*right), Some(&*note)];
    session.pipeline(&[
        f::parse("", insert, &[]),
        f::bind_text("", "", &text),
        f::execute("", 0),
        f::sync(),
    ])?;
    let binary = text.map(|value| value.map(str::as_bytes));
    let binary = [Some(&b"4"[..]), binary[1], binary[2]];
    session.pipeline(&[
        f::parse(
            "",
            "INSERT INTO vault (id, secret, other) VALUES ($1::text::int, $2, $3)",
            &[],
        ),
        f::bind(
            "",
            "",
            Bind {
                formats: &[0, 1, 1],
                values: &binary,
                results: &[],
            },
        ),
        f::execute("", 0),
        f::sync(),
    ])?;
    session.run(&format!("UPDATE vault SET note = '{note}' WHERE id = 4"))?;
    session.run(
        "PREPARE p (int) AS INSERT INTO vault (id, secret, other, note) VALUES ($1, $2, $3, $4)",
    )?;
    session.run(&format!("EXECUTE p (5, '{left}', '{right}', '{note}')"))?;
    let script = format!(
        "COPY vault (id, secret, other, note) FROM STDIN;\n6\t{left}\t{right}\t{note}\n\\.\n\
         COPY vault (id, secret, other, note) FROM STDIN CSV;\n7,{left},\"{right}\",{note}\n\\.\n"
    );
    let arguments = ["-q", "-v", "ON_ERROR_STOP=1"];
    let copied = clients::psql(scene.acra.address(), &scene.database, &arguments, &script)?;
    assert!(copied.success, "{copied:?}");
    Ok(7)
}

fn is_masked_at_rest(scene: &Scene<'_>, count: usize) -> Result<()> {
    let masked = "SELECT count(*) FROM vault WHERE substr(secret, 1, 7) = '4111%%%' \
        AND substr(other, length(other) - 4) = convert_to('ж1é', 'UTF8') \
        AND position('\\xd0b6d0b631c3a9' IN other) = 0 AND note LIKE '\\\\x6f6b252525%'";
    assert_eq!(scene.stored(masked)?, count.to_string());
    let hidden = [HIDDEN.as_bytes()];
    let found = at_rest::in_tables(scene.postgres, &scene.database, &hidden)?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

/// Rows by the extended protocol, in this format, described or not.
fn extended(
    session: &mut Connection,
    sql: &str,
    format: u16,
    described: bool,
) -> Result<Vec<Vec<String>>> {
    let results = [format];
    let bind = Bind {
        results: &results,
        ..Bind::default()
    };
    let mut messages = vec![f::parse("", sql, &[]), f::bind("", "", bind)];
    if described {
        messages.push(f::describe_portal(""));
    }
    messages.extend([f::execute("", 0), f::sync()]);
    session.send_all(&messages)?;
    rows_of(&session.ready()?).map_err(|error| Error::new(format!("{sql}: {error}")))
}

/// That a client reads this of the three columns, in every way.
fn reads(session: &mut Connection, expected: &[String; 3], count: usize) -> Result<()> {
    let all = vec![expected.to_vec(); count];
    assert_eq!(rows(session, SELECT)?, all);
    for described in [true, false] {
        assert_eq!(extended(session, SELECT, 0, described)?, all, "{described}");
        let binary = extended(session, SELECT, 1, described)?;
        let [secret, rest @ ..] = &*binary[0] else {
            panic!("{binary:?}");
        };
        assert_eq!(hex(secret.as_bytes()), expected[0]);
        assert_eq!(rest, &expected[1..]);
    }
    let secret = vec![vec![expected[0].clone()]; count];
    for sql in [
        "SELECT s FROM (SELECT secret AS s FROM vault) AS v",
        "WITH v AS (SELECT secret FROM vault) SELECT * FROM v",
        "SELECT secret FROM vault WHERE id < 4 UNION ALL SELECT secret FROM vault WHERE id >= 4",
        "SELECT coalesce(secret, 'none') FROM vault",
        "UPDATE vault SET open = '1' RETURNING secret",
        "SELECT secret FROM vault_view",
    ] {
        assert_eq!(rows(session, sql)?, secret, "{sql}");
        assert_eq!(extended(session, sql, 0, false)?, secret, "{sql}");
    }
    session.run("PREPARE reading AS SELECT secret FROM vault UNION ALL SELECT secret FROM vault WHERE id < 0")?;
    assert_eq!(rows(session, "EXECUTE reading")?, secret);
    assert_eq!(extended(session, "EXECUTE reading", 0, false)?, secret);
    session.run("BEGIN")?;
    session.run("DECLARE walk CURSOR FOR SELECT secret FROM vault UNION ALL SELECT secret FROM vault WHERE id < 0")?;
    let mut fetched = rows(session, "FETCH 2 FROM walk")?;
    fetched.extend(extended(session, "FETCH FORWARD 2 FROM walk", 0, false)?);
    session.send_all(&[f::execute("walk", 0), f::sync()])?;
    fetched.extend(rows_of(&session.ready()?)?);
    assert_eq!(fetched, secret);
    session.run("COMMIT")?;
    session.run("DEALLOCATE reading")?;
    // Several statements of one text, of which one is another table's.
    let mixed = rows(
        session,
        "SELECT 'x'; SELECT secret FROM vault LIMIT 1; SELECT 'y'",
    )?;
    assert_eq!(mixed.concat(), ["x", &expected[0], "y"]);
    Ok(())
}

fn copied(session: &mut Connection, sql: &str) -> Result<Vec<u8>> {
    session.send(&f::query(sql))?;
    let answers = session.ready()?;
    let data = answers.iter().filter(|message| message.tag == b'd');
    Ok(data
        .flat_map(|message: &Message| message.body.clone())
        .collect())
}

fn copies(session: &mut Connection, expected: &[String; 3]) -> Result<()> {
    let [secret, other, note] = expected;
    for sql in [
        "COPY vault (secret, other, note) TO STDOUT",
        "COPY (SELECT secret, other, note FROM vault LIMIT 1) TO STDOUT",
    ] {
        let data = copied(session, sql)?;
        let line = format!("\\{secret}\t{other}\t{note}\n");
        assert!(data.starts_with(line.as_bytes()), "{sql}: {data:?}");
    }
    let data = copied(session, "COPY vault (secret, other, note) TO STDOUT CSV")?;
    let line = format!("{secret},{other},{note}\n");
    assert!(data.starts_with(line.as_bytes()), "{data:?}");
    let data = copied(session, "COPY vault (other) TO STDOUT BINARY")?;
    assert!(
        memchr::memmem::find(&data, other.as_bytes()).is_some(),
        "{data:?}"
    );
    Ok(())
}

fn everybody(version: u32) -> Result<()> {
    let cast = Cast::new(version, |config| config)?;
    cast.scene
        .run_directly("CREATE VIEW vault_view AS SELECT id, secret FROM vault")?;
    let count = write(&cast.scene)?;
    is_masked_at_rest(&cast.scene, count)?;
    let mut owner = cast.scene.proxied()?;
    reads(&mut owner, &full(), count)?;
    copies(&mut owner, &full())?;
    for mut other in cast.others()? {
        reads(&mut other, &masked(), count)?;
        copies(&mut other, &masked())?;
    }
    cast.scene.works()
}

#[test]
fn everybody_reads_what_they_may_on_15() -> Result<()> {
    everybody(15)
}

#[test]
fn everybody_reads_what_they_may_on_18() -> Result<()> {
    everybody(18)
}

#[test]
fn values_that_stay_as_they_are() -> Result<()> {
    let cast = Cast::new(17, |config| config)?;
    let scene = &cast.scene;
    let mut owner = scene.proxied()?;
    // Not longer than the clear end, empty, NULL.
    owner
        .run("INSERT INTO vault (id, secret) VALUES (1, '411'), (2, '4111'), (3, ''), (4, NULL)")?;
    let sealed = "SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, "2");
    let select = "SELECT secret FROM vault ORDER BY id";
    assert_eq!(
        rows(&mut owner, select)?.concat(),
        [&hex(b"411"), &hex(b"4111"), "\\x", "NULL"]
    );
    let [mut stranger, _] = cast.others()?;
    assert_eq!(
        rows(&mut stranger, select)?.concat(),
        [&hex(b"xxxx"), &hex(b"xxxx"), "\\x", "NULL"]
    );
    // What is masked already, as in a dump of the database itself, is not masked again.
    owner.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (5, '{}')",
        left()
    ))?;
    let stored = scene.stored("SELECT secret FROM vault WHERE id = 5")?;
    owner.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (6, '{stored}')"
    ))?;
    assert_eq!(
        scene.stored("SELECT secret FROM vault WHERE id = 6")?,
        stored
    );
    // Rows from before.
    scene.run_directly("INSERT INTO vault (id, secret) VALUES (7, 'old plain')")?;
    let old = "SELECT secret FROM vault WHERE id = 7";
    assert_eq!(value(&mut stranger, old)?, hex(b"old plain"));
    scene.works()
}

#[test]
fn kin_of_the_table_is_masked() -> Result<()> {
    let cast = Cast::new(15, |config| config)?;
    let scene = &cast.scene;
    scene.run_directly("CREATE TABLE child (more int) INHERITS (vault)")?;
    let mut owner = scene.proxied()?;
    owner.run(&format!(
        "INSERT INTO child (id, secret) VALUES (1, '{}')",
        left()
    ))?;
    for mut other in cast.others()? {
        for table in ["vault", "child"] {
            let sql = format!("SELECT * FROM {table}");
            let read = extended(&mut other, &sql, 0, false)?;
            assert_eq!(read[0][2], hex(b"4111xxxx"), "{table}");
        }
        // One name in the statement, another in the configuration.
        let renamed = "SELECT x.b FROM vault AS x (a, n, b)";
        assert_eq!(value(&mut other, renamed)?, hex(b"4111xxxx"));
    }
    Ok(())
}

#[test]
fn without_any_schema_the_description_tells() -> Result<()> {
    let unlisted = |config: AcraConfig| {
        let yaml = CONFIG.replace("    columns: [id, note, secret, other, open]\n", "");
        config.encryptor_yaml(&yaml)
    };
    let cast = Cast::new(17, unlisted)?;
    let mut owner = cast.scene.proxied()?;
    owner.run(&format!(
        "INSERT INTO vault (id, secret, other, note) VALUES (1, '{}', '{}', '{}')",
        left(),
        right(),
        note()
    ))?;
    for mut other in cast.others()? {
        for described in [true, false] {
            let read = extended(
                &mut other,
                "SELECT p.*, v.* FROM plain p RIGHT JOIN vault v ON true",
                0,
                described,
            )?;
            let [secret, text, note] = masked();
            assert_eq!(read[0][2..6], ["1".to_owned(), note, secret, text]);
        }
    }
    Ok(())
}
