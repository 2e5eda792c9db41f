//! `acra-server`: the transparent encryption proxy.
fn main() {}
