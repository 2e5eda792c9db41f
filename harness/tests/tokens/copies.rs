//! COPY in and out, in all formats.

use super::{Place, Tokens, error};
use acra_harness::raw::frontend as f;
use acra_harness::{Result, scene};

/// Sends rows by COPY; the answers.
fn copy_in(
    connection: &mut acra_harness::raw::Connection,
    sql: &str,
    data: &[u8],
    piece: usize,
) -> Result<Vec<acra_harness::raw::Message>> {
    connection.send(&f::query(sql))?;
    connection.until(b'G')?;
    let pieces = data.chunks(piece).map(f::copy_data);
    connection.send_all(&pieces.chain([f::copy_done()]).collect::<Vec<_>>())?;
    connection.ready()
}

/// What a COPY gives.
fn copy_out(connection: &mut acra_harness::raw::Connection, sql: &str) -> Result<Vec<u8>> {
    let answers = connection.query(sql)?;
    scene::rows_of(&answers)?;
    let data = answers.iter().filter(|message| message.tag == b'd');
    Ok(data.flat_map(|message| message.body.clone()).collect())
}

fn round(place: &Place) -> Result<()> {
    let tokens = Tokens::start(place)?;
    let mut proxied = tokens.proxied()?;
    let columns = "(id, age, account, name, raw, mail)";
    let mut text = String::new();
    for id in 1..=500 {
        let account = i64::from(id % 10) << 33;
        text += &format!(
            "{id}\t{id}\t{account}\tname\\\\ {id}\\ttab\t\\\\x0102030405060{}\talice{id}@example.com\n",
            id % 10
        );
    }
    text += "501\t\\N\t\\N\t\\N\t\\N\t\n";
    let answers = copy_in(
        &mut proxied,
        &format!("COPY people {columns} FROM STDIN"),
        text.as_bytes(),
        777,
    )?;
    scene::rows_of(&answers)?;
    let stored =
        "SELECT count(DISTINCT age), count(DISTINCT account), count(DISTINCT name) FROM people";
    assert_eq!(tokens.stored(stored)?, [["500", "10", "500"]]);
    let clear = "SELECT count(*) FROM people WHERE name LIKE 'name%' OR mail LIKE 'alice%' OR (age = id AND id < 501)";
    assert_eq!(tokens.stored(clear)?, [["0"]]);

    let sql = "COPY (SELECT id, age, account, name, raw, mail FROM people ORDER BY id) TO STDOUT";
    assert_eq!(String::from_utf8_lossy(&copy_out(&mut proxied, sql)?), text);
    for format in [
        "(FORMAT csv)",
        "(FORMAT binary)",
        "(FORMAT csv, FORCE_QUOTE *)",
    ] {
        let data = copy_out(
            &mut proxied,
            &format!("COPY people {columns} TO STDOUT {format}"),
        )?;
        proxied.run("DELETE FROM people")?;
        let format = format.replace(", FORCE_QUOTE *", "");
        let into = format!("COPY people {columns} FROM STDIN {format}");
        scene::rows_of(&copy_in(&mut proxied, &into, &data, 10_000)?)?;
        assert_eq!(
            String::from_utf8_lossy(&copy_out(&mut proxied, sql)?),
            text,
            "{format}"
        );
        assert_eq!(tokens.stored(clear)?, [["0"]], "{format}");
    }
    let answers = copy_in(
        &mut proxied,
        &format!("COPY people {columns} FROM STDIN"),
        b"900\tx\t1\tn\t\\\\x\tm\n",
        100,
    )?;
    let said = error(&answers)?;
    assert!(
        said.contains("not a decimal number") && said.contains("line 1"),
        "{said}"
    );
    tokens.works()
}

#[test]
fn rows_go_in_and_come_out_in_a_file() -> Result<()> {
    round(&Place::file()?)
}

#[test]
fn rows_go_in_and_come_out_in_redis() -> Result<()> {
    round(&Place::redis()?)
}
