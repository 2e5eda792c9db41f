//! SQL text → tokens, shape and facts; and back by splicing.
//!
//! The lexers here are the authority on every lexical question, that of PostgreSQL (documentation, chapter 4.1; `scan.l`) and
//! that of MySQL and MariaDB in a folder of its own; the
//! parser library only gives structure, and gets our tokens without their data. Nothing here knows
//! which tables are protected or what happens to a value.

mod adapt;
pub mod copy;
mod cursor;
pub mod effects;
pub mod example;
pub mod facts;
mod feed;
mod hidden;
pub mod ident;
pub mod lex;
pub mod lexical;
pub mod literal;
pub(crate) mod mysql;
mod parse;
pub mod shape;
mod spelling;
pub mod splice;
pub mod token;

#[cfg(test)]
mod tests;

pub use facts::Facts;
pub use lex::{LexError, lex};
pub use lexical::{ClientEncoding, Dialect, Lexical, MySql};
pub use spelling::spells;
pub use splice::{Edit, splice};
pub use token::{Kind, Token};
