//! Plans: the same from the cache as made anew; values that are sealed are literals of the text, each once; and a text
//! with its values sealed is planned like the one it comes from, so that sealing again would change nothing.

use crate::fixture::{PLANS, Reading, block, text};
use acra_engine::columns::{Columns, Setting};
use acra_engine::plan::{
    Edit, Lexical, ParamAction, Plan, Planner, Role, Scratch, Unsupported, Verdict, arguments,
    edited, outline,
};
use arbitrary::{Arbitrary, Unstructured};
use std::ops::Range;
use std::sync::Arc;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    reading: Reading,
    text: &'a [u8],
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let (text, lexical) = (text(input.text), input.reading.lexical());
    let columns = input.reading.columns();
    let planner = Planner::new(Arc::clone(&columns), Unsupported::Refuse, PLANS);
    let mut scratch = Scratch::default();
    let plan = planner.plan(text, &lexical, &mut scratch);
    let values = values(&plan, text, &scratch);
    let again = planner.plan(text, &lexical, &mut scratch);
    assert_eq!(outcome(&plan), outcome(&again), "of the cache");
    if let Some(values) = values {
        sealed(&planner, &plan, &values, text, &lexical);
    }
    let _ = planner.explain(text, &lexical);
    let _ = outline(text, &lexical);
    executed(text, &columns, &scratch);
}

/// What a plan says, as text.
fn outcome(plan: &Plan) -> String {
    let Plan {
        verdict,
        params,
        names,
        executes,
        copies,
        prepared,
        ..
    } = plan;
    format!("{verdict:?} {params:?} {names:?} {executes:?} {copies:?} {prepared:?}")
}

/// A value to seal: its place and its column.
type Value = (Range<usize>, Arc<Setting>);

/// The values of a text that are sealed; `None` if it is refused, or others are changed.
fn values(plan: &Plan, text: &[u8], scratch: &Scratch) -> Option<Vec<Value>> {
    if plan.verdict != Verdict::Rewrite {
        return matches!(plan.verdict, Verdict::Forward).then(Vec::new);
    }
    let mut values = Vec::new();
    let mut at = 0;
    for literal in plan.literals(text, scratch) {
        let literal = literal.ok()?;
        if literal.role == Role::Compared {
            // It becomes an expression, and not a container.
            return None;
        }
        assert!(at <= literal.span.start && literal.span.start < literal.span.end);
        at = literal.span.end;
        values.push((literal.span, Arc::clone(literal.setting)));
    }
    assert!(at <= text.len());
    Some(values)
}

fn sealed(planner: &Planner, plan: &Plan, values: &[Value], text: &[u8], lexical: &Lexical) {
    let container = block(b"a value");
    let hex = const_hex::encode(&container);
    let is_mysql = lexical.dialect.is_mysql();
    let quoted = match lexical.standard_conforming_strings {
        // Without the name of a character set it would be refused for tokens that are numbers.
        _ if is_mysql => format!(" _binary X'{hex}'"),
        true => format!("'\\x{hex}'"),
        false => format!("E'\\\\x{hex}'"),
    };
    let value = match is_mysql {
        true => container,
        false => format!("\\x{hex}").into_bytes(),
    };
    let edits: Vec<Edit> = values
        .iter()
        .map(|(span, _)| Edit {
            span: span.clone(),
            text: quoted.clone().into_bytes(),
        })
        .collect();
    let rewritten = edited(text, edits);
    let mut scratch = Scratch::default();
    let other = planner.plan(&rewritten, lexical, &mut scratch);
    let shown = || rewritten.escape_ascii().to_string();
    assert_eq!(plan.verdict, other.verdict, "{}", shown());
    assert_eq!(plan.params, other.params, "{}", shown());
    let count = other.literals(&rewritten, &scratch).map(|literal| {
        let literal = literal.expect("a literal that we have written");
        assert_eq!(*literal.value, *value);
    });
    assert_eq!(count.count(), values.len(), "{}", shown());
}

/// Arguments of EXECUTE are found whatever the text.
fn executed(text: &[u8], columns: &Columns, scratch: &Scratch) {
    let table = columns.table(None, "customers").expect("of the corpus");
    let setting = table.setting("ssn").expect("of the corpus");
    let params = [1, 3].map(|number| ParamAction {
        number,
        setting: Arc::clone(setting),
        role: Role::Stored,
        elements: false,
        cast: None,
    });
    if let Ok((values, around)) = arguments(text, scratch, |_| &params, |_, _| false) {
        let spans = values.iter().map(|value| &value.span);
        for span in spans.chain(around.iter().map(|edit| &edit.span)) {
            assert!(span.start <= span.end && span.end <= text.len());
        }
    }
}
