//! Checks: rules about data that are tried again and again.
//!
//! Owns the form of a check - an SQL file with a header, or an entry of a TOML file -, what it measures, the verdict, the
//! history in the same store, the report, and what it says to the incidents. Which checks there are is the systems' business;
//! when they run is the caller's. One engine asks SQLite, PostgreSQL and DuckDB through [`Answers`].
//!
//! Invariants: a check only reads; every result of every run is in the history; only a value that was measured and
//! keeps its rule is a pass - nothing to measure is `unknown`, what cannot run or is no number is an `error`, and a run
//! without checks is not healthy.
//!
//! # The form of a file
//!
//! ```sql
//! -- check: root-path
//! -- title: Answers know the root of their work tree
//! -- severity: error
//! -- rule: > 80 percent
//! -- warn: > 95 percent
//! -- hint: what to do when it fails
//! -- requirements: OC-68
//!
//! SELECT 100.0 * count(root_path) / nullif(count(*), 0) AS value FROM messages WHERE role = 'assistant'
//!
//! -- sample:
//! SELECT id, session_id FROM messages WHERE role = 'assistant' AND root_path IS NULL ORDER BY id LIMIT 10
//! ```
//!
//! The first statement gives one row with a column `value`, or with one column; null means that there is nothing to
//! measure. The sample is asked only when the check fails. A header line `kind:` stands in place of the SQL for what is
//! built in, with the keys of that kind ([`KINDS`]); the numbers that a kind can judge are [`NUMBERS`]. The rule must be kept;
//! the stricter one of `warn:` should be. `dimension:`, `schedule:` (a cron expression) and `empty:` (`unknown`, `pass` or
//! `fail`: what an empty table means) may be given.
//!
//! Reading order: [`Check`], `kind`, `rule`, `run`, `fuse` and `table` (checks over one table), `measure` (the others),
//! `history`, `report`.

pub mod anomaly;
mod answers;
mod catalog;
mod cohort;
mod declared;
mod fuse;
pub mod history;
mod html;
mod identifier;
pub mod import;
pub mod incident;
mod json;
mod kind;
mod measure;
mod moment;
mod number;
mod plan;
mod report;
mod rule;
mod run;
mod scoped;
mod table;
mod text;

use crate::error::EngineError;

pub use answers::{Answers, Database};
pub use cohort::Cohort;
pub use history::HEALTH_CHECK_HISTORY;
pub use identifier::{Name, TableName};
pub use kind::{DeclaredColumn, KINDS, Kind, SchemaCheck, Series, SeriesSource, TableCheck, Test};
pub use number::{NUMBERS, NumberDefinition, numbers_of};
pub use report::{CohortFinding, Finding, Number, Report, Trend, Verdict};
pub use rule::{Comparison, Rule};
pub use run::Checkup;

use declared::Declared;

/// How grave a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Numbers may be wrong.
    Error,
    /// Worth a look.
    Warn,
}

impl Severity {
    /// The word used in headers, reports and the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
        }
    }
}

/// What it means that there is nothing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenEmpty {
    /// Nothing is known.
    Unknown,
    /// That is as it should be.
    Pass,
    /// That is a failure.
    Fail,
}

/// The dimensions of quality, in the words of the Open Data Contract Standard.
pub const DIMENSIONS: &[&str] =
    &["accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"];

const KEYS: &[&str] = &[
    "title",
    "severity",
    "rule",
    "warn",
    "unit",
    "kind",
    "dimension",
    "schedule",
    "empty",
    "hint",
    "requirements",
];

