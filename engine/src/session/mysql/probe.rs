//! What the database says of the configured tables (docs/architecture.md, "What the database says"): the question, and
//! reading the answer.

use super::MySqlSession;
use super::case;
use super::own::{Question, Row};
use crate::columns::{Column, Columns, Kinship, Relation, Schema};
use crate::session::Cx;
use crate::session::planning::Readiness;
use crate::session::stop::Stop;
use crate::sql::mysql::lower;
use std::collections::{BTreeMap, BTreeSet};

/// The columns of the configured tables, and of all views with their queries, but for those of the server's own schemas. Names
/// travel in hex.
const QUESTION: [&str; 2] = [
    "SELECT HEX(c.TABLE_SCHEMA), HEX(c.TABLE_NAME), HEX(c.COLUMN_NAME), c.ORDINAL_POSITION, c.DATA_TYPE, \
     INSTR(c.EXTRA, 'INVISIBLE') > 0, v.TABLE_NAME IS NOT NULL, HEX(v.VIEW_DEFINITION), HEX(NULLIF(c.GENERATION_EXPRESSION, '')), \
     c.COLUMN_KEY = 'PRI', c.CHARACTER_MAXIMUM_LENGTH, @@lower_case_table_names \
     FROM information_schema.COLUMNS c LEFT JOIN information_schema.VIEWS v \
     ON v.TABLE_SCHEMA = c.TABLE_SCHEMA AND v.TABLE_NAME = c.TABLE_NAME \
     WHERE c.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') \
     AND (v.TABLE_NAME IS NOT NULL OR LOWER(CONVERT(c.TABLE_NAME USING utf8mb4)) IN (",
    ")) ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION",
];

/// A relation as the answer tells of it.
struct Told {
    columns: Vec<Column>,
    /// Position of the last of them.
    last: i16,
    /// Its columns are not all told of.
    partial: bool,
    /// The columns of its primary key; nothing if one of them is invisible.
    key: Option<Vec<String>>,
    /// The query of a view; nothing if it is not told.
    view: Option<Option<String>>,
}

/// Schema and name.
type Name = (String, String);

pub(super) fn question(columns: &Columns) -> Vec<u8> {
    let names: BTreeSet<String> = columns
        .tables()
        .map(|table| const_hex::encode(table.name().to_lowercase()))
        .map(|hex| format!("CONVERT(X'{hex}' USING utf8mb4)"))
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    QUESTION.join(&names.join(", ")).into_bytes()
}

impl MySqlSession {
    /// Brings the planner up to date before a text is planned, or asks the database.
    pub(super) fn knows_schema(&mut self) -> Result<(), Stop> {
        let in_transaction = self.status.is_in_transaction();
        match self.planning.refresh(!in_transaction && self.is_quiet()) {
            Readiness::Current => Ok(()),
            // Asked at the first chance; a session begins idle.
            Readiness::Stale if in_transaction => Ok(()),
            Readiness::Stale => Err(Stop::Wait),
            Readiness::Asks => {
                self.asks = Some(Question::Schema);
                Err(Stop::Wait)
            }
        }
    }

    pub(super) fn schema_answered(
        &mut self,
        rows: &[Row],
        failed: Option<String>,
        cx: &mut Cx<'_>,
    ) {
        let answer = match failed {
            None => schema(rows, self.context.planners.base().columns())
                .ok_or_else(|| "an answer that is none".to_owned()),
            Some(reason) => Err(reason),
        };
        // Servers write the queries of views in one way, whatever the session's settings are.
        let lexical = self.usual_lexical();
        self.planning.answered(answer, &lexical, &self.context, cx);
    }
}

