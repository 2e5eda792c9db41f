//! The test vectors of the specification (vectors/README.md), read from the JSON files beside this one.
//!
//! Each test names the operations it knows and asserts how many vectors it ran, so that one that is left out is noticed.

mod bundles_v1;
mod containers;
mod detection;
mod ec;
mod key_rings;
mod key_store;
mod masking;
mod poison;
mod search;
mod secure_cell;
mod tokens;
mod x25519;

use rand::rand_core::{Infallible, TryCryptoRng, TryRng};
use serde_json::Value;
use std::path::Path;

/// One file of vectors.
struct File(Value);

impl File {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/vectors")
            .join(name);
        Self(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    }

    /// All vectors of one operation.
    fn vectors(&self, operation: &str) -> impl Iterator<Item = Vector<'_>> {
        let all = self.0["vectors"].as_array().unwrap().iter().map(Vector);
        all.filter(move |vector| vector.0["op"] == operation)
    }

    fn len(&self) -> usize {
        self.0["vectors"].as_array().unwrap().len()
    }
}

/// One vector.
#[derive(Clone, Copy)]
struct Vector<'a>(&'a Value);

impl<'a> Vector<'a> {
    fn name(self) -> &'a str {
        self.0["name"].as_str().unwrap()
    }

    /// A byte string of the input.
    fn bytes(self, name: &str) -> Vec<u8> {
        hex(&self.0["in"][name])
    }

    /// A text of the input.
    fn text(self, name: &str) -> &'a str {
        self.0["in"][name].as_str().unwrap()
    }

    fn must_fail(self) -> bool {
        self.0["expect"]["must_fail"] == true
    }

    /// A byte string of the expected result.
    fn expected(self, name: &str) -> Vec<u8> {
        hex(&self.0["expect"][name])
    }

    /// Checks a result against the expected one of this name.
    fn check<E: std::fmt::Debug>(self, name: &str, result: Result<Vec<u8>, E>) {
        match result {
            Ok(bytes) => {
                assert!(!self.must_fail(), "{}: must fail", self.name());
                assert_eq!(bytes, self.expected(name), "{}", self.name());
            }
            Err(error) => assert!(self.must_fail(), "{}: {error:?}", self.name()),
        }
    }
}

fn hex(value: &Value) -> Vec<u8> {
    const_hex::decode(value.as_str().unwrap()).unwrap()
}

/// Gives out these bytes instead of random ones.
struct Fixed(Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only bytes are asked for")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only bytes are asked for")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.copy_from_slice(&self.0.drain(..to.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}
