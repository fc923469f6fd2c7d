//! What a check measures.
//!
//! Owns turning the kinds that are not over one table into a number and, when it fails, rows that show why. Keys and
//! references of analytical tables are those that they declare, so that a table added later is covered without a new
//! check. Kinds over one table are `fuse`'s.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plimsoll_core::clock::Clock;
use plimsoll_store::analytics::{AnalyticTable, ColumnType, OwnedCell};

use super::Check;
use super::anomaly::{self, Point};
use super::answers::{Answers, as_number};
use super::catalog::{Catalog, family};
use super::cohort::{Cohort, Side, compare};
use super::history::Past;
use super::kind::{Kind, SchemaCheck, Series, SeriesSource};
use super::report::{CohortFinding, Number};
use super::rule::{Comparison, Rule};
use super::{moment, plan, scoped};
use crate::error::EngineError;
use crate::view::{Column, Parameters, Shape, Table, View};

/// A view is run so often; the middle time counts.
const RUNS: usize = 5;

/// What was measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    /// `None` when there is nothing to measure.
    pub(super) value: Option<f64>,
    /// How many rows were looked at.
    pub(super) sample_size: Option<u64>,
    /// The value with its siblings.
    pub(super) numbers: Vec<Number>,
    /// Rows that show why, where they came with the value.
    pub(super) samples: Option<Table>,
    /// The comparison with the control.
    pub(super) cohort: Option<CohortFinding>,
    /// What else there is to know.
    pub(super) message: Option<String>,
}

impl Measured {
    fn of(value: f64) -> Self {
        Self { value: Some(value), ..Self::default() }
    }
}

/// What there is to measure.
pub(super) struct Subject<'a> {
    pub(super) answers: &'a mut dyn Answers,
    pub(super) catalog: &'a mut Catalog,
    pub(super) tables: &'a [&'a AnalyticTable],
    pub(super) views: &'a [View],
    pub(super) clock: &'a dyn Clock,
    pub(super) cohort: Option<&'a Cohort>,
    pub(super) past: &'a HashMap<String, Vec<Past>>,
    /// So many sample rows at most for each table or view.
    pub(super) most: usize,
}

/// True when the rule is about a share of rows.
pub(super) fn is_share(rule: &Rule) -> bool {
    matches!(rule.unit.as_str(), "percent" | "%")
}

/// Measures a check that is not over one table.
pub(super) fn take(check: &Check, subject: &mut Subject<'_>) -> Result<Measured, EngineError> {
    match &check.kind {
        Kind::Query { sql, .. } => query(check, sql, subject),
        Kind::Schema(schema) => deviations(schema, subject),
        Kind::Latency { sql, runs } => latency(sql, *runs, subject),
        Kind::IndexUse { sql, indexes } => {
            let explained = subject.answers.explain(sql)?;
            Ok(plan::judge(subject.answers.database(), explained, indexes))
        }
        Kind::Anomaly(series) => anomaly_of(check, series, subject),
        Kind::DuplicateKeys => duplicate_keys(subject),
        Kind::BrokenReferences { except } => broken_references(subject, except),
        Kind::SlowestView(names) => {
            let times = times(subject, names)?;
            let slowest = times.iter().map(|(_, _, time)| *time).fold(0.0, f64::max);
            Ok(Measured { samples: Some(shown_times(&times)), ..Measured::of(slowest) })
        }
        Kind::ViewsOverBudget(names) => {
            let mut times = times(subject, names)?;
            times.retain(|(_, budget, time)| *time >= *budget);
            Ok(Measured { samples: Some(shown_times(&times)), ..Measured::of(times.len() as f64) })
        }
        Kind::Unsupported(reason) => Err(EngineError::usage(reason.clone())),
        Kind::Table(_) => Err(EngineError::integrity("a check over one table is asked with its table")),
    }
}

