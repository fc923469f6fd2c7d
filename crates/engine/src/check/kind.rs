//! The kinds of checks: what each looks at, and reading it from its declaration.
//!
//! Owns the list of kinds and their keys. How they are measured is `table`'s (kinds over one table) and `measure`'s.

use super::declared::Declared;
use super::identifier::{Name, TableName};
use crate::error::EngineError;

/// What a check looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Rows of one table.
    Table(TableCheck),
    /// The columns of a table.
    Schema(SchemaCheck),
    /// The column `value` of a query, or its only column.
    Query {
        /// The query.
        sql: String,
        /// A query for rows that show why it failed.
        sample: Option<String>,
    },
    /// The middle time of several runs of a query, in milliseconds.
    Latency {
        /// The query.
        sql: String,
        /// How often it is run.
        runs: usize,
    },
    /// How many tables a query reads whole although told to use indexes.
    IndexUse {
        /// The query.
        sql: String,
        /// Indexes that it must use.
        indexes: Vec<String>,
    },
    /// How far the last point of a series is from the others.
    Anomaly(Series),
    /// Keys that several rows of a declared table have.
    DuplicateKeys,
    /// Rows of declared tables that name a row of another table that is not there.
    BrokenReferences {
        /// References that are left out, as `table.column`.
        except: Vec<String>,
    },
    /// The longest middle time of these views, in milliseconds.
    SlowestView(Vec<String>),
    /// How many of these views take longer than their budget.
    ViewsOverBudget(Vec<String>),
    /// A rule that was read from elsewhere and cannot be tried; it ends as an error that says why.
    Unsupported(String),
}

/// A check over the rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCheck {
    /// The table.
    pub table: TableName,
    /// A condition in SQL that rows must meet to be looked at.
    pub filter: Option<String>,
    /// The column that says to which member of a cohort a row belongs.
    pub cohort: Option<Name>,
    /// What is looked for.
    pub test: Test,
    /// Which number is judged.
    pub number: &'static str,
}

/// What a check looks for in the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Rows without a value.
    Completeness {
        /// The column.
        column: Name,
        /// Values that count as missing besides null.
        missing: Vec<String>,
    },
    /// Values that several rows have.
    Uniqueness {
        /// The columns that are unique together.
        columns: Vec<Name>,
    },
    /// Values out of bounds.
    Range {
        /// The column.
        column: Name,
        /// The lowest value allowed, as it is written.
        min: Option<String>,
        /// The highest value allowed, as it is written.
        max: Option<String>,
    },
    /// Values that are none of a list.
    AcceptedValues {
        /// The column.
        column: Name,
        /// The values as texts.
        values: Vec<String>,
    },
    /// Values that do not match a regular expression.
    Pattern {
        /// The column.
        column: Name,
        /// The expression, in the database's dialect.
        pattern: String,
    },
    /// References that lead nowhere.
    Orphans {
        /// The columns that refer.
        columns: Vec<Name>,
        /// The table that they refer to.
        parent: TableName,
        /// The columns that they refer to.
        parent_columns: Vec<Name>,
    },
    /// The number of rows.
    RowCount,
    /// The age of the newest row.
    Freshness {
        /// The column with the time.
        column: Name,
    },
}

impl Test {
    /// The kind's name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Completeness { .. } => "completeness",
            Self::Uniqueness { .. } => "uniqueness",
            Self::Range { .. } => "range",
            Self::AcceptedValues { .. } => "accepted-values",
            Self::Pattern { .. } => "pattern",
            Self::Orphans { .. } => "orphans",
            Self::RowCount => "row-count",
            Self::Freshness { .. } => "freshness",
        }
    }

    /// The number that is judged when nothing else is said.
    pub fn default_number(&self) -> &'static str {
        super::number::numbers_of(self.kind()).next().map_or("", |number| number.name)
    }
}

/// A check of the columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaCheck {
    /// The table.
    pub table: TableName,
    /// The columns that there must be.
    pub columns: Vec<DeclaredColumn>,
    /// There may be no other column.
    pub exact: bool,
}

/// A column that there must be.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredColumn {
    /// Its name.
    pub name: String,
    /// Its type, by family, where it matters.
    pub family: Option<String>,
    /// It may not be nullable.
    pub not_null: bool,
}

/// A series of points, of which the last is tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Where the points come from.
    pub source: SeriesSource,
    /// Days that are left out, because something is known to have been wrong.
    pub incidents: Vec<String>,
    /// So many other points must be there.
    pub minimum: usize,
    /// Days of the week have levels of their own.
    pub weekly: bool,
}

/// Where the points of a series come from.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesSource {
    /// A query with the columns `day` and `value`.
    Query(String),
    /// The values of another check in earlier runs, the last of each day.
    History(String),
}

const TABLE_KEYS: &[&str] = &["table", "where", "cohort", "number"];

