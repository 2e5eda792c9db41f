//! Sealing the elements of an array that is bound.

use super::PgSession;
use super::frontend::Stop;
use super::rewrite::{foreign_encoding, plain};
use super::stored::Stored;
use crate::cell::array::{Array, BadArray};
use crate::cell::typed::Form;
use crate::columns::Setting;
use crate::crypto::container;
use crate::session::{ClientError, Cx};
use crate::types::Type;
use crate::wire::pg::Format;
use std::sync::Arc;

/// An array with its elements sealed.
pub(super) struct SealedArray {
    pub(super) bytes: Vec<u8>,
    /// How many were sealed, and how many of these are AcraStructs.
    pub(super) values: u64,
    pub(super) structs: u64,
}

impl PgSession {
    /// The array with every element sealed; `None` if nothing had to change. `stored` is the longest container so far.
    pub(super) fn seal_elements(
        &self,
        format: Format,
        bytes: &[u8],
        setting: &Arc<Setting>,
        stored: &mut Option<Stored>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<SealedArray>, Stop> {
        let array = match format {
            Format::Text if !self.lexical.encoding.keeps_bytes() && !bytes.is_ascii() => {
                return Err(foreign_encoding(setting));
            }
            Format::Text => Array::text(bytes),
            Format::Binary => Array::binary(bytes),
        };
        let array = array.map_err(|BadArray| bad_array(setting))?;
        let (form, declared) = match format {
            Format::Text => (Form::Text, None),
            Format::Binary if array.holds_bytes() => (Form::Binary, Some(Type::Bytea)),
            Format::Binary => (Form::Binary, Some(Type::Text)),
        };
        let (mut values, mut structs) = (0, 0);
        let mut replacements = Vec::with_capacity(array.elements().len());
        for element in array.elements() {
            let plain = plain(&element.value, form, setting, declared)?;
            let sealed = self.seal(&plain, setting, cx)?;
            replacements.push(sealed.map(|sealed| {
                values += 1;
                structs += u64::from(sealed.envelope() == container::Envelope::AcraStruct);
                Stored::note(stored, setting, sealed.as_bytes().len());
                sealed.as_bytes().to_vec()
            }));
        }
        Ok((values > 0).then(|| SealedArray {
            bytes: array.with(&replacements),
            values,
            structs,
        }))
    }
}

fn bad_array(setting: &Setting) -> Stop {
    let (table, column) = (&setting.table, &setting.column);
    Stop::Refuse(
        "bad-array",
        ClientError::error(
            "22P02",
            format!("malformed array of values for column \"{column}\" of table \"{table}\""),
        )
        .hint("Bind an array of bytea or text, or write the rows with VALUES."),
    )
}
