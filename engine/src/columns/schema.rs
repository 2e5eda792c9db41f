//! What a database says of the configured tables, and the configuration in the light of it.
//!
//! Partitions and other children of a protected table hold its rows, so they are protected alike; so are views of it,
//! through which nothing can be written.

use super::setting::Setting;
use super::table::{Columns, Table};
use super::views::ReadView;
use std::sync::Arc;

/// The relations of a database that have to do with configured tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// In no order of importance.
    pub relations: Vec<Relation>,
    /// What of the configuration does not fit the server, a sentence each.
    pub remarks: Vec<String>,
}

/// What a relation is to the table that the configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// That table.
    Itself,
    /// A partition or another table that inherits from it.
    Child,
    /// A view of it or of a child, or a view of such a view.
    View,
}

/// A relation of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Schema and name of the configured table.
    pub root: (String, String),
    /// What it is to that.
    pub kinship: Kinship,
    /// Its own number in the database.
    pub oid: u32,
    /// Its own schema.
    pub schema: String,
    /// Its own name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Of a view: the columns that it reads, by their names where it reads them.
    pub reads: Vec<String>,
    /// Of a view: its query.
    pub query: Option<String>,
    /// Of MySQL: the columns of the primary key, if `*` gives them all.
    pub key: Vec<String>,
}

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether its type can hold a container: `bytea`, or a type of text in which one is written in hex; of MySQL a type of bytes.
    pub holds_bytes: bool,
    /// The longest value that it takes, in characters or bytes, if it has a limit and the database tells it.
    pub longest: Option<u64>,
    /// Its number in the relation, from 1 on; those of dropped columns are left out.
    pub number: i16,
    /// What the database computes it of, if it does.
    pub generated: Option<String>,
}

/// What is known of a column by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The relation is not one that the database was asked about.
    Unknown,
    /// It is not protected.
    Plain,
    /// It is protected.
    Protected(&'a Arc<Setting>),
}

/// A table that a statement makes a child of a protected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChild {
    /// Its schema, if that is written.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Schema and name of the parent's entry.
    pub parent: (Option<String>, String),
}

impl Columns {
    /// Whether a database has told of its tables.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// The same with tables that are becoming children of protected ones. The order of their columns is not known.
    pub fn with_children(&self, children: &[NewChild]) -> Self {
        let mut all = self.clone();
        for NewChild {
            schema,
            name,
            parent: (parent_schema, parent),
        } in children
        {
            let Some(parent) = self.table(parent_schema.as_deref(), parent) else {
                continue;
            };
            if let Some(known) = all.exact_mut(schema.as_deref(), name) {
                for setting in parent.settings() {
                    known.add(Arc::clone(setting));
                }
                continue;
            }
            all.add(Table {
                schema: schema.clone(),
                name: name.clone(),
                columns: None,
                disputed: false,
                by_schema: Vec::new(),
                is_view: false,
                ..parent.clone()
            });
        }
        all
    }

    /// The configuration completed by what a database says, and what in it does not fit, a sentence each. `read` finds the
    /// protected columns of a view's query.
    pub fn in_database(&self, schema: &Schema, read: ReadView<'_>) -> (Self, Vec<String>) {
        let mut completed = Self::empty();
        completed.ignored.clone_from(&self.ignored);
        completed.case_sensitive = self.case_sensitive;
        completed.variables.clone_from(&self.variables);
        completed.is_told = true;
        let mut notes = schema.remarks.clone();
        for table in self.tables() {
            let own = |kinship| {
                schema.relations.iter().filter(move |relation| {
                    relation.kinship == kinship && table.is_root_of(relation)
                })
            };
            let mut told = table.with_columns(own(Kinship::Itself), &mut notes);
            told.is_stored &= !schema.relations.iter().any(|relation| {
                relation.kinship == Kinship::View
                    && table.is_called((&relation.schema, &relation.name))
            });
            completed.add(told);
            completed.measure(table, own(Kinship::Itself), &mut notes);
            for child in own(Kinship::Child) {
                let mut kin = table.child(child);
                kin.check_search_columns(child, &mut notes);
                self.add_kin(&mut completed, kin);
            }
            for view in own(Kinship::View) {
                self.add_kin(&mut completed, table.view(view));
            }
        }
        self.read_views(&mut completed, schema, read, &mut notes);
        if self.needs_mapping() {
            for relation in &schema.relations {
                completed.add_numbers(relation);
            }
        }
        notes.sort_unstable();
        notes.dedup();
        (completed, notes)
    }

