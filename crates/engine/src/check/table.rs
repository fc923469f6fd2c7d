//! Checks over the rows of one table, asked together.
//!
//! Owns the SQL of the table kinds. All checks of one table that can be answered by aggregates become one scan,
//! `SELECT count(*), count(..) FILTER (WHERE ..), .. FROM table`; an aggregate that several of them need is there once. Values
//! that occur more than once, and references that lead nowhere, are a statement of their own each, and equal statements
//! are asked once.
//!
//! Invariants: a check that names a column that is not there does not take the others of its table with it; a scan
//! that fails is split, so that only the check at fault is an error; all SQL here is understood by the three databases,
//! or says where they differ.

use plimsoll_store::analytics::OwnedCell;

use super::answers::Database;
use super::catalog::{Columns, is_floating};
use super::cohort::member;
use super::identifier::{Name, TableName, literal, number_or_text};
use super::kind::{TableCheck, Test};
use crate::error::EngineError;

/// Which rows an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All rows; one answer.
    All,
    /// Rows of the cohort and the others apart: two answers.
    Apart,
}

/// What a check needs from the database.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Need {
    /// Aggregates of the scan of its table.
    Scan(Vec<String>),
    /// Aggregates of the scan, and the numbers of one statement of its own.
    ScanAnd(Vec<String>, String),
    /// The numbers of one statement of its own.
    Statement(String),
}

impl TableCheck {
    /// What the check needs.
    ///
    /// # Errors
    /// When the table has no such column.
    pub(super) fn need(
        &self,
        database: Database,
        columns: &Columns,
        scope: Scope,
    ) -> Result<Need, EngineError> {
        for name in self.columns() {
            columns.needed(&self.table, name)?;
        }
        let count = |condition: Option<&str>| match all_of(&[self.filter.as_deref(), condition]) {
            None => "count(*)".to_owned(),
            Some(condition) => format!("count(*) FILTER (WHERE {condition})"),
        };
        let filled = |column: &Name| match &self.filter {
            None => format!("count({})", column.quoted()),
            Some(filter) => format!("count({}) FILTER (WHERE {filter})", column.quoted()),
        };
        Ok(match &self.test {
            Test::Completeness { missing, column } if missing.is_empty() => {
                Need::Scan(vec![count(None), filled(column)])
            }
            Test::Completeness { .. } => {
                Need::Scan(vec![count(None), count(self.fault(database, columns).as_deref())])
            }
            Test::Range { column, .. }
            | Test::AcceptedValues { column, .. }
            | Test::Pattern { column, .. } => {
                Need::Scan(vec![filled(column), count(self.fault(database, columns).as_deref())])
            }
            Test::RowCount => Need::Scan(vec![count(None)]),
            Test::Freshness { column } => {
                let filter = self.filter.as_ref().map(|filter| format!(" FILTER (WHERE {filter})"));
                let newest = format!("CAST(max({}){} AS text)", column.quoted(), filter.unwrap_or_default());
                Need::Scan(vec![newest, filled(column)])
            }
            Test::Uniqueness { columns } => Need::Statement(self.repeated(database, columns, scope)),
            Test::Orphans { columns, .. } => {
                let present = columns.iter().map(|column| format!("{} IS NOT NULL", column.quoted()));
                let present = present.collect::<Vec<_>>().join(" AND ");
                let referring = match columns.as_slice() {
                    [one] => filled(one),
                    _ => count(Some(&present)),
                };
                Need::ScanAnd(vec![referring], self.orphans(database, scope))
            }
        })
    }

    /// The columns that it names.
    fn columns(&self) -> Vec<&Name> {
        let mut names: Vec<&Name> = match &self.test {
            Test::Completeness { column, .. }
            | Test::Range { column, .. }
            | Test::AcceptedValues { column, .. }
            | Test::Pattern { column, .. }
            | Test::Freshness { column } => vec![column],
            Test::Uniqueness { columns } | Test::Orphans { columns, .. } => columns.iter().collect(),
            Test::RowCount => Vec::new(),
        };
        names.extend(&self.cohort);
        names
    }

