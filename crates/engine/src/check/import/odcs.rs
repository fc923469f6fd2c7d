//! The rules of a contract of the Open Data Contract Standard as checks.
//!
//! Owns what the standard's rules mean here: the five metrics of its library with their arguments, `sql` rules with
//! their placeholders, the eight operators, both units, `required`, `unique` and keys of columns, relationships, and the
//! promise of freshness. The contract is known to be sound.

use std::collections::HashMap;

use serde_json::Value;

use super::document::{list, plain, text};
use super::odcs_shape::dimension;
use super::{Imported, name_of};
use crate::check::identifier::{Name, TableName};
use crate::check::kind::refers_to;
use crate::check::{Check, Comparison, Kind, Rule, Severity, TableCheck, Test, moment};

/// The checks of a contract.
pub(super) fn import(contract: &Value) -> Imported {
    let mut import = Import { imported: Imported::default(), physical: physical_names(contract) };
    for object in list(contract, "schema") {
        import.object(object);
    }
    let default = text(contract, "slaDefaultElement");
    for promise in list(contract, "slaProperties") {
        import.promise(promise, default);
    }
    import.imported
}

struct Import {
    imported: Imported,
    /// Tables and columns as the contract names them, with the names that the database has.
    physical: HashMap<String, String>,
}

/// `table` and `table.column` with what the database calls them.
fn physical_names(contract: &Value) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for object in list(contract, "schema") {
        let Some(table) = text(object, "name") else { continue };
        names.insert(table.to_owned(), physical(object).to_owned());
        for property in list(object, "properties") {
            if let Some(column) = text(property, "name") {
                names.insert(
                    format!("{table}.{column}"),
                    format!("{}.{}", physical(object), physical(property)),
                );
            }
        }
    }
    names
}

/// What a rule is about.
#[derive(Clone, Copy)]
struct About<'a> {
    table: &'a str,
    column: Option<&'a str>,
}

fn physical(value: &Value) -> &str {
    text(value, "physicalName").or_else(|| text(value, "name")).unwrap_or_default()
}

fn table_check(table: &str, test: Test, number: &'static str) -> Kind {
    match TableName::read(table) {
        Some(table) => Kind::Table(TableCheck { table, filter: None, cohort: None, test, number }),
        None => Kind::Unsupported(format!("`{table}` is not the name of a table")),
    }
}

impl Import {
    fn add(&mut self, parts: &[&str], title: String, rule: Rule, kind: Kind) -> &mut Check {
        let name = name_of(parts, &self.imported.checks);
        self.imported.checks.push(Check::new(name, title, rule, kind));
        let at = self.imported.checks.len() - 1;
        &mut self.imported.checks[at]
    }

    fn object(&mut self, object: &Value) {
        let table = physical(object);
        for rule in list(object, "quality") {
            self.rule(About { table, column: None }, rule);
        }
        let zero = || Rule::new(Comparison::Equal, 0.0, "rows");
        let mut key: Vec<(i64, &str)> = Vec::new();
        for property in list(object, "properties") {
            let column = physical(property);
            let set = |name: &str| property.get(name).and_then(Value::as_bool).unwrap_or(false);
            if set("primaryKey") {
                key.push((property.get("primaryKeyPosition").and_then(Value::as_i64).unwrap_or(-1), column));
            }
            if set("required") || set("primaryKey") {
                let test = Test::Completeness { column: Name::new(column), missing: Vec::new() };
                let kind = table_check(table, test, "missing");
                self.add(&[table, column, "required"], format!("{table}.{column} is required"), zero(), kind);
            }
            if set("unique") {
                let test = Test::Uniqueness { columns: vec![Name::new(column)] };
                let kind = table_check(table, test, "repeated_values");
                self.add(&[table, column, "unique"], format!("{table}.{column} is unique"), zero(), kind);
            }
            for rule in list(property, "quality") {
                self.rule(About { table, column: Some(column) }, rule);
            }
            for relation in list(property, "relationships") {
                self.relation(table, &[column], relation);
            }
            if has_rules_within(property) {
                self.imported.not_run.push(format!("rules within the nested column {table}.{column}"));
            }
        }
        key.sort_unstable();
        if !key.is_empty() {
            let columns = key.iter().map(|(_, column)| Name::new(column)).collect();
            let kind = table_check(table, Test::Uniqueness { columns }, "repeated_values");
            self.add(&[table, "primary-key"], format!("The primary key of {table} is unique"), zero(), kind);
        }
        for relation in list(object, "relationships") {
            let from = ends(relation, "from");
            let known: Vec<String> = from
                .iter()
                .map(|end| self.physical.get(*end).map_or(*end, String::as_str))
                .map(|end| end.rsplit('.').next().unwrap_or(end).to_owned())
                .collect();
            let columns: Vec<&str> = known.iter().map(String::as_str).collect();
            self.relation(table, &columns, relation);
        }
    }

