//! What a value of an expression may be.

use super::flow::{Flow, Leaf, LeafKind, NOTHING, PLAIN};
use super::literals::Written;
use super::refusal::Refusal;
use super::resolve::{IN_EXPRESSION, Resolver, Tested};
use super::scope::{Scope, compare};
use super::store::NEW_VALUES;
use crate::sql::facts::tree::{Cast, Term};

impl<'a> Resolver<'a> {
    /// Values that are computed or compared with.
    pub(super) fn operands(
        &mut self,
        terms: &[Term],
        scope: &Scope<'_, 'a>,
    ) -> Result<(), Refusal> {
        for term in terms {
            let flow = self.flow(term, scope)?;
            compare(flow, &mut self.flows, IN_EXPRESSION)?;
        }
        Ok(())
    }

    pub(super) fn flow(&mut self, term: &Term, scope: &Scope<'_, 'a>) -> Result<Flow, Refusal> {
        let leaf = |token: &usize, kind| Leaf {
            token: *token,
            kind,
        };
        Ok(match term {
            Term::Column { qualifier, name } => {
                let qualifier = qualifier.map(|qualifier| self.name(qualifier));
                let (token, name) = (*name, self.name(*name));
                let flow = scope.column(qualifier.as_deref(), &name, &mut self.flows)?;
                let settings = self.flows.settings(flow).iter();
                if settings
                    .clone()
                    .any(|setting| setting.search_column.is_some())
                {
                    self.note_hash_column(token, qualifier.as_deref(), &name, scope);
                }
                flow
            }
            Term::NewValue(name) => {
                let name = self.name(*name);
                scope.column(Some(NEW_VALUES), &name, &mut self.flows)?
            }
            Term::Literal(token) => {
                let kind = LeafKind::Literal(Written::Plainly);
                self.flows.leaf(leaf(token, kind))
            }
            Term::Negative(token) => {
                let kind = LeafKind::Literal(Written::WithMinus);
                self.flows.leaf(leaf(token, kind))
            }
            Term::Param(number, token) => self.flows.leaf(leaf(token, LeafKind::Param(*number))),
            Term::Element(number, token) => {
                self.flows.leaf(leaf(token, LeafKind::Element(*number)))
            }
            Term::ElementOfLiteral(token) => {
                let kind = LeafKind::Literal(Written::InArray);
                self.flows.leaf(leaf(token, kind))
            }
            Term::Nothing => NOTHING,
            Term::Query(query) => self.query(query, Some(scope))?.any(&mut self.flows),
            Term::Choice { results, operands } => {
                self.operands(operands, scope)?;
                let mut all = Vec::with_capacity(results.len());
                for result in results {
                    all.push(self.flow(result, scope)?);
                }
                self.flows.any(all)
            }
            Term::Tested(tested) => {
                let (value, cast) = match &**tested {
                    Term::Typed(value, cast) => (&**value, Some(Cast::clone(cast))),
                    value => (value, None),
                };
                if let Term::Param(number, token) = *value {
                    self.tested.push(Tested {
                        number,
                        token,
                        cast,
                    });
                    return Ok(PLAIN);
                }
                let flow = self.flow(tested, scope)?;
                self.flows.see(flow);
                PLAIN
            }
            Term::Exists(query) => {
                for flow in self.query(query, Some(scope))?.flows() {
                    self.flows.see(flow);
                }
                PLAIN
            }
            Term::Comparison(comparison) => {
                self.comparison(comparison, scope)?;
                PLAIN
            }
            Term::Like(like) => {
                self.like(like, scope)?;
                PLAIN
            }
            Term::Grouped(value) => {
                self.grouped(value, scope, "is compared by DISTINCT or PARTITION BY")?;
                PLAIN
            }
            Term::HashOf(column, _) => {
                self.operands(std::slice::from_ref(column), scope)?;
                PLAIN
            }
            Term::Computed(operands) | Term::Row(operands) => {
                self.operands(operands, scope)?;
                PLAIN
            }
            Term::Typed(value, cast) => self.cast(value, cast, scope, false)?,
        })
    }

    /// A value with a cast; `stored`: it is written in the place of a column's value.
    pub(super) fn cast(
        &mut self,
        value: &Term,
        cast: &Cast,
        scope: &Scope<'_, 'a>,
        stored: bool,
    ) -> Result<Flow, Refusal> {
        let flow = self.flow(value, scope)?;
        if !self.flows.settings(flow).is_empty() {
            if cast.compared {
                return Ok(flow);
            }
            compare(flow, &mut self.flows, IN_EXPRESSION)?;
            return Ok(PLAIN);
        }
        if self.flows.is_plain(flow) {
            self.flows.see(flow);
            return Ok(PLAIN);
        }
        let is_single = matches!(
            value,
            Term::Literal(_) | Term::Negative(_) | Term::Param(..) | Term::Nothing
        );
        Ok(self.flows.cast(flow, cast, stored && is_single))
    }

    /// A value that is written in the place of a column's.
    pub(super) fn stored(&mut self, term: &Term, scope: &Scope<'_, 'a>) -> Result<Flow, Refusal> {
        match term {
            Term::Typed(value, cast) => self.cast(value, cast, scope, true),
            _ => self.flow(term, scope),
        }
    }
}
