//! The judged configuration: tables by name.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};

use super::setting::{Setting, Transform};
use super::variables::Variables;
use super::words::Words;

/// All tables of a configuration.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    tables: Vec<Table>,
    /// Places in `tables` by the name without schema.
    by_name: HashMap<Box<[u8]>, Vec<usize>>,
    /// The lengths of these names, a bit each.
    lengths: u64,
    /// A word of each of them.
    pub(super) words: Words,
    /// Protected columns by the numbers of their relation and of themselves, as far as the database has told them and
    /// anybody needs to know.
    pub(super) by_number: HashMap<u32, Vec<(i16, Arc<Setting>)>>,
    /// How long values may be, by the names of table and column as the settings have them; nothing that the database has not told.
    pub(super) longest: HashMap<String, HashMap<String, u64>>,
    /// Names of tables that differ in case are said to be different (`case_sensitive_table_identifiers`).
    pub(super) case_sensitive: bool,
    /// How user variables of MySQL are called that hold values of protected columns.
    pub(super) variables: Variables,
    /// Clients for whom nothing is done.
    pub(super) ignored: Vec<String>,
    /// A database has told of its tables.
    pub(super) is_told: bool,
}

/// Long names share the last bit.
#[inline]
pub(super) fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// One table entry.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) schema: Option<String>,
    pub(super) name: String,
    pub(super) columns: Option<Vec<String>>,
    /// In the order of the document, repeated ones left out.
    pub(super) settings: Vec<Arc<Setting>>,
    pub(super) by_column: HashMap<String, usize>,
    /// The order of its columns is not what the configuration says, or not known.
    pub(super) disputed: bool,
    /// Where tables of this name differ: the schemas that have one, and its columns in order.
    pub(super) by_schema: Vec<(String, Vec<String>)>,
    pub(super) is_view: bool,
    /// The database has told of a table of this name that has rows of its own, and of no view of it.
    pub(super) is_stored: bool,
    /// It has a primary key of columns that are not protected.
    pub(super) is_keyed: bool,
}

impl Columns {
    /// A configuration that protects nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The tables in the order of the document.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter()
    }

    /// The entry for a table that a statement names, with its identifiers decoded and folded.
    ///
    /// An entry without schema matches the name in any schema. An entry with a schema matches that schema, and also a
    /// name without one: the search path is not known here, and unknown means protected. Entries with a schema come
    /// first.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        let matching = || {
            self.named(name.as_bytes())
                .filter(|table| match (&table.schema, schema) {
                    (Some(entry), Some(asked)) => entry == asked,
                    _ => true,
                })
        };
        matching()
            .find(|table| table.schema.is_some())
            .or_else(|| matching().next())
    }

    /// Whether there may be an entry for a name of so many bytes: most names of a text are told from these by their length.
    #[inline]
    pub fn has_name_as_long(&self, length: usize) -> bool {
        self.lengths & length_bit(length) != 0
    }

    /// Whether there is an entry, in whatever schema, for this very name (decoded, folded, without schema).
    pub fn names_table(&self, name: &[u8]) -> bool {
        self.has_name_as_long(name.len()) && self.by_name.contains_key(name)
    }

    /// Whether the configuration says that the case of tables' names matters.
    pub fn is_case_sensitive(&self) -> bool {
        self.case_sensitive
    }

    /// Whether nothing is done for this client (`defaults.ignore_client_ids`).
    pub fn ignores(&self, client_id: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == client_id)
    }

    /// Whether it depends on the schema which columns a table has.
    pub fn differ_by_schema(&self) -> bool {
        self.tables.iter().any(|table| !table.by_schema.is_empty())
    }

    /// Whether some column is searchable.
    pub fn searches(&self) -> bool {
        let mut settings = self.tables.iter().flat_map(Table::settings);
        settings.any(|setting| matches!(setting.transform, Transform::Searchable { .. }))
    }

    /// Whether it must be known of result columns which protected columns they are, see [`Setting::needs_mapping`].
    pub fn needs_mapping(&self) -> bool {
        let mut settings = self.tables().flat_map(Table::settings);
        settings.any(|setting| setting.needs_mapping())
    }

    /// Everything that the configuration asks for and this version does not do, a sentence each. Unless this is empty
    /// the configuration must not be used: what it protects would not be.
    pub fn unsupported(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for table in &self.tables {
            let namesakes = self.named(table.name.as_bytes()).count();
            if namesakes > 1 && table.schema.is_some() {
                sentences.push(format!(
                    "table \"{}\": {namesakes} entries have this name without schema; telling them apart is not available \
                     in this version",
                    table.full_name()
                ));
            }
        }
        sentences
    }

    fn named(&self, name: &[u8]) -> impl Iterator<Item = &Table> {
        self.by_name
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|at| self.tables.get(*at))
    }

    /// The entry of exactly this schema and name.
    pub(super) fn exact_mut(&mut self, schema: Option<&str>, name: &str) -> Option<&mut Table> {
        let places = self.by_name.get(name.as_bytes())?;
        let at = places.iter().find(|at| {
            let table = self.tables.get(**at);
            table.is_some_and(|table| table.schema() == schema)
        })?;
        self.tables.get_mut(*at)
    }

    /// Adds an entry. One of the same schema and name is replaced, at its place; says whether there was one.
    pub(super) fn add(&mut self, table: Table) -> bool {
        self.lengths |= length_bit(table.name.len());
        self.words.add(&table.name);
        let places = self
            .by_name
            .entry(table.name.as_bytes().into())
            .or_default();
        for at in places.iter() {
            if let Some(old) = self.tables.get_mut(*at)
                && old.schema == table.schema
            {
                *old = table;
                return true;
            }
        }
        places.push(self.tables.len());
        self.tables.push(table);
        false
    }
}