/// Rows that show why the check failed, where they are a query of their own.
pub(super) fn samples(check: &Check, subject: &mut Subject<'_>) -> Result<Option<Table>, EngineError> {
    if subject.most == 0 {
        return Ok(None);
    }
    match &check.kind {
        Kind::Query { sample: Some(sample), .. } => {
            let side = subject.cohort.map(|_| 1);
            let mut table = ask_scoped(sample, side, subject)?;
            table.rows.truncate(subject.most);
            Ok(Some(table))
        }
        Kind::Table(table) => {
            let columns = subject.catalog.columns(subject.answers, &table.table)?;
            let scope = match (subject.cohort, &table.cohort) {
                (Some(_), Some(_)) => super::table::Scope::Apart,
                _ => super::table::Scope::All,
            };
            let database = subject.answers.database();
            let Some(sql) = table.sample(database, &columns, scope, subject.most) else { return Ok(None) };
            let parameter =
                subject.cohort.filter(|_| scope == super::table::Scope::Apart).map(Cohort::parameter);
            let parameters: Vec<&str> = parameter.iter().map(String::as_str).collect();
            Ok(Some(subject.answers.ask(&sql, &parameters)?))
        }
        _ => Ok(None),
    }
}

fn ask_scoped(sql: &str, side: Option<i64>, subject: &mut Subject<'_>) -> Result<Table, EngineError> {
    let (sql, uses) = scoped::fill(sql, subject.answers.database(), side)?;
    let parameter = subject.cohort.filter(|_| uses).map(Cohort::parameter);
    let parameters: Vec<&str> = parameter.iter().map(String::as_str).collect();
    subject.answers.ask(&sql, &parameters)
}

fn query(check: &Check, sql: &str, subject: &mut Subject<'_>) -> Result<Measured, EngineError> {
    let (Some(cohort), true) = (subject.cohort, scoped::is_scoped(sql)) else {
        let value = number(&ask_scoped(sql, None, subject)?)?;
        return Ok(Measured { value, ..Measured::default() });
    };
    let inside = number(&ask_scoped(sql, Some(1), subject)?)?;
    let outside = number(&ask_scoped(sql, Some(0), subject)?)?;
    let side = |value| Side { value, size: None };
    Ok(Measured {
        value: inside,
        cohort: Some(compare(&cohort.name, side(inside), side(outside), is_share(&check.rule))),
        ..Measured::default()
    })
}

/// The value of a query: one row with a column `value`, or with one column.
fn number(answer: &Table) -> Result<Option<f64>, EngineError> {
    let position = answer.position("value").or((answer.columns.len() == 1).then_some(0));
    let Some(position) = position else {
        return Err(EngineError::usage("the query of a check gives a column `value`, or one column only"));
    };
    match answer.rows.as_slice() {
        [row] => as_number(row.get(position).unwrap_or(&OwnedCell::Null)),
        [] => Err(EngineError::usage("the query of a check gave no row, so nothing is known")),
        more => {
            Err(EngineError::usage(format!("the query of a check gave {} rows instead of one", more.len())))
        }
    }
}

fn deviations(schema: &SchemaCheck, subject: &mut Subject<'_>) -> Result<Measured, EngineError> {
    let columns = subject.catalog.columns(subject.answers, &schema.table)?;
    columns.known(&schema.table)?;
    let mut samples = list(&[
        ("column_name", ColumnType::Text),
        ("declared", ColumnType::Text),
        ("found", ColumnType::Text),
    ]);
    let mut add = |column: &str, declared: &str, found: &str| {
        let cell = |text: &str| OwnedCell::Text(text.to_owned());
        samples.rows.push(vec![cell(column), cell(declared), cell(found)]);
    };
    for declared in &schema.columns {
        let wanted = declared.family.as_deref().unwrap_or("any type");
        let Some(found) = columns.0.iter().find(|found| found.name == declared.name) else {
            add(&declared.name, wanted, "no such column");
            continue;
        };
        if declared.family.as_ref().is_some_and(|wanted| family(wanted) != family(&found.declared)) {
            add(&declared.name, wanted, &found.declared);
        }
        if declared.not_null && found.nullable {
            add(&declared.name, "not null", "nullable");
        }
    }
    if schema.exact {
        for found in &columns.0 {
            if !schema.columns.iter().any(|declared| declared.name == found.name) {
                add(&found.name, "no such column", &found.declared);
            }
        }
    }
    let count = samples.rows.len() as f64;
    Ok(Measured {
        numbers: vec![Number { name: "deviations", value: count }],
        samples: Some(samples),
        ..Measured::of(count)
    })
}

