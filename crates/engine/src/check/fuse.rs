//! Asking the checks of each table together.
//!
//! Owns which checks go into one scan, what happens when a scan fails, and turning its cells into numbers. The SQL is
//! `table`'s.

use std::collections::HashMap;

use jiff::Timestamp;
use plimsoll_core::clock::Clock;
use plimsoll_store::ErrorClass;
use plimsoll_store::analytics::OwnedCell;

use super::Check;
use super::answers::Answers;
use super::catalog::{Catalog, Columns};
use super::cohort::{Cohort, Side, compare, member};
use super::identifier::{Name, TableName};
use super::kind::{Kind, TableCheck, Test};
use super::measure::{Measured, is_share};
use super::moment;
use super::report::Number;
use super::table::{Need, Scan, Scope, count};
use crate::error::EngineError;
use crate::view::Table;

/// What one check came to, and how long it took in microseconds.
pub(super) type Outcome = (Result<Measured, EngineError>, u64);

/// What checks that are asked together have in common: the table, and the column of the cohort's keys.
type Together<'a> = (&'a TableName, Option<&'a Name>);
/// A check, where it stands in the list, and what it looks for.
type Member<'a> = (usize, &'a Check, &'a TableCheck);

/// Everything that measuring tables needs to know.
pub(super) struct Tables<'a> {
    pub(super) answers: &'a mut dyn Answers,
    pub(super) catalog: &'a mut Catalog,
    pub(super) clock: &'a dyn Clock,
    pub(super) cohort: Option<&'a Cohort>,
    pub(super) now: Timestamp,
    /// Statements that were asked, with their answers.
    pub(super) asked: HashMap<String, Result<Table, EngineError>>,
}

/// Cells of one side of an answer: of the scan, and of the statement of its own.
#[derive(Default)]
struct Cells {
    scan: Vec<OwnedCell>,
    own: Vec<OwnedCell>,
}

