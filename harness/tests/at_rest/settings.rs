//! Settings of a session that decide how values are read and shown.

use crate::{MARK, Way, cells, check_row};
use acra_harness::raw::frontend as f;
use acra_harness::scene::{hex, rows, value};
use acra_harness::{Result, at_rest};

fn strings_with_escapes_in_them(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    proxied.run("SET standard_conforming_strings = off; SET escape_string_warning = off")?;
    for (id, literal, plain) in [
        ("1", "'MARK it\\'s\\n\\101'", "MARK it's\nA"),
        ("2", "'\\\\x6b6570744d41524b'", "keptMARK"),
        ("3", "'MARK\\\\\\\\'", "MARK\\"),
        ("4", "$$MARK \\ $$", "MARK \\ "),
        ("5", "'MARK\\''\n'\\''", "MARK''"),
    ] {
        // The hexadecimal form is of the word itself.
        let mark = if id == "2" { "MARK" } else { MARK };
        let (literal, plain) = (literal.replace("MARK", mark), plain.replace("MARK", mark));
        for sign in ["", "-"] {
            let id = format!("{sign}{id}");
            let sql = format!("INSERT INTO vault (id, secret) VALUES ({id}, {literal})");
            match sign {
                "" => proxied.run(&sql)?,
                _ => proxied.pipeline(&[
                    f::parse("", &sql, &[]),
                    f::bind_text("", "", &[]),
                    f::execute("", 0),
                    f::sync(),
                ])?,
            }
            check_row(&mut direct, &mut proxied, &id, plain.as_bytes())?;
        }
    }
    proxied.run("RESET standard_conforming_strings")?;
    proxied.run(&format!(
        "INSERT INTO vault (id, secret) VALUES (6, 'C:\\{MARK}\\')"
    ))?;
    check_row(
        &mut direct,
        &mut proxied,
        "6",
        format!("C:\\{MARK}\\").as_bytes(),
    )?;
    assert!(at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?.is_empty());
    scene.works()
}

fn bytea_in_its_escape_form(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let mut proxied = scene.proxied()?;
    proxied.run("SET bytea_output = 'escape'")?;
    let plains: Vec<Vec<u8>> = (0..40)
        .map(|n| [MARK.as_bytes(), &vec![n as u8 * 6; n * 7]].concat())
        .collect();
    for (id, plain) in plains.iter().enumerate() {
        proxied.run(&format!(
            "INSERT INTO vault (id, note, secret, other, open) VALUES ({id}, 'n', '{}', 'x', '\\001 \\\\ %%%')",
            hex(plain)
        ))?;
    }
    // Containers open in the form that every client reads; what was not sealed stays in the form asked for.
    let expected: Vec<_> = plains
        .iter()
        .map(|plain| [hex(plain), "n".into(), hex(b"x"), "\\001 \\\\ %%%".into()])
        .collect();
    assert_eq!(
        rows(
            &mut proxied,
            "SELECT secret, note, other, open FROM vault ORDER BY id"
        )?,
        expected
    );
    let binary = Way::Extended(1, crate::Described::Not);
    let read = cells(&binary.run(&mut proxied, "SELECT secret FROM vault ORDER BY id")?);
    assert_eq!(read, plains.into_iter().map(Some).collect::<Vec<_>>());
    scene.works()
}

fn texts_in_another_encoding(version: u32) -> Result<()> {
    let scene = crate::vault(version)?;
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    for (id, encoding) in ["LATIN1", "SJIS", "GBK", "WIN1251", "EUC_JP"]
        .iter()
        .enumerate()
    {
        proxied.run(&format!("SET client_encoding = '{encoding}'"))?;
        let id = id.to_string();
        proxied.run(&format!(
            "INSERT INTO vault (id, secret) VALUES ({id}, '{MARK} \\ in ASCII')"
        ))?;
        check_row(
            &mut direct,
            &mut proxied,
            &id,
            format!("{MARK} \\ in ASCII").as_bytes(),
        )?;
        // The second byte of this character is a backslash in SJIS, a quote is in none.
        proxied.send(&f::message(
            b'Q',
            b"INSERT INTO plain (note) VALUES ('\x83\x5c')\0",
        ))?;
        proxied.ready()?;
        proxied.send(&f::message(
            b'Q',
            b"UPDATE vault SET note = '\x83\x5c', secret = 'never stored so' WHERE id = -1\0",
        ))?;
        let answers = proxied.ready()?;
        let stays = answers
            .iter()
            .all(|answer| !answer.to_string().contains("never stored so"));
        assert!(stays, "{encoding}: {answers:?}");
    }
    proxied.run("SET client_encoding = 'UTF8'")?;
    proxied.run("INSERT INTO vault (id, secret) VALUES (100, 'grüße')")?;
    assert_eq!(
        value(&mut proxied, "SELECT secret FROM vault WHERE id = 100")?,
        hex("grüße".as_bytes())
    );
    assert!(at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?.is_empty());
    scene.works()
}

crate::on_each_version! {
    strings_with_escapes_in_them,
    bytea_in_its_escape_form,
    texts_in_another_encoding,
}