    /// The condition that rows at fault meet, where it is one over the row alone.
    fn fault(&self, database: Database, columns: &Columns) -> Option<String> {
        match &self.test {
            Test::Completeness { column, missing } => {
                let column = column.quoted();
                if missing.is_empty() {
                    return Some(format!("{column} IS NULL"));
                }
                let list: Vec<String> = missing.iter().map(|value| literal(value)).collect();
                Some(format!("({column} IS NULL OR CAST({column} AS text) IN ({}))", list.join(", ")))
            }
            Test::Range { column, min, max } => {
                let quoted = column.quoted();
                let mut faults = Vec::new();
                faults.extend(min.as_ref().map(|min| format!("{quoted} < {}", number_or_text(min))));
                faults.extend(max.as_ref().map(|max| format!("{quoted} > {}", number_or_text(max))));
                // PostgreSQL and DuckDB hold that NaN is above every number, and equal to itself; SQLite has none.
                if database != Database::Sqlite && is_floating(columns.type_of(column)) {
                    faults.push(format!("{quoted} = 'NaN'"));
                }
                Some(format!("({})", faults.join(" OR ")))
            }
            Test::AcceptedValues { column, values } => {
                let list: Vec<String> = values.iter().map(|value| literal(value)).collect();
                Some(format!("CAST({} AS text) NOT IN ({})", column.quoted(), list.join(", ")))
            }
            Test::Pattern { column, pattern } => {
                let (column, pattern) = (column.quoted(), literal(pattern));
                Some(match database {
                    Database::Sqlite => format!("NOT ({column} REGEXP {pattern})"),
                    Database::Postgres => format!("CAST({column} AS text) !~ {pattern}"),
                    Database::Duckdb => format!("NOT regexp_matches(CAST({column} AS text), {pattern})"),
                })
            }
            Test::Uniqueness { .. } | Test::Orphans { .. } | Test::RowCount | Test::Freshness { .. } => None,
        }
    }

    fn member(&self, database: Database, scope: Scope) -> Option<String> {
        if scope == Scope::All { None } else { self.cohort.as_ref().map(|column| member(database, column)) }
    }

    /// Rows, distinct values, repeated values and duplicate rows, in one pass over groups.
    fn repeated(&self, database: Database, columns: &[Name], scope: Scope) -> String {
        let list: Vec<String> = columns.iter().map(Name::quoted).collect();
        let present: Vec<String> = list.iter().map(|column| format!("{column} IS NOT NULL")).collect();
        let condition = all_of(&[self.filter.as_deref(), Some(&present.join(" AND "))]).unwrap_or_default();
        let (head, group, inner) = match self.member(database, scope) {
            None => (String::new(), "", String::new()),
            Some(member) => (format!("{member} AS plimsoll_member, "), " GROUP BY 1", "1, ".to_owned()),
        };
        let outer = if group.is_empty() { "" } else { "plimsoll_member, " };
        format!(
            "SELECT {outer}coalesce(sum(n), 0), count(*), count(*) FILTER (WHERE n > 1), \
             coalesce(sum(n) FILTER (WHERE n > 1), 0) FROM (SELECT {head}count(*) AS n FROM {} WHERE {condition} \
             GROUP BY {inner}{}) AS grouped{group}",
            self.table.quoted(),
            list.join(", ")
        )
    }

    /// The rows at fault of a table whose rows refer to another.
    fn orphan_rows(&self) -> Option<String> {
        let Test::Orphans { columns, parent, parent_columns } = &self.test else { return None };
        let present: Vec<String> =
            columns.iter().map(|column| format!("{} IS NOT NULL", column.quoted())).collect();
        let same: Vec<String> = columns
            .iter()
            .zip(parent_columns)
            .map(|(column, other)| {
                format!("plimsoll_parent.{} = plimsoll_child.{}", other.quoted(), column.quoted())
            })
            .collect();
        let nowhere = format!(
            "NOT EXISTS (SELECT 1 FROM {} AS plimsoll_parent WHERE {})",
            parent.quoted(),
            same.join(" AND ")
        );
        let condition = all_of(&[self.filter.as_deref(), Some(&present.join(" AND ")), Some(&nowhere)])
            .unwrap_or_default();
        Some(format!("FROM {} AS plimsoll_child WHERE {condition}", self.table.quoted()))
    }

    fn orphans(&self, database: Database, scope: Scope) -> String {
        let rows = self.orphan_rows().unwrap_or_default();
        match self.member(database, scope) {
            None => format!("SELECT count(*) {rows}"),
            Some(member) => format!("SELECT {member} AS plimsoll_member, count(*) {rows} GROUP BY 1"),
        }
    }

