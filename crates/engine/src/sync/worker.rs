//! Workers: they take what is due, send it, and store what became of it.
//!
//! Owns claiming records under a lease, the one request at a time that a record allows, reading back what has no known
//! outcome, and the one retry layer. What an answer means is `outcome`'s, when a request may go out `pace`'s.
//!
//! Order for one record: lease - wait for the rate - store that it is sent - send - store the answer. What happens
//! between two of them is found by the next worker: a record that is `syncing` when its lease has ended is read back.
//!
//! Invariants:
//! - Nothing is sent that the store does not know as sent.
//! - An answer is stored under the epoch of the lease under which the request was sent, or not at all.
//! - An operation of unknown outcome is read back before it is sent again, and given up after so many attempts; one
//!   that was turned away or never went out waits as long as it must, visibly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plimsoll_core::sync::breaker::BreakerRule;
use plimsoll_core::sync::plan::{Action, Dispatch, Event};
use plimsoll_core::sync::record::OperationId;
use plimsoll_core::sync::retry::{Retry, RetryRule};
use plimsoll_core::table::TableShape;
use plimsoll_core::value::Value;
use plimsoll_store::{DatabaseKind, Store};

use super::declare::{Link, Remote, Trouble, Written};
pub use super::outcome::WorkReport;
use super::outcome::{How, Outcome, Step, chance, next_step, not_applied};
pub use super::pace::Pace;
use super::record;
use super::status;
use super::take::{Because, advance, is_fenced, put_off, transact};
use super::{milliseconds, now_ms};
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::Session;

/// Lines over which the counts of all workers are spread, so that workers seldom wait for each other's.
const LINES_OF_COUNTS: u64 = 16;
/// How often a worker that has much to do notes what it did, in milliseconds.
const NOTE_EVERY_MS: u64 = 1_000;

/// How long a lease usually runs, in milliseconds.
pub const LEASE_MS: u64 = 60_000;

/// How workers work.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The worker's name; two workers must not share one.
    pub name: String,
    /// Records taken at once.
    pub claim: u64,
    /// How long a lease runs, in milliseconds: longer than a request may take.
    pub lease_ms: u64,
    /// When failed requests are repeated.
    pub retry: RetryRule,
    /// When the remote is left alone.
    pub breaker: BreakerRule,
}

impl WorkerSettings {
    /// The usual settings.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            claim: 16,
            lease_ms: LEASE_MS,
            retry: RetryRule::default(),
            breaker: BreakerRule::default(),
        }
    }
}

/// What a record needs next.
enum Need {
    Write { dispatch: Dispatch, scope: String },
    Read { operation: OperationId, attempt: u32 },
    Nothing,
}

/// A worker.
pub struct Worker<'a> {
    session: Session,
    link: &'a dyn Link,
    remote: Box<dyn Remote>,
    pace: &'a Pace,
    settings: WorkerSettings,
    shape: Arc<TableShape>,
    report: WorkReport,
    /// What of the report is noted already, and when it was.
    noted: WorkReport,
    noted_at_ms: u64,
}

impl<'a> Worker<'a> {
    /// A worker with a connection of its own to the store and to the remote.
    ///
    /// # Errors
    /// When the store has no mirror table.
    pub fn new(
        mut session: Session,
        link: &'a dyn Link,
        remote: Box<dyn Remote>,
        pace: &'a Pace,
        settings: WorkerSettings,
    ) -> Result<Self, EngineError> {
        let shape = record::shape_of(session.store.as_mut(), link.mirror())?;
        let (report, noted) = (WorkReport::default(), WorkReport::default());
        let noted_at_ms = session.clock.monotonic_ms();
        Ok(Self { session, link, remote, pace, settings, shape, report, noted, noted_at_ms })
    }

