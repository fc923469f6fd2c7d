//! `pilot status` and `pilot report`.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::standing::{self, Line, Report, Standing};

use crate::args::ReportArguments;
use crate::command::Context;
use crate::registry::PILOT;
use crate::ui::{plural, table};

/// Shows where members stand.
pub(super) fn execute(context: &Context, customer: Option<&str>) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let rules = driver.rules.member.clone();
    let found = standing::standing(&mut driver.carrier.session, &rules, customer)?;
    context.ui.print(&found, || standing_text(&found))?;
    Ok(ExitCode::SUCCESS)
}

fn standing_text(found: &Standing) -> String {
    let row = |one: &Line| {
        let writer = one.writer.map_or_else(|| "nobody".to_owned(), |side| side.to_string());
        let stage = if one.paused { format!("{} (paused)", one.stage) } else { one.stage.to_string() };
        vec![one.customer.clone(), stage, writer, one.reads.to_string(), one.missing.join("; ")]
    };
    let rows: Vec<Vec<String>> = found.members.iter().map(row).collect();
    let mut text = table(&["customer", "stage", "writes", "reads", "missing"], &rows);
    for one in &found.held {
        text.push_str(&format!("\n{} {}: {}", one.entity, one.key, one.why));
    }
    for one in &found.happened {
        text.push_str(&format!("\n{} {} {}: {}", one.at, one.actor, one.kind, one.detail));
    }
    text
}

/// Summarizes the pilot.
pub(super) fn report(context: &Context, arguments: &ReportArguments) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    if let Some(path) = &arguments.facts {
        let facts = standing::facts(&mut driver)?;
        std::fs::write(path, serde_json::to_vec_pretty(&facts)?)
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
        context.ui.say(&format!("next: plimsoll gate facts record luckygas-stage {}", path.display()));
    }
    let found = standing::report(&mut driver.carrier.session, PILOT)?;
    context.ui.print(&found, || report_text(&found))?;
    Ok(ExitCode::SUCCESS)
}

fn report_text(report: &Report) -> String {
    let rows: Vec<Vec<String>> =
        report.stages.iter().map(|(stage, count)| vec![stage.to_string(), count.to_string()]).collect();
    format!(
        "{}\n\n{}\n{} compared in the present stages, {} differed; {} forced; {} held; {} with a certificate",
        plural(report.members, "member"),
        table(&["stage", "members"], &rows),
        plural(report.reads_compared, "read"),
        report.reads_differing,
        plural(report.forced_steps, "step"),
        plural(report.held, "record"),
        plural(report.certificates, "member"),
    )
}
