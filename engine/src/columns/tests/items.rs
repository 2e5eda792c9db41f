//! What a column item may ask for, and what this version can do of it.

use super::*;

/// One row per text of policy.md 1.6, in its order, and what decides when two are wrong.
#[test]
fn errors_of_column_items() {
    let invalid =
        |reason: &str| format!("invalid encryptor config: table \"t\", column \"c\": {reason}");
    let rows: &[(&str, String)] = &[
        ("crypto_envelope: x, tokenized: true", "invalid CryptoEnvelopeType".into()),
        ("crypto_envelope: ''", "invalid CryptoEnvelopeType".into()),
        ("tokenized: true, response_on_fail: x", "`tokenized` is provided without `token_type`".into()),
        ("tokenized: false, token_type: nope", "`tokenized` is disabled, but `token_type` is provided".into()),
        ("token_type: nope, response_on_fail: x", "nope: unknown token type".into()),
        ("response_on_fail: x, data_type: y", "unknown response_on_fail value: 'x'".into()),
        (
            "data_type: nope, data_type_db_identifier: 1",
            "data_type can`t be used along with data_type_db_identifier option".into(),
        ),
        (
            "token_type: str, data_type_db_identifier: 25",
            "data_type can`t be used along with data_type_db_identifier option".into(),
        ),
        ("data_type: nope, default_data_value: x", "nope: unknown token type".into()),
        ("data_type_db_identifier: 19", "unsupported data_type_db_identifier option".into()),
        ("data_type_db_identifier: 254", "unsupported data_type_db_identifier option".into()),
        ("default_data_value: x, masking: ''", "default_data_value used without data_type_id".into()),
        ("data_type: Unknown, default_data_value: x", "default_data_value used without data_type_id".into()),
        (
            "data_type: str, default_data_value: x, response_on_fail: error",
            "default data value is defined, but `response_on_fail` operation is not \"default\" (error)".into(),
        ),
        (
            "data_type: str, default_data_value: x, response_on_fail: ciphertext",
            "default data value is defined, but `response_on_fail` operation is not \"default\" (ciphertext)".into(),
        ),
        (
            "data_type: int32, default_data_value: x, plaintext_side: left",
            "invalid default value: strconv.ParseInt: parsing \"x\": invalid syntax".into(),
        ),
        (
            "data_type: int32, default_data_value: 2147483648",
            "invalid default value: strconv.ParseInt: parsing \"2147483648\": value out of range".into(),
        ),
        ("data_type: bytes, default_data_value: '!'", "invalid default value: illegal base64 data at input byte 0".into()),
        ("plaintext_side: left, plaintext_length: -1", "masking pattern can't be empty".into()),
        ("masking: x, plaintext_length: -1", "plaintext length cannot be negative".into()),
        ("masking: x, data_type: int32", "plaintext side must be left of right".into()),
        ("masking: x, plaintext_side: middle", "plaintext side must be left of right".into()),
        (
            "masking: x, plaintext_side: left, data_type: int64, searchable: true",
            "masking configuration error: data type not supported".into(),
        ),
        (
            "masking: x, plaintext_side: left, token_type: int32",
            "masking configuration error: data type not supported".into(),
        ),
        (
            "searchable: true, token_type: str",
            invalid("only one of `searchable`, `masking` and `token_type` can be used in a column"),
        ),
    ];
    for (keys, message) in rows {
        let error = error(&item(keys));
        assert_eq!(error.to_string(), *message, "{keys}");
        assert_eq!(
            (error.table(), error.column(), error.line()),
            (Some("t"), Some("c"), Some(5)),
            "{keys}"
        );
    }
    let nameless = "schemas:\n- table: t\n  encrypted:\n  - client_id: x\n    crypto_envelope: x\n";
    assert_eq!(
        error(nameless).to_string(),
        "invalid encryptor config: table \"t\", column \"\": `column` is missing or empty"
    );
    let default = "schemas: [{table: t, encrypted: [{}]}]\ndefaults:\n  crypto_envelope: x\n";
    assert_eq!(error(default).to_string(), "invalid CryptoEnvelopeType");
}

#[test]
fn the_first_fault_in_the_order_of_the_document_decides() {
    let text = "schemas:\n- table: a\n  encrypted:\n  - {column: x}\n  - {column: y, token_type: q}\n- table: b\n  \
                encrypted:\n  - {column: z, crypto_envelope: q}\n";
    assert_eq!(
        (error(text).to_string().as_str(), error(text).column()),
        ("q: unknown token type", Some("y"))
    );
    // A repeated column is judged although it counts no longer.
    let text =
        "schemas:\n- table: a\n  encrypted:\n  - {column: x, token_type: q}\n  - {column: x}\n";
    assert_eq!(error(text).to_string(), "q: unknown token type");
}

