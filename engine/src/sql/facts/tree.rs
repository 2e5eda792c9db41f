//! What a statement says about columns, as a tree: queries with their relations, outputs and operands, and writes.
//!
//! The tree keeps what a value can pass through unchanged. All else is *computed*: of it only the columns, parameters
//! and queries that it reads are kept. A name is the number of its token.

use std::ops::Range;

/// The facts of a statement.
pub type Facts = Query;

/// A query, or a statement that writes.
#[derive(Debug)]
pub struct Query {
    /// `WITH`
    pub ctes: Vec<Cte>,
    /// `WITH RECURSIVE`
    pub recursive: bool,
    /// What gives the rows.
    pub body: Body,
    /// What rows are ordered by.
    pub order_by: Vec<Key>,
    /// What else is computed: `LIMIT`, `OFFSET`, `FETCH`.
    pub operands: Vec<Term>,
}

/// A query of a `WITH`.
#[derive(Debug)]
pub struct Cte {
    /// Its name and the names of its columns.
    pub alias: Alias,
    /// The query.
    pub query: Query,
}

/// A name given to a relation, and to its first columns.
#[derive(Debug)]
pub struct Alias {
    /// The name.
    pub name: usize,
    /// Names of columns by their places.
    pub columns: Vec<usize>,
}

/// What gives rows.
#[derive(Debug)]
pub enum Body {
    /// `SELECT`, `TABLE`
    Select(Box<Select>),
    /// `VALUES`
    Values(Vec<Vec<Term>>),
    /// Two queries in one.
    Set {
        /// How they become one.
        operation: Operation,
        /// The first.
        left: Box<Body>,
        /// The second.
        right: Box<Body>,
        /// Where they are in the text, if that is certain.
        tokens: Option<SetTokens>,
    },
    /// A query in parentheses.
    Query(Box<Query>),
    /// A statement that writes; its rows are what it returns.
    Write(Box<Write>),
}

/// How two queries become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `UNION ALL`: the only one that compares no rows.
    UnionAll,
    /// `UNION`
    Union,
    /// `INTERSECT`
    Intersect,
    /// `INTERSECT ALL`
    IntersectAll,
    /// `EXCEPT`
    Except,
    /// `EXCEPT ALL`
    ExceptAll,
}

impl Operation {
    /// What is said of a column in the rows.
    pub fn how(self) -> &'static str {
        match self {
            Self::UnionAll => "is a column of UNION ALL",
            Self::Union => "is compared by UNION",
            Self::Intersect | Self::IntersectAll => "is compared by INTERSECT",
            Self::Except | Self::ExceptAll => "is compared by EXCEPT",
        }
    }
}

/// The tokens of a set operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetTokens {
    /// The first token of the first query.
    pub first: usize,
    /// The words of the operation.
    pub operation: Range<usize>,
    /// The last token of the second query.
    pub last: usize,
}

/// A `SELECT`.
#[derive(Debug)]
pub struct Select {
    /// `FROM`
    pub from: Vec<From>,
    /// Result columns.
    pub items: Vec<Item>,
    /// Which rows are left out as equal.
    pub distinct: Distinct,
    /// What rows are grouped by.
    pub group_by: Vec<Key>,
    /// Rows are grouped in several ways: `GROUPING SETS`, `ROLLUP`, `CUBE`.
    pub grouping_sets: bool,
    /// What is computed: conditions, windows.
    pub operands: Vec<Term>,
    /// Names in expressions that MySQL takes for labels of result columns, in `HAVING`, `GROUP BY` and `ORDER BY`.
    pub labels: Vec<usize>,
    /// The table that `INTO` makes.
    pub into: Option<TableName>,
}

/// `DISTINCT`
#[derive(Debug)]
pub enum Distinct {
    /// All rows stay.
    No,
    /// Equal rows are returned once; the token of the keyword.
    Rows(usize),
    /// `DISTINCT ON`
    On(Vec<Key>),
}

/// What rows are compared by.
#[derive(Debug)]
pub enum Key {
    /// A result column by its number from 1 on; and the token of that.
    Ordinal(usize, usize),
    /// A name alone: the label of a result column, or a column.
    Name(usize),
    /// A column with its table, or what stands for one in a comparison.
    Column(Term),
    /// What an expression computes.
    Computed(Vec<Term>),
}

