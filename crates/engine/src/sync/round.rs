//! One round: pull what changed, send what is due.
//!
//! Owns which scopes are pulled, the workers of a process that send, and the report of both. Whoever goes round and
//! round - the command with `--watch`, the server when somebody asks - calls this.
//!
//! Invariant: a round that is told to stop ends between two records and leaves what is not done due.

use std::sync::atomic::{AtomicBool, Ordering};

use super::declare::{LinkedSystem, Remote};
use super::pull::{PullReport, Puller};
use super::status;
use super::worker::{LEASE_MS, Pace, WorkReport, Worker, WorkerSettings};
use crate::error::{EngineError, ErrorKind};
use crate::session::Session;

/// Where a link's remote is.
#[derive(Clone, Copy)]
pub struct RemoteAddress<'a> {
    /// Its address.
    pub base: &'a str,
    /// The token that it wants.
    pub token: Option<&'a str>,
}

impl RemoteAddress<'_> {
    /// A connection to it.
    ///
    /// # Errors
    /// Usage, when the address is not one.
    pub fn connect(&self, linked: &LinkedSystem) -> Result<Box<dyn Remote>, EngineError> {
        linked.link.connect(self.base, self.token)
    }
}

/// What a pull of one scope did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pulled {
    /// The scope.
    pub scope: String,
    /// What was taken over.
    pub report: PullReport,
}

/// The scopes to pull: the named ones, or all that were pulled before.
///
/// # Errors
/// Usage when nothing is named and nothing was pulled before.
pub fn scopes(
    session: &mut Session,
    linked: &LinkedSystem,
    named: &[String],
) -> Result<Vec<String>, EngineError> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let known = status::pulls(session, linked.link)?;
    if known.is_empty() {
        let scope = linked.link.mirror().scope;
        return Err(EngineError::usage(format!(
            "nothing was pulled yet\nhint: --scope NAME (`scopes`), the {scope}"
        )));
    }
    Ok(known.into_iter().map(|pull| pull.scope).collect())
}

/// Pulls a scope: what changed, or everything.
///
/// # Errors
/// As [`Puller::changes`] and [`Puller::complete`].
pub fn pull(
    session: &mut Session,
    linked: &LinkedSystem,
    remote: RemoteAddress<'_>,
    pace: &Pace,
    scope: &str,
    complete: bool,
) -> Result<PullReport, EngineError> {
    let mut connection = remote.connect(linked)?;
    let mut puller = Puller { session, link: linked.link, remote: connection.as_mut(), pace };
    if complete { puller.complete(scope) } else { puller.changes(scope) }
}

/// The workers of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// How many.
    pub count: usize,
    /// How long one has a record to itself, in milliseconds.
    pub lease_ms: u64,
}

impl Workers {
    /// So many, with the usual lease.
    pub fn usual(count: usize) -> Self {
        Self { count, lease_ms: LEASE_MS }
    }
}

/// Sends what is due, with these workers, until nothing is due or `stop` is set.
///
/// # Errors
/// When the store fails, or a worker ended by a defect.
pub fn send(
    session: &Session,
    linked: &LinkedSystem,
    remote: RemoteAddress<'_>,
    pace: &Pace,
    workers: Workers,
    stop: &AtomicBool,
) -> Result<WorkReport, EngineError> {
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..workers.count.max(1) {
            let connection = remote.connect(linked)?;
            // Two processes never share a worker's name.
            let name = format!("{}-{}-{number}", session.actor, std::process::id());
            let settings = WorkerSettings { lease_ms: workers.lease_ms, ..WorkerSettings::named(name) };
            let mut worker = Worker::new(session.fork()?, linked.link, connection, pace, settings)?;
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

/// What a round is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// Pull these scopes; all that were pulled before when none is named.
    pub scopes: Vec<String>,
    /// Do not pull.
    pub no_pull: bool,
    /// Pull everything, and find out what is gone.
    pub complete: bool,
    /// Do not send.
    pub no_send: bool,
    /// Workers that send.
    pub workers: usize,
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RoundReport {
    /// Pulls, one for each scope.
    pub pulled: Vec<Pulled>,
    /// What was sent.
    pub sent: WorkReport,
    /// Whether it was told to stop before its end.
    pub stopped: bool,
}

/// Goes one round.
///
/// # Errors
/// As [`pull`] and [`send`]; what was done before stays.
pub fn go(
    session: &mut Session,
    linked: &LinkedSystem,
    remote: RemoteAddress<'_>,
    pace: &Pace,
    task: &Task,
    stop: &AtomicBool,
) -> Result<RoundReport, EngineError> {
    let mut round = RoundReport::default();
    if !task.no_pull {
        for scope in scopes(session, linked, &task.scopes)? {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let report = pull(session, linked, remote, pace, &scope, task.complete)?;
            round.pulled.push(Pulled { scope, report });
        }
    }
    if !task.no_send {
        round.sent = send(session, linked, remote, pace, Workers::usual(task.workers), stop)?;
    }
    round.stopped = stop.load(Ordering::Relaxed);
    Ok(round)
}
