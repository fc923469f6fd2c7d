//! `sync`: pulling and sending.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use plimsoll_engine::sync::round::{self, Pulled, RemoteAddress, Workers};
use plimsoll_engine::sync::status::{self, Status};
use plimsoll_engine::sync::worker::{Pace, WorkReport, next_due};
use plimsoll_engine::sync::{LinkedSystem, now_ms, pull};
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
    let remote = RemoteAddress { base: &base, token: context.config.remote_token.as_deref() };
    let stop = AtomicBool::new(false);
    let rate = arguments.rate.unwrap_or_else(|| linked.link.requests_per_second());
    let pace = Pace::new(Some(rate).filter(|rate| *rate > 0), now_ms(&session));
    if let Some(most) = arguments.confirm_missing {
        for scope in round::scopes(&mut session, linked, &arguments.scope)? {
            pull::confirm_missing(&mut session, linked.link, &scope, most)?;
        }
    }
    loop {
        let mut pulled = Vec::new();
        if !arguments.no_pull {
            for scope in round::scopes(&mut session, linked, &arguments.scope)? {
                match round::pull(&mut session, linked, remote, &pace, &scope, arguments.complete) {
                    Ok(report) => pulled.push(Pulled { scope, report }),
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
                    let workers = Workers { count: arguments.workers, lease_ms: arguments.lease * 1_000 };
                    sent.add(&round::send(&session, linked, remote, &pace, workers, &stop)?);
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

fn document(status: &Status, pulled: &[Pulled], sent: &WorkReport) -> serde_json::Value {
    json!({"pulled": pulled, "sent": sent, "status": status})
}

fn words(status: &Status, pulled: &[Pulled], sent: &WorkReport) -> String {
    let mut lines = Vec::new();
    for Pulled { scope, report } in pulled {
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
    pulled: &[Pulled],
    sent: &WorkReport,
) -> Result<ExitCode, EngineError> {
    let status = status::of(session, linked.link)?;
    context.ui.print(&document(&status, pulled, sent), || words(&status, pulled, sent))?;
    let waiting = status.conflicts > 0
        || status.edits.get("failed").is_some_and(|failed| *failed > 0)
        || pulled.iter().any(|pulled| pulled.report.held.is_some());
    Ok(if waiting { exit::incomplete() } else { ExitCode::SUCCESS })
}