impl Tables<'_> {
    /// Measures every table check; the results are by position in `checks`.
    pub(super) fn measure(&mut self, checks: &[Check]) -> HashMap<usize, Outcome> {
        let mut groups: Vec<(Together<'_>, Vec<Member<'_>>)> = Vec::new();
        for (at, check) in checks.iter().enumerate() {
            let Kind::Table(table) = &check.kind else { continue };
            let key = (&table.table, table.cohort.as_ref().filter(|_| self.cohort.is_some()));
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push((at, check, table)),
                None => groups.push((key, vec![(at, check, table)])),
            }
        }
        let mut results = HashMap::new();
        for ((table, cohort), members) in groups {
            let scope = if cohort.is_some() { Scope::Apart } else { Scope::All };
            match self.catalog.columns(self.answers, table) {
                Ok(columns) => self.group(&members, &columns, scope, &mut results),
                Err(error) => {
                    results.extend(members.iter().map(|(at, ..)| (*at, (Err(error.clone()), 0))));
                }
            }
        }
        results
    }

    fn group(
        &mut self,
        members: &[Member<'_>],
        columns: &Columns,
        scope: Scope,
        results: &mut HashMap<usize, Outcome>,
    ) {
        let mut scan = Scan::default();
        let mut parts = Vec::new();
        for (at, check, table) in members {
            let need = columns
                .known(&table.table)
                .and_then(|()| table.need(self.answers.database(), columns, scope));
            match need {
                Err(error) => {
                    results.insert(*at, (Err(error), 0));
                }
                Ok(Need::Scan(aggregates)) => parts.push((*at, *check, *table, scan.add(&aggregates), None)),
                Ok(Need::ScanAnd(aggregates, own)) => {
                    parts.push((*at, *check, *table, scan.add(&aggregates), Some(own)));
                }
                Ok(Need::Statement(own)) => parts.push((*at, *check, *table, Vec::new(), Some(own))),
            }
        }
        let scanned = parts.iter().filter(|(.., positions, _)| !positions.is_empty()).count();
        let mut scan_us = 0;
        let answer = match (members.first(), scanned) {
            (Some((_, _, table)), 1..) => {
                let member = self.member(table, scope);
                let sql = scan.sql(&table.table, member.as_deref());
                let start = self.clock.monotonic_us();
                let answer = self.ask(&sql, scope);
                scan_us = self.clock.monotonic_us().saturating_sub(start);
                answer
            }
            _ => Ok(Table::empty()),
        };
        // One bad condition must not blame its neighbors. A scan that took too long is not tried again, though.
        let split = matches!(&answer, Err(error) if scanned > 1 && error.class != Some(ErrorClass::Timeout));
        for (at, check, table, positions, own) in parts {
            let start = self.clock.monotonic_us();
            let part = if positions.is_empty() {
                Ok((Table::empty(), Vec::new()))
            } else if split {
                self.alone(table, columns, scope)
            } else {
                answer.clone().map(|answer| (answer, positions.clone()))
            };
            let result = part.and_then(|(scanned, positions)| {
                let own = own.map(|sql| self.ask(&sql, scope)).transpose()?;
                self.conclude(check, table, scope, &scanned, &positions, own.as_ref())
            });
            let spent = self.clock.monotonic_us().saturating_sub(start);
            let scan_share = if positions.is_empty() { 0 } else { std::mem::take(&mut scan_us) };
            results.insert(at, (result, spent + scan_share));
        }
    }

    /// The scan of one check alone.
    fn alone(
        &mut self,
        table: &TableCheck,
        columns: &Columns,
        scope: Scope,
    ) -> Result<(Table, Vec<usize>), EngineError> {
        let aggregates = match table.need(self.answers.database(), columns, scope)? {
            Need::Scan(aggregates) | Need::ScanAnd(aggregates, _) => aggregates,
            Need::Statement(_) => Vec::new(),
        };
        let mut scan = Scan::default();
        let positions = scan.add(&aggregates);
        let member = self.member(table, scope);
        Ok((self.ask(&scan.sql(&table.table, member.as_deref()), scope)?, positions))
    }

    fn member(&self, table: &TableCheck, scope: Scope) -> Option<String> {
        let column = table.cohort.as_ref().filter(|_| scope == Scope::Apart)?;
        Some(member(self.answers.database(), column))
    }

    fn ask(&mut self, sql: &str, scope: Scope) -> Result<Table, EngineError> {
        if let Some(answer) = self.asked.get(sql) {
            return answer.clone();
        }
        let parameter = self.cohort.filter(|_| scope == Scope::Apart).map(Cohort::parameter);
        let parameters: Vec<&str> = parameter.iter().map(String::as_str).collect();
        let answer = self.answers.ask(sql, &parameters);
        self.asked.insert(sql.to_owned(), answer.clone());
        answer
    }

    fn conclude(
        &self,
        check: &Check,
        table: &TableCheck,
        scope: Scope,
        scanned: &Table,
        positions: &[usize],
        own: Option<&Table>,
    ) -> Result<Measured, EngineError> {
        let mut measured = Measured::default();
        match (scope, self.cohort) {
            (Scope::Apart, Some(cohort)) => {
                let inside = cells(scanned, positions, own, Some(1));
                let outside = cells(scanned, positions, own, Some(0));
                self.numbers(check, table, &inside, &mut measured)?;
                let mut control = Measured::default();
                self.numbers(check, table, &outside, &mut control)?;
                let sides =
                    [&measured, &control].map(|side| Side { value: side.value, size: side.sample_size });
                measured.cohort = Some(compare(&cohort.name, sides[0], sides[1], is_share(&check.rule)));
            }
            _ => self.numbers(check, table, &cells(scanned, positions, own, None), &mut measured)?,
        }
        Ok(measured)
    }

    fn numbers(
        &self,
        check: &Check,
        table: &TableCheck,
        cells: &Cells,
        measured: &mut Measured,
    ) -> Result<(), EngineError> {
        let scan = |at: usize| count(cells.scan.get(at));
        let own = |at: usize| count(cells.own.get(at));
        let mut put = |name: &'static str, value: f64| measured.numbers.push(Number { name, value });
        let rows = match &table.test {
            Test::Completeness { missing, .. } => {
                let rows = scan(0)?;
                let missing = if missing.is_empty() { rows - scan(1)? } else { scan(1)? };
                put("missing", missing);
                put("present", rows - missing);
                rows
            }
            Test::Range { .. } | Test::AcceptedValues { .. } | Test::Pattern { .. } => {
                let (rows, invalid) = (scan(0)?, scan(1)?);
                put("invalid", invalid);
                put("valid", rows - invalid);
                rows
            }
            Test::Uniqueness { .. } => {
                let rows = own(0)?;
                put("duplicate_rows", own(3)?);
                put("surplus_rows", rows - own(1)?);
                put("repeated_values", own(2)?);
                put("distinct_values", own(1)?);
                rows
            }
            Test::Orphans { .. } => {
                let rows = scan(0)?;
                put("orphans", own(0)?);
                put("matched", rows - own(0)?);
                rows
            }
            Test::RowCount => {
                let rows = scan(0)?;
                put("rows", rows);
                rows
            }
            Test::Freshness { .. } => {
                let rows = scan(1)?;
                if let Some(newest) = cells.scan.first().and_then(OwnedCell::as_text) {
                    let age = moment::age(newest, self.now, &check.rule.unit)?;
                    put("age", age);
                    measured.message = Some(format!("the newest value is {newest}"));
                }
                rows
            }
        };
        measured.sample_size = Some(rows as u64);
        let judged = measured.numbers.iter().find(|number| number.name == table.number);
        let is_empty = rows == 0.0 && table.test != Test::RowCount;
        measured.value = judged
            .filter(|_| !is_empty)
            .map(|number| if is_share(&check.rule) { 100.0 * number.value / rows } else { number.value });
        Ok(())
    }
}

/// The cells of one side; `member` tells which row of an answer about two sides.
fn cells(scanned: &Table, positions: &[usize], own: Option<&Table>, member: Option<i64>) -> Cells {
    let row = |table: &Table| match member {
        None => table.rows.first().cloned().unwrap_or_default(),
        Some(member) => {
            let found =
                table.rows.iter().find(|row| row.first().and_then(OwnedCell::as_integer) == Some(member));
            found.map(|row| row[1..].to_vec()).unwrap_or_default()
        }
    };
    let scan = row(scanned);
    let at = |position: &usize| scan.get(*position).cloned().unwrap_or(OwnedCell::Null);
    Cells { scan: positions.iter().map(at).collect(), own: own.map(row).unwrap_or_default() }
}
