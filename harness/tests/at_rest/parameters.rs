//! Values bound to parameters.

use crate::{Described, MARK, WAYS, Way, cells, check_row};
use acra_harness::Result;
use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::scene::{Scene, hex};

/// Ids of rows, apart from those of literals.
const FIRST: i32 = 1_000_000;

const TEXT: u16 = 0;
const BINARY: u16 = 1;

/// Types that a client may declare for the value: none, `bytea`, `text`, `varchar`.
const TYPES: [u32; 4] = [0, 17, 25, 1043];

const FORMS: [(&str, &str); 4] = [
    ("", "INSERT INTO vault (id, secret) VALUES ($1, $2)"),
    (
        "",
        "INSERT INTO vault (secret, note, id) VALUES ($2, 'n', $1) RETURNING secret",
    ),
    (
        "INSERT INTO vault (id) VALUES (ID)",
        "UPDATE vault SET secret = $2 WHERE id = $1",
    ),
    (
        "INSERT INTO vault (id) VALUES (ID)",
        "UPDATE vault SET other = NULL, secret = ($2)::bytea WHERE id = $1 AND secret IS NULL RETURNING secret",
    ),
];

/// Values as they are sent, and what they stand for.
fn values() -> Vec<(u16, Vec<u8>, Vec<u8>)> {
    let mut values = Vec::new();
    for plain in [
        MARK.as_bytes().to_vec(),
        format!("{MARK} 'quoted' \"ü€😀\" \n $1 %%%").into_bytes(),
    ] {
        values.push((TEXT, plain.clone(), plain.clone()));
        values.push((TEXT, hex(&plain).into_bytes(), plain.clone()));
        values.push((BINARY, plain.clone(), plain));
    }
    let bytes = [MARK.as_bytes(), b"\0\xff\\x00\x80"].concat();
    values.push((BINARY, bytes.clone(), bytes.clone()));
    values.push((
        TEXT,
        hex(&bytes).to_uppercase().replace("\\X", "\\x").into(),
        bytes,
    ));
    let escaped = format!("{MARK}\\000\\377\\\\");
    let plain = [MARK.as_bytes(), b"\0\xff\\"].concat();
    values.push((TEXT, escaped.clone().into_bytes(), plain));
    values.push((BINARY, escaped.clone().into_bytes(), escaped.into_bytes()));
    let path = format!("C:\\{MARK}").into_bytes();
    values.push((TEXT, path.clone(), path));
    values
}

/// Writes every value by every statement, and reads it back.
pub(crate) fn write(scene: &Scene<'_>) -> Result<()> {
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    let mut id = FIRST;
    for (format, sent, plain) in values() {
        for (number, (before, sql)) in FORMS.iter().enumerate() {
            for (turn, way) in WAYS.iter().skip(1).enumerate() {
                id += 1;
                if !before.is_empty() {
                    proxied.run(&before.replace("ID", &id.to_string()))?;
                }
                let types = [23, TYPES[(number + turn) % TYPES.len()]];
                let formats = [BINARY, format];
                let key = id.to_be_bytes();
                let bind = Bind {
                    formats: &formats,
                    values: &[Some(&key[..]), Some(&sent)],
                    results: &[],
                };
                let answers = way.bind(&mut proxied, sql, &types, bind)?;
                if sql.contains("RETURNING") {
                    assert_eq!(cells(&answers), [Some(way.cell(&plain))], "{sql} {way:?}");
                }
                check_row(&mut direct, &mut proxied, &id.to_string(), &plain)?;
            }
        }
    }
    named(scene)
}

/// One prepared statement, many portals; all parameters in one format.
fn named(scene: &Scene<'_>) -> Result<()> {
    let (mut direct, mut proxied) = (scene.direct()?, scene.proxied()?);
    let sql = "INSERT INTO vault (id, secret, open, other) VALUES ($1, $2, $3, $4), ($5, $6, NULL, DEFAULT) \
        RETURNING id, secret, other";
    let mut messages = vec![f::parse("s", sql, &[]), f::describe_statement("s")];
    let first = FIRST * 2;
    for turn in 0..5 {
        let (one, two) = (first + 2 * turn, first + 2 * turn + 1);
        let texts = [
            Some(one.to_string()),
            Some(format!("{MARK} one {turn}")),
            Some("open".to_owned()),
            None,
            Some(two.to_string()),
            Some(format!("{MARK} two {turn}")),
        ];
        let values: Vec<_> = texts.iter().map(Option::as_deref).collect();
        let portal = format!("p{turn}");
        messages.extend([
            f::bind_text(&portal, "s", &values),
            f::execute(&portal, 1),
            f::execute(&portal, 0),
        ]);
    }
    messages.push(f::sync());
    proxied.send_all(&messages)?;
    let answers = proxied.ready()?;
    let got = cells(&answers);
    assert_eq!(got.len(), 30, "{answers:?}");
    let text = Way::Extended(TEXT, Described::Statement);
    for turn in 0..5 {
        for (at, which) in ["one", "two"].into_iter().enumerate() {
            let id = first + 2 * turn + i32::try_from(at)?;
            let plain = format!("{MARK} {which} {turn}");
            let cell = &got[usize::try_from(turn * 6)? + at * 3 + 1];
            assert_eq!(*cell, Some(text.cell(plain.as_bytes())));
            check_row(&mut direct, &mut proxied, &id.to_string(), plain.as_bytes())?;
        }
    }
    Ok(())
}
