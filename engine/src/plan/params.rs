//! What is done to the values of parameters, by what they are to protected columns.

use super::arrays;
use super::cast;
use super::compare::{HASH_OF, OF_LENGTH};
use super::decide::Judge;
use super::edits::{Insertion, Place};
use super::flow::{Fate, LeafKind, Use};
use super::names::token_name;
use super::refusal::{Refusal, RefusalCode, refused};
use super::resolve::Tested;
use super::{CastType, ParamAction, Role};
use crate::columns::{Likeness, Setting};
use crate::sql::Kind;
use crate::sql::facts::{Source, Wrapper};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A parameter that is a value of a protected column.
pub(super) struct Param {
    setting: Arc<Setting>,
    role: Role,
    /// It is an array whose elements are the values.
    elements: bool,
    /// The type that it is cast to.
    cast: Option<CastType>,
    /// How often it is that.
    uses: usize,
    /// The tokens where columns are compared with it.
    compared: Vec<usize>,
}

impl Judge<'_> {
    pub(super) fn settle_param(
        &mut self,
        fate: &Fate<'_>,
        (number, cast): (u16, Option<CastType>),
        wrapper: &Wrapper,
        source: &Source<'_>,
    ) -> Result<(), Refusal> {
        let Some(first) = fate.uses.first() else {
            return Ok(());
        };
        let Use { setting, role } = *first;
        let elements = matches!(fate.leaf.kind, LeafKind::Element(_));
        let cast = match elements {
            true => self.elements(fate.leaf.token, setting, role, source)?,
            false => cast,
        };
        let shares = |other: &Setting| {
            refused(
                RefusalCode::SharedParameter,
                setting,
                &format!(
                    "shares parameter ${number} with column \"{}\"",
                    other.column
                ),
            )
        };
        if let Some(other) = fate.uses.iter().find(|other| !same_value(first, other)) {
            return Err(shares(other.setting));
        }
        if fate.seen {
            return Err(used_elsewhere(number, setting));
        }
        let cast = match wrapper {
            Wrapper::Prepare(types) => {
                let given = self.prepared_type((number, elements), role, setting, types, source)?;
                cast::in_turn(given, cast, setting)?
            }
            _ => cast,
        };
        let param = self.params.entry(number).or_insert_with(|| Param {
            setting: Arc::clone(setting),
            role,
            elements,
            cast,
            uses: 0,
            compared: Vec::new(),
        });
        param.uses += 1;
        param.cast = cast::either(param.cast, cast, setting)?;
        if role == Role::Compared {
            param.compared.push(fate.leaf.token);
        }
        let earlier = Use {
            setting: &param.setting,
            role: param.role,
        };
        let stored = stored_of(earlier, *first).filter(|_| !param.elements && !elements);
        match stored {
            _ if same_value(&earlier, first) && param.elements == elements => Ok(()),
            Some(Use { setting, role }) => {
                (param.setting, param.role) = (Arc::clone(setting), role);
                Ok(())
            }
            None => Err(shares(&param.setting)),
        }
    }

    /// A parameter of which is asked whether it is NULL, perhaps as one of a type: `$1::text IS NULL OR email = $1`. That is the
    /// type that its values are then read by, and changed with what the values become.
    pub(super) fn settle_tested(&mut self, tested: &Tested) -> Result<(), Refusal> {
        self.tested.insert((tested.number, tested.token));
        let param = self.params.get_mut(&tested.number);
        let Some((param, given)) = param.zip(tested.cast.as_ref()) else {
            return Ok(());
        };
        let setting = &param.setting;
        let types = given.types.as_ref();
        let types = types.filter(|_| !param.elements && setting.takes_cast(given.of.oid));
        let Some(types) = types else {
            return Err(cast::of_other_type(setting));
        };
        // Where it is compared, it is not cut.
        let of = CastType {
            modifier: None,
            ..given.of
        };
        param.cast = cast::either(param.cast, Some(of), setting)?;
        if setting.tokenized().is_none() {
            let insertion = Insertion::over(types, "bytea");
            self.decision
                .insertions
                .push(insertion.of_shape(self.shape));
        }
        Ok(())
    }

    /// An array whose elements are values of a column gets types that hold what these become. Gives the type that they are
    /// read by, if it is one that says something of them.
    pub(super) fn elements(
        &mut self,
        array: usize,
        setting: &Setting,
        role: Role,
        source: &Source<'_>,
    ) -> Result<Option<CastType>, Refusal> {
        if role == Role::Pattern {
            let what = "is compared with patterns that are elements of an array";
            return Err(refused(RefusalCode::ValueForm, setting, what));
        }
        let casts = arrays::casts(array, source);
        for cast in &casts {
            if let Some(instead) = arrays::instead(cast, setting, role, source)? {
                let insertion = Insertion::over(cast, instead);
                self.decision
                    .insertions
                    .push(insertion.of_shape(self.shape));
            }
        }
        Ok(arrays::read_by(&casts, setting, source))
    }

    /// The type that `PREPARE` gives a parameter must be one that can hold what its values become, or that can be changed to
    /// one; in that case the type.
    fn prepared_type(
        &mut self,
        (number, elements): (u16, bool),
        role: Role,
        setting: &Setting,
        types: &[Range<usize>],
        source: &Source<'_>,
    ) -> Result<Option<CastType>, Refusal> {
        let Some(given) = types.get(usize::from(number).saturating_sub(1)) else {
            return Ok(None);
        };
        if setting.tokenized().is_some() {
            // A token has the type of the column.
            return Ok(None);
        }
        let takes = takes_container(given, elements, source);
        let is_hash = role != Role::Stored && setting.likeness() == Some(Likeness::Hash);
        let cast = match takes || elements {
            true => None,
            false => cast::named(given, source).filter(|cast| setting.takes_cast(cast.oid)),
        };
        if !takes && cast.is_none() {
            return Err(refused(
                RefusalCode::ValueForm,
                setting,
                &format!(
                    "has parameter ${number} as its value, which PREPARE gives another type than bytea{}",
                    if elements { "[]" } else { "" }
                ),
            ));
        }
        if is_hash || cast.is_some() {
            let instead = if elements { "bytea[]" } else { "bytea" };
            let insertion = Insertion::over(given, instead);
            self.decision
                .insertions
                .push(insertion.of_shape(self.shape));
        }
        Ok(cast)
    }

    /// Compares the hash in front of a value that is stored elsewhere. NULL and an empty value stay what they are.
    fn hash_of_stored(&mut self, token: usize) {
        for (place, text) in [
            (Place::Before, HASH_OF.to_owned()),
            (Place::After, format!("::bytea{OF_LENGTH}")),
        ] {
            let insertion = Insertion {
                token,
                place,
                text: text.into(),
            };
            self.decision
                .insertions
                .push(insertion.of_shape(self.shape));
        }
    }

    /// A protected parameter that is used for anything else as well would be sealed there too.
    pub(super) fn settle_params(
        &mut self,
        whole: &Source<'_>,
    ) -> Result<Vec<ParamAction>, Refusal> {
        if self.params.is_empty() {
            return Ok(Vec::new());
        }
        let mut written: BTreeMap<u16, usize> = BTreeMap::new();
        for (at, token) in whole.tokens() {
            if token.kind == Kind::Param
                && let Some(number) = whole.param_number(at)
            {
                *written.entry(number).or_default() += 1;
            }
        }
        let mut actions = Vec::with_capacity(self.params.len());
        for (number, param) in std::mem::take(&mut self.params) {
            let Param {
                setting,
                role,
                elements,
                cast,
                uses,
                compared,
            } = param;
            let tested = self.tested.iter().filter(|(tested, token)| {
                *tested == number && (whole.range.0..whole.range.1).contains(token)
            });
            if written.get(&number) != Some(&(uses + tested.count())) {
                return Err(used_elsewhere(number, &setting));
            }
            if role == Role::Stored && setting.likeness() == Some(Likeness::Hash) {
                for token in compared {
                    self.hash_of_stored(token);
                }
            }
            actions.push(ParamAction {
                number,
                setting,
                role,
                elements,
                cast,
            });
        }
        Ok(actions)
    }
}