impl Kind {
    /// Reads the kind from a declaration, and says which keys it took.
    pub(super) fn read(declared: &Declared<'_>) -> Result<(Self, Vec<&'static str>), EngineError> {
        let sql_kinds = ["query", "latency", "index-use", "anomaly"];
        let kind = declared.found("kind").unwrap_or("query");
        if !sql_kinds.contains(&kind) && (declared.sql.is_some() || declared.sample.is_some()) {
            return Err(declared.wrong("kind", "there is SQL besides it"));
        }
        let sql = || declared.sql.clone().ok_or_else(|| declared.wrong_sql("there is no statement"));
        let views = |declared: &Declared<'_>| {
            declared.needed("views")?;
            declared.list("views")
        };
        Ok(match kind {
            "query" => (Self::Query { sql: sql()?, sample: declared.sample.clone() }, vec![]),
            "latency" => {
                let runs = declared.found("runs").unwrap_or("5").parse().ok().filter(|runs| *runs > 0);
                let runs = runs.ok_or_else(|| declared.wrong("runs", "is a number of 1 or more"))?;
                (Self::Latency { sql: sql()?, runs }, vec!["runs"])
            }
            "index-use" => {
                (Self::IndexUse { sql: sql()?, indexes: declared.list("indexes")? }, vec!["indexes"])
            }
            "anomaly" => (Self::Anomaly(series(declared)?), vec!["series", "incidents", "minimum", "weekly"]),
            "schema" => (Self::Schema(schema(declared)?), vec!["table", "columns", "exact"]),
            "duplicate-keys" => (Self::DuplicateKeys, vec![]),
            "broken-references" => {
                (Self::BrokenReferences { except: declared.list("except")? }, vec!["except"])
            }
            "slowest-view" => (Self::SlowestView(views(declared)?), vec!["views"]),
            "views-over-budget" => (Self::ViewsOverBudget(views(declared)?), vec!["views"]),
            other => match test(other, declared)? {
                Some((test, keys)) => {
                    (Self::Table(table_check(test, declared)?), [TABLE_KEYS, keys].concat())
                }
                None => {
                    return Err(declared.wrong("kind", &format!("`{other}` is none of {}", KINDS.join(", "))));
                }
            },
        })
    }

    /// The kind's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Table(check) => check.test.kind(),
            Self::Schema(_) => "schema",
            Self::Query { .. } => "query",
            Self::Latency { .. } => "latency",
            Self::IndexUse { .. } => "index-use",
            Self::Anomaly(_) => "anomaly",
            Self::DuplicateKeys => "duplicate-keys",
            Self::BrokenReferences { .. } => "broken-references",
            Self::SlowestView(_) => "slowest-view",
            Self::ViewsOverBudget(_) => "views-over-budget",
            Self::Unsupported(_) => "unsupported",
        }
    }

    /// The dimension of quality that the kind is about, in the words of the Open Data Contract Standard.
    pub const fn dimension(&self) -> &'static str {
        match self {
            Self::Table(check) => match &check.test {
                Test::Completeness { .. } => "completeness",
                Test::Uniqueness { .. } => "uniqueness",
                Test::Range { .. } | Test::AcceptedValues { .. } | Test::Pattern { .. } => "conformity",
                Test::Orphans { .. } => "consistency",
                Test::RowCount => "coverage",
                Test::Freshness { .. } => "timeliness",
            },
            Self::Schema(_) => "conformity",
            Self::DuplicateKeys => "uniqueness",
            Self::BrokenReferences { .. } => "consistency",
            Self::Latency { .. }
            | Self::IndexUse { .. }
            | Self::SlowestView(_)
            | Self::ViewsOverBudget(_) => "timeliness",
            Self::Query { .. } | Self::Anomaly(_) | Self::Unsupported(_) => "accuracy",
        }
    }
}

/// Every kind that a file can name.
pub const KINDS: &[&str] = &[
    "query",
    "completeness",
    "uniqueness",
    "range",
    "accepted-values",
    "pattern",
    "orphans",
    "row-count",
    "freshness",
    "schema",
    "latency",
    "index-use",
    "anomaly",
    "duplicate-keys",
    "broken-references",
    "slowest-view",
    "views-over-budget",
];

fn column(declared: &Declared<'_>) -> Result<Name, EngineError> {
    Ok(Name::new(declared.needed("column")?))
}

fn names(declared: &Declared<'_>, key: &str) -> Result<Vec<Name>, EngineError> {
    declared.needed(key)?;
    Ok(declared.list(key)?.iter().map(Name::new).collect())
}

