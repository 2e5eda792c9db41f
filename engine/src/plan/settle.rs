//! What is done to the literals of a text, by what they are to protected columns.

use super::cast;
use super::decide::Judge;
use super::edits::Number;
use super::flow::{CastUse, Fate, LeafKind, Use};
use super::like::PatternAt;
use super::literals::{Written, other_part};
use super::refusal::{Refusal, RefusalCode, refused};
use super::{CastType, Role, SlotAction};
use crate::sql::facts::{Source, Wrapper};
use std::sync::Arc;

impl Judge<'_> {
    /// What is done to a literal or parameter.
    pub(super) fn settle(
        &mut self,
        fate: &Fate<'_>,
        casts: &[CastUse<'_>],
        wrapper: &Wrapper,
        source: &Source<'_>,
        patterns: &[(usize, PatternAt)],
    ) -> Result<(), Refusal> {
        let Some(Use { setting, .. }) = fate.uses.first() else {
            return Ok(());
        };
        let cast = cast::of_leaf(fate, setting, casts)?;
        match fate.leaf.kind {
            LeafKind::Param(number) | LeafKind::Element(number) => {
                self.settle_param(fate, (number, cast), wrapper, source)
            }
            LeafKind::Literal(written) => {
                let mut patterns = patterns.iter();
                let pattern = patterns.find(|(token, _)| *token == fate.leaf.token);
                let pattern = pattern.map(|(_, at)| *at);
                self.settle_literal(fate, (written, cast), pattern, wrapper, source)
            }
        }
    }

    /// A number is a literal, which a shape leaves out, unless it may be the place of a column.
    pub(super) fn settle_number(
        &mut self,
        number: Number,
        source: &Source<'_>,
    ) -> Result<(), Refusal> {
        if let Some(slot) = self.shape.slot(number.token) {
            self.decision.numbers.push(Number {
                token: slot,
                ..number
            });
            return Ok(());
        }
        let token = source.tokens.get(number.token);
        match token.is_some_and(|token| number.is(token.text(source.text))) {
            true => Ok(()),
            false => Err(other_part()),
        }
    }

    fn settle_literal(
        &mut self,
        fate: &Fate<'_>,
        (written, cast): (Written, Option<CastType>),
        pattern: Option<PatternAt>,
        wrapper: &Wrapper,
        source: &Source<'_>,
    ) -> Result<(), Refusal> {
        let [Use { setting, role }, others @ ..] = &*fate.uses else {
            return Ok(());
        };
        let refuse = |code, what: &str| Err(refused(code, setting, what));
        let (setting, role) = (*setting, *role);
        if let Some(other) = others.first() {
            return refuse(
                RefusalCode::ValueForm,
                &format!(
                    "shares a value with column \"{}\" of table \"{}\"",
                    other.setting.column, other.setting.table
                ),
            );
        }
        if fate.seen {
            return refuse(
                RefusalCode::ValueForm,
                "is set to a value that is compared, returned or stored elsewhere too",
            );
        }
        let cast = match written {
            Written::InArray => self.elements(fate.leaf.token, setting, role, source)?,
            _ => cast,
        };
        if *wrapper == Wrapper::View && role != Role::Stored {
            return refuse(
                RefusalCode::ValueForm,
                "is compared with a value in a view, which would be that of one client",
            );
        }
        let action = SlotAction {
            setting: Arc::clone(setting),
            role,
            written,
            cast,
            pattern,
        };
        self.act(fate.leaf.token, action)
    }

    /// Notes what is done to the literal at a token.
    pub(super) fn act(&mut self, token: usize, action: SlotAction) -> Result<(), Refusal> {
        let Some(slot) = self.shape.slot(token) else {
            return Err(refused(
                RefusalCode::NotUnderstood,
                &action.setting,
                "is set to a value that was not found",
            ));
        };
        let slots = &mut self.decision.slots;
        if slots.len() <= slot {
            slots.resize(slot + 1, None);
        }
        if let Some(place) = slots.get_mut(slot) {
            *place = Some(action);
        }
        Ok(())
    }
}
