//! `check`: rules about the data of a system, with history and report.
//!
//! Owns which checks are run - the system's, those of a folder, those of a contract -, the form of the report and the
//! exit code: 0 when every check of severity `error` measured something and kept its rule, 3 otherwise, also when there
//! was no check at all.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use plimsoll_engine::EngineError;
use plimsoll_engine::alert::Status;
use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::check::{Check, Checkup, Cohort, Report, import, incident, no_name_twice};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::system::System;
use plimsoll_engine::view::View;
use plimsoll_store::StoreUrl;
use plimsoll_store::duckdb::{Analytics, Resources};
use serde::Serialize;

use super::Context;
use crate::args::CheckArguments;
use crate::exit;
use crate::registry::{ANALYTIC_SYSTEMS, SYSTEMS};

/// A system of either kind.
enum Checked {
    Rows(&'static System),
    Figures(&'static AnalyticSystem),
}

impl Checked {
    fn named(name: &str) -> Result<Self, EngineError> {
        if let Some(system) = SYSTEMS.iter().find(|system| system.name == name) {
            return Ok(Self::Rows(system));
        }
        if let Some(system) = ANALYTIC_SYSTEMS.iter().find(|system| system.name == name) {
            return Ok(Self::Figures(system));
        }
        let names =
            SYSTEMS.iter().map(|system| system.name).chain(ANALYTIC_SYSTEMS.iter().map(|system| system.name));
        let names: Vec<&str> = names.collect();
        Err(EngineError::usage(format!("there is no system `{name}`\nhint: there are {}", names.join(", "))))
    }

    fn texts(&self) -> &'static [&'static str] {
        match self {
            Self::Rows(system) => system.checks,
            Self::Figures(system) => system.checks,
        }
    }
}

/// A check as `--list` shows it.
#[derive(Serialize)]
struct Listed<'a> {
    check: &'a str,
    title: &'a str,
    kind: &'a str,
    dimension: &'a str,
    severity: &'a str,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<&'a str>,
    requirements: &'a [String],
}

/// Runs the checks of a system, keeps the results, and reports.
pub(crate) fn check(context: &Context, arguments: &CheckArguments) -> Result<ExitCode, EngineError> {
    let system = Checked::named(&arguments.system)?;
    let (checks, not_run) = checks(context, &system, arguments)?;
    if arguments.list {
        return list(context, &checks);
    }
    let cohort = cohort(arguments)?;
    let clock = MachineClock::new();
    let run = plimsoll_engine::clock::new_id();
    let checkup = Checkup {
        cohort: cohort.as_ref(),
        limit: Duration::from_secs(arguments.limit.max(1)),
        samples: arguments.samples,
        not_run: &not_run,
        ..Checkup::new(&arguments.system, &checks, &clock, run.as_str())
    };
    let report = match system {
        Checked::Rows(system) => of_rows(context, system, &checkup)?,
        Checked::Figures(system) => of_figures(context, system, checkup)?,
    };
    for file in &arguments.report {
        write(context, &report, file)?;
    }
    let text = if context.ui.json { report.to_json() } else { report.to_text() };
    context.ui.line(text.trim_end());
    tell(context, &report)?;
    Ok(if report.is_healthy() { ExitCode::SUCCESS } else { exit::incomplete() })
}

/// Raises the incidents of checks that fail, ends those of checks that keep their rule again, and sends what is due.
fn tell(context: &Context, report: &Report) -> Result<(), EngineError> {
    // `--store` of a check is the system's store.
    let control = context.systems();
    let absent = matches!(control.control_url()?, StoreUrl::Sqlite { path, .. } if !path.is_file());
    if absent && !incident::has_failures(report) {
        return Ok(());
    }
    let mut session = control.control_session()?;
    let told = incident::tell(&mut session, report)?;
    for raised in &told.raised {
        context.ui.say(&format!("incident {}: {}", raised.number, raised.title));
    }
    for resolved in told.resolved.iter().filter(|incident| incident.status == Status::Resolved) {
        context.ui.say(&format!("incident {} is resolved", resolved.number));
    }
    if told.raised.is_empty() && told.resolved.is_empty() {
        return Ok(());
    }
    context.send_due(&mut session)
}

fn of_rows(context: &Context, system: &System, checkup: &Checkup<'_>) -> Result<Report, EngineError> {
    let url = context.store_url(system)?;
    let mut session = match &url {
        StoreUrl::Sqlite { path, .. } if !path.is_file() => context.open_existing(&url)?,
        _ => context.session(system)?,
    };
    checkup.run_on(session.store.as_mut())
}