/// Reads the answer; `None` if it has another form.
fn schema(rows: &[Row], columns: &Columns) -> Option<Schema> {
    let mut told: BTreeMap<Name, Told> = BTreeMap::new();
    for row in rows {
        let [
            Some(schema),
            Some(table),
            Some(column),
            Some(position),
            Some(kind),
            invisible,
            Some(is_view),
            query,
            generated,
            in_key,
            longest,
            _,
        ] = &**row
        else {
            return None;
        };
        let entry = told
            .entry((folded_name(schema)?, folded_name(table)?))
            .or_insert_with(|| Told {
                columns: Vec::new(),
                last: 0,
                partial: false,
                key: Some(Vec::new()),
                view: (is_view == b"1").then(|| query.as_deref().and_then(name)),
            });
        let position: i16 = std::str::from_utf8(position).ok()?.parse().ok()?;
        entry.partial |= i32::from(position) != i32::from(entry.last) + 1;
        entry.last = position;
        // An invisible column has no place in rows, nor in an INSERT without a list.
        let invisible = invisible.as_deref() == Some(b"1");
        if in_key.as_deref() == Some(b"1") {
            let column = folded_name(column)?;
            entry.key = entry.key.take().filter(|_| !invisible).map(|mut key| {
                key.push(column);
                key
            });
        }
        if !invisible {
            entry.columns.push(Column {
                name: folded_name(column)?,
                holds_bytes: holds_bytes(kind),
                longest: match longest {
                    None => None,
                    Some(longest) => Some(std::str::from_utf8(longest).ok()?.parse().ok()?),
                },
                number: position,
                generated: generated.as_deref().and_then(name),
            });
        }
    }
    Some(Schema {
        relations: relations(told, columns),
        remarks: case::remarks(rows, columns),
    })
}

/// The relations that have to do with configured tables: they themselves, and views that mention them or such views, or have their names.
fn relations(told: BTreeMap<Name, Told>, columns: &Columns) -> Vec<Relation> {
    let mut relations = Vec::new();
    let mut roots: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for ((schema, table), entry) in &told {
        // Of a table of which not all columns are told the configuration alone is right.
        let is_known = entry.view.is_none() && !entry.partial;
        if is_known && columns.table(Some(schema), table).is_some() {
            roots.insert(
                (schema.clone(), table.clone()),
                vec![(schema.clone(), table.clone())],
            );
        }
    }
    // Views of views, to any depth.
    loop {
        let mut found = Vec::new();
        for (view, entry) in &told {
            let Some(query) = &entry.view else { continue };
            let query = query.as_deref().map(lower);
            let reads = roots.iter().filter(|((_, name), _)| match &query {
                Some(query) => query.contains(&**name),
                // What it reads is not known.
                None => true,
            });
            let of: BTreeSet<&Name> = reads.flat_map(|(_, roots)| roots).collect();
            let known = roots.get(view).map_or(0, Vec::len);
            if of.len() > known {
                found.push((view.clone(), of.into_iter().cloned().collect::<Vec<_>>()));
            }
        }
        if found.is_empty() {
            break;
        }
        roots.extend(found);
    }
    for (own, entry) in &told {
        if entry.view.is_some() && columns.table(Some(&own.0), &own.1).is_some() {
            roots
                .entry(own.clone())
                .or_insert_with(|| vec![own.clone()]);
        }
    }
    for (own, of) in roots {
        let Some(entry) = told.get(&own) else {
            continue;
        };
        for root in of {
            relations.push(Relation {
                kinship: match entry.view {
                    None => Kinship::Itself,
                    Some(_) => Kinship::View,
                },
                root,
                oid: 0,
                schema: own.0.clone(),
                name: own.1.clone(),
                columns: entry.columns.clone(),
                reads: Vec::new(),
                query: entry.view.clone().flatten(),
                key: entry.key.clone().unwrap_or_default(),
            });
        }
    }
    relations
}

/// Types whose values are bytes as they are.
fn holds_bytes(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"binary" | b"varbinary" | b"tinyblob" | b"blob" | b"mediumblob" | b"longblob"
    )
}

/// A name that travels in hex, as it is looked for: in lower case.
pub(super) fn folded_name(hex: &[u8]) -> Option<String> {
    name(hex).map(|name| lower(&name))
}

pub(super) fn name(hex: &[u8]) -> Option<String> {
    String::from_utf8(const_hex::decode(hex).ok()?).ok()
}
