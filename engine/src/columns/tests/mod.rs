//! The schema, its errors and its warnings, through [`Columns::parse`].

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

mod items;
mod warnings;

fn load(text: &str) -> Loaded {
    Columns::parse(text.as_bytes(), Database::PostgreSql)
        .unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn error(text: &str) -> ConfigError {
    match Columns::parse(text.as_bytes(), Database::PostgreSql) {
        Ok(loaded) => panic!("{text}\n{loaded:?}"),
        Err(error) => error,
    }
}

/// A document with one column item that has these keys, given as a flow mapping's inside.
fn item(keys: &str) -> String {
    format!("schemas:\n- table: t\n  columns: [c]\n  encrypted:\n  - {{column: c, {keys}}}\n")
}

fn setting(keys: &str) -> Setting {
    let columns = load(&item(keys)).columns;
    let table = columns.table(None, "t").unwrap();
    Setting::clone(table.setting("c").unwrap())
}

fn warnings(text: &str, database: Database) -> Vec<String> {
    let loaded = Columns::parse(text.as_bytes(), database).unwrap();
    loaded.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_document() {
    let text = "\
database_settings:
  mysql:
    case_sensitive_table_identifiers: yes
    prepared_statements_set_arg_delimiter: __
  postgresql: {}
defaults:
  crypto_envelope: acrastruct
  reencrypting_to_acrablocks: off
  consistent_tokenization: true
schemas:
- table: users
  columns: [id, name, mail, 7]
  encrypted:
  - column: name
    client_id: 424242
    crypto_envelope: acrablock
    reencrypting_to_acrablocks: true
  - column: mail
    token_type: email
- table: notes
";
    let loaded = load(text);
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    let columns = loaded.columns;
    let users = columns.table(None, "users").unwrap();
    assert_eq!((users.name(), users.schema()), ("users", None));
    assert_eq!(users.columns().unwrap(), ["id", "name", "mail", "7"]);
    let name = users.setting("name").unwrap();
    assert_eq!(
        **name,
        Setting {
            table: "users".to_owned(),
            column: "name".to_owned(),
            client_id: Some("424242".to_owned()),
            envelope: Envelope::AcraBlock,
            reencrypt: true,
            transform: Transform::Plain,
            search_column: None,
            data_type: None,
            response_on_fail: ResponseOnFail::Ciphertext,
            default_value: None,
            plaintext_fails: true,
        }
    );
    let mail = users.setting("mail").unwrap();
    assert_eq!(mail.envelope, Envelope::AcraBlock);
    assert!(!mail.reencrypt);
    assert_eq!(mail.data_type, Some(DataType::Str));
    assert_eq!(
        mail.transform,
        Transform::Tokenized {
            token_type: TokenType::Email,
            consistent: true
        }
    );
    assert_eq!(users.settings().count(), 2);
    assert!(users.setting("id").is_none());
    let notes = columns.table(None, "notes").unwrap();
    assert_eq!((notes.columns(), notes.settings().count()), (None, 0));
    assert_eq!(columns.tables().count(), 2);
}

#[test]
fn nothing_is_a_valid_configuration() {
    for text in [
        "",
        "\n",
        "---\n",
        "# only words\n",
        "{}",
        "defaults:\n",
        "schemas:\n",
        "schemas: []\n",
        "schemas: ~\n",
    ] {
        let loaded = load(text);
        assert!(
            loaded.columns.is_empty() && loaded.warnings.is_empty(),
            "{text:?}"
        );
    }
    assert!(Columns::empty().is_empty());
    assert_eq!(Columns::empty().unsupported(), [] as [&str; 0]);
}

#[test]
fn a_document_in_base64_is_decoded() {
    let text = item("client_id: client");
    let mut encoded = STANDARD.encode(&text);
    for _ in 0..2 {
        let loaded = Columns::parse(encoded.as_bytes(), Database::PostgreSql).unwrap();
        assert!(loaded.columns.names_table(b"t"));
        encoded.push('\n');
    }
}

#[test]
fn null_is_an_error_where_the_reference_crashes() {
    for (text, message) in [
        (
            "---
null",
            "invalid encryptor config: line 2: the document is null",
        ),
        (
            "# x\n~\n",
            "invalid encryptor config: line 2: the document is null",
        ),
        (
            "schemas:\n- table: t\n-\n",
            "invalid encryptor config: line 3: an entry of \"schemas\" is null",
        ),
        (
            "schemas:\n- table: t\n  encrypted:\n  - ~\n",
            "invalid encryptor config: line 4: an entry of \"encrypted\" is null",
        ),
    ] {
        assert_eq!(error(text).to_string(), message, "{text}");
    }
}

#[test]
fn invalid_yaml_is_told_with_place_and_key() {
    let error = error("schemas:\n- table: t\n  columns: [a\n  encrypted:\n");
    let text = error.to_string();
    assert!(
        text.starts_with("yaml: line ") && text.contains(", column "),
        "{text}"
    );
    assert!(text.contains("(after key \""), "{text}");
    assert!(error.line().is_some_and(|line| line >= 3), "{text}");
    // The rule for base64 comes first, also for a word that happens to be some.
    let error = Columns::parse(b"null", Database::PostgreSql).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: line 1, column 1: the document, decoded from base64, is not UTF-8 text"
    );
    let bytes = b"schemas:\n- table: \xff\n";
    let error = Columns::parse(bytes, Database::PostgreSql).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: line 2, column 10: the document is not UTF-8 text"
    );
}

