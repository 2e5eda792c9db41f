//! Values in the text of a statement.

use crate::{MARK, NUMBER, WAYS, Way, cells, check_row};
use acra_harness::Result;
use acra_harness::scene::Scene;

/// Values as they are written, and what they stand for; `MARK` and `NUMBER` stand for those.
const LITERALS: &[(&str, &[u8])] = &[
    ("'MARK'", b"MARK"),
    ("'it''s \"MARK\"'", b"it's \"MARK\""),
    ("'MARK over\ntwo lines\ttab'", b"MARK over\ntwo lines\ttab"),
    ("'MARK grüße €'", "MARK grüße €".as_bytes()),
    ("'MARK 🗝️🔒'", "MARK 🗝️🔒".as_bytes()),
    (
        "'MARK -- no /* comment */ ; $1'",
        b"MARK -- no /* comment */ ; $1",
    ),
    ("' MARK %%% \"\"\"\"'", b" MARK %%% \"\"\"\""),
    // The input form of bytea: hexadecimal, escapes, and text that is neither.
    ("'\\x6b657074000fFF'", b"kept\x00\x0f\xff"),
    ("'MARK\\000\\377\\\\'", b"MARK\0\xff\\"),
    ("'C:\\MARK'", b"C:\\MARK"),
    (
        "E'MARK it\\'s\\n\\u00e4\\x41\\101'",
        "MARK it's\näAA".as_bytes(),
    ),
    ("E'MARK \\\\\\\\ \\\\001'", b"MARK \\ \x01"),
    ("e'\\\\x6b6570744d41524b00'", b"keptMARK\0"),
    ("U&'MARK \\00E4\\+01F600'", "MARK ä😀".as_bytes()),
    ("U&'MARK !0441!!' UESCAPE '!'", "MARK с!".as_bytes()),
    ("$$MARK 'quoted' \"names\"$$", b"MARK 'quoted' \"names\""),
    ("$tag$MARK $$ \\x00 $tag$", b"MARK $$ \\x00 "),
    ("'MARK'\n  ' goes on'", b"MARK goes on"),
    ("'MARK' -- and\n 'on'", b"MARKon"),
    ("E'MARK\\t'\n'\\t'", b"MARK\t\t"),
    ("NUMBER", b"NUMBER"),
    ("-NUMBER", b"-NUMBER"),
    ("- NUMBER", b"-NUMBER"),
    ("NUMBER.50", b"NUMBER.50"),
    ("'MARK'::bytea", b"MARK"),
    ("CAST('\\x6b6570744d41524bff' AS bytea)", b"keptMARK\xff"),
    ("('MARK')", b"MARK"),
    ("(('MARK'))::bytea", b"MARK"),
];

/// Statements that write a value: what has to be done before, and the statement.
const FORMS: &[(&str, &str)] = &[
    (
        "",
        "INSERT INTO vault (id, note, secret) VALUES ({id}, 'n', {value})",
    ),
    (
        "",
        "INSERT INTO vault (secret, id, other) VALUES ({value}, {id}, {value}), ({value}, -{id}, NULL)",
    ),
    (
        "",
        "insert into Public.vault as v (ID, \"secret\") values ({id}, {value}) returning v.secret AS s",
    ),
    (
        "INSERT INTO vault (id) VALUES ({id})",
        "UPDATE vault SET secret = {value} WHERE id = {id}",
    ),
    (
        "INSERT INTO vault (id, other) VALUES ({id}, 'MARK')",
        "UPDATE vault v SET note = 'x', \"secret\" = {value} WHERE v.id = {id} AND other IS NOT NULL RETURNING secret",
    ),
    (
        "INSERT INTO vault (id, secret) VALUES ({id}, 'MARK')",
        "SELECT 1; /* MARK? */ UPDATE vault SET secret = {value}, other = {value} WHERE id = {id}; SELECT 2",
    ),
];

fn fill(text: &str) -> String {
    text.replace("MARK", MARK).replace("NUMBER", NUMBER)
}

/// Bytes that are not UTF-8 have no words to replace but in their ASCII part.
fn fill_bytes(bytes: &[u8]) -> Vec<u8> {
    let (mut filled, mut rest) = (Vec::new(), bytes);
    while let Some((first, after)) = rest.split_first() {
        let (word, taken): (&[u8], usize) = if rest.starts_with(b"MARK") {
            (MARK.as_bytes(), 4)
        } else if rest.starts_with(b"NUMBER") {
            (NUMBER.as_bytes(), 6)
        } else {
            (std::slice::from_ref(first), 1)
        };
        filled.extend_from_slice(word);
        rest = rest.get(taken..).unwrap_or(after);
    }
    filled
}

/// Writes every literal by every statement, and reads it back.
pub(crate) fn write(scene: &Scene<'_>) -> Result<()> {
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    let mut number = 0;
    for (literal, plain) in LITERALS {
        // Written out in hexadecimal, the word is what it says.
        let plain = match literal.contains("4d41524b") {
            true => plain.to_vec(),
            false => fill_bytes(plain),
        };
        for (before, sql) in FORMS {
            // One text has one statement where it is prepared.
            let ways = if sql.contains(';') { 1 } else { WAYS.len() };
            for way in &WAYS[..ways] {
                number += 1;
                let id = number.to_string();
                let text = |sql: &str| fill(&sql.replace("{id}", &id).replace("{value}", literal));
                if !before.is_empty() {
                    proxied.run(&text(before))?;
                }
                let answers = way.run(&mut proxied, &text(sql))?;
                if sql.to_lowercase().contains("returning") {
                    let returned = cells(&answers);
                    assert_eq!(
                        returned,
                        [Some(way.cell(&plain))],
                        "{literal}: {sql} {way:?}"
                    );
                }
                check_row(&mut direct, &mut proxied, &id, &plain)?;
                if *way != Way::Simple && sql.contains("-{id}") {
                    check_row(&mut direct, &mut proxied, &format!("-{id}"), &plain)?;
                }
            }
        }
    }
    Ok(())
}
