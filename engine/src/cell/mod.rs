//! One value on its way in or out: wire form, seal, open.
//!
//! A cell is a bound parameter, a literal or a column value of a row. This module knows how `bytea` is written and
//! how a value becomes a container and back (policy.md 3.1, 3.3; containers.md 8, 12); it knows nothing of messages
//! or statements.

pub mod array;
pub mod bytea;
mod mask;
pub mod open;
pub mod seal;
pub mod search;
pub mod token;
pub mod typed;

pub use mask::Mask;
pub use open::{Kind, Opener, Scratch, Tally, open};
pub use seal::{Form, SealError, Sealed, seal};
