//! The twin of [`crate::statements`] for MySQL and MariaDB: statements put together at random from everything that a value
//! can hide in.

use crate::statements::Random;

/// The table that the statements are over, with one column for each kind of protection.
pub const TABLES: &[&str] = &[
    "CREATE TABLE vault (id INT PRIMARY KEY, note TEXT, open VARBINARY(1000), secret VARBINARY(1000), other VARBINARY(1000), token VARCHAR(200), card VARBINARY(1000))",
    "CREATE TABLE plain (id INT PRIMARY KEY, note TEXT)",
    "INSERT INTO plain VALUES (1, 'n'), (2, 'LEAK-7F3A')",
    "CREATE VIEW vault_view AS SELECT id, note, open FROM vault",
];

/// How its columns are protected.
pub const COLUMNS: &str = "schemas:
  - table: vault
    columns: [id, note, open, secret, other, token, card]
    encrypted:
      - {column: secret}
      - {column: other, searchable: true}
      - {column: token, token_type: str, consistent_tokenization: true}
      - {column: card, masking: \"xxxx\", plaintext_length: 4, plaintext_side: right}
";

/// The columns of which none holds a value as it was written.
pub const PROTECTED: [&str; 4] = ["secret", "other", "token", "card"];

const NAMES: &[&str] = &[
    "vault",
    "`vault`",
    "/* */vault",
    "/*!80000 vault*//*M!100000 vault*/",
    "/*! vault */",
    "Vault",
    "vault_view",
    "\"vault\"",
    "vault PARTITION (p0)",
    ".vault",
    "vault # \n",
];

const ALIASES: &[&str] = &[
    "",
    " AS v",
    " v",
    " `secret`",
    " AS vault",
    " 'v'",
    " AS new",
];

/// `~` is a protected column.
const LISTS: &[&str] = &[
    "id, ~",
    "~, id",
    "id, `~`, note",
    "ID, vault.~",
    "id, ~, secret",
    "id, ~, ~",
    "id, note, open",
    "",
    "id, open, ~, other",
    "id, \"~\"",
    "id, /*!99999 note, */ ~",
    "id, ~, note, open, card",
];

const VALUES: &[&str] = &[
    "'LEAK-7F3A'",
    "\"LEAK-7F3A\"",
    "'LEAK' '-7F3A'",
    "'LEAK-' \"7F\" '3A'",
    "'LEAK\\-7F3A'",
    "'LEAK' -- \n '-7F3A'",
    "'LEAK' /*! '-7F3A' */",
    "'LEAK-7F3A\\\\'",
    "'it''s LEAK-7F3A'",
    "'\\'LEAK-7F3A'",
    "N'LEAK-7F3A'",
    "n'LEAK' '-7F3A'",
    "_utf8mb4'LEAK-7F3A'",
    "_binary 'LEAK-7F3A'",
    "_latin1 'LEAK-7F3A'",
    "_latin1 X'4C45414B2D37463341'",
    "X'4C45414B2D37463341'",
    "x'4c45414b2d37463341'",
    "0x4C45414B2D37463341",
    "b'010011000100010101000001010010110010110100110111010001100011001101000001'",
    "('LEAK-7F3A')",
    "(('LEAK-7F3A'))",
    "+'LEAK-7F3A'",
    "!'LEAK-7F3A'",
    "BINARY 'LEAK-7F3A'",
    "'LEAK-7F3A' COLLATE utf8mb4_bin",
    "CAST('LEAK-7F3A' AS BINARY)",
    "CAST('LEAK-7F3A' AS CHAR)",
    "CONVERT('LEAK-7F3A' USING utf8mb4)",
    "CONVERT('LEAK-7F3A', CHAR(20))",
    "CONCAT('LEAK', '-7F3A')",
    "'LEAK' || '-7F3A'",
    "UNHEX('4C45414B2D37463341')",
    "FROM_BASE64('TEVBSy03RjNB')",
    "UPPER('leak-7f3a')",
    "REPEAT('LEAK-7F3A', 2)",
    "IF(1, 'LEAK-7F3A', 'x')",
    "IFNULL(NULL, 'LEAK-7F3A')",
    "NULLIF('LEAK-7F3A', 'x')",
    "COALESCE(NULL, 'LEAK-7F3A')",
    "CASE WHEN 1 THEN 'LEAK-7F3A' END",
    "(SELECT 'LEAK-7F3A')",
    "(SELECT note FROM plain WHERE id = 2)",
    "(SELECT 'LEAK-7F3A' AS `x` LIMIT 1)",
    "(SELECT MAX('LEAK-7F3A'))",
    "(VALUES ROW('LEAK-7F3A'))",
    "/*!80000 'LEAK-7F3A' */ /*M!100000 'LEAK-7F3A' */",
    "/*!99999 'x', */ 'LEAK-7F3A'",
    "1.e('LEAK-7F3A')",
    "{x 'LEAK-7F3A'}",
    "@x",
    "@y := 'LEAK-7F3A'",
    "DEFAULT",
    "DEFAULT(note)",
    "NULL",
    "TRUE",
    "-7",
    "open",
    "secret",
    "vault.open",
    "VALUES(open)",
    "VALUE(open)",
    "JSON_UNQUOTE('\"LEAK-7F3A\"')",
    "ELT(1, 'LEAK-7F3A')",
    "?",
    "(?)",
    "CONCAT(?)",
    "IF(?, ?, NULL)",
    "CAST(? AS CHAR)",
    "? COLLATE utf8mb4_bin",
];

/// `~` is a protected column, `%` a value.
const DUPLICATES: &[&str] = &[
    "",
    " ON DUPLICATE KEY UPDATE ~ = %",
    " ON DUPLICATE KEY UPDATE ~ = VALUES(~)",
    " ON DUPLICATE KEY UPDATE ~ = VALUES(open), open = %",
    " ON DUPLICATE KEY UPDATE vault.~ = IF(id > 0, %, ~)",
    " AS new ON DUPLICATE KEY UPDATE ~ = new.~",
    " AS new ON DUPLICATE KEY UPDATE ~ = new.open, note = %",
    " AS new (a, b) ON DUPLICATE KEY UPDATE ~ = b",
    " ON DUPLICATE KEY UPDATE open = %, ~ = open",
    " RETURNING ~",
];

/// `#` is a statement, `$` one inside of a string.
const WRAPPERS: &[&str] = &[
    "#",
    "#; SELECT 1",
    "SELECT 1; #",
    "#;;",
    "(#)",
    "-- c\n#",
    "/* ' */#",
    "# -- '",
    "#\n/* ' */",
    "/*! # */",
    "/*!80000 # */",
    "/*M!100000 # */",
    "/*!99999 ' */ #",
    "SELECT 1 /*!99999 ; */; #",
    "SELECT 1 --'\n; #",
    "SELECT '\\'; # -- '",
    "SELECT \"'\"; #",
    "SELECT 5 1.e-- 1; #",
    "BEGIN; #; COMMIT",
    "EXPLAIN #",
    "EXPLAIN ANALYZE #",
    "ANALYZE #",
    "PREPARE p FROM '$'; EXECUTE p",
    "EXECUTE IMMEDIATE '$'",
    "EXECUTE IMMEDIATE CONCAT('', '$')",
    "BEGIN NOT ATOMIC #; END",
    "IF 1 THEN #; END IF",
    "SET @x = 'LEAK-7F3A'; #",
    "SET sql_mode = 'ANSI_QUOTES'; #",
    "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET sql_mode = DEFAULT",
    "SET @x = 'LEAK-7F3A'",
    "SET NAMES latin1",
    "SET STATEMENT max_statement_time = 10 FOR #",
    "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR #",
    "CREATE PROCEDURE f() #",
    "WITH w AS (SELECT 1) #",
    "DO 1; #",
];

/// A statement over the table, whose row has this id.
pub fn statement(random: &mut Random, id: usize) -> String {
    let column = random.of(&PROTECTED);
    let table = random.odd(NAMES);
    let alias = random.odd(ALIASES);
    let list = random.odd(LISTS);
    let mut value = || random.odd(VALUES).to_owned();
    let mut values = vec![id.to_string()];
    for _ in 1..list.split(',').count().max(2) {
        values.push(value());
    }
    if list.starts_with('~') {
        values.reverse();
    }
    let row = values.join(", ");
    let list = match list {
        "" => String::new(),
        list => format!(" ({list})"),
    };
    let (first, second) = (value(), value());
    let duplicate = random.odd(DUPLICATES).replace('%', random.odd(VALUES));
    let statement = match random.below(16) {
        0..3 => {
            let verb = random.odd(&[
                "INSERT INTO",
                "INSERT",
                "REPLACE INTO",
                "INSERT IGNORE INTO",
                "REPLACE DELAYED",
                "INSERT /*! HIGH_PRIORITY */ INTO",
            ]);
            let rows = random.odd(&["VALUES", "VALUE"]);
            let more = random.odd(&["", ", (-1, 'x'), (-2, 'y')", ", (DEFAULT, DEFAULT)"]);
            format!("{verb} {table}{list} {rows} ({row}){more}{duplicate}")
        }
        3 => format!("INSERT INTO {table}{list} VALUES ROW({row}){duplicate}"),
        4 => format!(
            "{} {table} SET id = {id}, {} {} {first}{duplicate}",
            random.odd(&["INSERT INTO", "REPLACE"]),
            random.odd(&["~", "`~`", "vault.~", "open = 'x', ~"]),
            random.odd(&["=", ":="]),
        ),
        5 | 6 => {
            let from = random.odd(&["", " FROM DUAL", " FROM plain", " WHERE 1", " LIMIT 1"]);
            let open = random.odd(&[
                "SELECT",
                "SELECT DISTINCT",
                "(SELECT",
                "SELECT SQL_NO_CACHE",
            ]);
            let close = if open.starts_with('(') { ")" } else { "" };
            format!("INSERT INTO {table}{list} {open} {row}{from}{close}{duplicate}")
        }
        7 | 8 => format!(
            "UPDATE {}{table}{alias} SET {} = {first}, note = 'n'{}",
            random.odd(&["", "IGNORE ", "LOW_PRIORITY "]),
            random.odd(&["~", "`~`", "vault.~", "v.~", "~ = NULL, ~"]),
            random.odd(&[" WHERE id > 0", " ORDER BY id LIMIT 2", ""]),
        ),
        9 => format!(
            "UPDATE {table}{alias}{} SET {} = {first}, {} = {second}",
            random.odd(&[
                ", plain",
                " JOIN plain p ON p.id = vault.id",
                " JOIN plain USING (id)"
            ]),
            random.odd(&["~", "vault.~", "v.~"]),
            random.odd(&["plain.note", "p.note", "vault.open", "vault.other"]),
        ),
        10 => format!(
            "UPDATE {table}{alias} JOIN (SELECT {} AS id, {first} AS s) x ON {} SET {} = {}",
            random.odd(&["1", "3"]),
            random.odd(&["1", "x.id > 0", "x.s IS NOT NULL"]),
            random.odd(&["~", "vault.~"]),
            random.odd(&["x.s", "s", "(SELECT x.s)", "IFNULL(x.s, ~)"]),
        ),
        11 => format!(
            "INSERT INTO {table}{list} SELECT {id}, {} FROM (SELECT {first} AS a {} SELECT {second}) x{duplicate}",
            random.odd(&["a", "x.a", "MAX(a)", "`a`"]),
            random.odd(&["UNION ALL", "UNION", "LIMIT 1 -- "]),
        ),
        12 => format!(
            "INSERT INTO {table}{list} WITH w (a, b) AS (SELECT {id}, {first}) SELECT {} FROM w{duplicate}",
            random.odd(&["a, b", "*", "w.*", "a, w.b"]),
        ),
        13 => format!(
            "UPDATE {table}{alias} SET ~ = CASE WHEN {} THEN {first} ELSE {} END",
            random.odd(&["id > 0", "~ IS NULL", "note = 'LEAK-7F3A'", "? IS NULL"]),
            random.odd(&["NULL", "~", "open", "'LEAK-7F3A'"]),
        ),
        14 => format!(
            "INSERT INTO {table}{list} SELECT id + {}, {} FROM vault{duplicate}",
            10 + id,
            random.odd(&["~", "secret", "open", "COALESCE(~, open)", "MAX(~)", "note"]),
        ),
        _ => format!("INSERT INTO {table}{list} VALUES ({row}), ({row}){duplicate}"),
    };
    let statement = statement.replace('~', column);
    let quoted = statement.replace('\\', "\\\\").replace('\'', "''");
    let wrapper = random.odd(WRAPPERS);
    wrapper.replace('#', &statement).replace('$', &quoted)
}
