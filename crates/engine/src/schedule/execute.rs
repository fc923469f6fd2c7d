//! One run to its end: the command, the heartbeat, what came of it, and who hears of a failure.
//!
//! Owns the order. While the command runs, a heartbeat on a connection of its own keeps the lease. Whoever lost the
//! lease meanwhile writes nothing.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::claim::{Claim, claim_due, release, renew};
use super::history::{RunOutcome, finish};
use super::{Schedule, cause};
use crate::alert::{self, Severity, Signal};
use crate::error::{EngineError, ErrorKind};
use crate::session::{Session, in_transaction};

/// How often the lease is renewed: a third of its time.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How much of what a command printed is kept, in bytes: its end, where the reason is.
const KEPT: usize = 4_000;
/// The runbook for a schedule that fails.
const RUNBOOK: &str = "docs/runbooks/schedule-failed.md";

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub output: String,
}

/// Carries out command lines of this program. The command's binary implements it.
pub trait Host: Sync {
    /// Runs a command line to its end, or to the limit. A command that cannot be started ended with code 1.
    fn run(&self, command: &[String], limit: Duration) -> Ended;
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Executed {
    /// The schedule.
    pub schedule: String,
    /// The time that it was run for.
    pub due_at: String,
    /// How it ended.
    pub outcome: RunOutcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The end of what it printed.
    pub output: String,
}

/// Runs what was claimed, writes the history, and raises or clears the incident about it.
///
/// # Errors
/// When the control store fails; stopped when somebody else took the schedule over meanwhile.
pub fn execute(session: &mut Session, host: &dyn Host, claim: &Claim) -> Result<Executed, EngineError> {
    let schedule = &claim.schedule;
    let command = schedule.command_for(&claim.due_at)?;
    let began = session.clock.monotonic_ms();
    let limit = Duration::from_secs(schedule.limit_minutes.saturating_mul(60));
    let mut heart = session.fork()?;
    let (ended, end) = mpsc::channel::<()>();
    let result = std::thread::scope(|scope| {
        scope.spawn(move || {
            while end.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = renew(&mut heart, &schedule.name, claim.epoch) {
                    tracing::warn!(schedule = %schedule.name, error = %error.message, "the lease was not renewed");
                }
            }
        });
        let result = host.run(&command, limit);
        drop(ended);
        result
    });
    let duration_ms = session.clock.monotonic_ms().saturating_sub(began);
    let outcome = RunOutcome::of_code(result.code);
    let output = tail(&result.output).to_owned();
    in_transaction(session, |session| {
        if !release(session, &schedule.name, claim.epoch)? {
            return Err(EngineError::new(
                ErrorKind::Stopped,
                format!(
                    "another process took schedule `{}` over, so this run is not recorded",
                    schedule.name
                ),
            ));
        }
        finish(session, &claim.run, outcome, result.code, duration_ms, &output)?;
        tell(session, schedule, claim, outcome, result.code, &output)
    })?;
    Ok(Executed {
        schedule: schedule.name.clone(),
        due_at: claim.due_at.clone(),
        outcome,
        duration_ms,
        output,
    })
}

/// Raises the incident about a schedule that failed, or clears it.
fn tell(
    session: &mut Session,
    schedule: &Schedule,
    claim: &Claim,
    outcome: RunOutcome,
    code: i32,
    output: &str,
) -> Result<(), EngineError> {
    let cause = cause(&schedule.name);
    let severity = match outcome {
        RunOutcome::Done => {
            alert::clear_within(session, &cause, "the schedule ran without a failure")?;
            return Ok(());
        }
        // What is set aside is in the report, and a failed check raises an incident of its own.
        RunOutcome::Exceptions => Severity::P2,
        _ => schedule.severity,
    };
    let command = schedule.command.join(" ");
    let signal = Signal {
        cause,
        severity,
        title: format!("schedule {} ended with {} (exit code {code})", schedule.name, outcome.as_str()),
        detail: format!("plimsoll {command}\ndue {}\n{output}", claim.due_at),
        runbook: RUNBOOK.to_owned(),
        system: String::new(),
    };
    alert::raise_within(session, &signal)?;
    let detail = json!({ "run": claim.run, "exit_code": code, "due_at": claim.due_at });
    crate::event::record(session, "schedule.failed", &schedule.name, outcome.as_str(), &detail)
}

/// The end of a text, cut where a character begins.
fn tail(text: &str) -> &str {
    let text = text.trim_end();
    let mut from = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// Runs everything that is due, one after the other, until nothing is.
///
/// # Errors
/// When the control store fails.
pub fn run_due(session: &mut Session, host: &dyn Host) -> Result<Vec<Executed>, EngineError> {
    let mut executed = Vec::new();
    loop {
        let claims = claim_due(session, 1)?;
        let Some(claim) = claims.first() else { return Ok(executed) };
        executed.push(execute(session, host, claim)?);
    }
}
