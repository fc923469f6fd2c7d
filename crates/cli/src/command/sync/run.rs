//! `sync`: pulling and sending.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use plimsoll_engine::sync::pull::{self, PullReport, Puller};
use plimsoll_engine::sync::status::{self, Status};
use plimsoll_engine::sync::worker::{Pace, WorkReport, Worker, WorkerSettings, next_due};
use plimsoll_engine::sync::{LinkedSystem, now_ms};
use plimsoll_engine::{EngineError, ErrorKind, Session};
use serde_json::json;

use super::super::Context;
use super::arguments::SyncArguments;
use super::open;
use crate::exit;
use crate::ui::{grouped, plural};

/// A wait for the next attempt, in milliseconds, that `--drain` still waits for.
const LONGEST_DRAIN_WAIT_MS: u64 = 120_000;
/// Between two looks at what is due, in milliseconds.
const PAUSE_MS: u64 = 20;
/// How often `--watch` looks for something to send, in milliseconds.
const LOOK_MS: u64 = 200;

/// Runs `sync`.
pub(crate) fn sync(context: &Context, arguments: &SyncArguments) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, &arguments.system)?;
    if arguments.dry_run {
        return dry_run(context, &mut session, linked);
    }
    let base = remote_address(context, arguments)?;
    let token = context.config.remote_token.as_deref();
    let rate = arguments.rate.unwrap_or_else(|| linked.link.requests_per_second());
    let pace = Pace::new(Some(rate).filter(|rate| *rate > 0), now_ms(&session));
    if let Some(most) = arguments.confirm_missing {
        for scope in scopes(&mut session, linked, arguments)? {
            pull::confirm_missing(&mut session, linked.link, &scope, most)?;
        }
    }
    loop {
        let mut pulled = Vec::new();
        if !arguments.no_pull {
            for scope in scopes(&mut session, linked, arguments)? {
                let mut remote = linked.link.connect(&base, token)?;
                let mut puller =
                    Puller { session: &mut session, link: linked.link, remote: remote.as_mut(), pace: &pace };
                let report =
                    if arguments.complete { puller.complete(&scope) } else { puller.changes(&scope) };
                match report {
                    Ok(report) => pulled.push((scope, report)),
                    // A remote that is away for a while does not end the watch, and edits wait.
                    Err(error) if arguments.watch && error.kind == ErrorKind::Source => {
                        context.ui.say(&format!("{scope}: {}", error.message));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let mut sent = WorkReport::default();
        let began = session.clock.monotonic_ms();
        loop {
            let now = now_ms(&session);
            let wait = next_due(&mut session, linked.link)?.map(|due| due.saturating_sub(now));
            match wait {
                Some(0) if !arguments.no_send => {
                    sent.add(&send(&session, linked, &base, token, &pace, arguments)?);
                    // What another worker's lease holds is due when that ends.
                    session.clock.sleep_ms(PAUSE_MS);
                }
                _ if arguments.watch => {
                    if session.clock.monotonic_ms().saturating_sub(began) >= arguments.every * 1_000 {
                        break;
                    }
                    session.clock.sleep_ms(LOOK_MS);
                }
                Some(wait) if arguments.drain && !arguments.no_send && wait <= LONGEST_DRAIN_WAIT_MS => {
                    session.clock.sleep_ms(wait);
                }
                _ => break,
            }
        }
        if !arguments.watch {
            return report(context, &mut session, linked, &pulled, &sent);
        }
        let status = status::of(&mut session, linked.link)?;
        if context.ui.json {
            context.ui.line(&document(&status, &pulled, &sent).to_string());
        } else {
            context.ui.line(&words(&status, &pulled, &sent));
        }
    }
}

fn remote_address(context: &Context, arguments: &SyncArguments) -> Result<String, EngineError> {
    let configured = context.config.sources.get(&arguments.system);
    arguments.remote.as_ref().or(configured).cloned().ok_or_else(|| {
        EngineError::usage(format!(
            "the remote of {} has no address\nhint: --remote URL, or [sources] in plimsoll.toml; `plimsoll simulate pems` serves one",
            arguments.system
        ))
    })
}

fn scopes(
    session: &mut Session,
    linked: &LinkedSystem,
    arguments: &SyncArguments,
) -> Result<Vec<String>, EngineError> {
    if !arguments.scope.is_empty() {
        return Ok(arguments.scope.clone());
    }
    let known = status::of(session, linked.link)?.pulls;
    if known.is_empty() {
        let scope = linked.link.mirror().scope;
        return Err(EngineError::usage(format!("nothing was pulled yet\nhint: --scope NAME, the {scope}")));
    }
    Ok(known.into_iter().map(|pull| pull.scope).collect())
}

fn send(
    session: &Session,
    linked: &LinkedSystem,
    base: &str,
    token: Option<&str>,
    pace: &Pace,
    arguments: &SyncArguments,
) -> Result<WorkReport, EngineError> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..arguments.workers.max(1) {
            let remote = linked.link.connect(base, token)?;
            // Two processes never share a worker's name.
            let name = format!("{}-{}-{number}", session.actor, std::process::id());
            let settings =
                WorkerSettings { lease_ms: arguments.lease * 1_000, ..WorkerSettings::named(name) };
            let mut worker = Worker::new(session.fork()?, linked.link, remote, pace, settings)?;
            let stop = &stop;
            threads.push(scope.spawn(move || worker.drain(stop)));
        }
        let mut report = WorkReport::default();
        for thread in threads {
            let done = thread.join().map_err(|_| {
                EngineError::new(
                    ErrorKind::Stopped,
                    "a worker ended by a defect\nhint: run again; what it sent is read back",
                )
            })?;
            report.add(&done?);
        }
        Ok(report)
    })
}

