//! LOAD DATA LOCAL INFILE into protected tables: the file passes through encryption as a stream.

use crate::protected::{
    ENCRYPTED, ENCRYPTED_COLUMNS, FULL_MARIADB, FULL_MYSQL, SEARCHABLE, Scene, TOKEN_COLUMNS,
    TOKENS, TYPED, TYPED_COLUMNS, each, some,
};
use acra_engine::wire::mysql::error;
use acra_harness::mysql::Connection;
use acra_harness::servers::Flavour;
use acra_harness::{Error, Result};

/// Loads a file that comes in these pieces; gives the server's answer.
pub(crate) fn load(session: &mut Connection, sql: &str, pieces: &[&[u8]]) -> Result<Vec<u8>> {
    session.query(sql)?;
    let wanted = session.packet()?;
    if wanted.payload.first() != Some(&0xfb) {
        return Err(Error::new(format!("{sql} asks for no file: {wanted}")));
    }
    let mut sequence = wanted.sequence;
    for piece in pieces.iter().chain([&&b""[..]]) {
        sequence = sequence.wrapping_add(1);
        session.send(sequence, piece)?;
        // A full packet is followed by an empty one.
        sequence = sequence.wrapping_add(u8::from(piece.len() == 0x00ff_ffff));
    }
    Ok(session.settled()?.payload.clone())
}

/// The same, which must succeed.
fn loaded(session: &mut Connection, sql: &str, pieces: &[&[u8]]) -> Result<()> {
    let answer = load(session, sql, pieces)?;
    match answer.first() {
        Some(0) => Ok(()),
        _ => Err(Error::new(format!("{sql}: {}", answer.escape_ascii()))),
    }
}

scenario!(files, ENCRYPTED_COLUMNS, ENCRYPTED);
fn files(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    loaded(
        &mut session,
        &scene.sql("LOAD DATA LOCAL INFILE 'locally called' INTO TABLE {t} (id, ssn, note)"),
        &[
            b"1\t078-0",
            b"5-1120\tone\\ttab\n2\t\\N",
            b"\t\\N\n3\t\t\n4\t078-05-\\\\4\\n\tlast",
        ],
    )?;
    loaded(
        &mut session,
        &scene.sql(
            "LOAD DATA LOCAL INFILE 'f' REPLACE INTO TABLE {t} CHARACTER SET utf8mb4 FIELDS TERMINATED BY '||' OPTIONALLY ENCLOSED BY '\"' LINES STARTING BY '> ' TERMINATED BY '\\r\\n' IGNORE 1 LINES (ssn, @number, note) SET id = @number + 10;",
        ),
        &["ssn||id||note\r\n> \"078-05-\"\"q\"||1||\"f\u{fc}r\"\r\nzz> 078-05-\u{fc}|x||2||NULL\r".as_bytes(), b"\n"],
    )?;
    session.run("SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")?;
    loaded(
        &mut session,
        &scene.sql(
            "LOAD DATA LOCAL INFILE 'f' IGNORE INTO TABLE {t} FIELDS TERMINATED BY 'A' (id, ssn)",
        ),
        &[b"21A078-05-\\t\n"],
    )?;
    let read = session.table(&scene.sql("SELECT id, ssn, note FROM {t} ORDER BY id"))?;
    let expected = [
        [some("1"), some("078-05-1120"), some("one\ttab")],
        [some("2"), None, None],
        [some("3"), some(""), some("")],
        [some("4"), some("078-05-\\4\n"), some("last")],
        [some("11"), some("078-05-\"q"), some("f\u{fc}r")],
        [some("12"), some("078-05-\u{fc}|x"), None],
        [some("21"), some("078-05-\\t"), None],
    ];
    assert_eq!(read.rows, expected);
    let stored = scene.stored("SELECT ssn FROM {t} WHERE LENGTH(ssn) > 0")?;
    assert_eq!(stored.len(), 5);
    assert!(
        stored
            .iter()
            .flatten()
            .flatten()
            .all(|cell| cell.starts_with(b"%%%"))
    );
    // A file that is longer than what is held; a header that is longer than a packet.
    let header = vec![b'h'; 0x00ff_ffff];
    let row = format!("078-05-{}\t", "x".repeat(100_000));
    let rows = |from: usize| {
        let rows = (from..from + 10).map(|id| format!("{row}{id}\n"));
        rows.collect::<String>().into_bytes()
    };
    let both = [rows(100), rows(200)].concat();
    let (first, second) = both.split_at(1_000_001);
    loaded(
        &mut session,
        &scene.sql("LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} IGNORE 1 LINES (ssn, id)"),
        &[&header, b"\n", first, second],
    )?;
    let read = session.table(&scene.sql("SELECT ssn FROM {t} WHERE id = 209"))?;
    assert_eq!(read.rows, [[some(row.trim_end())]]);
    let count = scene.stored("SELECT COUNT(*) FROM {t} WHERE LEFT(ssn, 3) = '%%%'")?;
    assert_eq!(count, [[some("25")]]);
    Ok(())
}