/// An element of `FROM` and what is joined to it.
#[derive(Debug)]
pub struct From {
    /// The first relation.
    pub first: Relation,
    /// The others.
    pub joins: Vec<(Relation, Join)>,
}

/// How a relation is joined.
#[derive(Debug)]
pub enum Join {
    /// By a condition, or without one.
    On(Vec<Term>),
    /// `USING`
    Using(Vec<usize>),
    /// `NATURAL`, and where it is in the text, if that is certain.
    Natural(Option<NaturalTokens>),
}

/// The tokens of a `NATURAL JOIN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NaturalTokens {
    /// `NATURAL`
    pub natural: usize,
    /// The last token of the table that is joined.
    pub last: usize,
}

/// The name of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableName {
    /// Its schema.
    pub schema: Option<usize>,
    /// The table.
    pub table: usize,
}

/// What rows come from.
#[derive(Debug)]
pub enum Relation {
    /// A table, a view or a query of `WITH`.
    Table(TableName, Option<Alias>),
    /// A sub-select.
    Derived {
        /// It sees what is before it in `FROM`.
        lateral: bool,
        /// The query.
        query: Box<Query>,
        /// Its name.
        alias: Option<Alias>,
    },
    /// A function.
    Function {
        /// Its arguments.
        operands: Vec<Term>,
        /// Its name, or that of the function.
        alias: Option<Alias>,
    },
    /// The elements of arrays, side by side: `unnest`.
    Unnest {
        /// What the elements of each array may be.
        elements: Vec<Term>,
        /// A column of numbers follows.
        ordinality: bool,
        /// Its name.
        alias: Option<Alias>,
    },
    /// Joined relations in parentheses.
    Joined(Box<From>, Option<Alias>),
}

/// A result column.
#[derive(Debug)]
pub enum Item {
    /// One.
    One {
        /// The label that it is given.
        label: Option<usize>,
        /// The value.
        term: Term,
    },
    /// `*`
    Wildcard,
    /// `table.*`
    TableWildcard(usize),
}

/// A value.
#[derive(Debug)]
pub enum Term {
    /// A column.
    Column {
        /// Its table or alias.
        qualifier: Option<usize>,
        /// Its name.
        name: usize,
    },
    /// `VALUES(column)` of MySQL: what was to be inserted in the column of this name.
    NewValue(usize),
    /// A character string or number; the number of its token.
    Literal(usize),
    /// A number after a minus sign; the number of its token.
    Negative(usize),
    /// A parameter and its token.
    Param(u16, usize),
    /// Any element of an array that is a parameter, and the token of that.
    Element(u16, usize),
    /// Any element of an array that is a character string; the number of its token.
    ElementOfLiteral(usize),
    /// `NULL` or `DEFAULT`
    Nothing,
    /// The value of a sub-select.
    Query(Box<Query>),
    /// One of several values as it is: `CASE`, `COALESCE`.
    Choice {
        /// The values.
        results: Vec<Term>,
        /// What decides.
        operands: Vec<Term>,
    },
    /// Whether a value is NULL.
    Tested(Box<Term>),
    /// Whether a query has rows.
    Exists(Box<Query>),
    /// Whether values are equal.
    Comparison(Box<Comparison>),
    /// Whether a value is like a pattern.
    Like(Box<Like>),
    /// Which values are equal: those that are counted once, or that rows are parted by.
    Grouped(Box<Term>),
    /// What is computed of these.
    Computed(Vec<Term>),
    /// A row of values, on a side of a comparison.
    Row(Vec<Term>),
    /// `substr(column, 1, 33)`, on a side of a comparison; and the tokens of the numbers, whatever they are.
    HashOf(Box<Term>, (usize, usize)),
    /// A value with a cast.
    Typed(Box<Term>, Box<Cast>),
}

/// The type that a value is cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CastType {
    /// Its OID in PostgreSQL.
    pub oid: u32,
    /// The numbers behind its name in parentheses: characters of `varchar` and `char`; digits of `numeric`, and how many of them
    /// are behind the point; digits of the fraction of seconds. A second one that is not written is 0.
    pub modifier: Option<[u32; 2]>,
}

