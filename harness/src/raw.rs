//! A client that speaks PostgreSQL's protocol message by message, and keeps every answer.

mod connection;
pub mod frontend;
mod login;
mod message;
mod pattern;
mod show;

pub use connection::Connection;
pub use login::Login;
pub use message::{Message, Reply};