    /// Works until nothing is due, or `stop` is set. Returns what was done.
    ///
    /// # Errors
    /// When the store fails.
    pub fn drain(&mut self, stop: &AtomicBool) -> Result<WorkReport, EngineError> {
        while !stop.load(Ordering::Relaxed) {
            let claimed = self.claim()?;
            if claimed.is_empty() {
                break;
            }
            for (key, epoch) in claimed {
                if stop.load(Ordering::Relaxed) {
                    put_off(&mut self.session, self.link, &key, epoch, 0)?;
                    continue;
                }
                self.work(&key, epoch)?;
            }
            if self.session.clock.monotonic_ms().saturating_sub(self.noted_at_ms) >= NOTE_EVERY_MS {
                self.note()?;
            }
        }
        self.note()?;
        self.noted = WorkReport::default();
        Ok(std::mem::take(&mut self.report))
    }

    /// Takes records that are due, under a lease.
    fn claim(&mut self) -> Result<Vec<(String, u64)>, EngineError> {
        let (link, settings) = (self.link, &self.settings);
        let claimed = transact(&mut self.session, |store, now| {
            let now = milliseconds(now);
            let lock = match store.kind() {
                DatabaseKind::Postgres => " FOR UPDATE SKIP LOCKED",
                DatabaseKind::Sqlite => "",
            };
            let sql = format!(
                "SELECT record_key, lease_epoch FROM plimsoll_sync_record
                 WHERE link = $1 AND due_ms <= $2 AND lease_until_ms <= $2 ORDER BY due_ms, record_key LIMIT $3{lock}"
            );
            let rows = store.query(&sql, &[Value::text(link.name()), number(now), number(settings.claim)])?;
            let mut claimed = Vec::with_capacity(rows.len());
            for row in rows {
                let cells = Cells(row);
                let (key, epoch) = (cells.text(0)?, cells.count(1)? + 1);
                take_lease(store, link, &key, &settings.name, epoch, now + settings.lease_ms)?;
                claimed.push((key, epoch));
            }
            Ok(claimed)
        })?;
        self.session.probe.reach("sync:claimed")?;
        Ok(claimed)
    }

    /// Does what a record needs until it needs nothing, or has to wait.
    fn work(&mut self, key: &str, epoch: u64) -> Result<(), EngineError> {
        loop {
            // Before the store says `syncing`: nobody should wait for the answer to what waits for its turn.
            if let Err(wait) = self.pace.wait(&self.session, self.settings.lease_ms / 4) {
                return put_off(&mut self.session, self.link, key, epoch, wait);
            }
            let need = match self.need(key, epoch) {
                // Somebody else has the record now; they do what it needs.
                Err(error) if is_fenced(&error) => return Ok(()),
                need => need?,
            };
            let events = match need {
                Need::Nothing => return Ok(()),
                Need::Write { dispatch, scope } => self.write(key, &scope, &dispatch),
                Need::Read { operation, attempt } => self.read_back(key, operation, attempt),
            };
            self.session.probe.reach("sync:answered")?;
            let go_on = match self.settle(key, epoch, events) {
                Err(error) if is_fenced(&error) => return Ok(()),
                settled => settled?,
            };
            self.session.probe.reach("sync:settled")?;
            if !go_on {
                return Ok(());
            }
        }
    }

