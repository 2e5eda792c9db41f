//! Which records a command is about.

use super::dates;
use super::wrong;
use crate::{Failure, Surroundings};
use acra_cli::Parsed;
use acra_engine::keys::{ClientId, ClientIdError};
use acra_engine::tokens::{Owner, context_digest};
use acra_stores::tokens::Visited;
use std::ops::RangeInclusive;

/// Both limits of times count as within.
pub(super) struct Filter {
    accessed: RangeInclusive<i64>,
    created: RangeInclusive<i64>,
    owner: Option<[u8; 32]>,
}

impl Filter {
    /// What the flags say.
    pub(super) fn of(parsed: &Parsed, with: &Surroundings<'_>) -> Result<Self, Failure> {
        let limit = |flag: &'static str, rounded: fn(dates::Moment) -> i64, none| {
            let text = parsed.text(flag);
            if text.is_empty() {
                return Ok(none);
            }
            dates::read(text).map(rounded).ok_or_else(|| {
                let warning = format!("Invalid date for --{flag}");
                wrong(with, &warning, "unrecognized date format")
            })
        };
        let (from, to) = (dates::Moment::first_second, dates::Moment::last_second);
        let accessed =
            limit("accessed_after", from, i64::MIN)?..=limit("accessed_before", to, i64::MAX)?;
        let created =
            limit("created_after", from, i64::MIN)?..=limit("created_before", to, i64::MAX)?;
        let owner = match parsed.text("client_id") {
            "" => None,
            id => {
                let id = ClientId::new(id)
                    .map_err(|ClientIdError| Failure::arguments(ClientIdError::RULE))?;
                Some(context_digest(Owner::Client(id.as_str())))
            }
        };
        Ok(Self {
            accessed,
            created,
            owner,
        })
    }

    /// Whether a record is meant.
    pub(super) fn takes(&self, visited: &Visited<'_>) -> bool {
        self.accessed.contains(&visited.metadata.accessed)
            && self.created.contains(&visited.metadata.created)
            && self.owner.is_none_or(|owner| owner == visited.key.context)
    }
}
