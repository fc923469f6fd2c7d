//! Checks: rules about data that are tried again and again.
//!
//! Owns the form of a check - one SQL file with a header -, what it measures, the verdict, the history in the same
//! store, and the report. Which checks there are is the systems' business; when they run, and who is told, is the
//! caller's.
//!
//! Invariants: a check only reads; every result of every run is in the history; what cannot be measured because
//! there is nothing is `unknown` and never `pass`; a check that cannot run has failed.
//!
//! # The form of a file
//!
//! ```sql
//! -- check: root-path
//! -- title: Answers know the root of their work tree
//! -- severity: error
//! -- rule: > 80 percent
//! -- hint: what to do when it fails
//! -- requirements: OC-68
//!
//! SELECT 100.0 * count(root_path) / nullif(count(*), 0) AS value FROM messages WHERE role = 'assistant'
//!
//! -- sample:
//! SELECT id, session_id FROM messages WHERE role = 'assistant' AND root_path IS NULL ORDER BY id LIMIT 10
//! ```
//!
//! The first statement gives one row with a column `value`; null means that there is nothing to measure. The sample is
//! asked only when the check fails. A header line `measure:` stands in place of the SQL for what no query can tell:
//! `duplicate-keys`, `broken-references` (leaving out the columns of a line `except:`), `slowest-view` and
//! `views-over-budget`, both followed by names of views.

mod history;
mod measure;
mod report;
mod rule;
mod run;

use crate::error::EngineError;
use crate::view::{Header, split};

pub use history::HEALTH_CHECK_HISTORY;
pub use report::{Finding, Report, Trend, Verdict};
pub use rule::{Comparison, Rule};
pub use run::Checkup;

use measure::Measure;

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

/// A check, as its file says.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name, also that of its file without `.sql`.
    pub name: &'static str,
    /// What must be true.
    pub title: &'static str,
    /// How grave a failure is.
    pub severity: Severity,
    /// The rule that the value must keep.
    pub rule: Rule,
    /// What to do when it fails.
    pub hint: &'static str,
    /// Identifiers of the requirements that it serves.
    pub requirements: Vec<&'static str>,
    measure: Measure,
}

impl Check {
    /// Reads a check's file.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn parse(text: &'static str) -> Result<Self, EngineError> {
        let header = Header::read("check", text)?;
        header.only(&["check", "title", "severity", "rule", "measure", "except", "hint", "requirements"])?;
        let severity = match header.needed("severity")? {
            "error" => Severity::Error,
            "warn" => Severity::Warn,
            other => {
                return Err(header.wrong("severity", &format!("`{other}` is neither `error` nor `warn`")));
            }
        };
        let rule = Rule::read(header.needed("rule")?).map_err(|reason| header.wrong("rule", &reason))?;
        Ok(Self {
            name: header.name,
            title: header.needed("title")?,
            severity,
            rule,
            hint: header.needed("hint")?,
            requirements: header.words("requirements")?,
            measure: Measure::read(&header, &split(&header, "sample"))?,
        })
    }

    /// Reads all checks of a system and finds names that occur twice.
    ///
    /// # Errors
    /// The first file that is wrong, or a name that two files have.
    pub fn parse_all(texts: &[&'static str]) -> Result<Vec<Self>, EngineError> {
        let checks = texts.iter().map(|text| Self::parse(text)).collect::<Result<Vec<_>, _>>()?;
        for (at, check) in checks.iter().enumerate() {
            if checks[..at].iter().any(|earlier| earlier.name == check.name) {
                return Err(EngineError::usage(format!("two checks are named `{}`", check.name)));
            }
        }
        Ok(checks)
    }
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
            (
                "hint: look",
                "hint: look\n-- measure: duplicate-keys",
                "checks/root-path.sql, line 6: `measure`",
            ),
            ("hint: look", "hint: look\n-- except: a.b", "checks/root-path.sql, line 6: `except`: only with"),
        ];
        for (from, to, expected) in cases {
            let text: &'static str = Box::leak(CHECK.replace(from, to).into_boxed_str());
            let message = Check::parse(text).unwrap_err().message;
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_measure_names_what_it_needs() {
        let with = |measure: &str| {
            let header = CHECK.split("\n\n").next().unwrap_or_default();
            let text = format!("{header}\n-- measure: {measure}\n");
            Check::parse(Box::leak(text.into_boxed_str()))
        };
        for good in ["duplicate-keys", "broken-references", "slowest-view a b", "views-over-budget a"] {
            assert!(with(good).is_ok(), "{good}");
        }
        for bad in ["duplicate-keys a", "slowest-view", "views-over-budget", "weather"] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }
}
