//! Lists of keys as a table and as JSON (cli.md 13.3).

use acra_engine::keys::ClientId;
use acra_engine::keys::v1::TimeStamp;
use acra_stores::ListedKey;
use serde::Serialize;
use std::io::{self, Write};

/// Prints keys as a table; with `rotated`, a second one has the rotated keys.
pub(super) fn print(out: &mut dyn Write, keys: &[ListedKey], rotated: bool) -> io::Result<()> {
    let (current, older): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.is_current());
    table(out, &current, false)?;
    if rotated {
        writeln!(out, "\nRotated keys: ")?;
        table(out, &older, true)?;
    }
    Ok(())
}

/// Prints keys as one table, whether they are current or not.
pub(super) fn print_all(out: &mut dyn Write, keys: &[ListedKey]) -> io::Result<()> {
    table(out, &keys.iter().collect::<Vec<_>>(), false)
}

fn table(out: &mut dyn Write, keys: &[&ListedKey], with_time: bool) -> io::Result<()> {
    let header = ["Key purpose", "Client", "Creation Time", "Key ID"].map(str::to_owned);

    let row = |key: &&ListedKey| {
        [
            key.purpose.to_owned(),
            client(key).to_owned(),
            key.created.map(time).unwrap_or_default(),
            key.id.clone(),
        ]
    };
    let rows: Vec<[String; 4]> = keys.iter().map(row).collect();
    let widths = [0, 1, 2, 3].map(|column: usize| {
        let cell = |row: &[String; 4]| row.get(column).map_or(0, String::len);
        rows.iter().chain([&header]).map(cell).max().unwrap_or(0)
    });
    let [purpose, client, creation, id] = widths;
    let line = |index: &str, cells: &[String; 4]| {
        let [purpose_cell, client_cell, creation_cell, id] = cells;
        let time = match with_time {
            true => format!("{creation_cell:creation$} | "),
            false => String::new(),
        };
        format!("{index:5} | {purpose_cell:purpose$} | {client_cell:client$} | {time}{id}")
    };
    writeln!(out, "{}", line("Index", &header))?;
    let columns = match with_time {
        true => vec![5, purpose, client, creation, id],
        false => vec![5, purpose, client, id],
    };
    let dashes: Vec<String> = columns.iter().map(|width| "-".repeat(*width)).collect();
    writeln!(out, "{}", dashes.join("-+-"))?;
    for (key, cells) in keys.iter().zip(&rows) {
        writeln!(out, "{}", line(&key.index.to_string(), cells))?;
    }
    Ok(())
}

fn client(key: &ListedKey) -> &str {
    key.kind.client().map_or("", ClientId::as_str)
}

/// As Go prints a time.
fn time(time: TimeStamp) -> String {
    format!("{} +0000 UTC", time.to_string().replace('T', " "))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    index: u32,
    #[serde(rename = "KeyID")]
    key_id: &'a str,
    state: &'static str,
    purpose: &'static str,
    #[serde(rename = "ClientID", skip_serializing_if = "str::is_empty")]
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<String>,
}

/// Prints keys as one line of JSON.
pub(super) fn print_json(out: &mut dyn Write, keys: &[ListedKey]) -> io::Result<()> {
    json_line(out, &keys.iter().map(row_of).collect::<Vec<_>>())
}

fn row_of(key: &ListedKey) -> Row<'_> {
    Row {
        index: key.index,
        key_id: &key.id,
        state: if key.is_current() {
            "current"
        } else {
            "rotated"
        },
        purpose: key.purpose,
        client_id: client(key),
        creation_time: key.created.map(|time| format!("{time}Z")),
    }
}

/// Prints a value as one line of JSON.
pub(super) fn json_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value).map_err(io::Error::other)?;
    writeln!(out, "{text}")
}
