//! A report as text for a terminal and as Markdown.

use super::report::{Finding, Number, Report, Trend, Verdict, threshold};
use crate::view::to_text;

impl Report {
    /// As text for a terminal.
    pub fn to_text(&self) -> String {
        let widest = self.findings.iter().map(|found| found.check.len()).max().unwrap_or(0);
        let mut out = String::new();
        for found in &self.findings {
            out.push_str(&format!(
                "{:7}  {:widest$}  {:>12}  {:16}  {}\n",
                found.verdict.as_str(),
                found.check,
                value_text(found),
                threshold(found),
                trend_text(found),
            ));
            if let Some(line) = cohort_text(found) {
                out.push_str(&format!("         {line}\n"));
            }
        }
        for found in self.told() {
            out.push_str(&format!("\n{}: {}\n", found.check, found.title));
            if !found.numbers.is_empty() {
                out.push_str(&format!("{}\n", numbers_text(found)));
            }
            if let Some(message) = &found.message {
                out.push_str(&format!("{message}\n"));
            }
            if let Some(samples) = found.samples.as_ref().filter(|table| !table.rows.is_empty()) {
                out.push_str(&to_text(samples));
            }
            out.push_str(&format!("hint: {}\n", found.hint));
        }
        for line in &self.not_run {
            out.push_str(&format!("\nnot run: {line}\n"));
        }
        out.push_str(&format!("\n{}\n", self.summary()));
        out
    }

    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        let cohort = self.cohort.as_ref().map(|name| format!(", cohort {name}")).unwrap_or_default();
        let mut out =
            format!("# Checks of {}, {}{cohort}\n\n{}.\n\n", self.system, self.checked_at, self.summary());
        out.push_str("| verdict | check | value | rule | trend | severity |\n|---|---|---:|---|---|---|\n");
        for found in &self.findings {
            out.push_str(&format!(
                "| {} | `{}`: {} | {} | {} | {} | {} |\n",
                found.verdict.as_str(),
                found.check,
                found.title.replace('|', "\\|"),
                value_text(found),
                threshold(found),
                trend_text(found),
                found.severity.as_str()
            ));
        }
        for found in self.told() {
            out.push_str(&format!("\n## {}\n\n{}.\n", found.check, found.title));
            if !found.numbers.is_empty() {
                out.push_str(&format!("\nMeasured: {}.\n", numbers_text(found)));
            }
            if let Some(line) = cohort_text(found) {
                out.push_str(&format!("\nThe {line}.\n"));
            }
            if let Some(message) = &found.message {
                out.push_str(&format!("\n{message}\n"));
            }
            if let Some(samples) = found.samples.as_ref().filter(|table| !table.rows.is_empty()) {
                out.push_str(&format!("\n```\n{}```\n", to_text(samples)));
            }
            out.push_str(&format!("\nHint: {}\n", found.hint));
        }
        if !self.not_run.is_empty() {
            out.push_str("\n## Not run\n\n");
            for line in &self.not_run {
                out.push_str(&format!("- {line}\n"));
            }
        }
        out
    }
}

/// The value, or a line that there is none.
pub(super) fn value_text(found: &Finding) -> String {
    found.value.map_or_else(|| "-".to_owned(), short)
}

/// How the result differs from the one before, with that one's value.
pub(super) fn trend_text(found: &Finding) -> String {
    match found.before {
        Some(before) if !matches!(found.trend, Trend::First | Trend::Same) => {
            format!("{}, was {}", found.trend.as_str(), short(before))
        }
        _ => found.trend.as_str().to_owned(),
    }
}

/// The numbers with their names.
pub(super) fn numbers_text(found: &Finding) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(size) = found.sample_size {
        parts.push(format!("{size} rows looked at"));
    }
    let shown = |number: &Number| format!("{} {}", number.name.replace('_', " "), short(number.value));
    parts.extend(found.numbers.iter().map(shown));
    parts.join(", ")
}

/// The comparison with the control.
pub(super) fn cohort_text(found: &Finding) -> Option<String> {
    let cohort = found.cohort.as_ref()?;
    let shown = |value: Option<f64>| value.map_or_else(|| "nothing to measure".to_owned(), short);
    let mut line = format!("control: {}, difference: ", shown(cohort.control));
    line.push_str(&cohort.difference.map_or_else(
        || "unknown".to_owned(),
        |difference| format!("{}{}", if difference > 0.0 { "+" } else { "" }, short(difference)),
    ));
    if let Some((low, high)) = cohort.interval {
        line.push_str(&format!(" (95 percent certain: {} to {})", short(low), short(high)));
    }
    Some(line)
}

/// At most two digits behind the point; more for numbers that would vanish.
pub(super) fn short(value: f64) -> String {
    if value.is_nan() {
        return "not a number".to_owned();
    }
    let digits = if value != 0.0 && value.abs() < 0.01 { 6 } else { 2 };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Whether a verdict needs the hint.
pub(super) fn needs_hint(verdict: Verdict) -> bool {
    verdict != Verdict::Pass
}
