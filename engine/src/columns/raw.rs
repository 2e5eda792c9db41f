//! From the tree to the keys of the schema, before anything is judged (policy.md 1.2 to 1.5).
//!
//! Types that do not fit are collected and reported together, as the reference does; unknown keys are warnings.

use std::collections::HashMap;
use std::rc::Rc;

use super::error::{ConfigError, Warning};
use super::node::{Content, Node};
use super::scalar::{Meaning, mismatch};

/// The keys of a document.
#[derive(Debug, Default)]
pub(super) struct RawConfig {
    pub(super) mysql: RawMySql,
    pub(super) defaults: RawDefaults,
    pub(super) schemas: Vec<RawTable>,
}

/// The keys under `database_settings.mysql`.
#[derive(Debug, Default)]
pub(super) struct RawMySql {
    pub(super) case_sensitive_tables: bool,
    pub(super) variable_delimiter: Option<String>,
}

/// The keys under `defaults`.
#[derive(Debug, Default)]
pub(super) struct RawDefaults {
    pub(super) line: usize,
    pub(super) crypto_envelope: Option<String>,
    pub(super) reencrypt: Option<bool>,
    pub(super) consistent: bool,
    pub(super) ignored: Vec<String>,
}

/// The keys of an entry of `schemas`.
#[derive(Debug, Default)]
pub(super) struct RawTable {
    pub(super) line: usize,
    pub(super) table: String,
    pub(super) columns: Option<Vec<String>>,
    pub(super) encrypted: Vec<RawColumn>,
}

/// The keys of an entry of `encrypted`. Texts that count only when they are not empty are empty where absent.
#[derive(Debug, Default)]
pub(super) struct RawColumn {
    pub(super) line: usize,
    pub(super) column: String,
    pub(super) client_id: String,
    pub(super) crypto_envelope: Option<String>,
    pub(super) reencrypt: Option<bool>,
    pub(super) data_type: String,
    pub(super) data_type_db_identifier: u32,
    pub(super) response_on_fail: String,
    pub(super) default_data_value: Option<String>,
    pub(super) plaintext_fails: bool,
    pub(super) token_type: String,
    pub(super) tokenized: Option<bool>,
    pub(super) consistent: Option<bool>,
    pub(super) searchable: bool,
    pub(super) searchable_prefix: Option<i64>,
    pub(super) search_column: Option<String>,
    pub(super) masking: String,
    pub(super) plaintext_length: i64,
    pub(super) plaintext_side: String,
}

/// Reads the keys below the root of a document.
pub(super) fn read(root: &Rc<Node>, warnings: &mut Vec<Warning>) -> Result<RawConfig, ConfigError> {
    let mut reader = Reader {
        mismatches: Vec::new(),
        warnings,
    };
    if is_null(root) {
        return Err(null_error("the document", root));
    }
    let mut config = RawConfig::default();
    if let Some(mut keys) = reader.mapping(root, "the document", None) {
        if let Some(settings) = keys.take("database_settings") {
            config.mysql = reader.database_settings(&settings);
        }
        if let Some(defaults) = keys.take("defaults") {
            config.defaults = reader.defaults(&defaults);
        }
        for entry in reader.items(keys.take("schemas"), "schemas")? {
            if let Some(table) = reader.table(&entry)? {
                config.schemas.push(table);
            }
        }
        reader.unknown(keys, "the document");
    }
    match reader.mismatches.as_slice() {
        [] => Ok(config),
        all => Err(ConfigError::new(
            format!("yaml: unmarshal errors:\n{}", all.join("\n")),
            0,
        )),
    }
}

/// The pairs of one mapping that have not been asked for yet.
struct Keys {
    values: HashMap<String, Rc<Node>>,
    /// All names asked for: those that the schema knows.
    known: Vec<&'static str>,
    /// Names in the order of the document with their lines, for the warnings.
    names: Vec<(String, usize)>,
}

impl Keys {
    fn take(&mut self, name: &'static str) -> Option<Rc<Node>> {
        self.known.push(name);
        self.values.remove(name)
    }
}

/// Collects what does not fit.
struct Reader<'a> {
    mismatches: Vec<String>,
    warnings: &'a mut Vec<Warning>,
}

