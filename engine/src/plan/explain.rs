//! What a plan does, for a person to read: `acra-server --explain`.

use super::literals::LiteralValue;
use super::planner::{Planner, Scratch};
use super::scope::misused;
use super::{Copy, ParamAction, Pattern, Plan, Refusal, Role, Verdict, part};
use crate::columns::Setting;
use crate::sql::{Edit, Lexical};
use std::ops::Range;
use std::sync::Arc;

/// What is done to a text and to its results.
#[derive(Debug)]
pub struct Explanation {
    /// What happens to the text. A literal that cannot be read is a refusal here.
    pub verdict: Verdict,
    /// Whether it names a protected table.
    pub protected: bool,
    /// Literals that are changed, in the order of the text.
    pub literals: Vec<ChangedLiteral>,
    /// What else of the text is changed.
    pub edits: Vec<Edit>,
    /// Parameters that are changed, also those of statements that the text prepares.
    pub params: Vec<ParamAction>,
    /// Copies whose rows are sealed or opened.
    pub copies: Vec<Copy>,
    /// Result columns that are opened.
    pub results: Vec<ResultColumn>,
}

/// A literal that is changed.
#[derive(Debug)]
pub struct ChangedLiteral {
    /// Its place in the text.
    pub span: Range<usize>,
    /// The column that it is a value of.
    pub setting: Arc<Setting>,
    /// What it is to the column.
    pub role: Role,
}

/// A result column that is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its place from 1 on; `None` if columns that are not known come before it.
    pub place: Option<usize>,
    /// Its label, if that is known.
    pub label: Option<String>,
    /// What it is.
    pub setting: Arc<Setting>,
}

impl Planner {
    /// What is done to a text.
    pub fn explain(&self, text: &[u8], lexical: &Lexical) -> Explanation {
        let mut scratch = Scratch::default();
        let plan = self.plan(text, lexical, &mut scratch);
        let mut verdict = plan.verdict.clone();
        let mut literals = Vec::new();
        let mut edits: Vec<Edit> = plan.edits(&scratch).collect();
        for literal in plan.literals(text, &scratch) {
            match literal.and_then(|literal| part_of_column(&literal).map(|part| (literal, part))) {
                Ok((literal, part)) => {
                    edits.extend(part);
                    literals.push(ChangedLiteral {
                        span: literal.span,
                        setting: Arc::clone(literal.setting),
                        role: literal.role,
                    });
                }
                Err(refusal) => verdict = Verdict::Refuse(refusal),
            }
        }
        let params = |plan: &Plan| plan.params.clone();
        Explanation {
            verdict,
            protected: plan.protected,
            literals,
            edits,
            params: plan
                .prepared
                .iter()
                .map(|prepared| params(prepared))
                .fold(params(&plan), |all, more| [all, more].concat()),
            copies: plan.copies.clone(),
            results: self.results(text, lexical, &scratch),
        }
    }
}

/// The part of the column that a pattern is compared with, where that depends on the pattern.
fn part_of_column(literal: &LiteralValue<'_>) -> Result<Option<Edit>, Refusal> {
    let Some(place) = literal.pattern else {
        return Ok(None);
    };
    let characters = match Pattern::read(&literal.value, place.escape) {
        Pattern::Whole(_) => 0,
        Pattern::Prefix(text) if place.column_end.is_some() => {
            String::from_utf8_lossy(&text).chars().count() as u64
        }
        Pattern::Prefix(_) | Pattern::Other => {
            return Err(misused(
                literal.setting,
                "is compared with a pattern that it cannot be searched by",
            ));
        }
    };
    Ok(place.column_end.map(|end| Edit {
        span: end..end,
        text: part(characters).into(),
    }))
}