fn test(kind: &str, declared: &Declared<'_>) -> Result<Option<(Test, &'static [&'static str])>, EngineError> {
    Ok(Some(match kind {
        "completeness" => {
            let missing = declared.list("missing")?;
            (Test::Completeness { column: column(declared)?, missing }, &["column", "missing"])
        }
        "uniqueness" => {
            let key = if declared.found("column").is_some() { "column" } else { "columns" };
            (Test::Uniqueness { columns: names(declared, key)? }, &["column", "columns"])
        }
        "range" => {
            let bound = |key: &str| declared.found(key).map(str::to_owned);
            let (min, max) = (bound("min"), bound("max"));
            if min.is_none() && max.is_none() {
                return Err(declared.wrong("kind", "a range needs `min:`, `max:` or both"));
            }
            (Test::Range { column: column(declared)?, min, max }, &["column", "min", "max"])
        }
        "accepted-values" => {
            declared.needed("values")?;
            let values = declared.list("values")?;
            (Test::AcceptedValues { column: column(declared)?, values }, &["column", "values"])
        }
        "pattern" => {
            let pattern = declared.needed("pattern")?.to_owned();
            (Test::Pattern { column: column(declared)?, pattern }, &["column", "pattern"])
        }
        "orphans" => {
            let key = if declared.found("column").is_some() { "column" } else { "columns" };
            let columns = names(declared, key)?;
            let refers = declared.needed("refers-to")?;
            let (parent, parent_columns) = refers_to(refers)
                .ok_or_else(|| declared.wrong("refers-to", "the form is `table.column` or `table (a, b)`"))?;
            if columns.len() != parent_columns.len() {
                return Err(declared.wrong("refers-to", "names another number of columns"));
            }
            (Test::Orphans { columns, parent, parent_columns }, &["column", "columns", "refers-to"])
        }
        "row-count" => (Test::RowCount, &[]),
        "freshness" => (Test::Freshness { column: column(declared)? }, &["column"]),
        _ => return Ok(None),
    }))
}

/// `customers.id`, `sales.customers.id` or `customers (country, number)`.
pub(super) fn refers_to(text: &str) -> Option<(TableName, Vec<Name>)> {
    let text = text.trim();
    if let Some((table, columns)) = text.split_once('(') {
        let columns: Vec<Name> =
            columns.strip_suffix(')')?.split(',').map(|column| Name::new(column.trim())).collect();
        return Some((TableName::read(table.trim())?, columns));
    }
    let (table, column) = text.rsplit_once('.')?;
    if column.is_empty() {
        return None;
    }
    Some((TableName::read(table)?, vec![Name::new(column)]))
}

fn table(declared: &Declared<'_>) -> Result<TableName, EngineError> {
    TableName::read(declared.needed("table")?)
        .ok_or_else(|| declared.wrong("table", "the form is `table` or `schema.table`"))
}

fn table_check(test: Test, declared: &Declared<'_>) -> Result<TableCheck, EngineError> {
    let number = match declared.found("number") {
        None => test.default_number(),
        Some(wanted) => {
            let known: Vec<&'static str> =
                super::number::numbers_of(test.kind()).map(|number| number.name).collect();
            let found = known.iter().find(|name| **name == wanted || name.replace('_', "-") == wanted);
            *found.ok_or_else(|| {
                declared.wrong("number", &format!("`{wanted}` is none of {}", known.join(", ")))
            })?
        }
    };
    let cohort = declared.found("cohort").map(Name::new);
    let filter = declared.found("where").map(str::to_owned);
    Ok(TableCheck { table: table(declared)?, filter, cohort, test, number })
}

fn schema(declared: &Declared<'_>) -> Result<SchemaCheck, EngineError> {
    declared.needed("columns")?;
    let columns = declared.list("columns")?;
    let text = declared.found("columns").unwrap_or_default();
    // Types stand behind their columns, so that spaces do not set columns apart.
    let columns = if text.contains(',') || text.trim_start().starts_with('[') {
        columns
    } else {
        vec![text.to_owned()]
    };
    let read = |text: &String| {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let rest: Vec<&str> = words.collect();
        let rest = rest.join(" ").to_ascii_lowercase();
        let (family, not_null) = match rest.strip_suffix("not null") {
            Some(family) => (family.trim().to_owned(), true),
            None => (rest, false),
        };
        DeclaredColumn { name, family: (!family.is_empty()).then_some(family), not_null }
    };
    Ok(SchemaCheck {
        table: table(declared)?,
        columns: columns.iter().map(read).collect(),
        exact: flag(declared, "exact", false)?,
    })
}

fn series(declared: &Declared<'_>) -> Result<Series, EngineError> {
    let source = match (declared.found("series"), &declared.sql) {
        (None, Some(sql)) => SeriesSource::Query(sql.clone()),
        (None, None) => return Err(declared.wrong_sql("there is no statement")),
        (Some(_), Some(_)) => return Err(declared.wrong("series", "there is SQL besides it")),
        (Some(text), None) => match text.strip_prefix("history of ") {
            Some(check) => SeriesSource::History(check.trim().to_owned()),
            None => return Err(declared.wrong("series", "the form is `history of CHECK`")),
        },
    };
    let minimum = declared.found("minimum").unwrap_or("7").parse().ok().filter(|count| *count >= 3);
    let minimum = minimum.ok_or_else(|| declared.wrong("minimum", "is a number of 3 or more"))?;
    let incidents = declared.list("incidents")?;
    Ok(Series { source, incidents, minimum, weekly: flag(declared, "weekly", true)? })
}

fn flag(declared: &Declared<'_>, key: &str, default: bool) -> Result<bool, EngineError> {
    match declared.found(key) {
        None => Ok(default),
        Some("true" | "yes") => Ok(true),
        Some("false" | "no") => Ok(false),
        Some(other) => Err(declared.wrong(key, &format!("`{other}` is neither true nor false"))),
    }
}