    /// What the record needs, and that it is being done, stored.
    fn need(&mut self, key: &str, epoch: u64) -> Result<Need, EngineError> {
        let (link, settings) = (self.link, &self.settings);
        let because = Because { actor: &settings.name, why: "sync" };
        let mut given_up = 0;
        let need = transact(&mut self.session, |store, now| {
            given_up = 0;
            let now_ms = milliseconds(now);
            let mut kept = record::lock(store, link, key, now)?;
            kept.lease.guard(epoch, now_ms)?;
            let need = loop {
                match next_step(&kept, settings) {
                    Step::Event(event) => {
                        if matches!(event, Event::GiveUp { .. }) {
                            given_up += 1;
                            kept.failures = 0;
                        }
                        let taken = advance(store, link, &mut kept, event, because, now)?;
                        let dispatch = taken.actions.into_iter().find_map(|action| match action {
                            Action::Dispatch(dispatch) => Some(dispatch),
                            _ => None,
                        });
                        if let Some(dispatch) = dispatch {
                            break Need::Write { dispatch, scope: kept.scope.clone() };
                        }
                    }
                    Step::Read { operation, attempt } => break Need::Read { operation, attempt },
                    Step::Nothing => break Need::Nothing,
                }
            };
            kept.lease.until_ms = now_ms + settings.lease_ms;
            kept.due_ms = Some(kept.lease.until_ms);
            if matches!(need, Need::Nothing) {
                kept.due_ms = None;
                kept.lease.until_ms = 0;
            }
            record::keep(store, link, &kept, now)?;
            Ok(need)
        })?;
        self.report.given_up += given_up;
        self.session.probe.reach("sync:dispatched")?;
        Ok(need)
    }

    fn write(&mut self, key: &str, scope: &str, dispatch: &Dispatch) -> Outcome {
        self.report.sent += 1;
        let operation = dispatch.operation.clone();
        let answer = self.remote.write(key, scope, dispatch);
        self.learn(&answer);
        match answer {
            Ok(Written::Applied(row)) => {
                self.report.applied += 1;
                Outcome::Row { row: Some(*row), how: How::Acknowledged(operation) }
            }
            Ok(Written::Deleted) => {
                self.report.applied += 1;
                Outcome::Row { row: None, how: How::Acknowledged(operation) }
            }
            Ok(Written::Rejected) => {
                self.report.rejected += 1;
                let read = self.remote.read(key);
                self.learn(&read);
                match read {
                    Ok(row) => Outcome::Row { row, how: How::Rejected(operation) },
                    Err(trouble) => Outcome::Trouble { operation, trouble: not_applied(trouble) },
                }
            }
            Ok(Written::Refused(reason)) => {
                self.report.refused += 1;
                Outcome::Refused { operation, reason }
            }
            Err(trouble) => {
                match trouble {
                    Trouble::Unknown(_) => self.report.unknown += 1,
                    _ => self.report.postponed += 1,
                }
                Outcome::Trouble { operation, trouble }
            }
        }
    }

    fn read_back(&mut self, key: &str, operation: OperationId, attempt: u32) -> Outcome {
        self.report.read_back += 1;
        let answer = self.remote.read(key);
        self.learn(&answer);
        match answer {
            Ok(row) => match self.remote.applied(&operation) {
                Ok(applied) => Outcome::Row { row, how: How::ReadBack(operation, attempt, applied) },
                Err(_) => Outcome::Unread,
            },
            // A reading that failed says nothing new.
            Err(_) => Outcome::Unread,
        }
    }

    fn learn<T>(&self, answer: &Result<T, Trouble>) {
        self.pace.learn(answer, &self.settings.breaker, now_ms(&self.session));
    }