fn latency(sql: &str, runs: usize, subject: &mut Subject<'_>) -> Result<Measured, EngineError> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = subject.clock.monotonic_us();
        subject.answers.ask(sql, &[])?;
        times.push(subject.clock.monotonic_us().saturating_sub(start) as f64 / 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    let middle = times.get(runs / 2).copied().unwrap_or(f64::NAN);
    let slowest = times.last().copied().unwrap_or(f64::NAN);
    let numbers =
        vec![Number { name: "milliseconds", value: middle }, Number { name: "slowest", value: slowest }];
    Ok(Measured { numbers, ..Measured::of(middle) })
}

fn anomaly_of(check: &Check, series: &Series, subject: &mut Subject<'_>) -> Result<Measured, EngineError> {
    if !matches!(check.rule.comparison, Comparison::Below | Comparison::AtMost) {
        return Err(EngineError::usage("the rule of an anomaly is `< N` or `<= N` deviations"));
    }
    let mut points = match &series.source {
        SeriesSource::Query(sql) => points(&subject.answers.ask(sql, &[])?)?,
        SeriesSource::History(name) => {
            let past = subject.past.get(name).map_or(&[][..], Vec::as_slice);
            past.iter()
                .rev()
                .filter_map(|past| Some(Point { day: day(&past.checked_at)?, value: past.value? }))
                .collect()
        }
    };
    if let Some(wrong) = points.iter().find(|point| !point.value.is_finite()) {
        return Err(EngineError::usage(format!("the value of {} is no number", wrong.day)));
    }
    points.sort_by_key(|point| point.day);
    // The last value of a day stands for the day.
    let mut days: Vec<Point> = Vec::new();
    for point in points {
        if days.last().is_some_and(|last| last.day == point.day) {
            days.pop();
        }
        days.push(point);
    }
    let incidents: Vec<Date> = series.incidents.iter().filter_map(|text| day(text)).collect();
    if incidents.len() < series.incidents.len() {
        return Err(EngineError::usage("`incidents:` are days such as 2026-01-31"));
    }
    let Some(found) = anomaly::test(&days, &incidents, series.minimum, series.weekly, check.rule.bound)
    else {
        let others = days.len().saturating_sub(1);
        return Ok(Measured {
            sample_size: Some(others as u64),
            message: Some(format!("{others} other points, {} are needed", series.minimum)),
            ..Measured::default()
        });
    };
    Ok(Measured {
        sample_size: Some(found.baseline as u64),
        numbers: vec![
            Number { name: "deviation", value: found.deviation },
            Number { name: "expected", value: found.expected },
            Number { name: "actual", value: found.tested.value },
        ],
        message: Some(found.told()),
        ..Measured::of(found.deviation)
    })
}

fn day(text: &str) -> Option<Date> {
    moment::read(text).map(|moment| moment.to_zoned(TimeZone::UTC).date())
}

/// The points of an answer: its columns `day` and `value`.
fn points(answer: &Table) -> Result<Vec<Point>, EngineError> {
    let (Some(days), Some(values)) = (answer.position("day"), answer.position("value")) else {
        return Err(EngineError::usage("the query of a series gives the columns `day` and `value`"));
    };
    let mut points = Vec::new();
    for row in &answer.rows {
        let found = match (&row[days], answer.columns[days].kind) {
            (OwnedCell::Null, _) => continue,
            (OwnedCell::Integer(number), ColumnType::Date) => {
                Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(*number)).ok()
            }
            (OwnedCell::Integer(number), ColumnType::Timestamp) => {
                Timestamp::from_microsecond(*number).ok().map(|moment| moment.to_zoned(TimeZone::UTC).date())
            }
            (OwnedCell::Text(text), _) => day(text),
            (OwnedCell::Integer(number), _) => day(&number.to_string()),
            _ => None,
        };
        let Some(found) = found else {
            return Err(EngineError::usage(format!("{:?} in column `day` is no day", row[days])));
        };
        let Some(value) = as_number(&row[values])? else { continue };
        points.push(Point { day: found, value });
    }
    Ok(points)
}