/// A check, as its file says.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, also that of its file without `.sql`.
    pub name: String,
    /// What must be true.
    pub title: String,
    /// How grave a failure is.
    pub severity: Severity,
    /// The rule that the value must keep.
    pub rule: Rule,
    /// The stricter rule that it should keep.
    pub warn: Option<Rule>,
    /// What it looks at.
    pub kind: Kind,
    /// The dimension of quality, one of [`DIMENSIONS`].
    pub dimension: &'static str,
    /// When it should run, as a cron expression; the scheduler reads it.
    pub schedule: Option<String>,
    /// What it means that there is nothing to measure.
    pub when_empty: WhenEmpty,
    /// What to do when it fails.
    pub hint: String,
    /// Identifiers of the requirements that it serves.
    pub requirements: Vec<String>,
}

impl Check {
    /// A check of severity `error` without a schedule, for those that are not read from a file of checks.
    pub fn new(name: impl Into<String>, title: impl Into<String>, rule: Rule, kind: Kind) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            severity: Severity::Error,
            rule,
            warn: None,
            dimension: kind.dimension(),
            kind,
            schedule: None,
            when_empty: WhenEmpty::Unknown,
            hint: "look at the sample rows, then repair the data or the rule".to_owned(),
            requirements: Vec::new(),
        }
    }

    /// Reads a check's SQL file.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        Self::of(&Declared::of_sql(text, None)?)
    }

    /// Reads the text of one file of checks: SQL with a header, or TOML with entries `[[check]]`.
    ///
    /// # Errors
    /// What is wrong; `origin` names the file in it.
    pub fn parse_text(text: &str, origin: Option<&str>) -> Result<Vec<Self>, EngineError> {
        if text.trim_start().starts_with("--") {
            return Ok(vec![Self::of(&Declared::of_sql(text, origin)?)?]);
        }
        let entries = Declared::of_toml(text, origin.unwrap_or("a file of checks"))?;
        entries.iter().map(Self::of).collect()
    }

    /// Reads all checks of a system and finds names that occur twice.
    ///
    /// # Errors
    /// The first file that is wrong, or a name that two checks have.
    pub fn parse_all(texts: &[&str]) -> Result<Vec<Self>, EngineError> {
        let mut checks = Vec::new();
        for text in texts {
            checks.extend(Self::parse_text(text, None)?);
        }
        no_name_twice(&checks)?;
        Ok(checks)
    }

    /// Reads the files `*.sql` and `*.toml` of a folder, in order of their names.
    ///
    /// # Errors
    /// When a file cannot be read or is wrong, or two checks have one name.
    pub fn read_folder(folder: &std::path::Path) -> Result<Vec<Self>, EngineError> {
        let unreadable = |path: &std::path::Path, error: std::io::Error| {
            EngineError::usage(format!("{}: {error}", path.display()))
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            paths.push(entry.map_err(|error| unreadable(folder, error))?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "sql" || kind == "toml"));
        paths.sort();
        let mut checks = Vec::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            checks.extend(Self::parse_text(&text, Some(&path.display().to_string()))?);
        }
        no_name_twice(&checks)?;
        Ok(checks)
    }

    fn of(declared: &Declared<'_>) -> Result<Self, EngineError> {
        let (kind, keys) = Kind::read(declared)?;
        declared.only(&[KEYS, &keys].concat())?;
        let severity = match declared.needed("severity")? {
            "error" => Severity::Error,
            "warn" => Severity::Warn,
            other => {
                return Err(declared.wrong("severity", &format!("`{other}` is neither `error` nor `warn`")));
            }
        };
        let unit = declared.found("unit").unwrap_or_default();
        let rule = |key: &str, text: &str| {
            let mut rule = Rule::read(text).map_err(|reason| declared.wrong(key, &reason))?;
            if rule.unit.is_empty() {
                unit.clone_into(&mut rule.unit);
            }
            Ok::<_, EngineError>(rule)
        };
        let warn = declared.found("warn").map(|text| rule("warn", text)).transpose()?;
        let dimension = match declared.found("dimension") {
            None => kind.dimension(),
            Some(word) => DIMENSIONS.iter().find(|known| **known == word).copied().ok_or_else(|| {
                declared.wrong("dimension", &format!("`{word}` is none of {}", DIMENSIONS.join(", ")))
            })?,
        };
        let when_empty = match declared.found("empty") {
            None | Some("unknown") => WhenEmpty::Unknown,
            Some("pass") => WhenEmpty::Pass,
            Some("fail") => WhenEmpty::Fail,
            Some(other) => {
                return Err(declared.wrong("empty", &format!("`{other}` is none of unknown, pass, fail")));
            }
        };
        let rule = rule("rule", declared.needed("rule")?)?;
        let is_age = matches!(&kind, Kind::Table(table) if matches!(table.test, Test::Freshness { .. }));
        if is_age && moment::unit_seconds(&rule.unit).is_none() {
            return Err(declared.wrong("rule", &format!("`{}` is none of s, min, h, d", rule.unit)));
        }
        Ok(Self {
            name: declared.name.clone(),
            title: declared.needed("title")?.to_owned(),
            severity,
            rule,
            warn,
            kind,
            dimension,
            schedule: declared.found("schedule").map(str::to_owned),
            when_empty,
            hint: declared.needed("hint")?.to_owned(),
            requirements: declared.list("requirements")?,
        })
    }

    /// How a value is judged. What is no number is an error.
    pub fn verdict(&self, value: f64) -> Verdict {
        if !value.is_finite() {
            return Verdict::Error;
        }
        if !self.rule.holds(value) {
            return Verdict::Fail;
        }
        if self.warn.as_ref().is_some_and(|warn| !warn.holds(value)) { Verdict::Warn } else { Verdict::Pass }
    }
}

