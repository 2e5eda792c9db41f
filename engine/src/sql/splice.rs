//! Editing a text in place: comments, hints and formatting stay what they were.

use std::ops::Range;

/// A piece of a text and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced.
    pub span: Range<usize>,
    /// What replaces them.
    pub text: Vec<u8>,
}

/// Appends the text to `out` with the edits made. They are in the order of the text and do not overlap.
pub fn splice(text: &[u8], edits: &[Edit], out: &mut Vec<u8>) {
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(text.get(at..edit.span.start).unwrap_or_default());
        out.extend_from_slice(&edit.text);
        at = edit.span.end;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
}