impl Table {
    pub(super) fn new(schema: Option<String>, name: String, columns: Option<Vec<String>>) -> Self {
        Self {
            schema,
            name,
            columns,
            settings: Vec::new(),
            by_column: HashMap::new(),
            disputed: false,
            by_schema: Vec::new(),
            is_view: false,
            is_stored: false,
            is_keyed: false,
        }
    }

    /// Its name, without schema.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The schema that the entry is limited to.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// All columns in the order of the table, if the database has told them or the configuration lists them.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// Whether the order of the columns is in dispute between database and configuration, or between tables of this name:
    /// nothing may be written that relies on it.
    pub fn is_disputed(&self) -> bool {
        self.disputed
    }

    /// All columns of the table of this schema in order, where tables of this name differ and the database has told of that one.
    pub fn columns_in(&self, schema: &str) -> Option<&[String]> {
        let mut own = self.by_schema.iter().filter(|(own, _)| own == schema);
        own.next().map(|(_, columns)| &**columns)
    }

    /// Whether it is a view of a protected table.
    pub fn is_view(&self) -> bool {
        self.is_view
    }

    /// Whether the database has told that it has rows of its own, and is no view.
    pub fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// Whether no two of its rows are equal, also where the containers in them are not looked at: it has rows of its own, and a primary key of
    /// columns that are not protected. `*` gives the key.
    pub fn is_keyed(&self) -> bool {
        self.is_stored && self.is_keyed
    }

    /// The setting of a column, if it is protected.
    pub fn setting(&self, column: &str) -> Option<&Arc<Setting>> {
        self.by_column
            .get(column)
            .and_then(|at| self.settings.get(*at))
    }

    /// All settings in the order of the document.
    pub fn settings(&self) -> impl Iterator<Item = &Arc<Setting>> {
        self.settings.iter()
    }

    /// Hash columns that are not among these columns, after the columns that they are for.
    pub(super) fn missing_search_columns<'a>(
        &'a self,
        columns: &'a [String],
    ) -> impl Iterator<Item = (&'a Setting, &'a str)> {
        self.settings().filter_map(|setting| {
            let hashes = setting.search_column.as_deref()?;
            let is_missing = columns.iter().all(|column| column != hashes);
            is_missing.then_some((&**setting, hashes))
        })
    }

    /// The name as a configuration would have it.
    pub(super) fn full_name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Adds a setting. One of the same column is replaced; says whether there was one.
    pub(super) fn add(&mut self, setting: Arc<Setting>) -> bool {
        if let Some(old) = self
            .by_column
            .get(&setting.column)
            .and_then(|at| self.settings.get_mut(*at))
        {
            *old = setting;
            return true;
        }
        self.by_column
            .insert(setting.column.clone(), self.settings.len());
        self.settings.push(setting);
        false
    }
}
