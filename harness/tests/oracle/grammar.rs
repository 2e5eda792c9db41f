//! Statements over the tables of the corpus, put together by rules that contain themselves: queries in queries, values in
//! values. Names are mostly those of columns that are there, so that much is accepted by more than the grammar.

use acra_harness::statements::Random;

const TABLES: &[(&str, &[&str])] = &[
    ("customers", &["id", "name", "ssn", "card"]),
    ("public.customers", &["id", "name", "ssn", "card"]),
    ("vault", &["id", "note", "secret", "other"]),
    ("audit.log", &["id", "entry", "note"]),
    ("partners", &["id", "token", "key", "plain"]),
    ("orders", &["id", "customer", "ssn", "x"]),
];

/// A name that FROM gives, and its columns.
type Source = (String, Vec<String>);

/// Makes one statement.
pub(crate) struct Writer<'r> {
    random: &'r mut Random,
    names: usize,
    parameters: usize,
}

/// A statement.
pub(crate) fn statement(random: &mut Random) -> String {
    let mut writer = Writer {
        random,
        names: 0,
        parameters: 0,
    };
    let statement = writer.statement();
    match writer.random.below(12) {
        0 => format!("EXPLAIN ANALYZE {statement}"),
        1 => format!("PREPARE p AS {statement}"),
        2 => format!("SELECT 1; {statement}; SELECT 'x'"),
        3 => format!("COPY ({statement} RETURNING 1) TO STDOUT"),
        _ => statement,
    }
}

