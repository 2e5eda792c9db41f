//! What the database says of the configured tables, asked on the client's own connection (docs/architecture.md, "What
//! the database says").
//!
//! Job: the question, its place in the stream, and reading the answer, of which the client sees nothing. It is asked when
//! the session is idle, right before the first statement that needs it. The extended protocol and names of our own
//! leave the client's unnamed statement and portal alone.

use super::PgSession;
use super::ledger::Awaited;
use crate::columns::{Column, Columns, Kinship, Relation, Schema};
use crate::plan::Lexical;
use crate::session::planning::Readiness;
use crate::session::{Cx, Output};
use crate::wire::cursor::Malformed;
use crate::wire::pg::data_row::Cells;
use crate::wire::pg::{Frame, error, write_cstr, write_frame};
use std::collections::BTreeSet;

/// Our statement and portal.
const NAME: &[u8] = b"acra-server schema probe";

/// Most relations that are looked at; a database that has more of them is treated as if it had no answer.
const MAX_RELATIONS: usize = 100_000;

/// What a column is generated of is asked for in a way that servers without such columns understand. All names, and the queries of views, travel in hex as UTF-8, so neither quotes nor `client_encoding` matter.
const QUESTION: [&str; 2] = [
    "WITH RECURSIVE tree(root, oid, kin) AS (\
     SELECT c.oid, c.oid, 'i' FROM pg_catalog.pg_class c WHERE c.relkind IN ('r','p','f','v','m') AND c.relname IN (",
    ") UNION SELECT t.root, s.oid, CASE WHEN t.kin = 'v' THEN 'v' ELSE s.kin END FROM tree t JOIN (\
     SELECT inhparent AS parent, inhrelid AS oid, 'c' AS kin FROM pg_catalog.pg_inherits \
     UNION SELECT d.refobjid, r.ev_class, 'v' FROM pg_catalog.pg_depend d \
     JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v','m') \
     WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.ev_class <> d.refobjid) s ON s.parent = t.oid) \
     SELECT pg_catalog.encode(pg_catalog.convert_to(rn.nspname::pg_catalog.text, 'UTF8'), 'hex'), \
     pg_catalog.encode(pg_catalog.convert_to(rc.relname::pg_catalog.text, 'UTF8'), 'hex'), t.kin, \
     pg_catalog.encode(pg_catalog.convert_to(n.nspname::pg_catalog.text, 'UTF8'), 'hex'), \
     pg_catalog.encode(pg_catalog.convert_to(c.relname::pg_catalog.text, 'UTF8'), 'hex'), \
     (SELECT pg_catalog.string_agg(pg_catalog.encode(pg_catalog.convert_to(a.attname::pg_catalog.text, 'UTF8'), 'hex') || \
     CASE WHEN y.typcategory = 'S' OR 17 IN (y.oid, y.typbasetype) THEN '+' ELSE '-' END || a.attnum || \
     COALESCE('=' || pg_catalog.encode(pg_catalog.convert_to(pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'UTF8'), 'hex'), ''), \
     ',' ORDER BY a.attnum) \
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid \
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND pg_catalog.to_jsonb(a) ->> 'attgenerated' <> '' \
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
     (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.encode(pg_catalog.convert_to(a.attname::pg_catalog.text, 'UTF8'), 'hex'), ',') \
     FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.objid = r.oid \
     AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass \
     JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
     WHERE r.ev_class = c.oid AND d.refobjid <> c.oid), c.oid, \
     CASE WHEN t.kin = 'v' THEN pg_catalog.encode(pg_catalog.convert_to(pg_catalog.pg_get_viewdef(c.oid), 'UTF8'), 'hex') END \
     FROM tree t JOIN pg_catalog.pg_class rc ON rc.oid = t.root JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace \
     JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     ORDER BY 1, 2, 3, 4, 5",
];

/// A question that the database has not answered yet.
#[derive(Debug, Default)]
pub(super) struct Probe {
    schema: Schema,
    /// SQLSTATE, or what else went wrong.
    failed: Option<String>,
}

impl PgSession {
    /// Brings the planner up to date before a statement is planned. False: the database has to answer first.
    pub(super) fn knows_schema(&mut self, out: &mut Output<'_>) -> bool {
        if self.probe.is_some() {
            return false;
        }
        let is_idle =
            self.transaction == b'I' && self.ledger.len() == 0 && self.client_passing == 0;
        match self.planning.refresh(is_idle) {
            // Asked at the first chance; a session begins idle.
            Readiness::Current | Readiness::Stale => return true,
            Readiness::Asks => {}
        }
        out.to_server
            .push(question(self.context.planners.base().columns()));
        self.ledger.push(Awaited::Probe);
        self.probe = Some(Box::default());
        false
    }

    /// Whether this message of the server answers our question.
    pub(super) fn answers_probe(&mut self, frame: &Frame) -> bool {
        self.probe.is_some()
            && matches!(frame.tag, b'1' | b'2' | b'3' | b'D' | b'C' | b'E' | b'Z')
            && matches!(
                self.ledger.head().map(|entry| &entry.awaited),
                Some(Awaited::Probe)
            )
    }