#[test]
fn values_of_the_wrong_type_are_reported_together() {
    let text = "\
schemas:
- table: t
  columns: a
  encrypted:
  - column: c
    data_type_db_identifier: \"25\"
    searchable: maybe not at all
    plaintext_length: x
    masking: [a]
";
    let expected = "yaml: unmarshal errors:\n  \
        line 3: cannot unmarshal !!str `a` into []string (column 12, key \"columns\")\n  \
        line 6: cannot unmarshal !!str `25` into uint32 (column 30, key \"data_type_db_identifier\")\n  \
        line 7: cannot unmarshal !!str `maybe n...` into bool (column 17, key \"searchable\")\n  \
        line 9: cannot unmarshal !!seq into string (column 14, key \"masking\")\n  \
        line 8: cannot unmarshal !!str `x` into int (column 23, key \"plaintext_length\")";
    assert_eq!(error(text).to_string(), expected);
    for (text, part) in [
        (
            "schemas: 5\n",
            "cannot unmarshal !!int `5` into a list of mappings",
        ),
        ("- a\n", "cannot unmarshal !!seq into a mapping"),
        (
            "schemas: [x]\n",
            "cannot unmarshal !!str `x` into a mapping",
        ),
        (
            "schemas: [{encrypted: [1.5]}]\n",
            "cannot unmarshal !!float `1.5` into a mapping",
        ),
        ("defaults: []\n", "cannot unmarshal !!seq into a mapping"),
        (
            "database_settings: {mysql: {case_sensitive_table_identifiers: 1}}\n",
            "!!int `1` into bool",
        ),
        (
            "database_settings: {mysql: {prepared_statements_set_arg_delimiter: {}}}\n",
            "!!map into string",
        ),
        (
            &item("data_type_db_identifier: -1"),
            "!!int `-1` into uint32",
        ),
        (
            &item("data_type_db_identifier: 4294967296"),
            "!!int `4294967296` into uint32",
        ),
        (
            &item("data_type_db_identifier: 25.5"),
            "!!float `25.5` into uint32",
        ),
        (&item("plaintext_length: 1e300"), "!!float `1e300` into int"),
        (&item("searchable: \"true\""), "!!str `true` into bool"),
        ("{[a]: b}\n", "!!seq into string"),
    ] {
        assert!(
            error(text).to_string().contains(part),
            "{text}: {}",
            error(text)
        );
    }
}

#[test]
fn scalars_are_taken_by_their_source_text() {
    assert_eq!(
        setting("client_id: 007007").client_id.as_deref(),
        Some("007007")
    );
    assert_eq!(
        setting("client_id: true").client_id.as_deref(),
        Some("true")
    );
    assert_eq!(setting("client_id: ~").client_id, None);
    assert_eq!(setting("client_id: ''").client_id, None);
    assert_eq!(
        setting("data_type: int32, default_data_value: 123")
            .default_value
            .as_deref(),
        Some("123")
    );
    assert_eq!(
        setting("data_type: str, default_data_value: 1_0")
            .default_value
            .as_deref(),
        Some("1_0")
    );
    assert_eq!(
        setting("data_type: str, default_data_value: ''")
            .default_value
            .as_deref(),
        Some("")
    );
    assert_eq!(
        setting("data_type: str, default_data_value: ").default_value,
        None
    );
    assert_eq!(
        setting("data_type_db_identifier: 0x19").data_type,
        Some(DataType::Str)
    );
    assert_eq!(
        setting("data_type_db_identifier: 25.0").data_type,
        Some(DataType::Str)
    );
}

