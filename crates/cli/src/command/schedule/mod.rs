//! `schedule`: what runs by itself, and when.
//!
//! Owns the wording, the ready-made schedules, and the host that carries a command line out.

mod arguments;
mod host;

use std::process::ExitCode;

use clap::Parser as _;
use plimsoll_engine::schedule::{self, Executed, NewSchedule, RunOutcome, Schedule, Timetable};
use plimsoll_engine::{EngineError, Session};

pub(crate) use arguments::ScheduleCommand;
pub(crate) use host::BinaryHost;

use super::Context;
use crate::args::Arguments;
use crate::exit;
use crate::registry::{ANALYTIC_SYSTEMS, STANDING_SYSTEMS};
use crate::ui::{duration, table};
use arguments::AddArguments;

/// Runs one of the commands about schedules.
pub(crate) fn execute(context: &Context, command: ScheduleCommand) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    match command {
        ScheduleCommand::List => list(context, &mut session),
        ScheduleCommand::Add(arguments) => add(context, &mut session, &arguments),
        ScheduleCommand::Remove { name, reason, dry_run } => {
            let known = schedule::find(&mut session, &name)?;
            if dry_run {
                context
                    .ui
                    .say(&format!("would remove schedule {name}: plimsoll {}", known.command.join(" ")));
                return Ok(ExitCode::SUCCESS);
            }
            schedule::remove(&mut session, &name, &reason)?;
            context.ui.print(&known, || format!("schedule {name} is removed"))?;
            context.ui.say(&format!("to bring it back: {}", add_command(&known)));
            Ok(ExitCode::SUCCESS)
        }
        ScheduleCommand::Enable { name, reason, dry_run } => {
            switch(context, &mut session, &name, true, &reason, dry_run)
        }
        ScheduleCommand::Disable { name, reason, dry_run } => {
            switch(context, &mut session, &name, false, &reason, dry_run)
        }
        ScheduleCommand::RunDue { dry_run: true } => {
            let now = session.clock.now();
            let mut due = schedule::list(&mut session)?;
            due.retain(|one| one.enabled && one.due_at.as_ref().is_some_and(|due_at| *due_at <= now));
            context.ui.print(&due, || {
                let rows: Vec<_> = due.iter().map(row).collect();
                if rows.is_empty() { "nothing is due".to_owned() } else { table(&HEADS, &rows) }
            })?;
            Ok(ExitCode::SUCCESS)
        }
        ScheduleCommand::RunDue { dry_run: false } => {
            let executed = schedule::run_due(&mut session, &BinaryHost::new(context))?;
            report(context, &executed)
        }
        ScheduleCommand::Run { name } => {
            let claim = schedule::claim_now(&mut session, &name)?;
            let executed = schedule::execute(&mut session, &BinaryHost::new(context), &claim)?;
            context.ui.say(executed.output.trim_end());
            report(context, &[executed])
        }
        ScheduleCommand::History { name, limit } => history(context, &mut session, name.as_deref(), limit),
    }
}

const HEADS: [&str; 6] = ["name", "when", "zone", "next", "missed", "runs"];

fn row(schedule: &Schedule) -> Vec<String> {
    vec![
        schedule.name.clone(),
        schedule.cron.clone(),
        schedule.zone.clone(),
        schedule.due_at.clone().unwrap_or_else(|| "disabled".to_owned()),
        schedule.missed.as_str().to_owned(),
        format!("plimsoll {}", schedule.command.join(" ")),
    ]
}

