//! Values of columns with a type of their own, with an answer for what cannot be opened, or with a mask (policy.md 3.7,
//! postgresql.md 8).
//!
//! What is sealed is the canonical text of a value; the database has the container in a column of bytes or text. On the
//! way in a value is read by the type that the client has declared for it; on the way out it is written in the type of
//! the setting and the format that the client has asked for.

mod given;
mod shown;

pub use given::{BadValue, Form, Said, fitted, plaintext};
pub use shown::{Read, Typed};

#[cfg(test)]
use crate::columns::{Columns, Database, Setting};

/// The setting of a column with these keys.
#[cfg(test)]
fn setting(keys: &str) -> Setting {
    let document = format!("schemas: [{{table: t, encrypted: [{{column: c, {keys}}}]}}]");
    let columns = Columns::parse(document.as_bytes(), Database::PostgreSql)
        .unwrap()
        .columns;
    Setting::clone(columns.table(None, "t").unwrap().setting("c").unwrap())
}
