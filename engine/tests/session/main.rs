//! Sessions driven without sockets: recorded streams cut anywhere, and scripts of exact messages.

mod chunking;
mod copies;
mod driver;
mod messages;
mod mysql;
mod mysql_login;
mod mysql_messages;
mod mysql_protected;
mod probe;
mod script;
mod structs;
mod tokens;
