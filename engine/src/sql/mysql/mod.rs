//! What is different in the SQL of MySQL and MariaDB.

mod labels;
mod lex;
mod literal;
pub(crate) mod load;
mod repeatable;
mod run;
mod variables;
mod words;

pub(super) use lex::lex;
pub(crate) use literal::{
    is_hexadecimal, lower, name, string, tells_bytes, unquoted, write_string,
};
pub(crate) use repeatable::reads_alike;
pub(crate) use run::operands;
pub(crate) use variables::{UsedVariable, VariableUse, used_variables, user_variable};
pub(crate) use words::{Words, changes_nothing, effects, is_harmless, is_routine, makes_table};