    /// Notes by number which columns of a relation are protected.
    fn add_numbers(&mut self, relation: &Relation) {
        let table = self.table(Some(&relation.schema), &relation.name);
        let numbered = |column: &Column| {
            let setting = table?.setting(&column.name)?;
            Some((column.number, Arc::clone(setting)))
        };
        let numbers = relation.columns.iter().filter_map(numbered).collect();
        self.by_number.insert(relation.oid, numbers);
    }

    /// What a result column is that the database says is this column of this relation.
    pub fn origin(&self, relation: u32, number: i16) -> Origin<'_> {
        match self.by_number.get(&relation) {
            None => Origin::Unknown,
            Some(numbers) => {
                let known = numbers.iter().find(|(known, _)| *known == number);
                known.map_or(Origin::Plain, |(_, setting)| Origin::Protected(setting))
            }
        }
    }

    /// Adds a child or a view, unless it has an entry of its own. One of several tables has the settings of all.
    fn add_kin(&self, completed: &mut Self, kin: Table) {
        if self.table(kin.schema(), kin.name()).is_some() {
            return;
        }
        match completed.exact_mut(kin.schema(), kin.name()) {
            Some(known) => {
                for setting in kin.settings() {
                    known.add(Arc::clone(setting));
                }
            }
            None => {
                completed.add(kin);
            }
        }
    }
}

impl Table {
    fn is_root_of(&self, relation: &Relation) -> bool {
        let (schema, name) = &relation.root;
        self.is_called((schema, name))
    }

    fn is_called(&self, (schema, name): (&str, &str)) -> bool {
        self.name == name && self.schema.as_deref().is_none_or(|own| own == schema)
    }

    /// The entry with the columns that the table has, or all tables of its name have.
    fn with_columns<'a>(
        &self,
        relations: impl Iterator<Item = &'a Relation>,
        notes: &mut Vec<String>,
    ) -> Self {
        let mut table = self.clone();
        let name = self.full_name();
        let mut orders = Vec::new();
        let mut keyed = true;
        for relation in relations {
            let is_plain = |column: &String| self.setting(column).is_none();
            keyed &= !relation.key.is_empty() && relation.key.iter().all(is_plain);
            let order: Vec<String> = relation
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect();
            for setting in self.settings() {
                let column = relation
                    .columns
                    .iter()
                    .find(|column| column.name == setting.column);
                match column {
                    None => notes.push(format!(
                        "table \"{name}\" has no column \"{}\" in the database: the entry protects nothing",
                        setting.column
                    )),
                    Some(column) if !column.holds_bytes && setting.tokenized().is_none() => notes.push(format!(
                        "table \"{name}\", column \"{}\" is of a type in the database that cannot hold encrypted values: make it bytea, VARBINARY or BLOB",
                        setting.column
                    )),
                    Some(_) => {}
                }
            }
            table.check_search_columns(relation, notes);
            orders.push((relation.schema.clone(), order));
        }
        let Some((_, first)) = orders.first() else {
            notes.push(format!(
                "table \"{name}\" does not exist in the database yet"
            ));
            return table;
        };
        table.is_stored = true;
        table.is_keyed = keyed;
        if orders.iter().any(|(_, order)| order != first) {
            // Which of them an unqualified name means, only a session may know.
            table.disputed = true;
            let listed = self.columns.as_ref();
            orders.retain(|(_, order)| listed.is_none_or(|listed| are_same(listed, order)));
            table.by_schema = orders;
            return table;
        }
        let listed = self.columns.as_ref();
        if listed.is_some_and(|listed| !are_same(listed, first)) {
            notes.push(format!(
                "table \"{name}\" has other columns in the database than the configuration lists: INSERT without a list of columns is refused"
            ));
            table.disputed = true;
        }
        table.columns = Some(first.clone());
        table
    }

    /// An entry with the same settings for a table whose rows are this table's too.
    fn child(&self, child: &Relation) -> Self {
        Self {
            schema: Some(child.schema.clone()),
            name: child.name.clone(),
            columns: Some(
                child
                    .columns
                    .iter()
                    .map(|column| column.name.clone())
                    .collect(),
            ),
            disputed: false,
            by_schema: Vec::new(),
            ..self.clone()
        }
    }
}

