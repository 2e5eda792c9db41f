//! Statements put together at random from everything that a value can hide in.

use crate::{Context, Result};
use std::env;

/// In every value; in upper case, since some statements fold.
pub const MARK: &str = "LEAK-7F3A";

const TABLES: &[&str] = &[
    "vault",
    "Vault",
    "public.vault",
    "\"vault\"",
    "U&\"\\0076ault\"",
    "U&\"!0076ault\" UESCAPE '!'",
    "ONLY vault",
    "vault *",
    "ONLY (vault)",
    "\"public\" . \"vault\"",
    "vault_view",
    "/* */vault",
];

const ALIASES: &[&str] = &[
    "",
    " AS v",
    " v",
    " AS \"secret\"",
    " AS vault",
    " AS only",
    " excluded",
    " AS v (a, b, c)",
];

const COLUMNS: &[&str] = &[
    "id, secret",
    "secret, id",
    "id, \"secret\", note",
    "id, U&\"secre\\0074\", other",
    "ID, SECRET",
    "id, other, secret",
    "id, secret, secret",
    "id, note, open",
    "",
    "id, secret[1]",
    "id, vault.secret",
];

const VALUES: &[&str] = &[
    "'LEAK-7F3A'",
    "E'LEAK\\x2d7F3A'",
    "$$LEAK-7F3A$$",
    "$q$LEAK-7F3A$q$",
    "U&'LEAK\\002D7F3A'",
    "U&'LEAK!002D7F3A' UESCAPE '!'",
    "'LEAK'\n'-7F3A'",
    "'LEAK' --\n '-7F3A'",
    "'LEAK' '-7F3A'",
    "('LEAK-7F3A')",
    "(('LEAK-7F3A'))::bytea",
    "'LEAK-7F3A'::text::bytea",
    "CAST('LEAK-7F3A' AS bytea)",
    "bytea 'LEAK-7F3A'",
    "convert_to('LEAK-7F3A', 'UTF8')",
    "decode('TEVBSy03RjNB', 'base64')",
    "upper('leak-7f3a')::bytea",
    "'LEAK-'::bytea || '7F3A'::bytea",
    "(SELECT 'LEAK-7F3A'::bytea)",
    "coalesce(NULL, 'LEAK-7F3A'::bytea)",
    "CASE WHEN true THEN 'LEAK-7F3A'::bytea END",
    "'\\x4c45414b2d37463341'",
    "E'\\\\x4c45414b2d37463341'",
    "x'4c45'",
    "N'LEAK-7F3A'",
    "'LEAK-7F3A' COLLATE \"C\"",
    "(VALUES ('LEAK-7F3A'::bytea))",
    "NULLIF('LEAK-7F3A'::bytea, 'x')",
    "DEFAULT",
    "NULL",
    "excluded.secret",
    "excluded.open",
    "open",
    "secret",
    "'LEAK-7F3A'::\"bytea\"",
    "'LEAK-7F3A'::pg_catalog.bytea",
    "(ARRAY['LEAK-7F3A'::bytea])[1]",
    "'LEAK-7F3A'/**/::/**/bytea",
    "-7",
    "0x4c",
    "$1",
];

const CONFLICTS: &[&str] = &[
    "",
    " ON CONFLICT DO NOTHING",
    " ON CONFLICT (id) DO UPDATE SET secret = @",
    " ON CONFLICT (id) DO UPDATE SET (secret, note) = (@, 'n')",
    " ON CONFLICT (id) DO UPDATE SET secret = excluded.open, open = @",
    " ON CONFLICT ON CONSTRAINT vault_pkey DO UPDATE SET other = @ WHERE true",
    " OVERRIDING USER VALUE",
    " RETURNING *",
    " RETURNING secret AS s",
];

const WRAPPERS: &[&str] = &[
    "#",
    "#; SELECT 1",
    "SELECT 1; #",
    "EXPLAIN ANALYZE #",
    "PREPARE p AS #",
    "PREPARE p AS #; EXECUTE p; DEALLOCATE p",
    "WITH w AS (# RETURNING 1) SELECT 1",
    "WITH w AS (SELECT 1) #",
    "BEGIN; #; COMMIT",
    "DO $do$ BEGIN #; END $do$",
    "#;;",
    "-- c\n#",
    "/* /* */ */#",
    "CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql AS $do$ # $do$",
    "(#)",
    "COPY (# RETURNING 1) TO STDOUT",
    "SELECT set_config('a.b', 'c', false); #",
];

/// The seed of the statements of this run, by `ACRA_TEST_SEED`.
///
/// # Errors
///
/// What it is set to is not a number.
pub fn seed() -> Result<u64> {
    match env::var("ACRA_TEST_SEED") {
        Ok(seed) => seed
            .parse()
            .context(|| format!("ACRA_TEST_SEED is {seed:?}, not a number")),
        Err(_) => Ok(5),
    }
}