    /// Takes a message of the answer. False: it is for the client after all.
    pub(super) fn probe_answer(
        &mut self,
        frame: &Frame,
        bytes: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<bool, Malformed> {
        let Some(probe) = &mut self.probe else {
            return Ok(false);
        };
        match frame.tag {
            b'D' if probe.schema.relations.len() >= MAX_RELATIONS => {
                probe.failed = Some(format!("more than {MAX_RELATIONS} relations"));
            }
            b'D' => match relation(bytes, frame)? {
                Some(relation) => probe.schema.relations.push(relation),
                None => probe.failed = Some("an answer that is none".to_owned()),
            },
            b'E' if error::ends_connection(frame.body(bytes)) => return Ok(false),
            b'E' => {
                let code = error::sqlstate(frame.body(bytes)).unwrap_or_default();
                probe.failed = Some(String::from_utf8_lossy(code).into_owned());
            }
            b'Z' => {
                self.ready(frame.body(bytes), cx);
                self.probe_done(cx);
            }
            _ => {}
        }
        Ok(true)
    }

    fn probe_done(&mut self, cx: &mut Cx<'_>) {
        let Some(probe) = self.probe.take() else {
            return;
        };
        let Probe { schema, failed } = *probe;
        let lexical = Lexical {
            standard_conforming_strings: self.lexical.standard_conforming_strings,
            ..Lexical::default()
        };
        let answer = failed.map_or(Ok(schema), Err);
        self.planning.answered(answer, &lexical, &self.context, cx);
    }

    /// Notes by its tag that a statement may have changed what the database says; told when its transaction has ended.
    pub(super) fn follow_definitions(&mut self, tag: &[u8]) {
        const KINDS: [&[u8]; 9] = [
            b"TABLE",
            b"VIEW",
            b"MATERIALIZED",
            b"FOREIGN",
            b"SCHEMA",
            b"TYPE",
            b"DOMAIN",
            b"OWNED",
            b"EXTENSION",
        ];
        let mut words = tag
            .strip_suffix(b"\0")
            .unwrap_or(tag)
            .split(|byte| *byte == b' ');
        let defines = match (words.next(), words.next()) {
            (Some(b"CREATE" | b"ALTER" | b"DROP"), Some(kind)) => KINDS.contains(&kind),
            (Some(b"DO"), None) => true,
            _ => false,
        };
        self.redefined |= defines;
    }

    /// The session is idle: what it has defined is there for all.
    pub(super) fn definitions_settled(&mut self) {
        if std::mem::take(&mut self.redefined) {
            self.planning.outdate();
        }
    }
}

/// Close, Parse, Bind, Execute, Close and Sync.
fn question(columns: &Columns) -> Vec<u8> {
    let names: BTreeSet<&str> = columns.tables().map(|table| table.name()).collect();
    let names: Vec<String> = names
        .into_iter()
        .map(|name| {
            let name = const_hex::encode(name);
            format!("pg_catalog.convert_from(pg_catalog.decode('{name}', 'hex'), 'UTF8')")
        })
        .collect();
    let text = QUESTION.join(&names.join(", "));
    let mut out = Vec::with_capacity(text.len() + 256);
    let close = |out: &mut Vec<u8>, kind| {
        write_frame(out, b'C', |out| {
            out.push(kind);
            write_cstr(out, NAME);
        });
    };
    // One that failed half-way may have left it behind.
    close(&mut out, b'S');
    write_frame(&mut out, b'P', |out| {
        write_cstr(out, NAME);
        write_cstr(out, text.as_bytes());
        out.extend_from_slice(&[0, 0]);
    });
    write_frame(&mut out, b'B', |out| {
        write_cstr(out, NAME);
        write_cstr(out, NAME);
        // No formats and no values of parameters; results in text.
        out.extend_from_slice(&[0; 6]);
    });
    write_frame(&mut out, b'E', |out| {
        write_cstr(out, NAME);
        out.extend_from_slice(&[0; 4]);
    });
    close(&mut out, b'P');
    close(&mut out, b'S');
    write_frame(&mut out, b'S', |_| {});
    out
}

/// Reads a row of the answer; `None` if it has another form.
fn relation(bytes: &[u8], frame: &Frame) -> Result<Option<Relation>, Malformed> {
    let mut cells = Cells::new(bytes, &frame.range)?;
    let mut row: [&[u8]; 9] = [b""; 9];
    if cells.left() != row.len() {
        return Ok(None);
    }
    for cell in &mut row {
        // NULL: no columns, or no query.
        let range = cells.next(bytes)?.unwrap_or_default();
        *cell = bytes.get(range).unwrap_or_default();
    }
    cells.finish()?;
    let [
        root_schema,
        root,
        kin,
        schema,
        table,
        columns,
        reads,
        oid,
        query,
    ] = row;
    let read = || {
        Some(Relation {
            root: (name(root_schema)?, name(root)?),
            kinship: match kin {
                b"i" => Kinship::Itself,
                b"c" => Kinship::Child,
                b"v" => Kinship::View,
                _ => return None,
            },
            oid: number(oid)?,
            schema: name(schema)?,
            name: name(table)?,
            columns: listed(columns).map(column).collect::<Option<_>>()?,
            reads: listed(reads).map(name).collect::<Option<_>>()?,
            query: match query {
                [] => None,
                query => Some(name(query)?),
            },
            key: Vec::new(),
        })
    };
    Ok(read())
}

fn listed(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',')
        .filter(|item| !item.is_empty())
}

/// A column: its name, whether it holds bytes, its number, and what it is generated of.
fn column(text: &[u8]) -> Option<Column> {
    let sign = text.iter().position(|byte| matches!(byte, b'+' | b'-'))?;
    let (hex, rest) = text.split_at_checked(sign)?;
    let (sign, rest) = rest.split_first()?;
    let mut parts = rest.splitn(2, |byte| *byte == b'=');
    Some(Column {
        name: name(hex)?,
        holds_bytes: *sign == b'+',
        // It fails where a value is too long.
        longest: None,
        number: number(parts.next()?)?,
        generated: match parts.next() {
            None => None,
            Some(expression) => Some(name(expression)?),
        },
    })
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn name(hex: &[u8]) -> Option<String> {
    String::from_utf8(const_hex::decode(hex).ok()?).ok()
}
