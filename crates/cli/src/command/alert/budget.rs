//! `alert budget`: an incident while a month's spending warns or is over its budget (OC-52).
//!
//! Owns when that is an incident, and of which severity. What was spent and what the month will cost is the answer of the
//! system's own computed question `budget`.

use std::process::ExitCode;

use plimsoll_engine::alert::{self, Severity, Signal};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::view::{OwnedCell, Parameters, Request, Table, View, to_text};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use crate::command::Context;
use crate::registry;

/// The computed question that is asked.
const QUESTION: &str = "budget";
/// What to do about it.
const RUNBOOK: &str = "docs/runbooks/budget.md";

/// Holds spending against a budget, and raises or clears the incident.
pub(super) fn hold(
    context: &Context,
    session: &mut Session,
    system: &str,
    budget: &str,
    project: Option<&str>,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(system)?;
    let question = system
        .computed
        .iter()
        .find(|known| known.name == QUESTION)
        .ok_or_else(|| EngineError::usage(format!("`{}` does not know what it spends", system.name)))?;
    let mut parameters = Parameters::new();
    if let Some(project) = project {
        parameters.set("project", project)?;
    }
    let request = Request { budget: Some(budget.to_owned()), ..Request::at(&MachineClock::new()) };
    let store = context.systems().analytic(system)?;
    let answer = question.run(&View::parse_all(system.views)?, &store, &parameters, &request)?;
    let cause = project.map_or_else(
        || format!("budget/{}", system.name),
        |project| format!("budget/{}/{project}", system.name),
    );
    let found = worst(&answer);
    let signal = found.as_ref().map(|(severity, says)| Signal {
        cause: cause.clone(),
        severity: *severity,
        title: format!("{}: {says}", system.name),
        detail: to_text(&answer),
        runbook: RUNBOOK.to_owned(),
        system: system.name.to_owned(),
    });
    let document = json!({
        "cause": cause, "severity": signal.as_ref().map(|signal| signal.severity.as_str()),
        "title": signal.as_ref().map(|signal| signal.title.as_str()), "told": signal.is_some() && !dry_run,
    });
    context.ui.print(&document, || to_text(&answer).trim_end().to_owned())?;
    match signal {
        _ if dry_run => context.ui.say(&format!(
            "dry run: nobody is told{}",
            found.map(|(severity, says)| format!(" that {says} ({})", severity.as_str())).unwrap_or_default()
        )),
        Some(signal) => context.raise(session, &signal)?,
        None => {
            if let Some(over) = alert::clear(session, &cause, "spending is within its budget")? {
                context.ui.say(&format!("incident {} is resolved", over.number));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The gravest of what the lines say - one for each basis of costs -, in words. A month that will be over by its end warns.
fn worst(answer: &Table) -> Option<(Severity, String)> {
    let said = |at: usize, name: &str| match answer.cell(at, name) {
        OwnedCell::Text(text) => text.clone(),
        _ => String::new(),
    };
    let of = |wanted: fn(&str, &str) -> bool| {
        (0..answer.rows.len())
            .find(|at| wanted(&said(*at, "state"), &said(*at, "projected_state")))
            .map(|at| said(at, "basis"))
    };
    if let Some(basis) = of(|state, _| state == "over") {
        return Some((Severity::P1, format!("the month's budget is spent (costs as {basis})")));
    }
    if let Some(basis) = of(|state, _| state == "warning") {
        return Some((
            Severity::P2,
            format!("four fifths of the month's budget are spent (costs as {basis})"),
        ));
    }
    of(|_, projected| projected == "over")
        .map(|basis| (Severity::P2, format!("the month will end over its budget (costs as {basis})")))
}

#[cfg(test)]
mod tests {
    use plimsoll_engine::ingest::ColumnType;
    use plimsoll_engine::view::{Column, Shape};

    use super::*;

    fn answer(lines: &[(&str, &str, Option<&str>)]) -> Table {
        let text = |text: &str| OwnedCell::Text(text.to_owned());
        let columns = ["basis", "state", "projected_state"]
            .map(|name| Column { name: name.to_owned(), kind: ColumnType::Text })
            .to_vec();
        let rows = lines
            .iter()
            .map(|(basis, state, projected)| {
                vec![text(basis), text(state), projected.map_or(OwnedCell::Null, text)]
            })
            .collect();
        Table { shape: Shape::Rows, columns, rows, sections: Vec::new() }
    }

    #[test]
    fn the_gravest_line_decides_and_what_is_not_known_is_no_alarm() {
        let severity =
            |lines: &[(&str, &str, Option<&str>)]| worst(&answer(lines)).map(|(severity, _)| severity);
        assert_eq!(severity(&[("stored", "under", Some("under")), ("list", "under", None)]), None);
        assert_eq!(severity(&[("stored", "under", Some("warning"))]), None, "a budget is there to be used");
        assert_eq!(severity(&[("stored", "under", Some("over"))]), Some(Severity::P2));
        assert_eq!(severity(&[("stored", "warning", None), ("list", "under", None)]), Some(Severity::P2));
        let (severity, says) =
            worst(&answer(&[("stored", "warning", Some("over")), ("list", "over", Some("over"))])).unwrap();
        assert_eq!(severity, Severity::P1);
        assert!(says.contains("costs as list"), "{says}");
    }
}