    fn relation(&mut self, table: &str, columns: &[&str], relation: &Value) {
        let to = ends(relation, "to");
        let targets: Option<Vec<(TableName, Vec<Name>)>> =
            to.iter().map(|end| refers_to(self.physical.get(*end).map_or(*end, String::as_str))).collect();
        let title = format!("{table}.{} refers to {}", columns.join(", "), to.join(", "));
        let kind = match targets.as_deref() {
            Some([(parent, _), ..]) if to.iter().all(|end| !end.contains('/')) => {
                let parent_columns =
                    targets.iter().flatten().flat_map(|(_, columns)| columns.clone()).collect();
                let columns = columns.iter().map(Name::new).collect();
                table_check(
                    table,
                    Test::Orphans { columns, parent: parent.clone(), parent_columns },
                    "orphans",
                )
            }
            _ => Kind::Unsupported(format!(
                "the reference to {} names ids of a contract and no table",
                to.join(", ")
            )),
        };
        let parts = [&[table], columns, &["refers"]].concat();
        self.add(&parts, title, Rule::new(Comparison::Equal, 0.0, "rows"), kind);
    }

    fn rule(&mut self, about: About<'_>, rule: &Value) {
        let kind_of_rule = text(rule, "type").unwrap_or("library");
        let place =
            about.column.map_or_else(|| about.table.to_owned(), |column| format!("{}.{column}", about.table));
        let called = text(rule, "name").or_else(|| text(rule, "id")).or_else(|| text(rule, "description"));
        if kind_of_rule == "text" {
            let words = text(rule, "description").or(called).unwrap_or("a rule in prose");
            self.imported.not_run.push(format!("{place}: {words} (prose)"));
            return;
        }
        let metric = text(rule, "metric").unwrap_or(kind_of_rule);
        let percent = matches!(text(rule, "unit"), Some("percent" | "%"));
        let unit = if percent { "percent" } else { text(rule, "unit").unwrap_or("") };
        let nothing = || Rule::new(Comparison::Equal, 0.0, unit);
        let (judged, kind) = match (kind_of_rule, judged(rule, unit)) {
            ("custom", _) => {
                let engine = text(rule, "engine").unwrap_or_default();
                (
                    nothing(),
                    Kind::Unsupported(format!("the rule is for the engine `{engine}`, which is not here")),
                )
            }
            ("sql", Ok(judged)) => (judged, sql(about, rule)),
            (_, Ok(judged)) => (judged, library(about, metric, rule, percent)),
            (_, Err(reason)) => (nothing(), Kind::Unsupported(reason)),
        };
        let title = called.map_or_else(|| format!("{metric} of {place}"), str::to_owned);
        let id = text(rule, "id").or_else(|| text(rule, "name")).unwrap_or(metric);
        let parts: Vec<&str> = [Some(about.table), about.column, Some(id)].into_iter().flatten().collect();
        let check = self.add(&parts, title, judged, kind);
        if let Some(found) = text(rule, "dimension").and_then(dimension) {
            check.dimension = found;
        }
        if let Some(word) = text(rule, "severity") {
            let light = ["warn", "warning", "info", "low", "minor"].contains(&word.to_lowercase().as_str());
            check.severity = if light { Severity::Warn } else { Severity::Error };
        }
        check.schedule = text(rule, "schedule").map(str::to_owned);
        if let Some(impact) = text(rule, "businessImpact") {
            check.hint = format!("business impact: {impact}");
        }
    }

    fn promise(&mut self, promise: &Value, default: Option<&str>) {
        let property = text(promise, "property").unwrap_or_default();
        let short = matches!(property, "freshness" | "fr" | "latency" | "ly");
        let told = format!("the promise `{property}`");
        if !short {
            self.imported.not_run.push(format!("{told} is about the service and not about rows"));
            return;
        }
        let element = text(promise, "element").or(default).unwrap_or_default();
        let unit = text(promise, "unit").unwrap_or("d");
        let value = promise.get("value").and_then(|value| match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        });
        for one in element.split(',').map(str::trim) {
            let rule = Rule::new(Comparison::AtMost, value.unwrap_or(0.0), unit);
            let known = self.physical.get(one).cloned().unwrap_or_else(|| one.to_owned());
            let kind = match (known.rsplit_once('.'), value, moment::unit_seconds(unit)) {
                (None, ..) => Kind::Unsupported(format!("{told} names no column: its element is `{one}`")),
                (_, None, _) => Kind::Unsupported(format!("the value of {told} is no number")),
                (_, _, None) => Kind::Unsupported(format!("`{unit}` of {told} is no unit of time")),
                (Some((table, column)), Some(_), Some(_)) => {
                    table_check(table, Test::Freshness { column: Name::new(column) }, "age")
                }
            };
            let check = self.add(&[one, property], format!("{one} is no older than promised"), rule, kind);
            check.dimension = "timeliness";
            check.schedule = text(promise, "schedule").map(str::to_owned);
        }
    }
}

/// Whether a column that holds others has rules somewhere within.
fn has_rules_within(property: &Value) -> bool {
    list(property, "properties")
        .iter()
        .chain(property.get("items"))
        .any(|inner| !list(inner, "quality").is_empty() || has_rules_within(inner))
}