/// The use by which a value is stored, if it is compared by the other one: what becomes of it has in it what is compared.
fn stored_of<'a>(one: Use<'a>, other: Use<'a>) -> Option<Use<'a>> {
    let (stored, compared) = match (one.role, other.role) {
        (Role::Stored, Role::Compared) => (one, other),
        (Role::Compared, Role::Stored) => (other, one),
        _ => return None,
    };
    let (column, like) = (stored.setting, compared.setting);
    (column.is_like(like) && column.data_type == like.data_type).then_some(stored)
}

/// Whether both uses make the same of a value.
fn same_value(one: &Use<'_>, other: &Use<'_>) -> bool {
    match (one.role, other.role) {
        (Role::Compared, Role::Compared) => one.setting.is_like(other.setting),
        (Role::Pattern, Role::Pattern) => {
            one.setting.is_like(other.setting) && one.setting.transform == other.setting.transform
        }
        _ => one == other,
    }
}

/// Whether a type can hold a container, or an array of them.
fn takes_container(given: &Range<usize>, elements: bool, source: &Source<'_>) -> bool {
    let words: Vec<_> = given
        .clone()
        .map(|token| token_name(token, source))
        .collect();
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    let words = match (elements, &*words) {
        (true, [element @ .., "[", "]"]) => element,
        (false, words) => words,
        (true, _) => return false,
    };
    matches!(
        words,
        ["bytea" | "text" | "varchar" | "unknown"]
            | ["character", "varying"]
            | ["pg_catalog", ".", "bytea" | "text" | "varchar" | "unknown"]
    )
}

fn used_elsewhere(number: u16, setting: &Setting) -> Refusal {
    let message = format!(
        "parameter ${number} is the value of column \"{}\" of protected table \"{}\" and is used elsewhere too",
        setting.column, setting.table
    );
    Refusal::new(RefusalCode::SharedParameter, message).about(setting.subject())
}
