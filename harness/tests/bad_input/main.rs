//! Wrong input of every kind: whoever is concerned is told clearly, the next client is served, and nothing panics.

mod clients;
mod databases;
mod keys;
mod messages;
mod start;