fn ends<'a>(relation: &'a Value, key: &str) -> Vec<&'a str> {
    match relation.get(key) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The operator of a rule.
fn judged(rule: &Value, unit: &str) -> Result<Rule, String> {
    for (operator, comparison) in [
        ("mustBe", Comparison::Equal),
        ("mustNotBe", Comparison::NotEqual),
        ("mustBeGreaterThan", Comparison::Above),
        ("mustBeGreaterOrEqualTo", Comparison::AtLeast),
        ("mustBeLessThan", Comparison::Below),
        ("mustBeLessOrEqualTo", Comparison::AtMost),
    ] {
        if let Some(value) = rule.get(operator) {
            let bound = value.as_f64().ok_or_else(|| format!("`{operator}: {value}` is not a number"))?;
            return Ok(Rule::new(comparison, bound, unit));
        }
    }
    for (operator, comparison) in
        [("mustBeBetween", Comparison::Between), ("mustNotBeBetween", Comparison::NotBetween)]
    {
        if let Some([low, high]) = rule.get(operator).and_then(Value::as_array).map(Vec::as_slice) {
            let (Some(low), Some(high)) = (low.as_f64(), high.as_f64()) else {
                return Err(format!("`{operator}` is not two numbers"));
            };
            let (bound, upper) = (low.min(high), low.max(high));
            return Ok(Rule { comparison, bound, upper, unit: unit.to_owned() });
        }
    }
    Err("the rule has no operator such as `mustBe`, so there is nothing to hold the value against".to_owned())
}

fn sql(about: About<'_>, rule: &Value) -> Kind {
    let query = text(rule, "query").unwrap_or_default().trim().trim_end_matches(';');
    let mut query = query.to_owned();
    for (mark, value) in [
        ("{object}", Some(about.table)),
        ("{table}", Some(about.table)),
        ("{model}", Some(about.table)),
        ("{schema}", Some(about.table)),
        ("{property}", about.column),
        ("{column}", about.column),
        ("{field}", about.column),
    ] {
        for mark in [format!("${mark}"), mark.to_owned()] {
            if !query.contains(&mark) {
                continue;
            }
            let Some(value) = value else {
                return Kind::Unsupported(format!("the query has `{mark}`, and the rule is not at a column"));
            };
            query = query.replace(&mark, value);
        }
    }
    Kind::Query { sql: query, sample: None }
}

fn library(about: About<'_>, metric: &str, rule: &Value, percent: bool) -> Kind {
    let arguments = rule.get("arguments").unwrap_or(&Value::Null);
    let values = |key: &str| -> Vec<String> { list(arguments, key).iter().filter_map(plain).collect() };
    let known: &[&str] = match metric {
        "missingValues" => &["missingValues"],
        "invalidValues" => &["validValues", "pattern"],
        "duplicateValues" => &["properties"],
        _ => &[],
    };
    if let Some(other) =
        arguments.as_object().and_then(|all| all.keys().find(|key| !known.contains(&key.as_str())))
    {
        return Kind::Unsupported(format!("the argument `{other}` of {metric} is not known"));
    }
    let column = || about.column.map(Name::new).ok_or_else(|| format!("{metric} is a rule of a column"));
    let test = || -> Result<(Test, &'static str), String> {
        Ok(match metric {
            "rowCount" if percent => {
                return Err("a count of all rows has no percentage".to_owned());
            }
            "rowCount" => (Test::RowCount, "rows"),
            "nullValues" => (Test::Completeness { column: column()?, missing: Vec::new() }, "missing"),
            "missingValues" => {
                let missing = values("missingValues");
                (Test::Completeness { column: column()?, missing }, "missing")
            }
            "invalidValues" => {
                let pattern = text(arguments, "pattern").map(str::to_owned);
                match (pattern, values("validValues")) {
                    (Some(pattern), valid) if valid.is_empty() => {
                        (Test::Pattern { column: column()?, pattern }, "invalid")
                    }
                    (None, valid) if !valid.is_empty() => {
                        (Test::AcceptedValues { column: column()?, values: valid }, "invalid")
                    }
                    (Some(_), _) => {
                        return Err("has both a pattern and values; write two rules".to_owned());
                    }
                    (None, _) => {
                        let reason = "has neither `validValues` nor `pattern`, so every value is valid";
                        return Err(reason.to_owned());
                    }
                }
            }
            "duplicateValues" => {
                let several = values("properties");
                let columns = match about.column {
                    Some(column) => vec![Name::new(column)],
                    None if several.is_empty() => {
                        return Err("names no column: give `arguments.properties`".to_owned());
                    }
                    // `table.column` is how the standard names them; the table is the one of the rule.
                    None => {
                        several.iter().map(|one| Name::new(one.rsplit('.').next().unwrap_or(one))).collect()
                    }
                };
                (Test::Uniqueness { columns }, "repeated_values")
            }
            other => return Err(format!("the metric `{other}` is not known")),
        })
    };
    match test() {
        Ok((test, number)) => table_check(about.table, test, number),
        Err(reason) => Kind::Unsupported(reason),
    }
}