    /// A query for rows at fault; none where no row is at fault by itself.
    pub(super) fn sample(
        &self,
        database: Database,
        columns: &Columns,
        scope: Scope,
        most: usize,
    ) -> Option<String> {
        let member = self.member(database, scope).map(|member| format!("{member} = 1"));
        let from = self.table.quoted();
        let filter = self.filter.as_deref();
        match &self.test {
            Test::Uniqueness { columns } => {
                let list: Vec<String> = columns.iter().map(Name::quoted).collect();
                let shown: Vec<String> =
                    list.iter().map(|column| format!("CAST({column} AS text) AS {column}")).collect();
                let present: Vec<String> =
                    list.iter().map(|column| format!("{column} IS NOT NULL")).collect();
                let condition = all_of(&[filter, Some(&present.join(" AND ")), member.as_deref()])?;
                Some(format!(
                    "SELECT {}, count(*) AS \"rows\" FROM {from} WHERE {condition} GROUP BY {list} \
                     HAVING count(*) > 1 ORDER BY count(*) DESC, {list} LIMIT {most}",
                    shown.join(", "),
                    list = list.join(", ")
                ))
            }
            Test::Orphans { columns, .. } => {
                let rows = self.orphan_rows()?;
                let member = member.map(|member| format!(" AND {member}")).unwrap_or_default();
                let list: Vec<String> =
                    columns.iter().map(|column| format!("plimsoll_child.{}", column.quoted())).collect();
                let shown: Vec<String> = columns
                    .iter()
                    .map(|column| format!("CAST(plimsoll_child.{0} AS text) AS {0}", column.quoted()))
                    .collect();
                Some(format!(
                    "SELECT {}, count(*) AS \"rows\" {rows}{member} GROUP BY {list} ORDER BY count(*) DESC, {list} \
                     LIMIT {most}",
                    shown.join(", "),
                    list = list.join(", ")
                ))
            }
            Test::RowCount | Test::Freshness { .. } => None,
            _ => {
                let fault = self.fault(database, columns)?;
                let condition = all_of(&[filter, Some(&fault), member.as_deref()])?;
                let shown: Vec<String> = columns
                    .names()
                    .map(|name| match database {
                        // Some of its types have no reading here, and all of them are texts.
                        Database::Postgres => format!("CAST({0} AS text) AS {0}", Name::new(name).quoted()),
                        _ => Name::new(name).quoted(),
                    })
                    .collect();
                Some(format!("SELECT {} FROM {from} WHERE {condition} LIMIT {most}", shown.join(", ")))
            }
        }
    }
}

/// The scan of a table: its aggregates, each once.
#[derive(Debug, Default)]
pub(super) struct Scan {
    aggregates: Vec<String>,
}

impl Scan {
    /// Adds aggregates; returns where they are in the answer.
    pub(super) fn add(&mut self, aggregates: &[String]) -> Vec<usize> {
        let position = |aggregate: &String| {
            self.aggregates.iter().position(|known| known == aggregate).unwrap_or_else(|| {
                self.aggregates.push(aggregate.clone());
                self.aggregates.len() - 1
            })
        };
        aggregates.iter().map(position).collect()
    }

    /// The statement; with `member`, one row for the cohort and one for the others.
    pub(super) fn sql(&self, table: &TableName, member: Option<&str>) -> String {
        let list = self.aggregates.join(", ");
        match member {
            None => format!("SELECT {list} FROM {}", table.quoted()),
            Some(member) => {
                format!("SELECT {member} AS plimsoll_member, {list} FROM {} GROUP BY 1", table.quoted())
            }
        }
    }
}

/// The conditions together; each in brackets, because a declared one may hold an `OR`.
fn all_of(conditions: &[Option<&str>]) -> Option<String> {
    let conditions: Vec<&str> = conditions.iter().copied().flatten().collect();
    match conditions.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        several => Some(several.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" AND ")),
    }
}

/// A cell as a count.
pub(super) fn count(cell: Option<&OwnedCell>) -> Result<f64, EngineError> {
    let cell = cell.unwrap_or(&OwnedCell::Null);
    Ok(super::answers::as_number(cell)?.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregate_that_two_checks_need_is_asked_once() {
        let mut scan = Scan::default();
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(scan.add(&texts(&["count(*)", "count(\"a\")"])), [0, 1]);
        assert_eq!(scan.add(&texts(&["count(\"b\")", "count(*)"])), [2, 0]);
        let table = TableName::read("t").unwrap();
        assert_eq!(scan.sql(&table, None), "SELECT count(*), count(\"a\"), count(\"b\") FROM \"t\"");
    }

    #[test]
    fn a_condition_with_or_stays_together() {
        assert_eq!(all_of(&[Some("a OR b"), None, Some("c")]).unwrap(), "(a OR b) AND (c)");
        assert_eq!(all_of(&[None, Some("c")]).unwrap(), "c");
        assert_eq!(all_of(&[None]), None);
    }
}
