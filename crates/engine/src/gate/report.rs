//! Test reports: JUnit XML, and what nextest prints.
//!
//! Owns reading them into counts. A report without a test that ran says nothing, whatever its words are.

use serde::{Deserialize, Serialize};

use crate::error::EngineError;

/// Counts of a test report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Tests that ran.
    pub ran: u64,
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, or could not run to an end.
    pub failed: u64,
    /// Tests that were not run.
    pub skipped: u64,
    /// The first few that failed.
    pub failures: Vec<String>,
    /// When they ran, as the report says.
    pub at: Option<String>,
    /// The form: `junit` or `nextest`.
    pub form: String,
}

const SHOWN: usize = 10;

/// Reads a report.
///
/// # Errors
/// Usage when it has neither form, or contradicts itself.
pub fn read_tests(text: &str) -> Result<TestReport, EngineError> {
    if text.trim_start().starts_with('<') { junit(text) } else { nextest(text) }
}

fn junit(text: &str) -> Result<TestReport, EngineError> {
    let wrong =
        |problem: String| EngineError::usage(format!("the test report {problem}\nhint: JUnit XML, whole"));
    let document = roxmltree::Document::parse(text).map_err(|error| wrong(format!("is no XML: {error}")))?;
    let root = document.root_element();
    if !["testsuites", "testsuite"].contains(&root.tag_name().name()) {
        return Err(wrong(format!("begins with `{}`", root.tag_name().name())));
    }
    let mut report = TestReport {
        ran: 0,
        passed: 0,
        failed: 0,
        skipped: 0,
        failures: Vec::new(),
        at: None,
        form: "junit".to_owned(),
    };
    // Single cases are counted, not the sums in the attributes: those are a claim about the cases.
    for case in root.descendants().filter(|node| node.has_tag_name("testcase")) {
        let has = |name: &str| case.children().any(|child| child.has_tag_name(name));
        if has("failure") || has("error") {
            report.failed += 1;
            let name = [case.attribute("classname"), case.attribute("name")];
            let name = name.into_iter().flatten().collect::<Vec<_>>().join("::");
            if report.failures.len() < SHOWN {
                report.failures.push(name);
            }
        } else if has("skipped") {
            report.skipped += 1;
        } else {
            report.passed += 1;
        }
    }
    report.ran = report.passed + report.failed;
    let stated = |name: &str| root.attribute(name).and_then(|text| text.parse::<u64>().ok());
    let stated_failures = stated("failures").unwrap_or(0) + stated("errors").unwrap_or(0);
    if stated_failures > report.failed {
        return Err(wrong(format!(
            "states {stated_failures} failures and holds {}: it is cut off",
            report.failed
        )));
    }
    if stated("tests").is_some_and(|tests| tests > report.ran + report.skipped) {
        return Err(wrong("states more tests than it holds: it is cut off".to_owned()));
    }
    let times = root.descendants().filter_map(|node| node.attribute("timestamp"));
    report.at = times.max().and_then(instant);
    Ok(report)
}

/// A time of a report in the form of ours; one without a zone is taken as UTC.
fn instant(text: &str) -> Option<String> {
    let read = |text: &str| text.parse::<jiff::Timestamp>().ok();
    read(text).or_else(|| read(&format!("{text}Z"))).map(|time| format!("{time:.3}"))
}

/// Reads the summary line: `Summary [ 12.3s] 80 tests run: 78 passed (1 slow), 2 failed, 3 skipped`.
fn nextest(text: &str) -> Result<TestReport, EngineError> {
    let wrong = || {
        EngineError::usage(
            "the test report is neither JUnit XML nor the output of nextest\nhint: it must hold nextest's line `Summary [..] N tests run: ..`",
        )
    };
    let line =
        text.lines().rev().find(|line| line.trim_start().starts_with("Summary [")).ok_or_else(wrong)?;
    let (_, rest) = line.split_once(']').ok_or_else(wrong)?;
    let (ran, outcomes) = rest.split_once(" run:").ok_or_else(wrong)?;
    let first = |text: &str| -> Option<u64> {
        // `8/80 tests` where a run was ended early.
        let word = text.split_whitespace().next()?;
        word.split('/').next()?.parse().ok()
    };
    let ran_count = first(ran).ok_or_else(wrong)?;
    let planned = ran
        .split_whitespace()
        .next()
        .and_then(|word| word.split_once('/'))
        .and_then(|(_, all)| all.parse::<u64>().ok());
    let count = |word: &str| -> u64 {
        let parts = outcomes.split(',').filter(|part| {
            part.split_whitespace()
                .nth(1)
                .is_some_and(|found| found.trim_end_matches(|c: char| !c.is_alphabetic()) == word)
        });
        parts.filter_map(first).sum()
    };
    let (passed, skipped) = (count("passed"), count("skipped"));
    // What neither passed nor was skipped failed: words that a newer nextest may add are no passes.
    let mut failed = ran_count.saturating_sub(passed);
    failed += planned.map_or(0, |planned| planned.saturating_sub(ran_count));
    let failures = text.lines().map(str::trim_start).filter(|line| line.starts_with("FAIL ["));
    let mut failures: Vec<String> =
        failures.filter_map(|line| Some(line.split_once(']')?.1.trim().to_owned())).collect();
    failures.sort();
    failures.dedup();
    failures.truncate(SHOWN);
    Ok(TestReport { ran: ran_count, passed, failed, skipped, failures, at: None, form: "nextest".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_cases_are_counted_and_sums_not_believed() {
        let text = r#"<?xml version="1.0"?><testsuites tests="4" failures="1">
            <testsuite name="a" timestamp="2026-03-01T10:00:00.000+00:00">
            <testcase classname="a" name="one"/><testcase classname="a" name="two"><failure>no</failure></testcase>
            <testcase name="three"><skipped/></testcase><testcase name="four"><system-out>x</system-out></testcase>
            </testsuite></testsuites>"#;
        let found = read_tests(text).unwrap();
        assert_eq!((found.ran, found.passed, found.failed, found.skipped), (3, 2, 1, 1));
        assert_eq!(found.failures, ["a::two"]);
        assert_eq!(found.at.as_deref(), Some("2026-03-01T10:00:00.000Z"));
        for cut in ["failures=\"1\"", "tests=\"4\""] {
            let more = text.replace(cut, &cut.replace(['1', '4'], "9"));
            assert!(read_tests(&more).unwrap_err().message.contains("cut off"), "{cut}");
        }
        assert!(read_tests("<html/>").is_err());
        assert!(read_tests("<testsuites><testcase>").is_err());
        assert_eq!(read_tests("<testsuites/>").unwrap().ran, 0, "nothing ran");
    }

    #[test]
    fn the_summary_of_nextest_is_read() {
        let read =
            |line: &str| read_tests(&format!("noise\n        FAIL [   0.1s] a::b c\n{line}\n")).unwrap();
        let found = read("     Summary [  12.3s] 80 tests run: 78 passed (1 slow), 2 failed, 3 skipped");
        assert_eq!((found.ran, found.passed, found.failed, found.skipped), (80, 78, 2, 3));
        assert_eq!(found.failures, ["a::b c"]);
        let found = read("     Summary [  12.3s] 8/80 tests run: 7 passed, 1 failed, 0 skipped");
        assert_eq!((found.passed, found.failed), (7, 73), "those that never came to run did not pass");
        let found = read("     Summary [   1.0s] 3 tests run: 2 passed, 1 timed out, 0 skipped");
        assert_eq!((found.passed, found.failed), (2, 1));
        assert!(read_tests("all good").is_err());
    }
}