/// Whether these are the same columns in the same order. The configuration may write them in capitals, as no statement tells
/// these apart that is not quoted.
fn are_same(listed: &[String], told: &[String]) -> bool {
    let lower = |names: &[String]| -> Vec<String> {
        names.iter().map(|name| name.to_lowercase()).collect()
    };
    lower(listed) == lower(told)
}

#[cfg(test)]
mod tests {
    use super::{Column, Kinship, Origin, Relation, Schema};
    use crate::columns::{Columns, Database};

    const CONFIG: &str = "
schemas:
  - table: people
    columns: [id, ssn]
    encrypted: [{column: ssn}]
  - table: app.orders
    encrypted: [{column: card}]
";

    fn relation(
        root: (&str, &str),
        kinship: Kinship,
        name: (&str, &str),
        columns: &str,
    ) -> Relation {
        let owned = |(schema, name): (&str, &str)| (schema.to_owned(), name.to_owned());
        let (schema, name) = owned(name);
        let column = |name: &str| Column {
            name: name.trim_end_matches('!').to_owned(),
            holds_bytes: !name.ends_with('!'),
            longest: None,
            number: 1,
            generated: None,
        };
        Relation {
            root: owned(root),
            kinship,
            oid: 0,
            schema,
            name,
            columns: columns.split(' ').map(column).collect(),
            reads: vec!["ssn".to_owned()],
            query: None,
            key: Vec::new(),
        }
    }

    fn configured() -> Columns {
        Columns::parse(CONFIG.as_bytes(), Database::PostgreSql)
            .unwrap()
            .columns
    }

    #[test]
    fn children_and_views_are_protected_like_the_table() {
        let people = ("public", "people");
        let orders = ("app", "orders");
        let schema = Schema {
            remarks: Vec::new(),
            relations: vec![
                relation(people, Kinship::Itself, people, "id ssn"),
                relation(people, Kinship::Child, ("parts", "people_1"), "ssn id"),
                relation(people, Kinship::View, ("public", "adults"), "id ssn age"),
                relation(orders, Kinship::Itself, orders, "id card"),
                relation(
                    orders,
                    Kinship::View,
                    ("public", "adults"),
                    "id ssn age card",
                ),
                // Another schema's table of the name of an entry with a schema.
                relation(("x", "orders"), Kinship::Child, ("x", "orders_1"), "card"),
            ],
        };
        let (columns, notes) = configured().in_database(&schema, &|_, _| None);
        assert!(notes.is_empty(), "{notes:?}");
        let child = columns.table(None, "people_1").unwrap();
        assert_eq!(child.columns().unwrap(), ["ssn", "id"]);
        assert!(child.setting("ssn").is_some() && !child.is_view());
        assert!(columns.table(Some("public"), "people_1").is_none());
        let view = columns.table(Some("public"), "adults").unwrap();
        assert!(view.is_view() && view.setting("ssn").is_some());
        assert!(view.setting("card").is_some(), "a view of two tables");
        assert_eq!(
            columns.table(None, "orders").unwrap().columns().unwrap(),
            ["id", "card"]
        );
        assert!(columns.table(None, "orders_1").is_none());
    }

    #[test]
    fn tables_are_told_from_views_of_their_name() {
        let people = ("public", "people");
        let mut schema = Schema {
            remarks: Vec::new(),
            relations: vec![relation(people, Kinship::Itself, people, "id ssn")],
        };
        let is_stored = |schema: &Schema| {
            let (columns, _) = configured().in_database(schema, &|_, _| None);
            let of = |schema, name| columns.table(schema, name).unwrap().is_stored();
            (of(None, "people"), of(Some("app"), "orders"))
        };
        assert_eq!(is_stored(&Schema::default()), (false, false));
        assert_eq!(is_stored(&schema), (true, false));
        for view in [("b", "people"), ("app", "orders")] {
            let view = relation(view, Kinship::View, view, "id ssn");
            schema.relations.push(view);
        }
        assert_eq!(is_stored(&schema), (false, false));
        let orders = ("app", "orders");
        let mut table = relation(orders, Kinship::Itself, orders, "id card");
        for (key, expected) in [("id", true), ("card", false)] {
            table.key = vec![key.to_owned()];
            schema.relations = vec![table.clone()];
            let (columns, _) = configured().in_database(&schema, &|_, _| None);
            let table = columns.table(Some("app"), "orders").unwrap();
            assert_eq!(table.is_keyed(), expected, "{key}");
        }
        schema.relations = vec![table];
        schema
            .relations
            .push(relation(people, Kinship::View, ("b", "orders"), "id"));
        assert_eq!(is_stored(&schema), (false, true));
    }

