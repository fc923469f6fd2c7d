//! `playbook`: plan documents whose steps are executable.
//!
//! Owns the wording and the exit codes: 0 when a run ended well, 1 when a step failed, 3 when it waits or was paused, 4
//! when it is refused. Running is the engine's.

mod alert;
mod arguments;
mod process;
mod risk;

use std::process::ExitCode;
use std::sync::Arc;

use plimsoll_core::playbook::{PlanEvent, Work, needs_plan};
use plimsoll_engine::gate::{self as engine_gate, Kind, Record};
use plimsoll_engine::playbook::{
    self as engine_playbook, Document, DocumentKind, PlaybookRun, PlaybookStatus, Playbooks, Registered,
    Runner, StartSettings,
};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

pub(crate) use arguments::PlaybookCommand;
use arguments::{NewArguments, ReportArguments, RunArguments};
use process::SelfHost;

use super::Context;
use crate::exit;
use crate::registry;
use crate::ui::table;

/// Runs `playbook`.
pub(crate) fn execute(context: &Context, command: PlaybookCommand) -> Result<ExitCode, EngineError> {
    match command {
        PlaybookCommand::List => list(context),
        PlaybookCommand::Show { name } => show(context, &name),
        PlaybookCommand::New(arguments) => new(context, &arguments),
        PlaybookCommand::Lint { name } => lint(context, name.as_deref()),
        PlaybookCommand::Required { work } => required(context, &work),
        PlaybookCommand::Run(arguments) => run(context, arguments),
        PlaybookCommand::Resume { run } => {
            let mut session = context.control_session()?;
            let found = engine_playbook::find_run(&mut session, &run)?;
            drive(context, &mut session, &found)
        }
        PlaybookCommand::Pause(arguments) => {
            let mut session = context.control_session()?;
            let found = engine_playbook::find_run(&mut session, &arguments.run)?;
            engine_playbook::request_pause(&mut session, &found, &arguments.reason)?;
            context.ui.print(&found, || format!("run {} pauses after what it is doing", found.id.short()))?;
            context.ui.say(&format!("go on with: plimsoll playbook resume {}", found.id.short()));
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Approve { run, step, by, reason } => {
            let mut session = context.control_session()?;
            let found = engine_playbook::find_run(&mut session, &run)?;
            engine_playbook::approve(&mut session, &found, &step, &by, &reason)?;
            context.ui.print(&json!({ "run": found.id, "step": step, "by": by }), || {
                format!("step `{step}` of run {} is approved by {by}", found.id.short())
            })?;
            context.ui.say(&format!("go on with: plimsoll playbook resume {}", found.id.short()));
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Rollback { why, drill, dry_run } => {
            rollback(context, &why.run, drill.as_deref(), &why.reason, dry_run)
        }
        PlaybookCommand::Report(arguments) => report(context, &arguments),
        PlaybookCommand::Shelve { name, reason } => {
            let (document, _) = context.playbooks()?.find(&name)?;
            let mut session = context.control_session()?;
            let state = engine_playbook::change_state(&mut session, &document, PlanEvent::Pause, &reason)?;
            context
                .ui
                .print(&json!({ "playbook": name, "state": state }), || format!("{name} is {state}"))?;
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Complete { name, reason } => {
            let (document, _) = context.playbooks()?.find(&name)?;
            let mut session = context.control_session()?;
            let path =
                engine_playbook::complete(&mut session, &document, &context.playbook_folder(), &reason)?;
            let told = json!({ "playbook": name, "state": "Complete", "archive": path });
            context.ui.print(&told, || format!("{name} is Complete; archived as {}", path.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Risk(command) => risk::execute(context, command),
    }
}

impl Context {
    /// The folder of the user's playbooks.
    pub(crate) fn playbook_folder(&self) -> std::path::PathBuf {
        self.config.data.join("playbooks")
    }

    /// Every playbook: shipped ones, and the user's.
    pub(crate) fn playbooks(&self) -> Result<Playbooks, EngineError> {
        Playbooks::load(registry::PLAYBOOKS, &self.playbook_folder())
    }
}

fn list(context: &Context) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let found = engine_playbook::registry(&mut session, &context.playbooks()?)?;
    context.ui.print(&found, || {
        let row = |plan: &Registered| {
            vec![
                plan.playbook.clone(),
                plan.state.to_string(),
                plan.progress_percent.map(|percent| format!("{percent} %")).unwrap_or_default(),
                plan.priority.clone().unwrap_or_default(),
                plan.target.clone(),
                plan.owner.clone(),
                plan.purpose.clone(),
            ]
        };
        let heads = ["playbook", "state", "progress", "priority", "target", "owner", "purpose"];
        table(&heads, &found.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, name: &str) -> Result<ExitCode, EngineError> {
    let (document, path) = context.playbooks()?.find(name)?;
    let mut session = context.control_session()?;
    let runs = engine_playbook::runs(&mut session, Some(&document.front.playbook))?;
    let state = engine_playbook::state(&mut session, &document)?;
    let told = json!({ "front": document.front, "state": state, "file": path, "steps": document.steps, "tasks": document.tasks, "runs": runs });
    context.ui.print(&told, || {
        let steps: Vec<Vec<String>> = document
            .steps
            .iter()
            .map(|step| {
                let back = if step.rollback.is_empty() { "-".to_owned() } else { step.rollback.join("; ") };
                vec![step.id.clone(), step.kind.as_str().to_owned(), step.title.clone(), back]
            })
            .collect();
        let ran: Vec<Vec<String>> = runs
            .iter()
            .map(|run| {
                vec![run.id.short().to_owned(), run.started_at.clone(), status(run), run.actor.clone()]
            })
            .collect();
        format!(
            "{} ({state})\n{}\n\n{}\n\n{}",
            document.front.title,
            document.front.purpose,
            table(&["step", "kind", "does", "is taken back by"], &steps),
            table(&["run", "started", "status", "actor"], &ran)
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn status(run: &PlaybookRun) -> String {
    let word = run.status.as_str().replace('_', " ");
    if run.simulated { format!("{word} (simulated clock)") } else { word }
}

fn new(context: &Context, arguments: &NewArguments) -> Result<ExitCode, EngineError> {
    let session = context.control_session()?;
    let now = session.clock.now();
    let kind = if arguments.steps { DocumentKind::Playbook } else { DocumentKind::Plan };
    let day = now.get(..10).unwrap_or(&now);
    let text = engine_playbook::new_document(&arguments.name, &arguments.title, &arguments.owner, day, kind);
    Document::parse(&text)?;
    let path = arguments
        .out
        .clone()
        .unwrap_or_else(|| context.playbook_folder().join(format!("{}.md", arguments.name)));
    let failed = |error: std::io::Error| EngineError::usage(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    context
        .ui
        .print(&json!({ "playbook": arguments.name, "file": path }), || format!("{}", path.display()))?;
    context.ui.say(&format!("write it, then: plimsoll playbook lint {}", arguments.name));
    Ok(ExitCode::SUCCESS)
}

fn lint(context: &Context, name: Option<&str>) -> Result<ExitCode, EngineError> {
    let playbooks = context.playbooks()?;
    let host = SelfHost::new(context)?;
    let documents: Vec<Document> = match name {
        Some(name) => vec![playbooks.find(name)?.0],
        None => playbooks.iter().map(|(document, _)| document.clone()).collect(),
    };
    let mut found = Vec::new();
    for document in &documents {
        for problem in engine_playbook::lint(document, &host) {
            found.push((document.front.playbook.clone(), problem));
        }
    }
    let fatal = found.iter().filter(|(_, problem)| problem.fatal).count();
    let told: Vec<_> = found
        .iter()
        .map(|(name, problem)| json!({ "playbook": name, "fatal": problem.fatal, "text": problem.text }))
        .collect();
    context.ui.print(&told, || {
        let lines: Vec<String> = found
            .iter()
            .map(|(name, problem)| {
                let word = if problem.fatal { "error" } else { "note" };
                format!("{word}  {name}: {}", problem.text)
            })
            .collect();
        format!("{}\n{} documents, {fatal} errors", lines.join("\n"), documents.len())
    })?;
    Ok(ExitCode::from(if fatal > 0 { exit::FAILED } else { exit::DONE }))
}

fn required(context: &Context, work: &[Work]) -> Result<ExitCode, EngineError> {
    let needed = needs_plan(work);
    let reasons: Vec<_> = work
        .iter()
        .map(|work| json!({ "work": work, "needs_plan": work.needs_plan().0, "why": work.needs_plan().1 }))
        .collect();
    context.ui.print(&json!({ "needs_plan": needed, "work": reasons }), || {
        let mut lines = vec![if needed { "yes: write a plan" } else { "no: no plan is needed" }.to_owned()];
        lines.extend(work.iter().map(|work| format!("  {}: {}", work.as_str(), work.needs_plan().1)));
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn run(context: &Context, arguments: RunArguments) -> Result<ExitCode, EngineError> {
    let (document, _) = context.playbooks()?.find(&arguments.name)?;
    let host = SelfHost::new(context)?;
    let fatal: Vec<String> = engine_playbook::lint(&document, &host)
        .into_iter()
        .filter(|problem| problem.fatal)
        .map(|problem| format!("- {}", problem.text))
        .collect();
    if !fatal.is_empty() {
        return Err(EngineError::refused(format!(
            "`{}` cannot be run:\n{}\nhint: plimsoll playbook lint {}",
            document.front.playbook,
            fatal.join("\n"),
            arguments.name
        )));
    }
    let lacking = engine_playbook::lacking(&document, &host);
    if !lacking.is_empty() {
        return Err(EngineError::refused(format!(
            "`{}` cannot be run yet: there is no {}\nhint: it needs {}",
            document.front.playbook,
            lacking.join(", no "),
            document.front.needs.join("; ")
        )));
    }
    if arguments.dry_run {
        context.ui.print(&document.steps, || {
            let lines: Vec<String> = document
                .steps
                .iter()
                .map(|step| format!("would do {} ({}): {}", step.id, step.kind.as_str(), step.title))
                .collect();
            lines.join("\n")
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut session = context.control_session()?;
    let settings = StartSettings {
        parameters: arguments.set.into_iter().collect(),
        simulated: arguments.simulated_clock,
        keep: arguments.keep,
        reason: arguments.reason,
    };
    let started = engine_playbook::start(&mut session, &document, settings)?;
    context.ui.say(&format!("run {} of {}", started.id.short(), started.playbook));
    drive(context, &mut session, &started)
}

/// Goes on with a run, and tells how it ended.
fn drive(context: &Context, session: &mut Session, run: &PlaybookRun) -> Result<ExitCode, EngineError> {
    let mut host = SelfHost::new(context)?;
    let clock = if run.simulated {
        context.ui.say("SIMULATED CLOCK: waits and watches take no time; this is a rehearsal");
        let now = session.clock.now();
        engine_playbook::simulated_clock(if run.clock_at > now { &run.clock_at } else { &now })?
    } else {
        Arc::clone(&session.clock)
    };
    let say = |text: &str| context.ui.say(text);
    let ended = Runner { session: &mut *session, host: &mut host, clock, say: &say }.drive(&run.id)?;
    tell(context, session, &ended)?;
    Ok(ExitCode::from(match ended.status {
        PlaybookStatus::Done => exit::DONE,
        PlaybookStatus::Waiting | PlaybookStatus::Paused => exit::DONE_WITH_EXCEPTIONS,
        PlaybookStatus::Running | PlaybookStatus::Failed | PlaybookStatus::RolledBack => exit::FAILED,
    }))
}

fn tell(context: &Context, session: &mut Session, run: &PlaybookRun) -> Result<(), EngineError> {
    let (entries, document) = engine_playbook::run_report(session, run)?;
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> = entries
            .iter()
            .map(|entry| {
                vec![
                    entry.step.clone(),
                    entry.action.clone(),
                    entry.status.clone(),
                    entry.code.map(|code| code.to_string()).unwrap_or_default(),
                    entry.message.clone().unwrap_or_else(|| entry.command.clone()),
                ]
            })
            .collect();
        format!(
            "{}\nrun {} of {}: {}",
            table(&["step", "action", "ended", "code", "says"], &rows),
            run.id.short(),
            run.playbook,
            status(run)
        )
    })?;
    let id = run.id.short();
    match run.status {
        PlaybookStatus::Waiting | PlaybookStatus::Paused => {
            context.ui.say(&format!("go on with: plimsoll playbook resume {id}"));
        }
        PlaybookStatus::Done => context.ui.say(&format!("undo with: plimsoll playbook rollback {id}")),
        PlaybookStatus::Failed => {
            context.ui.say(&format!(
                "mend it, then: plimsoll playbook resume {id}, or: plimsoll playbook rollback {id}"
            ));
        }
        PlaybookStatus::Running | PlaybookStatus::RolledBack => {}
    }
    Ok(())
}

fn rollback(
    context: &Context,
    which: &str,
    drill: Option<&str>,
    reason: &str,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let run = engine_playbook::find_run(&mut session, which)?;
    if dry_run {
        let document = Document::parse(&run.text)?;
        let lines: Vec<String> = document
            .steps
            .iter()
            .rev()
            .flat_map(|step| step.rollback.iter().map(move |line| format!("{}: {line}", step.id)))
            .collect();
        context.ui.print(&lines, || lines.join("\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut host = SelfHost::new(context)?;
    let clock = Arc::clone(&session.clock);
    let began = clock.monotonic_ms();
    let say = |text: &str| context.ui.say(text);
    let taken = Runner { session: &mut session, host: &mut host, clock: Arc::clone(&clock), say: &say }
        .rollback(&run);
    if let Some(name) = drill {
        let minutes = clock.monotonic_ms().saturating_sub(began) as f64 / 60_000.0;
        let body =
            json!({ "passed": taken.is_ok(), "minutes": minutes, "run": run.id, "simulated": run.simulated });
        let mut record = Record::new(&session, Kind::Drill, name, format!("playbook run {}", run.id), body);
        reason.clone_into(&mut record.reason);
        engine_gate::record(&mut session, &record)?;
    }
    tell(context, &mut session, &taken?)?;
    Ok(ExitCode::SUCCESS)
}

fn report(context: &Context, arguments: &ReportArguments) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let (document, text) = match &arguments.run {
        Some(which) => {
            let run = engine_playbook::find_run(&mut session, which)?;
            let (entries, document) = engine_playbook::run_report(&mut session, &run)?;
            let text = engine_playbook::run_markdown(&run, &entries);
            (document, text)
        }
        None => {
            let now = session.clock.now();
            let from = plimsoll_engine::clock::earlier(&now, arguments.days.saturating_mul(86_400_000))?;
            let gates: Vec<String> = context.gates()?.iter().map(|(gate, _)| gate.gate.clone()).collect();
            let weekly = engine_playbook::weekly(&mut session, &context.playbooks()?, &gates, &from)?;
            let text = weekly.to_markdown();
            (serde_json::to_value(&weekly)?, text)
        }
    };
    if let Some(file) = &arguments.out {
        std::fs::write(file, &text)
            .map_err(|error| EngineError::usage(format!("{}: {error}", file.display())))?;
        context.ui.say(&format!("report written to {}", file.display()));
    }
    context.ui.print(&document, || text)?;
    Ok(ExitCode::SUCCESS)
}
