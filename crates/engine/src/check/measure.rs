//! What a check measures.
//!
//! Owns turning a check's file into a number and, when it fails, rows that show why. Keys and references are those
//! that the tables declare, so that a table added later is covered without a new check.

use plimsoll_core::clock::Clock;
use plimsoll_store::analytics::{AnalyticTable, ColumnType, OwnedCell};
use plimsoll_store::duckdb::{Analytics, Answer};

use crate::error::EngineError;
use crate::view::{Column, Header, Parameters, Part, Shape, Table, View, column_type};

/// So many sample rows at most for each table or view.
const SAMPLES: usize = 10;
/// A view is run so often; the middle time counts.
const RUNS: usize = 5;

/// What is measured.
#[derive(Debug, Clone)]
pub(super) enum Measure {
    /// The column `value` of a query.
    Query { value: &'static str, sample: Option<&'static str> },
    /// Keys that several rows of a table have.
    DuplicateKeys,
    /// Rows that name a row of another table that is not there.
    BrokenReferences { except: Vec<&'static str> },
    /// The longest middle time of these views, in milliseconds.
    SlowestView(Vec<&'static str>),
    /// How many of these views take longer than their budget.
    ViewsOverBudget(Vec<&'static str>),
}

/// What was measured.
pub(super) struct Measured {
    /// `None` when there is nothing to measure.
    pub(super) value: Option<f64>,
    /// Rows that show why, where they came with the value.
    pub(super) samples: Option<Table>,
}

/// What there is to measure.
pub(super) struct Subject<'a> {
    pub(super) store: &'a Analytics,
    pub(super) tables: &'a [&'a AnalyticTable],
    pub(super) views: &'a [View],
    pub(super) clock: &'a dyn Clock,
}

impl Measure {
    pub(super) fn read(header: &Header, parts: &[Part]) -> Result<Self, EngineError> {
        let except = match header.found("except") {
            None => Vec::new(),
            Some(_) => header.words("except")?,
        };
        let Some(measure) = header.found("measure") else {
            return Self::query(header, parts, &except);
        };
        if parts.iter().any(|part| part.sql.lines().any(|line| !line.is_empty() && !line.starts_with("--"))) {
            return Err(header.wrong("measure", "there is SQL besides it"));
        }
        let mut words = measure.split(' ').filter(|word| !word.is_empty());
        let kind = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let of_views = kind == "slowest-view" || kind == "views-over-budget";
        if rest.is_empty() == of_views {
            return Err(header.wrong("measure", "names of views are missing, or too much"));
        }
        if !except.is_empty() && kind != "broken-references" {
            return Err(header.wrong("except", "only with `broken-references`"));
        }
        match kind {
            "duplicate-keys" => Ok(Self::DuplicateKeys),
            "broken-references" => Ok(Self::BrokenReferences { except }),
            "slowest-view" => Ok(Self::SlowestView(rest)),
            "views-over-budget" => Ok(Self::ViewsOverBudget(rest)),
            other => Err(header.wrong("measure", &format!("`{other}` is not known"))),
        }
    }

    fn query(header: &Header, parts: &[Part], except: &[&str]) -> Result<Self, EngineError> {
        if !except.is_empty() {
            return Err(header.wrong("except", "only with `broken-references`"));
        }
        let text = |part: &Part| part.sql.trim().trim_end_matches(';');
        match parts {
            [value] if !text(value).is_empty() => Ok(Self::Query { value: text(value), sample: None }),
            [value, sample] if !text(value).is_empty() && !text(sample).is_empty() => {
                Ok(Self::Query { value: text(value), sample: Some(text(sample)) })
            }
            [_, _, third, ..] => Err(header.wrong_at(third.line, "there is a second sample")),
            _ => Err(header.wrong_at(header.body_line, "there is no statement")),
        }
    }

    /// Measures.
    pub(super) fn take(&self, subject: &Subject<'_>) -> Result<Measured, EngineError> {
        match self {
            Self::Query { value, .. } => {
                let answer = subject.store.query(value, &[])?;
                Ok(Measured { value: number(&answer)?, samples: None })
            }
            Self::DuplicateKeys => duplicate_keys(subject),
            Self::BrokenReferences { except } => broken_references(subject, except),
            Self::SlowestView(names) => {
                let times = times(subject, names)?;
                let slowest = times.iter().map(|(_, _, time)| *time).fold(0.0, f64::max);
                Ok(Measured { value: Some(slowest), samples: Some(shown_times(&times)) })
            }
            Self::ViewsOverBudget(names) => {
                let mut times = times(subject, names)?;
                times.retain(|(_, budget, time)| *time >= *budget);
                Ok(Measured { value: Some(times.len() as f64), samples: Some(shown_times(&times)) })
            }
        }
    }

