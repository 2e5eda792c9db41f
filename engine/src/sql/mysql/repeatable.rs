//! Whether a query has the same rows each time that a statement reads it, as far as its words tell.

use super::words::is;
use crate::sql::token::{Kind, Token};
use std::ops::Range;

/// Words by which rows or values depend on the order of other rows, or on what the session does meanwhile.
const MAY_DIFFER: [&str; 8] = [
    "limit", "fetch", "rownum", "over", "group", "nextval", "currval", "lastval",
];

/// Words in front of a parenthesis that call nothing.
const NO_CALLS: [&str; 41] = [
    "select",
    "from",
    "join",
    "straight_join",
    "on",
    "using",
    "where",
    "and",
    "or",
    "xor",
    "not",
    "in",
    "exists",
    "between",
    "like",
    "case",
    "when",
    "then",
    "else",
    "as",
    "by",
    "having",
    "any",
    "some",
    "all",
    "is",
    "div",
    "values",
    "row",
    "distinct",
    "union",
    "intersect",
    "except",
    "index",
    "key",
    "partition",
    "decimal",
    "varchar",
    "varbinary",
    "datetime",
    "interval",
];

/// Functions of the server that make the same of the same values, however often and in whatever order they are called.
const ALIKE: [&str; 90] = [
    "abs",
    "acos",
    "adddate",
    "ascii",
    "asin",
    "atan",
    "binary",
    "bin",
    "bit_count",
    "bit_length",
    "cast",
    "ceil",
    "ceiling",
    "char",
    "char_length",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "conv",
    "convert",
    "cos",
    "crc32",
    "date",
    "date_add",
    "date_format",
    "date_sub",
    "datediff",
    "day",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "elt",
    "exp",
    "extract",
    "field",
    "find_in_set",
    "floor",
    "format",
    "greatest",
    "hex",
    "hour",
    "if",
    "ifnull",
    "instr",
    "isnull",
    "last_day",
    "lcase",
    "least",
    "left",
    "length",
    "ln",
    "locate",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "mid",
    "minute",
    "mod",
    "month",
    "nullif",
    "octet_length",
    "ord",
    "position",
    "pow",
    "power",
    "quarter",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "second",
    "sha1",
    "sha2",
    "sign",
    "sqrt",
    "strcmp",
    "substr",
    "substring",
    "trim",
    "truncate",
    "unhex",
    "upper",
];

/// Whether queries of these tokens are known to give the same rows each time.
pub(crate) fn reads_alike(text: &[u8], tokens: &[Token], mut queries: Range<usize>) -> bool {
    queries.all(|at| {
        let Some(token) = tokens.get(at) else {
            return false;
        };
        match token.kind {
            Kind::Variable => false,
            Kind::Word | Kind::Backtick => {
                let is_value_of = is(text, tokens, at, &["next", "previous"])
                    && is(text, tokens, at + 1, &["value"]);
                !is(text, tokens, at, &MAY_DIFFER) && !is_value_of && calls_alike(text, tokens, at)
            }
            _ => true,
        }
    })
}

/// Whether a name calls nothing, or what is known. The names of the server's own functions touch the parenthesis, and have no schema.
fn calls_alike(text: &[u8], tokens: &[Token], at: usize) -> bool {
    let (Some(token), Some(next)) = (tokens.get(at), tokens.get(at + 1)) else {
        return true;
    };
    if !next.is(text, b'(') || is(text, tokens, at, &NO_CALLS) {
        return true;
    }
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let has_schema = before.is_some_and(|before| before.is(text, b'.'));
    token.end == next.start && !has_schema && is(text, tokens, at, &ALIKE)
}

#[cfg(test)]
mod tests {
    use super::reads_alike;
    use crate::sql::{Lexical, MySql, lex};

    #[test]
    fn what_may_differ_is_told() {
        for (query, expected) in [
            (
                "SELECT ssn, UPPER(name), 'x' FROM t WHERE id IN (1, 2) AND (a OR b)",
                true,
            ),
            (
                "SELECT ssn, MOD(id, 2) FROM t AS x JOIN (SELECT 1) y USING (id)",
                true,
            ),
            (
                "SELECT CAST(a AS DECIMAL(10, 2)), CASE WHEN (a) THEN (b) ELSE (c) END, `limit` FROM t",
                true,
            ),
            (
                "SELECT ssn, `nextval` FROM t ORDER BY id + INTERVAL 1 DAY",
                true,
            ),
            (
                "SELECT DISTINCT ssn FROM (SELECT ssn FROM t UNION (SELECT ssn FROM u)) d",
                true,
            ),
            ("SELECT ssn FROM t LIMIT 1", false),
            ("SELECT ssn FROM t FETCH FIRST ROW ONLY", false),
            (
                "SELECT DISTINCT ssn FROM (SELECT ssn FROM t UNION (SELECT ssn FROM u)) d",
                true,
            ),
            ("SELECT ssn, RAND() FROM t", false),
            ("SELECT ssn, uuid () FROM t", false),
            ("SELECT ssn, f(1) FROM t", false),
            ("SELECT ssn, `f`(1) FROM t", false),
            ("SELECT ssn, app.lower(1) FROM t", false),
            ("SELECT ssn, count (1) FROM t", false),
            ("SELECT ssn, NEXT VALUE FOR s FROM t", false),
            ("SELECT ssn, NEXTVAL(s) FROM t", false),
            ("SELECT ssn, s.nextval FROM t", false),
            ("SELECT ssn, @x := @x + 1 FROM t", false),
            ("SELECT ssn, @@rand_seed1 FROM t", false),
            ("SELECT ssn, ROW_NUMBER() OVER (ORDER BY id) FROM t", false),
            ("SELECT ssn, GROUP_CONCAT(name) FROM t", false),
            ("SELECT ssn FROM t WHERE ROWNUM < 2", false),
            ("SELECT ssn, COUNT(*) FROM t", false),
            ("SELECT ssn, id FROM t GROUP BY ssn", false),
        ] {
            let mut tokens = Vec::new();
            lex(
                query.as_bytes(),
                &Lexical::mysql(MySql::default()),
                &mut tokens,
            )
            .unwrap();
            let found = reads_alike(query.as_bytes(), &tokens, 0..tokens.len());
            assert_eq!(found, expected, "{query}");
        }
    }
}
