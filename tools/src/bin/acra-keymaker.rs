//! `acra-keymaker`: makes master keys and a client's keys.
fn main() {}
