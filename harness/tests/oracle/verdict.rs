//! A plan beside what the oracle says of the same text.

use acra_engine::columns::{Columns, Likeness, Setting};
use acra_engine::plan::{Lexical, ParamAction, Plan, Planner, Role, Scratch, Verdict};
use acra_harness::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What came of a text.
pub(crate) enum Outcome {
    /// It does not reach the server.
    Refused,
    /// Its plan is right, and seals so many literals and parameters.
    Passed { sealed: usize },
    /// Its plan is wrong.
    Wrong(&'static str),
}

/// An outcome, and whether the oracle left something open.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) unsure: bool,
}

/// What may be sealed: the constant at a place of the text, or a parameter of the text or of what it prepares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Constant(usize),
    Parameter(usize, u16),
}

/// The oracle's answer: `oracle.py` says what its items are.
#[derive(Debug, Default)]
struct Answer<'a> {
    named: bool,
    compared: BTreeMap<Value, BTreeSet<(usize, &'a str)>>,
    unsure: bool,
    computes: bool,
    assigned: BTreeMap<Value, BTreeSet<&'a str>>,
    used: BTreeMap<Value, BTreeSet<usize>>,
    /// Where parameters are tested, and nothing else.
    tested: BTreeSet<usize>,
}

impl<'a> Answer<'a> {
    fn read(line: &'a str) -> Result<Option<Self>> {
        let mut answer = Self::default();
        if line == "-" {
            return Ok(None);
        }
        for item in line.split('\t').skip(1) {
            match item.split(' ').collect::<Vec<_>>()[..] {
                ["named"] => answer.named = true,
                ["compare", at, parameter, column] => {
                    let value = value(at, parameter)?;
                    let compared = answer.compared.entry(value).or_default();
                    compared.insert((at.parse()?, column));
                }
                ["unsure", _] => answer.unsure = true,
                ["use", at, parameter] => {
                    let used = answer.used.entry(value(at, parameter)?).or_default();
                    used.insert(at.parse()?);
                }
                ["test", at, _] => drop(answer.tested.insert(at.parse()?)),
                ["set", at, parameter, column, how] => {
                    let value = value(at, parameter)?;
                    answer.computes |= how == "computed";
                    answer.assigned.entry(value).or_default().insert(column);
                }
                _ => return Err(Error::new(format!("{item:?} in the answer {line}"))),
            }
        }
        Ok(Some(answer))
    }
}

fn value(at: &str, parameter: &str) -> Result<Value> {
    match parameter.split_once(':') {
        Some((prepared, number)) => Ok(Value::Parameter(prepared.parse()?, number.parse()?)),
        None => Ok(Value::Constant(at.parse()?)),
    }
}

type Sealed<'a> = (Value, &'a Setting, Role);

fn parameters(prepared: usize, params: &[ParamAction]) -> impl Iterator<Item = Sealed<'_>> {
    params.iter().map(move |action| {
        let value = Value::Parameter(prepared, action.number);
        (value, &*action.setting, action.role)
    })
}

/// What a plan seals, and for which column; nothing if a literal of it cannot be sealed.
fn sealed<'a>(plan: &'a Plan, text: &'a str, scratch: &'a Scratch) -> Option<Vec<Sealed<'a>>> {
    let mut sealed = Vec::new();
    for literal in plan.literals(text.as_bytes(), scratch) {
        let literal = literal.ok()?;
        let value = Value::Constant(literal.span.start);
        sealed.push((value, &**literal.setting, literal.role));
    }
    sealed.extend(parameters(0, &plan.params));
    for (at, plan) in plan.prepared.iter().enumerate() {
        sealed.extend(parameters(at + 1, &plan.params));
    }
    Some(sealed)
}