scenario!(searchable_files, ENCRYPTED_COLUMNS, SEARCHABLE);
fn searchable_files(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    loaded(
        &mut session,
        &scene.sql("LOAD DATA LOCAL INFILE 'f' INTO TABLE {t}"),
        &[b"1\t078-05-1\tn\n2\t078-05-2\tn\n"],
    )?;
    let found = session.table(&scene.sql("SELECT id FROM {t} WHERE ssn = '078-05-2'"))?;
    assert_eq!(found.rows, [[some("2")]]);
    scene.stored("SELECT id FROM {t}")?;
    Ok(())
}

scenario!(tokenized_files, TOKEN_COLUMNS, TOKENS);
fn tokenized_files(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    session.run(&scene.sql("INSERT INTO {t} (id, age) VALUES (9, 41)"))?;
    loaded(
        &mut session,
        &scene.sql("LOAD DATA LOCAL INFILE 'f' INTO TABLE {t}"),
        &[b"1\t41\talice@078-05-1.com\t078-05-Alice\n2\t-7\t\\N\t\n"],
    )?;
    let read = session
        .table(&scene.sql("SELECT id, age, mail, name FROM {t} WHERE id < 9 ORDER BY id"))?;
    let expected = [
        [
            some("1"),
            some("41"),
            some("alice@078-05-1.com"),
            some("078-05-Alice"),
        ],
        [some("2"), some("-7"), None, some("")],
    ];
    assert_eq!(read.rows, expected);
    // One value has one token, however it comes.
    let found = session.table(&scene.sql("SELECT id FROM {t} WHERE age = 41 ORDER BY id"))?;
    assert_eq!(found.rows, [[some("1")], [some("9")]]);
    let kept = scene.stored("SELECT age, mail, name FROM {t} WHERE id = 1")?;
    assert!(kept[0].iter().flatten().all(|cell| !cell.is_empty()));
    assert_ne!(kept[0][1], some("alice@078-05-1.com"));
    // One number may be its own token by chance, two are not.
    let ages = scene.stored("SELECT age FROM {t} WHERE id < 9 ORDER BY id")?;
    assert_ne!(ages, [[some("41")], [some("-7")]]);
    Ok(())
}

scenario!(typed_files, TYPED_COLUMNS, TYPED);
fn typed_files(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let sql = scene.sql("LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} CHARACTER SET utf8mb4");
    let rows = "1\t42\t-9000000000\t078-05-\u{e9}\t078-05-1120\n2\t\\N\t7\t\\N\t078\n";
    loaded(&mut session, &sql, &[rows.as_bytes()])?;
    let read =
        session.table(&scene.sql("SELECT id, number, big, name, card FROM {t} ORDER BY id"))?;
    let expected = [
        [
            some("1"),
            some("42"),
            some("-9000000000"),
            some("078-05-\u{e9}"),
            some("078-05-1120"),
        ],
        [some("2"), None, some("7"), None, some("078")],
    ];
    assert_eq!(read.rows, expected);
    let kept = scene.stored("SELECT number, big, name FROM {t} WHERE id = 1")?;
    assert!(
        kept[0]
            .iter()
            .flatten()
            .all(|cell| cell.starts_with(b"%%%")),
        "{kept:?}"
    );
    // What is none of its type is refused, and nothing of the file is kept.
    let answer = load(
        &mut session,
        &sql,
        &[b"3\t1\t1\ta\tb\n4\t078-05-many\t1\ta\tb\n"],
    )?;
    let text = String::from_utf8_lossy(&answer);
    assert!(
        text.contains("is not valid for type") && !text.contains("078-05"),
        "{text}"
    );
    assert_eq!(scene.stored("SELECT COUNT(*) FROM {t}")?, [[some("2")]]);
    session.run("DO 1")
}

const PARTITIONED: &str = "id INT PRIMARY KEY, ssn LONGBLOB, note TEXT) PARTITION BY RANGE (id) \
    (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN (1000)";