#[test]
fn merge_keys_fill_what_is_missing() {
    let text = "\
base: &base {client_id: one_client, crypto_envelope: acrastruct}
schemas:
- table: t
  columns: [a, b]
  encrypted:
  - <<: *base
    column: a
  - {column: b, crypto_envelope: acrablock, <<: [*base]}
";
    let columns = load(text).columns;
    let table = columns.table(None, "t").unwrap();
    assert_eq!(table.setting("a").unwrap().envelope, Envelope::AcraStruct);
    assert_eq!(table.setting("b").unwrap().envelope, Envelope::AcraBlock);
    assert_eq!(
        table.setting("b").unwrap().client_id.as_deref(),
        Some("one_client")
    );
}

#[test]
fn type_numbers_are_those_of_the_database() {
    let text = item("data_type_db_identifier: 254");
    let loaded = Columns::parse(text.as_bytes(), Database::MySql).unwrap();
    let table = loaded.columns.table(None, "t").unwrap();
    assert_eq!(table.setting("c").unwrap().data_type, Some(DataType::Str));
}

#[test]
fn tables_are_found_by_schema_and_name() {
    let text = "schemas:\n- {table: t, columns: [any]}\n- {table: a.t, columns: [in_a]}\n- {table: b.u, columns: [in_b]}\n";
    let columns = load(text).columns;
    let found = |schema: Option<&str>, name: &str| {
        columns
            .table(schema, name)
            .map(|table| table.columns().unwrap()[0].as_str())
    };
    assert_eq!(found(Some("a"), "t"), Some("in_a"));
    assert_eq!(found(Some("z"), "t"), Some("any"));
    assert_eq!(found(None, "t"), Some("in_a"));
    assert_eq!(found(Some("b"), "u"), Some("in_b"));
    assert_eq!(found(Some("a"), "u"), None);
    assert_eq!(found(None, "u"), Some("in_b"));
    assert_eq!(found(None, "T"), None);
    assert!(columns.names_table(b"t") && columns.names_table(b"u"));
    assert!(
        !columns.names_table(b"a.t") && !columns.names_table(b"a") && !columns.names_table(b"\xff")
    );
    // Two entries answer to `t`: which one is meant depends on a search path that is not known.
    assert_eq!(
        columns.unsupported(),
        [
            "table \"a.t\": 2 entries have this name without schema; telling them apart is not available in this version"
        ]
    );
    let deep = load("schemas:\n- table: db.s.t\n  columns: []\n");
    assert_eq!(
        deep.columns.table(Some("s"), "t").and_then(Table::schema),
        Some("s")
    );
    assert!(deep.warnings[0].message.contains("\"db\" is ignored"));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Columns::parse(&bytes, Database::PostgreSql);
    }

    #[test]
    fn any_yaml_is_answered(
        words in proptest::collection::vec(
            "schemas|table|columns|encrypted|column|defaults|[a-z0-9]|masking|<<|[:\\[\\]{},&*!|>'\"#-]|: |- |\n|\n  ",
            0..60,
        ),
    ) {
        let _ = Columns::parse(words.concat().as_bytes(), Database::MySql);
    }
}

#[test]
fn a_hash_column_is_of_one_column() {
    let fault = |encrypted: &str| {
        let text = format!("schemas: [{{table: t, columns: [a, b, h], encrypted: [{encrypted}]}}]");
        let error = Columns::parse(text.as_bytes(), Database::PostgreSql).unwrap_err();
        error.to_string()
    };
    let by = |column: &str| format!("{{column: {column}, searchable: true, search_column: h}}");
    assert_eq!(
        fault(&format!("{}, {}", by("a"), by("b"))),
        "invalid encryptor config: table \"t\", column \"b\": `search_column: h`: that column has the hashes of column \"a\" already"
    );
    for protected in ["{column: h}", "{column: h, searchable: true}"] {
        assert_eq!(
            fault(&format!("{}, {protected}", by("a"))),
            "invalid encryptor config: table \"t\", column \"a\": `search_column: h`: that column is protected itself"
        );
    }
    assert!(fault(&by("h")).ends_with("that column is protected itself"));
}