/// What came of a text that PostgreSQL's grammar accepts.
pub(crate) fn judge(planner: &Planner, text: &str, answer: &str) -> Result<Option<Judged>> {
    let Some(answer) = Answer::read(answer)? else {
        return Ok(None);
    };
    let mut scratch = Scratch::default();
    let plan = planner.plan(text.as_bytes(), &Lexical::default(), &mut scratch);
    let refused = matches!(plan.verdict, Verdict::Refuse(_));
    let outcome = match sealed(&plan, text, &scratch) {
        _ if answer.named && !plan.protected => Outcome::Wrong("a protected table is not noticed"),
        Some(sealed) if !refused => {
            let hashes = plan.edits(&scratch);
            let hashes = hashes.filter(|edit| edit.span.is_empty() && edit.text == b"substr(");
            let hashes = hashes.map(|edit| edit.span.start).collect();
            passed(planner.columns(), &answer, &sealed, &hashes)
        }
        _ => Outcome::Refused,
    };
    Ok(Some(Judged {
        outcome,
        unsure: answer.unsure,
    }))
}

/// `hashes` are the places of the text where the hash of something is taken.
fn passed(
    columns: &Columns,
    answer: &Answer<'_>,
    sealed: &[Sealed<'_>],
    hashes: &BTreeSet<usize>,
) -> Outcome {
    let setting = |column: &str| settings(columns).find(|setting| key(setting) == *column);
    for (value, compared) in &answer.compared {
        // What equal values have in common takes their place, or there is nothing.
        let is_changed = |(at, column): &(usize, &str)| {
            let mut changed = sealed.iter();
            changed.any(|(other, named, role)| {
                // What is stored begins with its hash, or is a token.
                let is_part = || {
                    matches!(value, Value::Parameter(..))
                        && (named.likeness() == Some(Likeness::Token) || hashes.contains(at))
                };
                other == value
                    && (*role != Role::Stored || is_part())
                    && setting(column).is_some_and(|setting| setting.is_like(named))
            })
        };
        if !compared.iter().all(is_changed) {
            return Outcome::Wrong("a value is compared with a protected column");
        }
    }
    if answer.computes {
        return Outcome::Wrong("a protected column is set to what is computed of a value");
    }
    for (value, named) in &answer.assigned {
        // It may reach another column too, if that is sealed in the same way.
        let is_sealed = |column: &&str| {
            let fits = |setting| {
                let mut sealed = sealed.iter();
                sealed.any(|(other, named, role)| {
                    other == value && *role == Role::Stored && are_alike(named, setting)
                })
            };
            setting(column).is_some_and(fits)
        };
        if !named.iter().all(is_sealed) {
            return Outcome::Wrong("a value of a protected column is not sealed");
        }
    }
    for (value, setting, role) in sealed {
        if *role != Role::Stored {
            let compared = answer.compared.get(value);
            let key = key(setting);
            let is_it = |(_, column): &(usize, &str)| *column == key;
            if !compared.is_some_and(|compared| compared.iter().any(is_it)) {
                return Outcome::Wrong("what is compared is no value of that column");
            }
            continue;
        }
        let named = answer.assigned.get(value);
        if !named.is_some_and(|named| named.contains(&*key(setting))) {
            return Outcome::Wrong("what is sealed is no value of that column");
        }
        let is_compared = |at: &usize| {
            let mut compared = answer.compared.get(value).into_iter().flatten();
            compared.any(|(place, _)| place == at)
        };
        let is_fine = |at: &usize| answer.tested.contains(at) || is_compared(at);
        let used = answer.used.get(value);
        if !used.into_iter().flatten().all(is_fine) {
            return Outcome::Wrong("a value is sealed that is used for something else too");
        }
    }
    Outcome::Passed {
        sealed: sealed.len(),
    }
}

fn settings(columns: &Columns) -> impl Iterator<Item = &Setting> {
    let tables = columns.tables();
    tables.flat_map(|table| table.settings().map(|setting| &**setting))
}

/// The column in the words of the oracle.
fn key(setting: &Setting) -> String {
    format!("{}.{}", setting.table, setting.column)
}

/// Whether what is sealed for one column is right for the other.
fn are_alike(one: &Setting, other: &Setting) -> bool {
    Setting {
        table: one.table.clone(),
        column: one.column.clone(),
        ..other.clone()
    } == *one
}