    /// Stores what became of a request. True when the record needs something at once.
    fn settle(&mut self, key: &str, epoch: u64, outcome: Outcome) -> Result<bool, EngineError> {
        let (link, settings, shape) = (self.link, &self.settings, &self.shape);
        let because = Because { actor: &settings.name, why: "sync" };
        transact(&mut self.session, |store, now| {
            let now_ms = milliseconds(now);
            let mut kept = record::lock(store, link, key, now)?;
            kept.lease.guard(epoch, now_ms)?;
            let mut wait = None;
            let chance = chance(key, now_ms);
            let put_off = |failures: u32, retry_after_ms: Option<u64>| match settings.retry.after(
                failures.clamp(1, settings.retry.most_attempts.saturating_sub(1).max(1)),
                retry_after_ms,
                chance,
            ) {
                Retry::After(ms) => ms,
                Retry::Never => settings.retry.most_ms,
            };
            match &outcome {
                Outcome::Row { row, how } => {
                    kept.failures = 0;
                    let event = how.event(&*store, shape, link, &kept, row.as_ref());
                    advance(store, link, &mut kept, event, because, now)?;
                }
                Outcome::Refused { operation, reason } => {
                    kept.failures = 0;
                    let event = Event::Refused { operation: operation.clone(), reason: reason.clone() };
                    advance(store, link, &mut kept, event, because, now)?;
                }
                Outcome::Trouble { operation, trouble } => {
                    let (operation, reason) = (operation.clone(), trouble.reason());
                    let event = match trouble {
                        Trouble::Unknown(_) => {
                            kept.failures += 1;
                            Event::Unknown { operation, reason }
                        }
                        Trouble::NotSent(_) => Event::Postponed { operation, reason },
                        _ => Event::TurnedAway { operation, reason },
                    };
                    let retry_after_ms = match trouble {
                        Trouble::Busy { retry_after_ms } => *retry_after_ms,
                        _ => None,
                    };
                    advance(store, link, &mut kept, event, because, now)?;
                    wait = Some(match trouble {
                        // The rate gave way already.
                        Trouble::Busy { .. } => retry_after_ms.unwrap_or(settings.retry.first_ms.min(1_000)),
                        _ => put_off(kept.failures, retry_after_ms),
                    });
                }
                Outcome::Unread => wait = Some(put_off(kept.failures, None)),
            }
            // What the planner found due is due now, or after the wait.
            let busy = kept.due_ms.is_some();
            kept.due_ms = busy.then(|| now_ms + wait.unwrap_or(0));
            let go_on = busy && wait.is_none();
            if !go_on {
                kept.lease.until_ms = 0;
            }
            record::keep(store, link, &kept, now)?;
            Ok(go_on)
        })
    }

    /// Writes down what was done, for whoever looks at the store.
    fn note(&mut self) -> Result<(), EngineError> {
        self.pace.note(&mut self.session, self.link)?;
        self.noted_at_ms = self.session.clock.monotonic_ms();
        let known = self.noted.named();
        let new: Vec<(&str, u64)> = self
            .report
            .named()
            .into_iter()
            .zip(known)
            .map(|((what, all), (_, known))| (what, all - known))
            .filter(|(_, new)| *new > 0)
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let link = self.link;
        // Names come and go with their processes, and the sums are asked for often: a few lines hold them all.
        let line = format!("workers-{}", chance(&self.settings.name, 0) % LINES_OF_COUNTS);
        transact(&mut self.session, |store, _| {
            for (what, amount) in &new {
                status::add(store, link, &line, what, *amount)?;
            }
            Ok(())
        })?;
        self.noted = self.report.clone();
        Ok(())
    }
}

/// When the next record is due, in milliseconds since 1970; `None` when none is.
///
/// # Errors
/// When the store fails.
pub fn next_due(session: &mut Session, link: &dyn Link) -> Result<Option<u64>, EngineError> {
    let sql = "SELECT min(CASE WHEN lease_until_ms > due_ms THEN lease_until_ms ELSE due_ms END)
        FROM plimsoll_sync_record WHERE link = $1 AND due_ms IS NOT NULL";
    let rows = session.store.query(sql, &[Value::text(link.name())])?;
    let first = rows.first().and_then(|row| row.first()).and_then(Value::as_integer);
    Ok(first.and_then(|due| u64::try_from(due).ok()))
}

fn take_lease(
    store: &mut dyn Store,
    link: &dyn Link,
    key: &str,
    worker: &str,
    epoch: u64,
    until_ms: u64,
) -> Result<(), EngineError> {
    let sql = "UPDATE plimsoll_sync_record SET lease_holder = $3, lease_epoch = $4, lease_until_ms = $5
        WHERE link = $1 AND record_key = $2";
    let parameters =
        [Value::text(link.name()), Value::text(key), Value::text(worker), number(epoch), number(until_ms)];
    store.execute(sql, &parameters)?;
    Ok(())
}