fn list(context: &Context, session: &mut Session) -> Result<ExitCode, EngineError> {
    let schedules = schedule::list(session)?;
    context.ui.print(&schedules, || {
        let rows: Vec<_> = schedules.iter().map(row).collect();
        if rows.is_empty() { "there is no schedule".to_owned() } else { table(&HEADS, &rows) }
    })?;
    let ready: Vec<_> = ready_made()
        .into_iter()
        .filter(|ready| schedules.iter().all(|known| known.name != ready.name))
        .map(|ready| ready.name)
        .collect();
    if !ready.is_empty() {
        context.ui.say(&format!("ready-made, by `plimsoll schedule add NAME`: {}", ready.join(", ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// A schedule that needs nothing but its name.
struct ReadyMade {
    name: String,
    cron: &'static str,
    command: Vec<String>,
}

/// The ready-made schedules: a daily check of each analytical system with a report (OC-73), a daily verification and
/// backup of each other system, and a digest each week (OC-105).
fn ready_made() -> Vec<ReadyMade> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut ready = Vec::new();
    let checked =
        STANDING_SYSTEMS.iter().filter(|system| !system.checks.is_empty()).map(|system| system.name);
    for system in ANALYTIC_SYSTEMS.iter().map(|system| system.name).chain(checked) {
        let report = format!("check {system} --report {{reports}}/health-{system}-{{date}}.md");
        ready.push(ReadyMade {
            name: format!("daily-health-{system}"),
            cron: "0 6 * * *",
            command: words(&report),
        });
    }
    for system in STANDING_SYSTEMS {
        ready.push(ReadyMade {
            name: format!("daily-backup-{}", system.name),
            cron: "0 3 * * *",
            command: words(&format!("backup {}", system.name)),
        });
    }
    ready.push(ReadyMade {
        name: "daily-verify".to_owned(),
        cron: "30 4 * * *",
        command: words("verify --all"),
    });
    ready.push(ReadyMade {
        name: "weekly-digest".to_owned(),
        cron: "0 8 * * 1",
        command: words("alert digest --send --report {reports}/digest-{date}.md"),
    });
    ready
}

fn add(context: &Context, session: &mut Session, arguments: &AddArguments) -> Result<ExitCode, EngineError> {
    let ready = ready_made().into_iter().find(|ready| ready.name == arguments.name);
    let (cron, command) = match (&arguments.cron, arguments.command.as_slice(), ready) {
        (cron, [], Some(ready)) => (cron.clone().unwrap_or_else(|| ready.cron.to_owned()), ready.command),
        (Some(cron), [_, ..], _) => (cron.clone(), arguments.command.clone()),
        (None, _, _) => {
            return Err(EngineError::usage("when is missing\nhint: --cron '0 6 * * *' for every day at six"));
        }
        (_, [], None) => {
            return Err(EngineError::usage(
                "what to run is missing\nhint: put it at the end, after `--`: -- check opencode",
            ));
        }
    };
    check_command_line(&command)?;
    let new = NewSchedule {
        name: arguments.name.clone(),
        cron,
        zone: arguments.zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        command,
        missed: arguments.missed.into(),
        severity: arguments.severity.into(),
        limit_minutes: arguments.limit_minutes,
    };
    if arguments.dry_run {
        let timetable = Timetable::read(&new.cron, &new.zone)?;
        let next = timetable.next(&session.clock.now())?.unwrap_or_else(|| "never".to_owned());
        context.ui.say(&format!(
            "would run `plimsoll {}`: {} ({}), next {next}",
            new.command.join(" "),
            timetable.in_words(),
            new.zone
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let added = schedule::add(session, &new, &arguments.reason)?;
    context.ui.print(&added, || {
        let words = added.timetable().map(|timetable| timetable.in_words()).unwrap_or_default();
        let next = added.due_at.as_deref().unwrap_or("never");
        format!("schedule {}: {words} ({}), next {next}", added.name, added.zone)
    })?;
    context.ui.say(&format!("to take it back: plimsoll schedule remove {}", added.name));
    Ok(ExitCode::SUCCESS)
}

/// A command line that does not parse would be found out at night.
fn check_command_line(command: &[String]) -> Result<(), EngineError> {
    let words = ["plimsoll"].into_iter().chain(command.iter().map(String::as_str));
    Arguments::try_parse_from(words).map(drop).map_err(|error| {
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
        EngineError::usage(format!("`plimsoll {}` is no command line: {first}", command.join(" ")))
    })
}

fn add_command(schedule: &Schedule) -> String {
    format!(
        "plimsoll schedule add {} --cron '{}' --zone {} --missed {} --severity {} --limit-minutes {} -- {}",
        schedule.name,
        schedule.cron,
        schedule.zone,
        schedule.missed.as_str(),
        schedule.severity.as_str(),
        schedule.limit_minutes,
        schedule.command.join(" ")
    )
}

fn switch(
    context: &Context,
    session: &mut Session,
    name: &str,
    enabled: bool,
    reason: &str,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let (what, back) = if enabled { ("enable", "disable") } else { ("disable", "enable") };
    if dry_run {
        let known = schedule::find(session, name)?;
        context.ui.say(&format!("would {what} schedule {name}: plimsoll {}", known.command.join(" ")));
        return Ok(ExitCode::SUCCESS);
    }
    let known = schedule::set_enabled(session, name, enabled, reason)?;
    context.ui.print(&known, || match &known.due_at {
        Some(due_at) => format!("schedule {name} is enabled, next {due_at}"),
        None => format!("schedule {name} is disabled"),
    })?;
    context.ui.say(&format!("to take it back: plimsoll schedule {back} {name}"));
    Ok(ExitCode::SUCCESS)
}

/// Exit code 3 when something did not simply end well: the caller of `run-due` is often a timer.
fn report(context: &Context, executed: &[Executed]) -> Result<ExitCode, EngineError> {
    context.ui.print(&executed, || {
        if executed.is_empty() {
            return "nothing is due".to_owned();
        }
        let rows: Vec<_> = executed
            .iter()
            .map(|run| {
                vec![
                    run.schedule.clone(),
                    run.due_at.clone(),
                    run.outcome.as_str().to_owned(),
                    duration(run.duration_ms),
                ]
            })
            .collect();
        table(&["schedule", "due", "outcome", "took"], &rows)
    })?;
    let well = executed.iter().all(|run| run.outcome == RunOutcome::Done);
    Ok(if well { ExitCode::SUCCESS } else { exit::incomplete() })
}

fn history(
    context: &Context,
    session: &mut Session,
    name: Option<&str>,
    limit: u32,
) -> Result<ExitCode, EngineError> {
    let runs = schedule::history(session, name, limit)?;
    context.ui.print(&runs, || {
        let rows: Vec<_> = runs
            .iter()
            .map(|run| {
                let took = run.duration_ms.and_then(|ms| u64::try_from(ms).ok()).map(duration);
                vec![
                    run.schedule.clone(),
                    run.due_at.clone(),
                    run.started_at.clone(),
                    run.outcome.as_str().to_owned(),
                    took.unwrap_or_default(),
                    run.output.lines().last().unwrap_or_default().chars().take(60).collect(),
                ]
            })
            .collect();
        if rows.is_empty() {
            "nothing ran yet".to_owned()
        } else {
            table(&["schedule", "due", "started", "outcome", "took", "last words"], &rows)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
