//! What is different in the SQL of MySQL and MariaDB.

mod lex;
mod literal;
pub(crate) mod load;
mod words;

pub(super) use lex::lex;
pub(crate) use literal::{lower, tells_bytes};
pub(super) use literal::{name, string};
pub(crate) use words::{Words, effects, is_harmless, is_routine, makes_table};