/// Refuses two checks of one name.
///
/// # Errors
/// Names them.
pub fn no_name_twice(checks: &[Check]) -> Result<(), EngineError> {
    for (at, check) in checks.iter().enumerate() {
        if checks[..at].iter().any(|earlier| earlier.name == check.name) {
            return Err(EngineError::usage(format!("two checks are named `{}`", check.name)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: &str = "-- check: root-path
-- title: Answers know their root
-- severity: error
-- rule: > 80 percent
-- hint: look
-- requirements: OC-68

SELECT 81 AS value

-- sample:
SELECT 1 AS id
";

    #[test]
    fn what_is_wrong_in_a_file_is_told_with_its_line() {
        assert_eq!(Check::parse(CHECK).unwrap().rule.to_string(), "> 80 percent");
        let cases = [
            ("error", "fatal", "checks/root-path.sql, line 3: `severity`: `fatal` is neither"),
            ("> 80", "over 80", "checks/root-path.sql, line 4: `rule`: `over` is none of >, >=, <, <=, ="),
            ("hint: look", "hint:", "checks/root-path.sql, line 5: `hint`: is empty"),
            ("hint: look", "hunt: look", "checks/root-path.sql, line 5: `hunt` is none of check, title"),
            ("SELECT 81 AS value\n", "", "checks/root-path.sql, line 7: there is no statement"),
            (
                "SELECT 1",
                "SELECT 1\n-- sample:\nSELECT 2",
                "checks/root-path.sql, line 13: there is a second",
            ),
            ("hint: look", "hint: look\n-- kind: duplicate-keys", "checks/root-path.sql, line 6: `kind`"),
            (
                "hint: look",
                "hint: look\n-- except: a.b",
                "checks/root-path.sql, line 6: `except` is none of check, title",
            ),
        ];
        for (from, to, expected) in cases {
            let message = Check::parse(&CHECK.replace(from, to)).unwrap_err().message;
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_kind_names_what_it_needs() {
        let with = |lines: &str| {
            let header = CHECK.split("\n\n").next().unwrap_or_default();
            let lines: String = lines.split('|').map(|line| format!("\n-- {}", line.trim())).collect();
            Check::parse(&format!("{header}{lines}\n"))
        };
        for good in [
            "kind: duplicate-keys",
            "kind: broken-references | except: a.b",
            "kind: slowest-view | views: a b",
            "kind: completeness | table: t | column: c | missing: n/a, unknown | number: present",
            "kind: uniqueness | table: s.t | columns: a b | where: a > 0 OR b > 0",
            "kind: range | table: t | column: c | min: 0 | cohort: customer_id",
            "kind: accepted-values | table: t | column: c | values: [\"a b\", 3]",
            "kind: pattern | table: t | column: c | pattern: ^[a-z]+$",
            "kind: orphans | table: t | columns: a b | refers-to: u (c, d)",
            "kind: row-count | table: t",
            "kind: schema | table: t | columns: id integer not null, name text | exact: true",
        ] {
            assert!(with(good).is_ok(), "{good}: {:?}", with(good).map_err(|error| error.message));
        }
        for (bad, expected) in [
            ("kind: weather", "`weather` is none of query"),
            ("kind: slowest-view", "no line `-- views:`"),
            ("kind: duplicate-keys | views: a", "`views` is none of"),
            ("kind: completeness | table: t", "no line `-- column:`"),
            (
                "kind: completeness | table: t | column: c | number: lost",
                "`lost` is none of missing, present",
            ),
            ("kind: range | table: t | column: c", "needs `min:`, `max:`"),
            ("kind: orphans | table: t | columns: a b | refers-to: u.c", "another number of columns"),
            ("kind: row-count | table: a.b.c", "the form is `table`"),
            ("kind: freshness | table: t | column: c", "none of s, min, h, d"),
            ("kind: row-count | table: t | dimension: beauty", "`beauty` is none of accuracy"),
            ("kind: row-count | table: t | empty: good", "`good` is none of unknown"),
            ("kind: latency", "there is no statement"),
        ] {
            let message = with(bad).unwrap_err().message;
            assert!(message.contains(expected), "{bad}: {message}");
        }
    }

    #[test]
    fn a_toml_file_says_the_same() {
        let text = r#"
            [[check]]
            name = "emails-are-there"
            title = "Customers have an address"
            severity = "error"
            kind = "completeness"
            table = "customers"
            column = "email"
            missing = ["n/a", "none, sorry"]
            rule = "< 1 percent"
            warn = "< 0.1"
            unit = "percent"
            hint = "ask them"

            [[check]]
            name = "own"
            title = "Own"
            severity = "warn"
            rule = "= 0"
            hint = "look"
            sql = "SELECT 0 AS value;"
        "#;
        let checks = Check::parse_text(text, Some("own.toml")).unwrap();
        let Kind::Table(table) = &checks[0].kind else { panic!("{:?}", checks[0].kind) };
        let missing = vec!["n/a".to_owned(), "none, sorry".to_owned()];
        assert_eq!(table.test, Test::Completeness { column: Name::new("email"), missing });
        assert_eq!(checks[0].warn.as_ref().unwrap().to_string(), "< 0.1 percent");
        assert_eq!(checks[0].verdict(0.05), Verdict::Pass);
        assert_eq!(checks[0].verdict(0.5), Verdict::Warn);
        assert_eq!(checks[0].verdict(1.0), Verdict::Fail);
        assert_eq!(checks[0].verdict(f64::NAN), Verdict::Error);
        assert_eq!(checks[1].kind, Kind::Query { sql: "SELECT 0 AS value".into(), sample: None });
        for (from, to, expected) in [
            (
                "column = \"email\"",
                "colum = \"email\"",
                "own.toml, check `emails-are-there`: `column`: is missing",
            ),
            (
                "warn = \"< 0.1\"",
                "wran = 3",
                "own.toml, check `emails-are-there`: `wran` is none of name, title",
            ),
            ("\"emails-are-there\"", "\"Own one\"", "own.toml, check 1: `name`: a name is lower-case"),
            ("[[check]]", "[[chek]]", "own.toml: `chek` is not `[[check]]`"),
        ] {
            let message =
                Check::parse_text(&text.replacen(from, to, 1), Some("own.toml")).unwrap_err().message;
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