fn of_figures(
    context: &Context,
    system: &'static AnalyticSystem,
    checkup: Checkup<'_>,
) -> Result<Report, EngineError> {
    let path = context.analytic_path(system)?;
    if !path.is_file() {
        drop(context.analytic(system)?);
    }
    let store = Analytics::open(&path, Resources::default())?;
    let views = View::parse_all(system.views)?;
    let derived = system.documents.derivations().iter().map(|derivation| derivation.table);
    let tables: Vec<_> = system.documents.tables().iter().copied().chain(derived).collect();
    Checkup { views: &views, tables: &tables, ..checkup }.run(&store)
}

/// The checks that the arguments ask for, and what contracts say that is none.
fn checks(
    context: &Context,
    system: &Checked,
    arguments: &CheckArguments,
) -> Result<(Vec<Check>, Vec<String>), EngineError> {
    let mut checks = Vec::new();
    let mut not_run = Vec::new();
    for file in &arguments.contract {
        let imported = import::read(file)?;
        checks.extend(imported.checks);
        not_run.extend(imported.not_run);
    }
    if arguments.contract.is_empty() {
        checks = Check::parse_all(system.texts())?;
    }
    let own = context.config.data.join("checks").join(&arguments.system);
    match &arguments.checks {
        Some(folder) => checks.extend(Check::read_folder(folder)?),
        None if arguments.contract.is_empty() && own.is_dir() => checks.extend(Check::read_folder(&own)?),
        None => {}
    }
    no_name_twice(&checks)?;
    for name in &arguments.names {
        if !checks.iter().any(|check| check.name == *name) {
            return Err(EngineError::usage(format!(
                "there is no check `{name}`\nhint: plimsoll check {} --list",
                arguments.system
            )));
        }
    }
    if !arguments.names.is_empty() {
        checks.retain(|check| arguments.names.contains(&check.name));
    }
    Ok((checks, not_run))
}

fn list(context: &Context, checks: &[Check]) -> Result<ExitCode, EngineError> {
    let listed: Vec<Listed<'_>> = checks
        .iter()
        .map(|check| Listed {
            check: &check.name,
            title: &check.title,
            kind: check.kind.name(),
            dimension: check.dimension,
            severity: check.severity.as_str(),
            rule: check.rule.to_string(),
            schedule: check.schedule.as_deref(),
            requirements: &check.requirements,
        })
        .collect();
    context.ui.print(&listed, || {
        let widest = listed.iter().map(|one| one.check.len()).max().unwrap_or(0);
        let line = |one: &Listed<'_>| {
            format!(
                "{:widest$}  {:5}  {:16}  {:16}  {}\n",
                one.check, one.severity, one.kind, one.rule, one.title
            )
        };
        listed.iter().map(line).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The cohort: keys with commas, or a file with a key on each line.
fn cohort(arguments: &CheckArguments) -> Result<Option<Cohort>, EngineError> {
    let Some(given) = &arguments.cohort else { return Ok(None) };
    let path = Path::new(given);
    let (name, text) = if path.is_file() {
        let text = std::fs::read_to_string(path)
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
        (path.file_stem().map(|name| name.to_string_lossy().into_owned()), text)
    } else {
        (None, given.replace(',', "\n"))
    };
    let keys: Vec<&str> = text.lines().map(str::trim).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() {
        return Err(EngineError::usage("the cohort has no key\nhint: --cohort KEY,KEY or --cohort FILE"));
    }
    let name = arguments.cohort_name.clone().or(name).unwrap_or_else(|| "cohort".to_owned());
    Ok(Some(Cohort::new(name, keys)))
}

fn write(context: &Context, report: &Report, file: &Path) -> Result<(), EngineError> {
    let text = match file.extension().and_then(|kind| kind.to_str()) {
        Some("html" | "htm") => report.to_html(),
        Some("json") => report.to_json(),
        Some("md" | "markdown") | None => report.to_markdown(),
        Some(other) => {
            return Err(EngineError::usage(format!(
                "`.{other}` is no form of a report\nhint: .html, .md or .json"
            )));
        }
    };
    std::fs::write(file, text)
        .map_err(|error| EngineError::usage(format!("{}: {error}\nhint: --report FILE", file.display())))?;
    context.ui.say(&format!("report written to {}", file.display()));
    Ok(())
}