/// policy.md 1.7 and, marked +, what 9 item 6 adds.
#[test]
fn combinations_that_are_allowed() {
    let masking = "masking: x, plaintext_length: 2, plaintext_side: left";
    let rows = [
        "client_id: client",
        "crypto_envelope: acrastruct",
        "reencrypting_to_acrablocks: false",
        "consistent_tokenization: true",
        "plaintext_length: 5",
        // Plain with a type.
        "data_type: str",
        "data_type: Unknown, response_on_fail: error",
        "data_type_db_identifier: 17, crypto_envelope: acrastruct",
        "data_type: int32, response_on_fail: ciphertext",
        "data_type: int32, response_on_fail: error",
        "data_type: int32, response_on_fail: default_value",
        "data_type: int32, default_data_value: 5",
        "data_type: int32, default_data_value: 5, response_on_fail: default_value",
        // +
        "data_type: int32, reencrypting_to_acrablocks: false",
        "response_on_fail: error",
        "response_on_fail: ciphertext",
        "token_type: str",
        // Searchable.
        "searchable: true",
        "searchable: true, data_type: str",
        "searchable: true, crypto_envelope: acrastruct",
        "searchable: true, response_on_fail: error",
        "searchable: true, response_on_fail: default_value",
        "searchable: true, data_type: str",
        "searchable: true, data_type: str, response_on_fail: error",
        "searchable: true, data_type: str, response_on_fail: default_value, default_data_value: x",
        "searchable: true, searchable_prefix: 3",
        "searchable: true, search_column: other",
        // +
        "searchable: true, reencrypting_to_acrablocks: false",
        "searchable: true, data_type: str, default_data_value: x",
        // Masking.
        masking,
        &format!("{masking}, crypto_envelope: acrastruct"),
        &format!("{masking}, data_type: str"),
        &format!("{masking}, data_type_db_identifier: 17"),
        // +
        &format!("{masking}, reencrypting_to_acrablocks: false"),
        &format!("{masking}, data_type: str, crypto_envelope: acrastruct"),
        &format!("{masking}, response_on_fail: error"),
        &format!("{masking}, data_type: str, response_on_fail: error"),
        &format!("{masking}, data_type: str, default_data_value: x"),
        // Tokens.
        "token_type: int32",
        "token_type: int64, consistent_tokenization: true",
        "token_type: str, crypto_envelope: acrastruct",
        "token_type: bytes, consistent_tokenization: false",
        "token_type: email, tokenized: true",
        // +
        "token_type: int32_string",
        "token_type: int64_string",
        "token_type: str, reencrypting_to_acrablocks: false",
    ];
    for keys in rows {
        let document = item(keys);
        assert!(
            Columns::parse(document.as_bytes(), Database::PostgreSql).is_ok(),
            "{keys}: {}",
            error(&document)
        );
    }
}

#[test]
fn combinations_that_are_not() {
    let masking = "masking: x, plaintext_side: right";
    for (keys, reason) in [
        (
            "token_type: str, data_type: str",
            "a data type cannot be used with `token_type`",
        ),
        (
            "token_type: str, data_type: Unknown",
            "a data type cannot be used with `token_type`",
        ),
        (
            "token_type: str, response_on_fail: error",
            "`response_on_fail` cannot be used with `token_type`",
        ),
        (
            "token_type: str, default_data_value: x",
            "`default_data_value` cannot be used with `token_type`",
        ),
        (
            "searchable_prefix: 3",
            "`searchable_prefix` needs `searchable: true`",
        ),
        (
            "search_column: email_hash",
            "`search_column` needs `searchable: true`",
        ),
        (
            "searchable: true, search_column: \"\"",
            "`search_column` is empty",
        ),
        (
            "searchable: true, searchable_prefix: 0",
            "`searchable_prefix` must be a positive number of characters",
        ),
        (
            "searchable: true, searchable_prefix: 4294967296",
            "`searchable_prefix` must be a positive number of characters",
        ),
        (
            "response_on_fail: default_value",
            "`response_on_fail: default_value` needs `default_data_value` and a data type",
        ),
        (
            &format!("{masking}, response_on_fail: default_value"),
            "`response_on_fail: default_value` needs `default_data_value` and a data type",
        ),
        (
            &format!("{masking}, searchable: true"),
            "only one of `searchable`, `masking` and `token_type` can be used in a column",
        ),
        (
            &format!("{masking}, token_type: str"),
            "only one of `searchable`, `masking` and `token_type` can be used in a column",
        ),
    ] {
        let expected = format!("invalid encryptor config: table \"t\", column \"c\": {reason}");
        assert_eq!(error(&item(keys)).to_string(), expected, "{keys}");
    }
}

#[test]
fn ignored_clients() {
    let ignoring = load("defaults: {ignore_client_ids: [one, 42]}\n").columns;
    assert!(ignoring.ignores("one") && ignoring.ignores("42"));
    assert!(!ignoring.ignores("two") && !ignoring.ignores(""));
}