fn duplicate_keys(subject: &mut Subject<'_>) -> Result<Measured, EngineError> {
    let mut samples =
        list(&[("table_name", ColumnType::Text), ("key", ColumnType::Text), ("rows", ColumnType::Integer)]);
    let mut total = 0;
    let mut rows = 0;
    for table in subject.tables {
        let key = table.key.join(", ");
        let name = table.name;
        let sql = format!(
            "SELECT count(*), coalesce(sum(rows), 0), count(*) FILTER (WHERE rows > 1) \
             FROM (SELECT count(*) AS rows FROM {name} GROUP BY {key})"
        );
        let counted = one_row(subject.answers.ask(&sql, &[])?)?;
        rows += counted[1].as_integer().unwrap_or(0);
        let repeated = counted[2].as_integer().unwrap_or(0);
        total += repeated;
        if repeated > 0 {
            let shown: Vec<String> =
                table.key.iter().map(|column| format!("coalesce(CAST({column} AS VARCHAR), '')")).collect();
            let sql = format!(
                "SELECT '{name}', {} AS key, count(*) AS rows FROM {name} GROUP BY {key} HAVING count(*) > 1 \
                 ORDER BY rows DESC, key LIMIT {}",
                shown.join(" || '/' || "),
                subject.most
            );
            samples.rows.extend(subject.answers.ask(&sql, &[])?.rows);
        }
    }
    Ok(Measured {
        value: (rows > 0).then_some(total as f64),
        sample_size: u64::try_from(rows).ok(),
        samples: Some(samples),
        ..Measured::default()
    })
}

fn broken_references(subject: &mut Subject<'_>, except: &[String]) -> Result<Measured, EngineError> {
    let mut samples = list(&[
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
            if except.contains(&format!("{name}.{column}")) {
                continue;
            }
            let broken = format!(
                "FROM {name} AS child WHERE child.{column} IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM {parent} AS parent WHERE parent.{parent_column} = child.{column})"
            );
            let sql = format!("SELECT (SELECT count(*) FROM {name}), count(*) {broken}");
            let counted = one_row(subject.answers.ask(&sql, &[])?)?;
            rows += counted[0].as_integer().unwrap_or(0);
            let found = counted[1].as_integer().unwrap_or(0);
            total += found;
            if found > 0 {
                let sql = format!(
                    "SELECT '{name}', '{column}', '{parent}.{parent_column}', child.{column} AS value, \
                     count(*) AS rows {broken} GROUP BY child.{column} ORDER BY rows DESC, value LIMIT {}",
                    subject.most
                );
                samples.rows.extend(subject.answers.ask(&sql, &[])?.rows);
            }
        }
    }
    Ok(Measured {
        value: (rows > 0).then_some(total as f64),
        sample_size: u64::try_from(rows).ok(),
        samples: Some(samples),
        ..Measured::default()
    })
}

/// Name, budget and middle time of each view, in milliseconds.
fn times(subject: &Subject<'_>, names: &[String]) -> Result<Vec<(&'static str, f64, f64)>, EngineError> {
    let Some(store) = subject.answers.analytics() else {
        return Err(EngineError::usage(
            "views are those of analytical stores\nhint: use kind `latency` here",
        ));
    };
    let none = Parameters::new();
    let mut times = Vec::new();
    for name in names {
        let view = View::named(subject.views, name)?;
        let mut taken = [0; RUNS];
        for time in &mut taken {
            let start = subject.clock.monotonic_us();
            view.run(store, &none)?;
            *time = subject.clock.monotonic_us().saturating_sub(start);
        }
        taken.sort_unstable();
        times.push((view.name, view.budget_ms as f64, taken[RUNS / 2] as f64 / 1_000.0));
    }
    Ok(times)
}

fn shown_times(times: &[(&'static str, f64, f64)]) -> Table {
    let mut table = list(&[
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

fn one_row(answer: Table) -> Result<Vec<OwnedCell>, EngineError> {
    answer.rows.into_iter().next().ok_or_else(|| EngineError::usage("a count gave no row"))
}

/// An empty list of rows with these columns.
pub(super) fn list(columns: &[(&str, ColumnType)]) -> Table {
    let columns =
        columns.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind }).collect();
    Table { shape: Shape::Rows, columns, rows: Vec::new(), sections: Vec::new() }
}