scenario!(partitions, PARTITIONED, ENCRYPTED);
fn partitions(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let all = "LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} PARTITION (low, high) (id, ssn)";
    let rows: &[&[u8]] = &[b"1\t078-05-1\n50\t078-05-50\n"];
    loaded(&mut session, &scene.sql(all), rows)?;
    // A row of another partition is left out with a warning, as in every LOAD DATA LOCAL.
    let low = "LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} PARTITION (low) (id, ssn)";
    let rows: &[&[u8]] = &[b"2\t078-05-2\n60\t078-05-60\n"];
    loaded(&mut session, &scene.sql(low), rows)?;
    let read = session.table(&scene.sql("SELECT id, ssn FROM {t} PARTITION (low) ORDER BY id"))?;
    let expected = [[some("1"), some("078-05-1")], [some("2"), some("078-05-2")]];
    assert_eq!(read.rows, expected);
    let kept = scene.stored("SELECT id FROM {t} WHERE LEFT(ssn, 3) = '%%%' ORDER BY id")?;
    assert_eq!(kept, [[some("1")], [some("2")], [some("50")]]);
    Ok(())
}

scenario!(without_transactions, ENCRYPTED_COLUMNS, ENCRYPTED);
fn without_transactions(scene: &mut Scene) -> Result<()> {
    scene.direct.run(&scene.sql("DROP TABLE {t}"))?;
    let table = format!("CREATE TABLE {{t}} ({ENCRYPTED_COLUMNS}) ENGINE = MyISAM");
    scene.direct.run(&scene.sql(&table))?;
    let mut session = scene.side.login()?;
    let sql = scene.sql("LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} (note, id, ssn)");
    loaded(&mut session, &sql, &[b"n\t1\t078-05-1\n"])?;
    let read = session.table(&scene.sql("SELECT ssn FROM {t}"))?;
    assert_eq!(read.rows, [[some("078-05-1")]]);
    // The second row has no cell for the column: rows before it may stay, and none of them in the clear.
    let answer = load(
        &mut session,
        &sql,
        &[b"n\t2\t078-05-2\nn\t3\n", b"n\t4\t078-05-4\n"],
    )?;
    assert_eq!(answer.first(), Some(&error::ERR));
    let kept = scene.stored("SELECT id FROM {t} WHERE LEFT(ssn, 3) <> '%%%' OR id > 2")?;
    assert!(kept.is_empty(), "{kept:?}");
    session.run("DO 1")
}

scenario!(wrong_files, ENCRYPTED_COLUMNS, ENCRYPTED);
fn wrong_files(scene: &mut Scene) -> Result<()> {
    let mut session = scene.side.login()?;
    let many = "1\t078-05-1\tx\n2\t078-05-2\tx\n".as_bytes();
    let wrong: [(&str, &[&[u8]], &str); 3] = [
        (
            "INTO TABLE {t} (note, id, ssn)",
            &[b"n\t1\t078-05-1\nn\t2", b"\nn\t3\t078-05-3\n"],
            "a row has no cell for protected column",
        ),
        (
            "INTO TABLE {t}",
            &[
                many,
                "3\t078-05-\u{fc}\tx\n".as_bytes(),
                b"4\t078-05-4\tx\n",
            ],
            "the statement does not tell its character set",
        ),
        (
            "INTO TABLE {t} CHARACTER SET latin1",
            &[many, b"3\t078-05-\xfc\tx\n"],
            "character_set_client is not utf8mb4",
        ),
    ];
    for (into, pieces, expected) in wrong {
        let answer = load(
            &mut session,
            &scene.sql(&format!("LOAD DATA LOCAL INFILE 'f' {into}")),
            pieces,
        )?;
        assert_eq!(answer.first(), Some(&error::ERR), "{into}");
        let text = String::from_utf8_lossy(&answer);
        assert!(
            text.contains(expected) && !text.contains("078-05"),
            "{text}"
        );
        // Nothing of it is kept, and the session goes on.
        assert_eq!(
            scene.stored("SELECT COUNT(*) FROM {t}")?,
            [[some("0")]],
            "{into}"
        );
        session.run("DO 1")?;
    }
    for refused in [
        "LOAD DATA INFILE '/f' INTO TABLE {t}",
        "LOAD XML LOCAL INFILE 'f' INTO TABLE {t}",
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} (id, @s) SET ssn = @s",
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} (id, ssn) SET note = ssn",
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} CHARACTER SET gbk (id, ssn)",
        "LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} FIELDS TERMINATED BY '' ENCLOSED BY '' (id, ssn)",
        "DO 1; LOAD DATA LOCAL INFILE 'f' INTO TABLE {t} (id, ssn)",
    ] {
        session.error(&scene.sql(refused))?;
    }
    session.run("DO 1")
}