fn dry_run(context: &Context, session: &mut Session, linked: &LinkedSystem) -> Result<ExitCode, EngineError> {
    let status = status::of(session, linked.link)?;
    context.ui.print(&status, || {
        format!(
            "{} wait to be sent, {} for a decision\nnothing was done",
            plural(status.due, "record"),
            plural(status.conflicts, "conflict")
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn document(status: &Status, pulled: &[(String, PullReport)], sent: &WorkReport) -> serde_json::Value {
    let pulled: Vec<_> =
        pulled.iter().map(|(scope, report)| json!({"scope": scope, "report": report})).collect();
    json!({"pulled": pulled, "sent": sent, "status": status})
}

fn words(status: &Status, pulled: &[(String, PullReport)], sent: &WorkReport) -> String {
    let mut lines = Vec::new();
    for (scope, report) in pulled {
        lines.push(format!(
            "pulled {scope}: {} seen, {} changed, {} gone, in {}",
            grouped(report.seen),
            grouped(report.changed),
            grouped(report.gone),
            plural(report.requests, "request")
        ));
        lines.extend(report.held.iter().map(|why| format!("  held: {why}")));
    }
    lines.push(format!(
        "sent {}: {} applied, {} met a moved row, {} refused, {} postponed, {} without an answer; {} read back",
        grouped(sent.sent),
        grouped(sent.applied),
        grouped(sent.rejected),
        grouped(sent.refused),
        grouped(sent.postponed),
        grouped(sent.unknown),
        grouped(sent.read_back)
    ));
    let failed = status.edits.get("failed").copied().unwrap_or(0);
    lines.push(format!(
        "now: {} mirrored, {} due, {} open, {}",
        plural(status.mirrored, "row"),
        grouped(status.due),
        plural(status.conflicts, "conflict"),
        plural(failed, "dead letter")
    ));
    lines.join("\n")
}

fn report(
    context: &Context,
    session: &mut Session,
    linked: &LinkedSystem,
    pulled: &[(String, PullReport)],
    sent: &WorkReport,
) -> Result<ExitCode, EngineError> {
    let status = status::of(session, linked.link)?;
    context.ui.print(&document(&status, pulled, sent), || words(&status, pulled, sent))?;
    let waiting = status.conflicts > 0
        || status.edits.get("failed").is_some_and(|failed| *failed > 0)
        || pulled.iter().any(|(_, report)| report.held.is_some());
    Ok(if waiting { exit::incomplete() } else { ExitCode::SUCCESS })
}
