//! Looks for secrets in what a database keeps: through SQL, and in its files.
//!
//! A value that PostgreSQL compresses (TOAST, over 2 kB) is found through SQL only.

use crate::mysql;
use crate::raw::{Connection, Message};
use crate::servers::Postgres;
use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem::Finder;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Shorter ones may be anywhere by chance: the files of a server hold up to a gigabyte of ciphertext.
const SHORTEST: usize = 8;

/// User tables in every schema, and the catalogs that hold users' values.
const TABLES: &str = "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
     WHERE relkind IN ('r', 'm') AND relpersistence <> 't' AND nspname NOT IN ('information_schema') \
     ORDER BY 1";

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which of the secrets, by its place in the list.
    pub secret: usize,
    /// How it is written there: raw, hex, HEX or base64.
    pub form: &'static str,
    /// The table or file.
    pub place: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secret,
            form,
            place,
        } = self;
        write!(f, "secret {secret} as {form} in {place}")
    }
}

/// Looks for secrets in all tables of a database, and after a checkpoint in all files of its server. No secret was
/// kept in the clear if this gives an empty list.
pub fn find(server: &Postgres, database: &str, secrets: &[&[u8]]) -> Result<Vec<Found>> {
    let mut found = in_tables(server, database, secrets)?;
    server.checkpoint()?;
    found.extend(in_files(server.data_dir()?, secrets)?);
    Ok(found)
}

/// Looks for secrets in all tables of a database, read directly.
pub fn in_tables(server: &Postgres, database: &str, secrets: &[&[u8]]) -> Result<Vec<Found>> {
    let needles = Needle::all(secrets)?;
    let mut connection = Connection::login(server.address(), "postgres", database)?;
    let answer = connection.query(TABLES)?;
    let tables: Vec<String> = answer
        .iter()
        .filter_map(Message::values)
        .filter_map(|row| Some(String::from_utf8_lossy(row.first().copied()??).into_owned()))
        .collect();
    if tables.is_empty() {
        return Err(Error::new(format!("no table could be listed: {answer:?}")));
    }
    let mut found = Vec::new();
    for table in tables {
        connection.take_transcript();
        // Text escapes few bytes, the binary form none; some types of the catalogs do not have one.
        let mut formats = vec!["text"];
        if !table.starts_with("pg_catalog.") {
            formats.push("binary");
        }
        let mut content = Vec::new();
        for format in formats {
            let sql = format!("COPY (SELECT * FROM {table}) TO STDOUT (FORMAT {format})");
            let answer = connection.query(&sql)?;
            if let Some(error) = answer.iter().find(|message| message.tag == b'E') {
                return Err(Error::new(format!("{sql}: {error}")));
            }
            let rows = answer.iter().filter(|message| message.tag == b'd');
            rows.for_each(|row| content.extend(&row.body));
        }
        found.extend(search(&needles, &content, &format!("table {table}")));
    }
    Ok(found)
}

/// Looks for secrets in all tables of the schema that a connection is in, and in all files of its server: those of its tables,
/// what it keeps to undo and redo changes, and binary logs.
pub fn find_in_mysql(connection: &mut mysql::Connection, secrets: &[&[u8]]) -> Result<Vec<Found>> {
    let needles = Needle::all(secrets)?;
    let tables = connection.strings(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1",
    )?;
    if tables.is_empty() {
        return Err(Error::new("the schema has no tables"));
    }
    let mut found = Vec::new();
    for table in tables.iter().flatten() {
        let content = connection.table(&format!("SELECT * FROM `{table}`"))?;
        for cell in content.rows.iter().flatten().flatten() {
            found.extend(search(&needles, cell, &format!("table {table}")));
        }
    }
    let folder = connection.strings("SELECT @@datadir")?.concat().concat();
    found.extend(in_files(Path::new(&folder), secrets)?);
    Ok(found)
}

/// Looks for secrets in all files below a folder.
pub fn in_files(folder: &Path, secrets: &[&[u8]]) -> Result<Vec<Found>> {
    let needles = Needle::all(secrets)?;
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = match fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && next != folder => continue,
            Err(error) => return Err(unreadable(&next, &error)),
        };
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                match fs::read(&path) {
                    Ok(content) => found.extend(search(
                        &needles,
                        &content,
                        &format!("file {}", path.display()),
                    )),
                    // A running server removes files.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(unreadable(&path, &error)),
                }
            }
        }
    }
    Ok(found)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    Error::new(format!(
        "{path}: {error}; run the tests as root or as the user the server runs as"
    ))
}

struct Needle {
    secret: usize,
    form: &'static str,
    finder: Finder<'static>,
}

impl Needle {
    fn all(secrets: &[&[u8]]) -> Result<Vec<Self>> {
        let mut needles = Vec::new();
        for (number, secret) in secrets.iter().enumerate() {
            if secret.len() < SHORTEST {
                return Err(Error::new(format!(
                    "secret {number} is shorter than {SHORTEST} bytes, which chance finds too"
                )));
            }
            let hex = const_hex::encode(secret);
            let mut forms = vec![
                ("raw", secret.to_vec()),
                ("HEX", hex.to_uppercase().into_bytes()),
                ("hex", hex.into_bytes()),
            ];
            forms.extend((0..3).map(|shift| ("base64", base64(secret, shift))));
            needles.extend(forms.into_iter().map(|(form, bytes)| Self {
                secret: number,
                form,
                finder: Finder::new(&bytes).into_owned(),
            }));
        }
        Ok(needles)
    }
}

/// The characters of a base64 text that this secret alone makes, `shift` bytes after a group of three begins.
fn base64(secret: &[u8], shift: usize) -> Vec<u8> {
    let mut bytes = vec![0; shift];
    bytes.extend(secret);
    let text = STANDARD_NO_PAD.encode(&bytes).into_bytes();
    // Of the first character that has bits of the secret, some belong to what is before it; the same at the end.
    let first = (shift * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    text[first..last].to_vec()
}

fn search(needles: &[Needle], content: &[u8], place: &str) -> Vec<Found> {
    let found = needles
        .iter()
        .filter(|needle| needle.finder.find(content).is_some());
    let mut found: Vec<_> = found
        .map(|needle| Found {
            secret: needle.secret,
            form: needle.form,
            place: place.to_owned(),
        })
        .collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found_at_every_place_of_a_text() {
        let secret = b"078-05-1120";
        let needles = Needle::all(&[secret]).unwrap();
        for before in 0..4 {
            let text = [&b"abcd"[..before], secret, b"xyz"].concat();
            for (form, content) in [
                ("raw", text.clone()),
                ("hex", const_hex::encode(&text).into_bytes()),
                ("base64", STANDARD_NO_PAD.encode(&text).into_bytes()),
            ] {
                let found = search(&needles, &content, "here");
                assert!(
                    found.iter().any(|found| found.form == form),
                    "{form} after {before} bytes"
                );
            }
        }
        assert!(Needle::all(&[b"short"]).is_err());
    }
}