impl Reader<'_> {
    fn database_settings(&mut self, node: &Rc<Node>) -> RawMySql {
        let mut read = RawMySql::default();
        if let Some(mut keys) = self.mapping(node, "database_settings", None) {
            if let Some(node) = keys.take("mysql")
                && let Some(mut mysql) = self.mapping(&node, "mysql", None)
            {
                read.case_sensitive_tables = self
                    .boolean(&mut mysql, "case_sensitive_table_identifiers")
                    .unwrap_or(false);
                read.variable_delimiter =
                    self.text(&mut mysql, "prepared_statements_set_arg_delimiter");
                self.unknown(mysql, "database_settings.mysql");
            }
            if let Some(node) = keys.take("postgresql")
                && let Some(postgresql) = self.mapping(&node, "postgresql", None)
            {
                self.unknown(postgresql, "database_settings.postgresql");
            }
            self.unknown(keys, "database_settings");
        }
        read
    }

    fn defaults(&mut self, node: &Rc<Node>) -> RawDefaults {
        let mut defaults = RawDefaults {
            line: node.line,
            ..RawDefaults::default()
        };
        if let Some(mut keys) = self.mapping(node, "defaults", None) {
            defaults.crypto_envelope = self.text(&mut keys, "crypto_envelope");
            defaults.reencrypt = self.boolean(&mut keys, "reencrypting_to_acrablocks");
            defaults.consistent = self
                .boolean(&mut keys, "consistent_tokenization")
                .unwrap_or(false);
            let ignored = self.texts(keys.take("ignore_client_ids"), "ignore_client_ids");
            defaults.ignored = ignored.unwrap_or_default();
            self.unknown(keys, "defaults");
        }
        defaults
    }

    fn table(&mut self, node: &Rc<Node>) -> Result<Option<RawTable>, ConfigError> {
        let Some(mut keys) = self.mapping(node, "schemas", None) else {
            return Ok(None);
        };
        let mut table = RawTable {
            line: node.line,
            ..RawTable::default()
        };
        table.table = self.text(&mut keys, "table").unwrap_or_default();
        table.columns = self.texts(keys.take("columns"), "columns");
        for item in self.items(keys.take("encrypted"), "encrypted")? {
            if let Some(column) = self.column(&item, &table.table) {
                table.encrypted.push(column);
            }
        }
        self.unknown(keys, &format!("table \"{}\"", table.table));
        Ok(Some(table))
    }

    fn column(&mut self, node: &Rc<Node>, table: &str) -> Option<RawColumn> {
        let mut keys = self.mapping(node, "encrypted", None)?;
        let keys_ref = &mut keys;
        let column = RawColumn {
            line: node.line,
            column: self.text(keys_ref, "column").unwrap_or_default(),
            client_id: self.text(keys_ref, "client_id").unwrap_or_default(),
            crypto_envelope: self.text(keys_ref, "crypto_envelope"),
            reencrypt: self.boolean(keys_ref, "reencrypting_to_acrablocks"),
            data_type: self.text(keys_ref, "data_type").unwrap_or_default(),
            data_type_db_identifier: self
                .integer(keys_ref, "data_type_db_identifier", "uint32")
                .unwrap_or_default(),
            response_on_fail: self.text(keys_ref, "response_on_fail").unwrap_or_default(),
            default_data_value: self.text(keys_ref, "default_data_value"),
            plaintext_fails: self
                .boolean(keys_ref, "treat_plaintext_as_failure")
                .unwrap_or(true),
            token_type: self.text(keys_ref, "token_type").unwrap_or_default(),
            tokenized: self.boolean(keys_ref, "tokenized"),
            consistent: self.boolean(keys_ref, "consistent_tokenization"),
            searchable: self.boolean(keys_ref, "searchable").unwrap_or(false),
            searchable_prefix: self.integer(keys_ref, "searchable_prefix", "int"),
            search_column: self.text(keys_ref, "search_column"),
            masking: self.text(keys_ref, "masking").unwrap_or_default(),
            plaintext_length: self
                .integer(keys_ref, "plaintext_length", "int")
                .unwrap_or_default(),
            plaintext_side: self.text(keys_ref, "plaintext_side").unwrap_or_default(),
        };
        let place = format!("table \"{table}\", column \"{}\"", column.column);
        if keys.take("zone_id").is_some() {
            let message = format!("{place}: zone_id has no effect, zones were removed");
            self.warnings.push(Warning::new(message, node.line));
        }
        self.unknown(keys, &place);
        Some(column)
    }

    /// The pairs of a mapping: of repeated keys the last one counts, merged ones (`<<`) count where there is no other.
    fn mapping(&mut self, node: &Rc<Node>, key: &str, into: Option<Keys>) -> Option<Keys> {
        let merged = into.is_some();
        let mut keys = into.unwrap_or_else(|| Keys {
            values: HashMap::new(),
            known: Vec::new(),
            names: Vec::new(),
        });
        let pairs = match &node.content {
            Content::Mapping(pairs) => pairs,
            // `defaults:` with nothing behind it.
            _ if is_null(node) => return Some(keys),
            _ => {
                self.mismatches.push(mismatch(node, "a mapping", key));
                return None;
            }
        };
        let mut merges = Vec::new();
        for (name, value) in pairs {
            let Content::Scalar(scalar) = &name.content else {
                self.mismatches.push(mismatch(name, "string", key));
                continue;
            };
            if scalar.plain && scalar.text == "<<" {
                merges.push(value);
                continue;
            }
            let known = keys.values.contains_key(&scalar.text);
            if known && merged {
                continue;
            }
            if known {
                let message = format!("key \"{}\" is repeated, the last one counts", scalar.text);
                self.warnings.push(Warning::new(message, name.line));
            } else {
                keys.names.push((scalar.text.clone(), name.line));
            }
            keys.values.insert(scalar.text.clone(), Rc::clone(value));
        }
        for merge in merges {
            match &merge.content {
                Content::Sequence(sources) => {
                    for source in sources {
                        keys = self.mapping(source, "<<", Some(keys))?;
                    }
                }
                _ => keys = self.mapping(merge, "<<", Some(keys))?,
            }
        }
        Some(keys)
    }

    /// The items of a list of mappings. A null among them is an error: it is most likely an entry whose lines are
    /// indented wrongly, and the column it meant would go unprotected.
    fn items(&mut self, node: Option<Rc<Node>>, key: &str) -> Result<Vec<Rc<Node>>, ConfigError> {
        let items = self
            .list(node.as_ref(), key, "a list of mappings")
            .unwrap_or_default();
        match items.iter().find(|item| is_null(item)) {
            Some(item) => Err(null_error(&format!("an entry of \"{key}\""), item)),
            None => Ok(items),
        }
    }

    fn texts(&mut self, node: Option<Rc<Node>>, key: &str) -> Option<Vec<String>> {
        let items = self.list(node.as_ref(), key, "[]string")?;
        Some(
            items
                .iter()
                .filter_map(|item| self.scalar_text(item, key))
                .collect(),
        )
    }

    fn list(&mut self, node: Option<&Rc<Node>>, key: &str, wanted: &str) -> Option<Vec<Rc<Node>>> {
        let node = node.filter(|node| !is_null(node))?;
        match &node.content {
            Content::Sequence(items) => Some(items.clone()),
            _ => {
                self.mismatches.push(mismatch(node, wanted, key));
                None
            }
        }
    }

    /// A text, or nothing if there is none or null. Numbers and booleans are taken by their source text.
    fn text(&mut self, keys: &mut Keys, key: &'static str) -> Option<String> {
        let node = keys.take(key).filter(|node| !is_null(node))?;
        self.scalar_text(&node, key)
    }

    /// The source text of a scalar; null reads as empty.
    fn scalar_text(&mut self, node: &Node, key: &str) -> Option<String> {
        match &node.content {
            Content::Scalar(scalar) if scalar.meaning() == Meaning::Null => Some(String::new()),
            Content::Scalar(scalar) => Some(scalar.text.clone()),
            _ => {
                self.mismatches.push(mismatch(node, "string", key));
                None
            }
        }
    }

    fn boolean(&mut self, keys: &mut Keys, key: &'static str) -> Option<bool> {
        let node = keys.take(key).filter(|node| !is_null(node))?;
        match meaning(&node) {
            Some(Meaning::Boolean(state)) => Some(state),
            _ => {
                self.mismatches.push(mismatch(&node, "bool", key));
                None
            }
        }
    }

    fn integer<T: TryFrom<i128>>(
        &mut self,
        keys: &mut Keys,
        key: &'static str,
        wanted: &str,
    ) -> Option<T> {
        let node = keys.take(key).filter(|node| !is_null(node))?;
        let value = match meaning(&node) {
            Some(Meaning::Integer(value)) => Some(value),
            // `23.0` is 23. The cast saturates, what it saturates to fits no type asked for here.
            Some(Meaning::Float(value)) if value.fract() == 0.0 => Some(value as i128),
            _ => None,
        };
        let value = value.and_then(|value| T::try_from(value).ok());
        if value.is_none() {
            self.mismatches.push(mismatch(&node, wanted, key));
        }
        value
    }

    /// Warns of the keys that nobody asked for.
    fn unknown(&mut self, keys: Keys, place: &str) {
        for (name, line) in &keys.names {
            if !keys.values.contains_key(name) {
                continue;
            }
            let hint =
                nearest(name, &keys.known).map(|known| format!(", did you mean \"{known}\"?"));
            let message = format!(
                "{place}: unknown key \"{name}\" is ignored{}",
                hint.unwrap_or_default()
            );
            self.warnings.push(Warning::new(message, *line));
        }
    }
}

fn meaning(node: &Node) -> Option<Meaning> {
    match &node.content {
        Content::Scalar(scalar) => Some(scalar.meaning()),
        _ => None,
    }
}

fn is_null(node: &Node) -> bool {
    meaning(node) == Some(Meaning::Null)
}

fn null_error(what: &str, node: &Node) -> ConfigError {
    ConfigError::new(
        format!(
            "invalid encryptor config: line {}: {what} is null",
            node.line
        ),
        node.line,
    )
}

/// The key that a misspelt one most likely meant.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // Far longer than any key; keeps the work small.
    if name.len() > 128 {
        return None;
    }
    let limit = (name.chars().count() / 3).clamp(1, 4);
    known
        .iter()
        .map(|known| (strsim::osa_distance(name, known), *known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