impl CastType {
    /// `boolean`
    pub const BOOL: Self = Self {
        oid: 16,
        modifier: None,
    };

    /// OID of `text`.
    pub const TEXT: u32 = 25;

    /// OID of `varchar`.
    pub const VARCHAR: u32 = 1043;

    /// OID of `char(n)`.
    pub const BPCHAR: u32 = 1042;
}

impl Cast {
    /// What `TRUE` and `FALSE` are without a type in the text.
    pub fn of_truth() -> Self {
        Self {
            of: CastType::BOOL,
            types: None,
            around: Vec::new(),
            compared: false,
        }
    }
}

/// A cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// The type.
    pub of: CastType,
    /// Its tokens, in whose place another type can be written.
    pub types: Option<Range<usize>>,
    /// All tokens that can be left out, so that the value stays.
    pub around: Vec<Range<usize>>,
    /// It is a side of a comparison.
    pub compared: bool,
}

/// A value, or a row of them, and others that it is compared with for equality: `=`, `<>`, `IN`, `IS DISTINCT FROM`,
/// `CASE … WHEN`. Which of these it is does not matter to what the values are.
#[derive(Debug)]
pub struct Comparison {
    /// The value, a row, or a query with one row.
    pub left: Term,
    /// The others. A query among them may have many rows.
    pub right: Vec<Term>,
    /// `= ANY (ARRAY[…])`: the others are elements of an array.
    pub array: Option<ArrayType>,
}

/// Where the type of an array is written.
#[derive(Debug)]
pub enum ArrayType {
    /// Nowhere: it would be after this token.
    After(usize),
    /// At these tokens.
    At(Range<usize>),
}

/// `LIKE` and its kin.
#[derive(Debug)]
pub struct Like {
    /// The value.
    pub value: Term,
    /// The pattern.
    pub pattern: Term,
    /// The tokens of the operator.
    pub operator: Range<usize>,
    /// It is one that asks for values that are not like the pattern.
    pub negated: bool,
    /// `ESCAPE`: the token of the character.
    pub escape: Option<usize>,
}

/// A statement that writes.
#[derive(Debug)]
pub struct Write {
    /// The table.
    pub target: TableName,
    /// Its name in the statement.
    pub alias: Option<usize>,
    /// What its rows are joined to: `FROM`, `USING`.
    pub from: Vec<From>,
    /// What is written.
    pub actions: Vec<Action>,
    /// What is computed: conditions.
    pub operands: Vec<Term>,
    /// `RETURNING`
    pub returning: Vec<Item>,
}

/// What a statement writes.
#[derive(Debug)]
pub enum Action {
    /// New rows of a query that does not see the statement's relations.
    Insert {
        /// The columns; none are named if empty.
        columns: Vec<usize>,
        /// The values.
        source: Query,
    },
    /// One new row of values that see the statement's relations.
    InsertRow {
        /// The columns; none are named if empty.
        columns: Vec<usize>,
        /// The values.
        values: Vec<Term>,
    },
    /// Columns that rows in conflict are found by.
    ConflictOn(Vec<usize>),
    /// Changes of rows that are there.
    Update {
        /// The changes.
        assignments: Vec<Assignment>,
        /// What is computed.
        operands: Vec<Term>,
        /// How the row that was to be inserted is seen.
        new_row: NewRow,
    },
    /// Changes of rows of another table, which is among those that the first one is joined to.
    UpdateJoined {
        /// The table.
        target: TableName,
        /// The changes.
        assignments: Vec<Assignment>,
    },
    /// Assignments of an `UPDATE` of several tables to columns without the name of their table, which is one of these.
    UpdateAny {
        /// The tables.
        targets: Vec<TableName>,
        /// The assignments.
        assignments: Vec<Assignment>,
    },
}

/// How a statement sees the row that was to be inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewRow {
    /// Not at all.
    Unseen,
    /// As `excluded`.
    Excluded,
    /// By `VALUES(column)`, and by the name that the statement gives it.
    Values(Option<usize>),
}

/// `SET`
#[derive(Debug)]
pub enum Assignment {
    /// A column and its value.
    Column(usize, Term),
    /// Columns and the result of a query.
    Columns(Vec<usize>, Box<Query>),
}
