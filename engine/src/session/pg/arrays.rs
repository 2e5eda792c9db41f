//! Sealing the elements of an array that is bound.

use super::PgSession;
use super::rewrite::{foreign_encoding, plain};
use crate::cell::array::{Array, BadArray};
use crate::cell::typed::{Form, Said};
use crate::columns::Setting;
use crate::plan::Role;
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::{ClientError, Cx};
use crate::types::Type;
use crate::wire::pg::Format;
use std::sync::Arc;

impl PgSession {
    /// The array with every element sealed; `None` if nothing had to change.
    pub(super) fn seal_elements(
        &self,
        format: Format,
        bytes: &[u8],
        setting: &Arc<Setting>,
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Vec<u8>>, Stop> {
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
        let mut replacements = Vec::with_capacity(array.elements().len());
        for element in array.elements() {
            let said = Said {
                declared,
                ..Said::default()
            };
            let plain = plain(&element.value, form, setting, said)?;
            let changed = self.openings.change(&plain, setting, Role::Stored, cx)?;
            replacements.push(changed.map(|changed| {
                changes.add(setting, &changed);
                changed.as_bytes().to_vec()
            }));
        }
        let is_changed = replacements.iter().any(Option::is_some);
        Ok(is_changed.then(|| array.with(&replacements)))
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
