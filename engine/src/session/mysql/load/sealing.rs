//! Cells on their way into a protected table, written as the rewritten statement tells (`plan/load.rs`).

use super::rows::Cells;
use crate::columns::Setting;
use crate::plan::{Load, Role};
use crate::session::incoming::{self, Tokens, wrong_data};
use crate::session::mysql::MySqlSession;
use crate::session::mysql::parameters::foreign_charset;
use crate::session::mysql::statements::token_value;
use crate::session::mysql::stored::fit;
use crate::session::search::Changes;
use crate::session::stop::Stop;
use crate::session::tokenize::token_of;
use crate::session::{ClientError, Cx};
use std::sync::Arc;

/// Writes rows anew.
pub(super) struct Sealing<'a, 'b> {
    pub(super) session: &'a MySqlSession,
    pub(super) plan: &'a Load,
    pub(super) cx: &'a mut Cx<'b>,
    pub(super) tokens: Tokens<'a>,
    pub(super) changes: Changes,
    pub(super) out: &'a mut Vec<u8>,
}

impl Sealing<'_, '_> {
    /// A value of a protected column.
    fn protected(&mut self, value: &[u8], setting: &Arc<Setting>) -> Result<(), Stop> {
        let encoding = self.plan.encoding;
        let keeps_bytes = encoding.is_some_and(|encoding| encoding.keeps_bytes());
        if !keeps_bytes && !value.is_ascii() {
            return Err(foreign_charset(setting));
        }
        let Some((token_type, _)) = setting.tokenized() else {
            if !self.tokens.is_asking() {
                let stored = (setting, Role::Stored);
                let sealed =
                    self.session
                        .change_bound(value, stored, &mut self.changes, self.cx)?;
                fit(&self.changes)?;
                hexadecimal(sealed.as_deref().unwrap_or(value), self.out);
            }
            return Ok(());
        };
        let openings = &self.session.openings;
        let plain = token_value(value, token_type);
        let request = openings.token_request(&plain, setting, Role::Stored)?;
        match (&mut self.tokens, request) {
            (Tokens::Asking(requests), request) => requests.extend(request),
            // It is empty.
            (Tokens::Known(_), None) => hexadecimal(value, self.out),
            (Tokens::Known(known), Some(_)) => {
                let token = token_of(known.next(), setting, openings.owner(setting)?)?;
                hexadecimal(token, self.out);
            }
        }
        Ok(())
    }
}

impl Cells for Sealing<'_, '_> {
    type Error = Stop;

    fn cell(&mut self, column: usize, value: Option<&[u8]>) -> Result<(), Stop> {
        let writes = !self.tokens.is_asking();
        if writes && column > 0 {
            self.out.push(b'\t');
        }
        let plan = self.plan;
        let target = plan.targets.get(column);
        match (value, target.and_then(|target| target.setting.as_ref())) {
            (Some(value), Some(setting)) => self.protected(value, setting)?,
            (Some(value), None) if writes => escape(value, self.out),
            (None, _) if writes => self.out.extend_from_slice(b"\\N"),
            _ => {}
        }
        Ok(())
    }

    fn row_end(&mut self, cells: usize, more: bool) -> Result<(), Stop> {
        let missing = self.plan.targets.get(cells..).unwrap_or_default();
        if let Some(target) = missing.iter().find(|target| target.setting.is_some()) {
            let message = format!(
                "a row has no cell for protected column \"{}\" of table \"{}\"",
                target.name, self.plan.table
            );
            return Err(wrong_data(ClientError::error("22P04", message).hint(
                "List the columns that the file has, and see that its separators are those of the statement.",
            )));
        }
        if !self.tokens.is_asking() {
            // The server warns of it.
            if more {
                self.out.extend_from_slice(b"\t+");
            }
            self.out.push(b'\n');
        }
        Ok(())
    }

    fn too_long(&mut self) -> Stop {
        incoming::too_long(self.session.context.limits.max_row)
    }
}

fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len() * 2, 0);
    let place = out.get_mut(start..).unwrap_or_default();
    // The place has the right length.
    let _ = const_hex::encode_to_slice(bytes, place);
}

/// A value that the server takes for itself.
fn escape(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            other => out.push(*other),
        }
    }
}