impl Writer<'_> {
    fn one_in(&mut self, bound: usize) -> bool {
        self.random.below(bound) == 0
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.random.below(list.len())].clone()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn statement(&mut self) -> String {
        let mut queries = Vec::new();
        let mut with = String::new();
        while self.one_in(3) {
            let (source, query) = self.common(&queries);
            with.push_str(if with.is_empty() { "WITH " } else { ", " });
            with.push_str(&query);
            queries.push(source);
        }
        let body = match self.random.below(7) {
            0..=2 => self.insert(&queries),
            3 | 4 => self.update(&queries),
            5 => self.merge(&queries),
            _ => {
                let width = 1 + self.random.below(3);
                self.query(width, 2, &queries)
            }
        };
        format!("{with} {body}")
    }

    /// A query of WITH.
    fn common(&mut self, queries: &[Source]) -> (Source, String) {
        let (name, columns) = (self.name(), vec![self.name(), self.name()]);
        let query = match self.one_in(5) {
            true => format!("{} RETURNING id, id", self.insert(queries)),
            false => self.query(columns.len(), 1, queries),
        };
        let text = format!("{name} ({}) AS ({query})", columns.join(", "));
        ((name, columns), text)
    }

    fn insert(&mut self, queries: &[Source]) -> String {
        let (table, columns) = self.of(TABLES);
        let chosen = self.chosen(columns);
        let values = self.query(chosen.len(), 2, queries);
        let tail = match self.random.below(5) {
            0 => " ON CONFLICT DO NOTHING".to_owned(),
            1 => {
                let excluded = ("excluded".to_owned(), owned(columns));
                let (column, value) = (self.of(columns), self.value(1, &[excluded], queries));
                format!(" ON CONFLICT (id) DO UPDATE SET {column} = {value}")
            }
            _ => String::new(),
        };
        format!("INSERT INTO {table} ({}) {values}{tail}", chosen.join(", "))
    }

    /// Some of the columns, each once.
    fn chosen(&mut self, columns: &[&str]) -> Vec<String> {
        let mut columns = owned(columns);
        while columns.len() > 1 && !self.one_in(3) {
            columns.remove(self.random.below(columns.len()));
        }
        columns
    }

    fn update(&mut self, queries: &[Source]) -> String {
        let (table, columns) = self.of(TABLES);
        let alias = self.name();
        let mut sources = vec![(alias.clone(), owned(columns))];
        let from = match self.one_in(2) {
            true => {
                let (from, more) = self.from(1, queries);
                sources.extend(more);
                format!(" FROM {from}")
            }
            false => String::new(),
        };
        let chosen = self.chosen(columns);
        let list = match self.random.below(4) {
            0 => {
                let values = self.values(chosen.len(), 2, &sources, queries);
                format!("({}) = ROW ({values})", chosen.join(", "))
            }
            1 => {
                let query = self.query(chosen.len(), 1, queries);
                format!("({}) = ({query})", chosen.join(", "))
            }
            _ => {
                let set = chosen
                    .iter()
                    .map(|column| format!("{column} = {}", self.value(2, &sources, queries)));
                set.collect::<Vec<_>>().join(", ")
            }
        };
        let condition = self.condition(&sources, queries);
        format!("UPDATE {table} AS {alias} SET {list}{from} WHERE {condition}")
    }

    fn merge(&mut self, queries: &[Source]) -> String {
        let (table, columns) = self.of(TABLES);
        let alias = self.name();
        let (from, sources) = self.from(0, queries);
        let mut all = sources.clone();
        all.push((alias.clone(), owned(columns)));
        let condition = self.condition(&all, queries);
        let chosen = self.chosen(columns);
        let inserted = self.values(chosen.len(), 1, &sources, queries);
        let (column, value) = (self.of(columns), self.value(1, &all, queries));
        format!(
            "MERGE INTO {table} AS {alias} USING {from} ON {condition} WHEN MATCHED THEN UPDATE SET {column} = {value} \
             WHEN NOT MATCHED THEN INSERT ({}) VALUES ({inserted})",
            chosen.join(", ")
        )
    }

    /// A query of so many columns.
    fn query(&mut self, width: usize, depth: usize, queries: &[Source]) -> String {
        match self.random.below(6) {
            0..=2 => {
                let mut rows = Vec::new();
                while rows.is_empty() || self.one_in(3) {
                    rows.push(format!("({})", self.values(width, depth, &[], queries)));
                }
                format!("VALUES {}", rows.join(", "))
            }
            3 if depth > 0 => {
                let (one, other) = (
                    self.query(width, depth - 1, queries),
                    self.query(width, depth - 1, queries),
                );
                let operation = self.of(&["UNION ALL", "UNION ALL", "UNION", "EXCEPT"]);
                format!("({one}) {operation} ({other})")
            }
            _ => {
                let (from, sources) = self.from(depth, queries);
                let values = self.values(width, depth, &sources, queries);
                let condition = self.condition(&sources, queries);
                let distinct = self.of(&["", "", "", "", "", "DISTINCT "]);
                let order = self.of(&["", "", "", " ORDER BY 1", " LIMIT 1"]);
                format!("SELECT {distinct}{values} FROM {from} WHERE {condition}{order}")
            }
        }
    }

    fn from(&mut self, depth: usize, queries: &[Source]) -> (String, Vec<Source>) {
        let alias = self.name();
        let (text, columns) = match self.random.below(4) {
            0 if !queries.is_empty() => {
                let (name, columns) = self.of(queries);
                (format!("{name} AS {alias}"), columns)
            }
            0 | 1 => {
                let columns = vec![self.name(), self.name()];
                let query = self.query(columns.len(), depth.saturating_sub(1), queries);
                let names = columns.join(", ");
                (format!("({query}) AS {alias} ({names})"), columns)
            }
            _ => {
                let (table, columns) = self.of(TABLES);
                (format!("{table} AS {alias}"), owned(columns))
            }
        };
        let mut sources = vec![(alias, columns)];
        if depth == 0 || !self.one_in(3) {
            return (text, sources);
        }
        let (other, more) = self.from(depth - 1, queries);
        sources.extend(more);
        let condition = self.condition(&sources, queries);
        (format!("{text} JOIN {other} ON {condition}"), sources)
    }

    fn condition(&mut self, sources: &[Source], queries: &[Source]) -> String {
        match self.random.below(10) {
            0 => format!("{} IS NOT NULL", self.column(sources)),
            1 => format!("{} = {}", self.column(sources), self.value(0, &[], queries)),
            2 => format!("{} IN (1, 'x')", self.column(sources)),
            3 => "$1 = 'x'".to_owned(),
            _ => "true".to_owned(),
        }
    }

    fn column(&mut self, sources: &[Source]) -> String {
        if sources.is_empty() {
            return "NULL".to_owned();
        }
        let (name, columns) = self.of(sources);
        let column = self.of(&columns);
        match self.one_in(3) {
            true => column,
            false => format!("{name}.{column}"),
        }
    }

    fn values(
        &mut self,
        width: usize,
        depth: usize,
        sources: &[Source],
        queries: &[Source],
    ) -> String {
        let values: Vec<String> = (0..width)
            .map(|_| self.value(depth, sources, queries))
            .collect();
        values.join(", ")
    }

    fn value(&mut self, depth: usize, sources: &[Source], queries: &[Source]) -> String {
        let choice = self.random.below(24);
        if depth == 0 || choice < 14 {
            return match choice % 7 {
                0 | 1 if !sources.is_empty() => self.column(sources),
                2 => {
                    self.parameters += 1;
                    let again = self.random.below(8) == 0;
                    format!("${}", if again { 1 } else { self.parameters })
                }
                3 => self.of(&["NULL", "-5", "7", "1.5"]).to_owned(),
                _ => self
                    .of(&["'x'", "'x'::bytea", "E'\\\\x41'", "U&'\\0061'", "$q$x$q$"])
                    .to_owned(),
            };
        }
        let inner = self.value(depth - 1, sources, queries);
        match choice {
            14 | 15 => format!("({inner})"),
            16 | 17 => format!("CAST({inner} AS bytea)"),
            18 => format!("coalesce({inner}, {})", self.value(0, sources, queries)),
            19 | 20 => {
                let condition = self.condition(sources, queries);
                format!("CASE WHEN {condition} THEN {inner} END")
            }
            21 => format!("lower({inner})"),
            22 => format!("{inner} || 'y'"),
            _ => format!("({})", self.query(1, depth - 1, queries)),
        }
    }
}

fn owned(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| (*column).to_owned()).collect()
}
