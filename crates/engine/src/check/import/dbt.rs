//! dbt's generic tests as checks: `not_null`, `unique`, `accepted_values`, `relationships`.
//!
//! Owns what a `tests:` (or `data_tests:`) block means. A model is a table of its name; `ref('x')` and `source('a', 'x')`
//! are the table `x`. Any other test, and a configuration that changes the meaning, is told and not run silently.

use serde_json::Value;

use super::document::{list, plain, text};
use super::{Imported, name_of};
use crate::check::identifier::{Name, TableName};
use crate::check::{Check, Comparison, Kind, Rule, Severity, TableCheck, Test};

const GROUPS: &[&str] = &["models", "seeds", "snapshots"];

/// True when the document has models or sources of dbt.
pub(super) fn is_one(document: &Value) -> bool {
    document.get("kind").is_none()
        && (document.get("sources").is_some() || GROUPS.iter().any(|group| document.get(*group).is_some()))
}

/// The checks of a document.
pub(super) fn import(document: &Value) -> Result<Imported, Vec<String>> {
    let mut import = Import { imported: Imported::default(), faults: Vec::new() };
    for group in GROUPS {
        for model in list(document, group) {
            import.table(model, None);
        }
    }
    for source in list(document, "sources") {
        let schema = text(source, "schema");
        for table in list(source, "tables") {
            import.table(table, schema);
        }
    }
    if import.faults.is_empty() { Ok(import.imported) } else { Err(import.faults) }
}

struct Import {
    imported: Imported,
    faults: Vec<String>,
}

impl Import {
    fn table(&mut self, model: &Value, schema: Option<&str>) {
        let Some(name) =
            text(model, "identifier").or_else(|| text(model, "alias")).or_else(|| text(model, "name"))
        else {
            self.faults.push("a model has no `name`".to_owned());
            return;
        };
        let table = TableName { schema: schema.map(str::to_owned), name: name.to_owned() };
        for test in tests(model) {
            self.test(&table, None, test);
        }
        for column in list(model, "columns") {
            match text(column, "name") {
                Some(name) => tests(column).for_each(|test| self.test(&table, Some(name), test)),
                None => self.faults.push(format!("a column of {table} has no `name`")),
            }
        }
    }

    fn test(&mut self, table: &TableName, column: Option<&str>, test: &Value) {
        let (name, arguments) = match test {
            Value::String(name) => (name.as_str(), &Value::Null),
            Value::Object(one) => {
                match one.iter().find(|(key, _)| !["config", "name", "description"].contains(&key.as_str())) {
                    Some((key, value)) => (key.as_str(), value),
                    None => return self.faults.push(format!("a test of {table} has no name")),
                }
            }
            other => return self.faults.push(format!("{other} is no test of {table}")),
        };
        // Newer files nest the arguments.
        let inner = arguments.get("arguments").unwrap_or(arguments);
        let configured = arguments.get("config").unwrap_or(arguments);
        let kind = kind(table, column, name, inner, configured);
        let mut parts = vec![table.name.as_str()];
        parts.extend(column);
        parts.push(name);
        let place = column.map_or_else(|| table.to_string(), |column| format!("{table}.{column}"));
        let rule = Rule::new(Comparison::Equal, 0.0, "");
        let mut check =
            Check::new(name_of(&parts, &self.imported.checks), format!("{name} of {place}"), rule, kind);
        match text(configured, "severity").map(str::to_lowercase).as_deref() {
            None | Some("error") => {}
            Some("warn") => check.severity = Severity::Warn,
            Some(other) => check.kind = Kind::Unsupported(format!("the severity `{other}` is not known")),
        }
        for (key, warn) in [("error_if", false), ("warn_if", true)] {
            let Some(condition) = text(configured, key) else { continue };
            // The condition says when it is wrong; a rule says what must be.
            match opposite(condition) {
                Some(rule) if warn => check.warn = Some(rule),
                Some(rule) => check.rule = rule,
                None => check.kind = Kind::Unsupported(format!("`{key}: {condition}` is not understood")),
            }
        }
        self.imported.checks.push(check);
    }
}

/// `>10` as the rule `<= 10`.
fn opposite(condition: &str) -> Option<Rule> {
    let condition = condition.trim();
    let digits = condition.find(|c: char| c.is_ascii_digit() || c == '-')?;
    let comparison = match condition[..digits].trim() {
        ">" => Comparison::AtMost,
        ">=" => Comparison::Below,
        "<" => Comparison::AtLeast,
        "<=" => Comparison::Above,
        "!=" | "<>" => Comparison::Equal,
        "=" | "==" => Comparison::NotEqual,
        _ => return None,
    };
    Some(Rule::new(comparison, condition[digits..].trim().parse().ok()?, ""))
}

fn tests(value: &Value) -> impl Iterator<Item = &Value> {
    list(value, "tests").iter().chain(list(value, "data_tests"))
}

fn kind(table: &TableName, column: Option<&str>, name: &str, arguments: &Value, configured: &Value) -> Kind {
    for key in ["limit", "fail_calc"] {
        if configured.get(key).is_some() {
            return Kind::Unsupported(format!("`{key}` of the test `{name}` is not supported"));
        }
    }
    let column = column.or_else(|| text(arguments, "column_name"));
    let (Some(column), "not_null" | "unique" | "accepted_values" | "relationships") = (column, name) else {
        return Kind::Unsupported(format!("the test `{name}` is not supported"));
    };
    let column = Name::new(column);
    let (test, number) = match name {
        "not_null" => (Test::Completeness { column, missing: Vec::new() }, "missing"),
        "unique" => (Test::Uniqueness { columns: vec![column] }, "repeated_values"),
        "accepted_values" => {
            let values: Vec<String> = list(arguments, "values").iter().filter_map(plain).collect();
            if values.is_empty() {
                return Kind::Unsupported("accepted_values has no `values`".to_owned());
            }
            (Test::AcceptedValues { column, values }, "invalid")
        }
        _ => {
            let parent = text(arguments, "to").and_then(referred);
            let (Some(parent), Some(field)) = (parent, text(arguments, "field")) else {
                return Kind::Unsupported("relationships needs `to` and `field`".to_owned());
            };
            let parent_columns = vec![Name::new(field)];
            (Test::Orphans { columns: vec![column], parent, parent_columns }, "orphans")
        }
    };
    let filter = text(configured, "where").map(str::to_owned);
    Kind::Table(TableCheck { table: table.clone(), filter, cohort: None, test, number })
}

/// The table of `ref('x')`, `source('a', 'x')` or `x`.
fn referred(text: &str) -> Option<TableName> {
    let inner = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let name = match inner.split_once('(') {
        Some((_, arguments)) => {
            let arguments = arguments.trim_end_matches(')');
            arguments.rsplit(',').next().unwrap_or_default().trim().trim_matches(['\'', '"'])
        }
        None => inner,
    };
    TableName::read(name)
}