    /// Rows that show why the check failed, where they are a query of their own.
    pub(super) fn samples(&self, subject: &Subject<'_>) -> Result<Option<Table>, EngineError> {
        match self {
            Self::Query { sample: Some(sample), .. } => Ok(Some(table(subject.store.query(sample, &[])?))),
            _ => Ok(None),
        }
    }
}

/// The value of a query: one row with a column `value`.
fn number(answer: &Answer) -> Result<Option<f64>, EngineError> {
    let position = answer.columns.iter().position(|(name, _)| name == "value");
    let (Some(position), [row]) = (position, answer.rows.as_slice()) else {
        return Err(EngineError::usage("the query of a check gives one row with a column `value`"));
    };
    match &row[position] {
        OwnedCell::Null => Ok(None),
        OwnedCell::Integer(number) => Ok(Some(*number as f64)),
        OwnedCell::Double(number) => Ok(Some(*number)),
        OwnedCell::Decimal(digits, scale) => Ok(Some(*digits as f64 / 10_f64.powi(i32::from(*scale)))),
        OwnedCell::Text(_) | OwnedCell::Boolean(_) => {
            Err(EngineError::usage("the column `value` of a check is a number"))
        }
    }
}

fn duplicate_keys(subject: &Subject<'_>) -> Result<Measured, EngineError> {
    let mut samples = samples(&[
        ("table_name", ColumnType::Text),
        ("key", ColumnType::Text),
        ("rows", ColumnType::Integer),
    ]);
    let mut total = 0;
    let mut rows = 0;
    for table in subject.tables {
        let key = table.key.join(", ");
        let name = table.name;
        let sql = format!(
            "SELECT count(*), coalesce(sum(rows), 0), count(*) FILTER (WHERE rows > 1) \
             FROM (SELECT count(*) AS rows FROM {name} GROUP BY {key})"
        );
        let counted = one_row(subject.store.query(&sql, &[])?)?;
        rows += counted[1].as_integer().unwrap_or(0);
        let repeated = counted[2].as_integer().unwrap_or(0);
        total += repeated;
        if repeated > 0 {
            let shown: Vec<String> =
                table.key.iter().map(|column| format!("coalesce(CAST({column} AS VARCHAR), '')")).collect();
            let sql = format!(
                "SELECT '{name}', {} AS key, count(*) AS rows FROM {name} GROUP BY {key} HAVING count(*) > 1 \
                 ORDER BY rows DESC, key LIMIT {SAMPLES}",
                shown.join(" || '/' || ")
            );
            samples.rows.extend(subject.store.query(&sql, &[])?.rows);
        }
    }
    Ok(Measured { value: (rows > 0).then_some(total as f64), samples: Some(samples) })
}

fn broken_references(subject: &Subject<'_>, except: &[&str]) -> Result<Measured, EngineError> {
    let mut samples = samples(&[
        ("table_name", ColumnType::Text),
        ("column_name", ColumnType::Text),
        ("refers_to", ColumnType::Text),
        ("value", ColumnType::Text),
        ("rows", ColumnType::Integer),
    ]);
    let mut total = 0;
    let mut rows = 0;
    for table in subject.tables {
        for (column, parent, parent_column) in table.references {
            let name = table.name;
            if except.contains(&format!("{name}.{column}").as_str()) {
                continue;
            }
            let broken = format!(
                "FROM {name} AS child WHERE child.{column} IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM {parent} AS parent WHERE parent.{parent_column} = child.{column})"
            );
            let sql = format!("SELECT (SELECT count(*) FROM {name}), count(*) {broken}");
            let counted = one_row(subject.store.query(&sql, &[])?)?;
            rows += counted[0].as_integer().unwrap_or(0);
            let found = counted[1].as_integer().unwrap_or(0);
            total += found;
            if found > 0 {
                let sql = format!(
                    "SELECT '{name}', '{column}', '{parent}.{parent_column}', child.{column} AS value, \
                     count(*) AS rows {broken} GROUP BY child.{column} ORDER BY rows DESC, value LIMIT {SAMPLES}"
                );
                samples.rows.extend(subject.store.query(&sql, &[])?.rows);
            }
        }
    }
    Ok(Measured { value: (rows > 0).then_some(total as f64), samples: Some(samples) })
}

/// Name, budget and middle time of each view, in milliseconds.
fn times(
    subject: &Subject<'_>,
    names: &[&'static str],
) -> Result<Vec<(&'static str, f64, f64)>, EngineError> {
    let none = Parameters::new();
    let mut times = Vec::new();
    for name in names {
        let view = View::named(subject.views, name)?;
        let mut taken = [0; RUNS];
        for time in &mut taken {
            let start = subject.clock.monotonic_us();
            view.run(subject.store, &none)?;
            *time = subject.clock.monotonic_us().saturating_sub(start);
        }
        taken.sort_unstable();
        times.push((view.name, view.budget_ms as f64, taken[RUNS / 2] as f64 / 1_000.0));
    }
    Ok(times)
}

fn shown_times(times: &[(&'static str, f64, f64)]) -> Table {
    let mut table = samples(&[
        ("view", ColumnType::Text),
        ("budget_ms", ColumnType::Double),
        ("milliseconds", ColumnType::Double),
    ]);
    let row = |(name, budget, time): &(&str, f64, f64)| {
        vec![OwnedCell::Text((*name).to_owned()), OwnedCell::Double(*budget), OwnedCell::Double(*time)]
    };
    table.rows = times.iter().map(row).collect();
    table
}

fn one_row(answer: Answer) -> Result<Vec<OwnedCell>, EngineError> {
    answer.rows.into_iter().next().ok_or_else(|| EngineError::usage("a count gave no row"))
}

fn samples(columns: &[(&str, ColumnType)]) -> Table {
    let columns =
        columns.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind }).collect();
    Table { shape: Shape::Rows, columns, rows: Vec::new(), sections: Vec::new() }
}

fn table(answer: Answer) -> Table {
    let columns =
        answer.columns.into_iter().map(|(name, kind)| Column { kind: column_type(&kind), name }).collect();
    Table { shape: Shape::Rows, columns, rows: answer.rows, sections: Vec::new() }
}
