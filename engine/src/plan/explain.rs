//! What a plan does, for a person to read: `acra-server --explain`.

use super::planner::{Planner, Scratch};
use super::{Copy, ParamAction, Plan, Verdict};
use crate::columns::Setting;
use crate::sql::Lexical;
use std::ops::Range;
use std::sync::Arc;

/// What is done to a text and to its results.
#[derive(Debug)]
pub struct Explanation {
    /// What happens to the text. A literal that cannot be read is a refusal here.
    pub verdict: Verdict,
    /// Whether it names a protected table.
    pub protected: bool,
    /// Literals that are sealed, in the order of the text: their places and columns.
    pub literals: Vec<(Range<usize>, Arc<Setting>)>,
    /// Parameters that are sealed, also those of statements that the text prepares.
    pub params: Vec<ParamAction>,
    /// Copies whose rows are sealed or opened.
    pub copies: Vec<Copy>,
    /// Result columns that are opened.
    pub results: Vec<ResultColumn>,
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
        for literal in plan.literals(text, &scratch) {
            match literal {
                Ok(literal) => literals.push((literal.span, Arc::clone(literal.setting))),
                Err(refusal) => verdict = Verdict::Refuse(refusal),
            }
        }
        let params = |plan: &Plan| plan.params.clone();
        Explanation {
            verdict,
            protected: plan.protected,
            literals,
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