/// The same choices for the same seed.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below this one, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// One of these.
    pub fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// Mostly the first, which is usual: a statement with one oddity gets further than one with many.
    pub(crate) fn odd<'a>(&mut self, list: &[&'a str]) -> &'a str {
        match self.of(&["usual", "usual", "usual", "odd"]) {
            "usual" => list[0],
            _ => self.of(list),
        }
    }

    /// A statement over [`crate::scene::TABLE`], whose row has this id.
    pub fn statement(&mut self, id: usize) -> String {
        let (table, alias) = (self.odd(TABLES), self.odd(ALIASES));
        let columns = self.odd(COLUMNS);
        let mut values = vec![id.to_string()];
        for _ in 1..columns.split(',').count().max(2) {
            values.push(self.odd(VALUES).to_owned());
        }
        if columns.starts_with("secret") {
            values.reverse();
        }
        let list = match columns {
            "" => String::new(),
            columns => format!(" ({columns})"),
        };
        let conflict = self.odd(CONFLICTS).replace('@', self.odd(VALUES));
        let row = format!("({})", values.join(", "));
        let statement = match self.of(&[
            "insert", "insert", "insert", "select", "update", "tuple", "from", "merge", "values",
            "with", "joined", "case", "copied", "matched",
        ]) {
            "insert" => {
                let more = self.of(&["", ", (-1, 'x'), (-2, 'y')"]);
                format!("INSERT INTO {table}{alias}{list} VALUES {row}{more}{conflict}")
            }
            "select" => format!(
                "INSERT INTO {table}{alias}{list} SELECT {}{conflict}",
                values.join(", ")
            ),
            "update" => format!(
                "UPDATE {table}{alias} SET secret = {}, note = 'n' WHERE id > 0",
                self.odd(VALUES)
            ),
            "tuple" => format!("UPDATE {table}{alias} SET (id, secret) = {row}"),
            "from" => format!(
                "UPDATE {table}{alias} SET other = {} FROM plain",
                self.odd(VALUES)
            ),
            "values" => format!(
                "INSERT INTO {table}{alias}{list} SELECT {}a, b FROM (VALUES ({id}, {})) v (a, b){conflict}",
                self.odd(&["", "DISTINCT "]),
                self.odd(VALUES)
            ),
            "with" => format!(
                "WITH {} (a, b) AS ({} {id}, {}) INSERT INTO {table}{alias}{list} SELECT * FROM v{conflict}",
                self.odd(&["v", "vault"]),
                self.odd(&["SELECT", "VALUES (1, 'x'::bytea) UNION ALL SELECT"]),
                self.odd(VALUES)
            ),
            "joined" => format!(
                "UPDATE {table}{alias} SET {} = {} FROM (VALUES (1, {}), (2, {})) x (id, secret) WHERE {} > 0",
                self.odd(&["secret", "other", "(note, secret)"]),
                self.odd(&[
                    "x.secret",
                    "secret",
                    "(x.id, x.secret)",
                    "(SELECT x.id, x.secret)"
                ]),
                self.odd(VALUES),
                self.odd(VALUES),
                self.odd(&["x.id", "length(x.secret)"]),
            ),
            "case" => format!(
                "UPDATE {table}{alias} SET secret = (CASE WHEN {} THEN {} ELSE {} END)::bytea",
                self.odd(&[
                    "id > 0",
                    "secret IS NULL",
                    "note = 'LEAK-7F3A'",
                    "$1 IS NULL"
                ]),
                self.odd(VALUES),
                self.odd(&["NULL", "secret", "open", "'LEAK-7F3A'"]),
            ),
            "copied" => format!(
                "INSERT INTO {table}{alias}{list} SELECT id + {id}, {} FROM vault{conflict}",
                self.odd(&[
                    "secret",
                    "other",
                    "coalesce(secret, other)",
                    "open",
                    "note::bytea",
                    "max(secret)"
                ]),
            ),
            "matched" => format!(
                "MERGE INTO {table}{alias} USING (VALUES ({id}, {})) s (a, b) ON {} WHEN NOT MATCHED THEN INSERT{list} VALUES (s.a, s.b) WHEN MATCHED THEN UPDATE SET secret = {}",
                self.odd(VALUES),
                self.odd(&["false", "id = s.a", "s.b IS NULL"]),
                self.odd(&["s.b", "secret", "(SELECT s.b)", "'LEAK-7F3A'"]),
            ),
            _ => format!(
                "MERGE INTO {table}{alias} USING (SELECT 1) s ON false WHEN NOT MATCHED THEN INSERT{list} VALUES {row}"
            ),
        };
        self.odd(WRAPPERS).replace('#', &statement)
    }
}
