//! What is accepted and told.

use super::*;

#[test]
fn the_last_of_repeated_names_counts() {
    let text = "\
schemas:
- table: t
  columns: [a]
  encrypted: [{column: a}]
- table: t
  columns: [b]
  encrypted: [{column: b, client_id: first}, {column: b, client_id: second, client_id: third}]
";
    let loaded = load(text);
    let table = loaded.columns.table(None, "t").unwrap();
    assert_eq!(loaded.columns.tables().count(), 1);
    assert!(table.setting("a").is_none());
    assert_eq!(table.settings().count(), 1);
    assert_eq!(
        table.setting("b").unwrap().client_id.as_deref(),
        Some("third")
    );
    assert_eq!(
        warnings(text, Database::PostgreSql),
        [
            "line 7: key \"client_id\" is repeated, the last one counts",
            "line 7: table \"t\", column \"b\" is repeated, the last one counts",
            "line 5: table \"t\" is repeated, the last one counts",
        ]
    );
}

#[test]
fn odd_things_are_warned_of() {
    let listed =
        |columns: &str, rest: &str| format!("schemas:\n- table: t\n  columns: [{columns}]\n{rest}");
    let long = "x".repeat(64);
    for (text, expected) in [
        (
            listed("c", "  encrypted:\n  - column: c\n    searchabel: true\n"),
            "line 6: table \"t\", column \"c\": unknown key \"searchabel\" is ignored, did you mean \"searchable\"?",
        ),
        (
            listed("c", "  encrypted:\n  - column: c\n    zone_id: z\n"),
            "line 5: table \"t\", column \"c\": zone_id has no effect, zones were removed",
        ),
        (
            listed("c", "  encrypted: [{column: c, tokenized: false}]\n"),
            "line 4: Setting `tokenized` flag is not necessary anymore and will be ignored",
        ),
        (
            "shemas: []\n".to_owned(),
            "line 1: the document: unknown key \"shemas\" is ignored, did you mean \"schemas\"?",
        ),
        (
            "zzz: 1\n".to_owned(),
            "line 1: the document: unknown key \"zzz\" is ignored",
        ),
        (
            "defaults: {crypto_envelop: acrablock}\n".to_owned(),
            "line 1: defaults: unknown key \"crypto_envelop\" is ignored, did you mean \"crypto_envelope\"?",
        ),
        (
            "database_settings: {postgresql: {a: b}}\n".to_owned(),
            "line 1: database_settings.postgresql: unknown key \"a\" is ignored",
        ),
        (
            listed("a", "  encryptd: []\n"),
            "line 4: table \"t\": unknown key \"encryptd\" is ignored, did you mean \"encrypted\"?",
        ),
        (
            listed("a", "  encrypted: [{column: c}]\n"),
            "line 2: table \"t\", column \"c\" is not among the columns of the table",
        ),
        (
            "schemas: [{table: t}]\n".to_owned(),
            "line 1: table \"t\" lists no columns: INSERT without a column list and `*` need them",
        ),
        (
            "schemas: [{columns: [a]}]\n".to_owned(),
            "line 1: table \"\": an entry without a table name protects nothing",
        ),
        (
            "schemas: [{table: Users, columns: [a]}]\n".to_owned(),
            "line 1: table \"Users\" has upper-case letters and matches only where a statement has it in double quotes",
        ),
        (
            listed("C", "  encrypted: [{column: C}]\n"),
            "line 2: table \"t\", column \"C\" has upper-case letters and matches only where a statement has it in double \
             quotes",
        ),
        (
            format!("schemas: [{{table: {long}, columns: [a]}}]\n"),
            &format!("line 1: table \"{long}\" can never match: PostgreSQL cuts names at 63 bytes"),
        ),
        (
            listed("c", "  encrypted: [{column: c, client_id: a/b}]\n"),
            "line 2: table \"t\", column \"c\": client_id \"a/b\" is not valid (5 to 256 letters, digits, '-', '_' or \
             blanks) and has no keys",
        ),
        (
            listed(
                "c",
                "  encrypted: [{column: c, searchable: true, search_column: h}]\n",
            ),
            "line 2: table \"t\", column \"c\": search_column \"h\" is not among the columns of the table; comparisons are \
             made without it",
        ),
        (
            "schemas: []\n---\nschemas: []\n".to_owned(),
            "only the first YAML document is read, more follow",
        ),
    ] {
        assert_eq!(warnings(&text, Database::PostgreSql), [expected], "{text}");
    }
    assert_eq!(
        warnings(
            &listed("c", "  encrypted: [{column: c, client_id: a client}]\n"),
            Database::PostgreSql
        ),
        [] as [&str; 0]
    );
}

#[test]
fn mysql_folds_names() {
    let text = "schemas: [{table: Users, columns: [A], encrypted: [{column: A}]}]\n";
    let column = "line 1: table \"Users\", column \"A\" can never match: names in statements are folded to lower case";
    assert_eq!(
        warnings(text, Database::MySql),
        [
            "line 1: table \"Users\" can never match: names in statements are folded to lower case",
            column
        ]
    );
    let sensitive =
        format!("database_settings: {{mysql: {{case_sensitive_table_identifiers: true}}}}\n{text}");
    assert_eq!(
        warnings(&sensitive, Database::MySql),
        [column.replace("line 1", "line 2")]
    );
}