    #[test]
    fn columns_are_known_by_number_where_it_matters() {
        let typed = "schemas: [{table: people, encrypted: [{column: ssn, data_type: str}]}, {table: parts.people_2}]";
        let people = ("public", "people");
        let numbered = |oid, kinship, name, columns: &[(&str, i16)]| Relation {
            oid,
            columns: columns
                .iter()
                .map(|(name, number)| Column {
                    name: (*name).to_owned(),
                    holds_bytes: true,
                    longest: None,
                    number: *number,
                    generated: None,
                })
                .collect(),
            ..relation(people, kinship, name, "")
        };
        let schema = Schema {
            remarks: Vec::new(),
            relations: vec![
                numbered(1, Kinship::Itself, people, &[("id", 1), ("ssn", 3)]),
                numbered(2, Kinship::Child, ("parts", "people_1"), &[("ssn", 1)]),
                numbered(3, Kinship::View, ("public", "adults"), &[("ssn", 2)]),
                // It has an entry of its own, which protects nothing.
                numbered(4, Kinship::Child, ("parts", "people_2"), &[("ssn", 1)]),
            ],
        };
        let parsed = Columns::parse(typed.as_bytes(), Database::PostgreSql);
        let (columns, _) = parsed.unwrap().columns.in_database(&schema, &|_, _| None);
        let ssn = columns
            .table(None, "people")
            .unwrap()
            .setting("ssn")
            .unwrap();
        for (relation, number) in [(1, 3), (2, 1), (3, 2)] {
            assert_eq!(columns.origin(relation, number), Origin::Protected(ssn));
        }
        for (relation, number) in [(1, 1), (1, 2), (4, 1)] {
            assert_eq!(columns.origin(relation, number), Origin::Plain);
        }
        assert_eq!(columns.origin(0, 0), Origin::Unknown);
        assert_eq!(columns.origin(5, 1), Origin::Unknown);

        // Containers describe themselves.
        let (columns, _) = configured().in_database(&schema, &|_, _| None);
        assert_eq!(columns.origin(1, 3), Origin::Unknown);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let people = ("public", "people");
        let schema = Schema {
            remarks: Vec::new(),
            relations: vec![
                relation(people, Kinship::Itself, people, "ssn! id"),
                relation(people, Kinship::View, ("public", "v"), "id secret"),
            ],
        };
        let (columns, notes) = configured().in_database(&schema, &|_, _| None);
        assert!(columns.table(None, "people").unwrap().is_disputed());
        let told = |part: &str| assert!(notes.iter().any(|note| note.contains(part)), "{notes:?}");
        told("\"people\", column \"ssn\" is of a type in the database that cannot hold");
        told("\"people\" has other columns");
        told("view \"public.v\" reads column \"ssn\"");
        told("\"app.orders\" does not exist");
        assert_eq!(notes.len(), 4);

        let schema = Schema {
            remarks: Vec::new(),
            relations: vec![
                relation(people, Kinship::Itself, people, "id ssn"),
                relation(("b", "people"), Kinship::Itself, ("b", "people"), "ssn id"),
                relation(("app", "orders"), Kinship::Itself, ("app", "orders"), "id"),
            ],
        };
        let (columns, notes) = configured().in_database(&schema, &|_, _| None);
        let disputed = columns.table(None, "people").unwrap();
        assert!(disputed.is_disputed() && columns.differ_by_schema());
        // The configuration lists columns, and only one of the tables has these.
        assert_eq!(disputed.columns_in("public").unwrap(), ["id", "ssn"]);
        assert!(disputed.columns_in("b").is_none() && disputed.columns_in("c").is_none());
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("\"app.orders\" has no column \"card\""));
    }
}
