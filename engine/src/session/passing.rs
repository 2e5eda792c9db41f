//! Messages that are of no interest, and may arrive in any number of pieces.

use super::Input;
use crate::wire::outbox::Outbox;

/// Drops what is there of a message. True: all of it has been dropped.
pub(super) fn drop_on(left: &mut usize, input: &mut Input<'_>) -> bool {
    let there = (*left).min(input.bytes.len() - input.at);
    input.at += there;
    *left -= there;
    *left == 0
}

/// Passes what is there of a message that is not looked into. True: all of it has passed.
pub(super) fn pass_on(left: &mut usize, input: &mut Input<'_>, out: &mut Outbox) -> bool {
    let there = (*left).min(input.bytes.len() - input.at);
    out.pass(input.bytes, input.at..input.at + there);
    input.at += there;
    *left -= there;
    *left == 0
}
