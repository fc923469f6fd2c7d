//! Applying a plan: one code path for the first start, resume after a pause, and recovery after a crash.
//!
//! Owns the loop over batches, workers, the error budget, pause and cancel, throttle and adaptive size. What
//! a batch does is `batch`'s; the state machine is [`plimsoll_core::run`]'s.
//!
//! Invariant: the loop holds no truth. Killed at any point, [`drive`] goes on from the journal and comes to
//! the same tables and the same receipts as an uninterrupted run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_core::progress::{Adaptive, eta_ms};
use plimsoll_core::run::{RunEvent, RunStatus};
use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, DatabaseKind, ErrorClass};
use serde_json::json;

use super::batch::{self, BatchContext};
use super::cells::{Cells, number};
use super::in_write;
use super::plan::{self, Plan, settle};
use super::run::{self, Partition, Run, RunSettings};
use crate::clock::new_id;
use crate::error::{EngineError, ErrorKind};
use crate::event;
use crate::owner;
use crate::session::{Progress, Session};
use crate::system::ChangeKind;

/// How often a batch is tried again after a deadlock.
const CONTENTION_TRIES: u32 = 6;

/// A share of errors counts against the budget only after this many items.
const SHARE_AFTER: u64 = 100;

/// What a run is started with.
#[derive(Debug, Clone, Default)]
pub struct StartRun {
    /// How the plan is applied.
    pub settings: RunSettings,
    /// Why, in the actor's words.
    pub reason: String,
    /// Refuse unless the plan is approved.
    pub approval_required: bool,
    /// The backup that was made for it.
    pub backup: Option<Id>,
    /// How later edits are dealt with, when the plan takes a run back.
    pub undo_mode: Option<UndoMode>,
}

/// Starts a run of `plan`; nothing of it is applied yet.
///
/// # Errors
/// Refused when the plan is not ready, lacks a needed approval, was changed since it was approved, was
/// applied already, or was made for other columns.
pub fn start(session: &mut Session, plan: &Plan, start: &StartRun) -> Result<Run, EngineError> {
    check_plan(session, plan, start)?;
    let settings = usable_settings(session, plan, &start.settings)?;
    let run = new_run(session, plan, start, settings)?;
    in_write(session, |session| write_run(session, &run, plan))?;
    session.probe.reach("run.started")?;
    run::load(session.store.as_mut(), &run.id)
}

/// The header of a run that begins now.
pub(crate) fn new_run(
    session: &Session,
    plan: &Plan,
    start: &StartRun,
    settings: RunSettings,
) -> Result<Run, EngineError> {
    Ok(Run {
        id: new_id(),
        number: 0,
        plan: plan.id.clone(),
        system: plan.system.clone(),
        change: plan.change.clone(),
        status: RunStatus::Running,
        requested: None,
        actor: session.actor.clone(),
        reason: start.reason.clone(),
        settings,
        started_at: session.clock.now(),
        finished_at: None,
        duration_ms: 0,
        tally: Tally { planned: plan.items, ..Tally::default() },
        batches: 0,
        rows_written: 0,
        stop_class: None,
        stop_reason: None,
        undoes: plan.undoes.clone(),
        undo_mode: start.undo_mode,
        backup: start.backup.clone(),
        owner: Some(owner::current()),
        epoch: 1,
        lease_until: Some(lease_end(session)?),
    })
}

/// Writes the header of a run and its event inside the caller's transaction.
pub(crate) fn write_run(session: &mut Session, run: &Run, plan: &Plan) -> Result<(), EngineError> {
    run::insert(session.store.as_mut(), run, plan)?;
    tell_started(session, run, plan)
}

/// Records that a run began.
pub(crate) fn tell_started(session: &mut Session, run: &Run, plan: &Plan) -> Result<(), EngineError> {
    let detail =
        json!({ "plan": plan.id, "digest": plan.digest, "settings": run.settings, "undoes": run.undoes });
    event::record(session, "run.started", run.id.as_str(), &run.reason, &detail)
}

fn check_plan(session: &mut Session, plan: &Plan, start: &StartRun) -> Result<(), EngineError> {
    if plan.status != "ready" {
        return Err(EngineError::refused(format!("plan {} is {}, not ready", plan.id.short(), plan.status)));
    }
    if start.approval_required || plan.approved_digest.is_some() {
        let digest = plan::recompute_digest(session.store.as_mut(), plan)?;
        if plan.approved_digest.is_none() {
            return Err(EngineError::refused(format!(
                "plan {} is not approved\nhint: `plimsoll approve {}` binds an approval to its digest",
                plan.id.short(),
                plan.id.short()
            )));
        }
        if plan.approved_digest.as_ref() != Some(&digest) {
            return Err(EngineError::refused(format!(
                "plan {} is not what was approved: its digest is {digest}\nhint: plan again",
                plan.id.short()
            )));
        }
    }
    plan::check_shapes(session.store.as_mut(), plan)
}

/// The settings this store and plan allow.
fn usable_settings(
    session: &mut Session,
    plan: &Plan,
    asked: &RunSettings,
) -> Result<RunSettings, EngineError> {
    asked.check()?;
    let mut settings = asked.clone();
    if settings.batch_size.is_none() || session.store.kind() == DatabaseKind::Sqlite {
        settings.workers = 1;
    }
    if settings.workers > 1 {
        // A row that two items update needs their order; disjoint ranges cannot promise it.
        let shared = session.store.query(
            "SELECT count(*) FROM (SELECT 1 FROM plimsoll_change WHERE plan = $1
             GROUP BY table_name, row_key HAVING count(*) > 1 AND count(before_image) > 0) AS shared",
            &[Value::Integer(plan.number)],
        )?;
        if shared.into_iter().next().map_or(Ok(0), |row| Cells(row).integer(0))? > 0 {
            tracing::info!(plan.id = %plan.id, "items of this plan change the same rows; using one worker");
            settings.workers = 1;
        }
    }
    Ok(settings)
}

/// Applies what is left of a run, and returns it as it then stands: finished, paused, cancelled or stopped.
///
/// # Errors
/// The error that stopped the run (which is recorded, and `resume` goes on from there), or a probe's crash.
pub fn drive(
    session: &mut Session,
    id: &Id,
    declared: Option<&'static dyn ChangeKind>,
) -> Result<Run, EngineError> {
    let run = run::load(session.store.as_mut(), id)?;
    let started = session.clock.monotonic_ms();
    let partitions = run::partitions(session.store.as_mut(), id)?;
    let open: Vec<Partition> = partitions.into_iter().filter(|p| p.next_item < p.end_item).collect();
    let shared = Arc::new(Shared {
        run: run.clone(),
        tally: Mutex::new(run.tally),
        declared,
        stop: AtomicBool::new(false),
        started_ms: started,
        done_before: run.tally.ended(),
    });
    let outcome = if run.settings.workers > 1 && open.len() > 1 {
        work_in_parallel(session, &shared, open)
    } else {
        open.into_iter().try_fold(None, |end, partition| match end {
            None => work(session, &shared, partition),
            end => Ok(end),
        })
    };
    let elapsed = session.clock.monotonic_ms().saturating_sub(started);
    conclude(session, &run, outcome, elapsed)
}

/// What the workers of one `drive` share.
struct Shared {
    run: Run,
    tally: Mutex<Tally>,
    declared: Option<&'static dyn ChangeKind>,
    stop: AtomicBool,
    started_ms: u64,
    done_before: u64,
}

/// Why the loop ended before the last item.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Requested(RunEvent),
    Budget(String),
}

fn work_in_parallel(
    session: &mut Session,
    shared: &Arc<Shared>,
    open: Vec<Partition>,
) -> Result<Option<End>, EngineError> {
    let mut sessions = Vec::with_capacity(open.len());
    for partition in open {
        sessions.push((session.fork()?, partition));
    }
    let results: Vec<Result<Option<End>, EngineError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = sessions
            .into_iter()
            .map(|(mut session, partition)| {
                let shared = Arc::clone(shared);
                scope.spawn(move || {
                    let result = work(&mut session, &shared, partition);
                    if !matches!(result, Ok(None)) {
                        shared.stop.store(true, Ordering::SeqCst);
                    }
                    result
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| {
                handle.join().unwrap_or_else(|_| {
                    Err(EngineError::new(ErrorKind::Stopped, "a worker ended without a word; see the log"))
                })
            })
            .collect()
    });
    results.into_iter().try_fold(None, |end, result| result.map(|next| end.or(next)))
}

/// Applies batch after batch of one partition.
fn work(
    session: &mut Session,
    shared: &Shared,
    mut partition: Partition,
) -> Result<Option<End>, EngineError> {
    let plan = plan::load_number(session.store.as_mut(), partition.plan)?;
    plan::check_shapes(session.store.as_mut(), &plan)?;
    let settings = &shared.run.settings;
    let adaptive = settings.adaptive_target_ms.map(|target_ms| Adaptive {
        target_ms,
        smallest: 1,
        largest: settings.batch_size.unwrap_or(1).saturating_mul(64),
    });
    let mut size = settings.batch_size.unwrap_or(u64::MAX);
    let mut last_sign_of_life = session.clock.monotonic_ms();
    while partition.next_item < partition.end_item {
        if shared.stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let batch_started = session.clock.monotonic_ms();
        let Some(report) = one_batch(session, shared, &plan, &mut partition, size)? else {
            return request_of(session, &shared.run.id);
        };
        session.probe.reach("batch.committed")?;
        let took = session.clock.monotonic_ms().saturating_sub(batch_started);
        log_batch(shared, &partition, &report, took);
        if let Some(end) = account(session, shared, plan.replays.is_some(), &report) {
            return Ok(Some(end));
        }
        if let Some(adaptive) = adaptive {
            size = adaptive.next(size, took);
        }
        if settings.throttle_ms > 0 && partition.next_item < partition.end_item {
            session.clock.sleep_ms(settings.throttle_ms);
        }
        if session.clock.monotonic_ms().saturating_sub(last_sign_of_life) > 10_000 {
            last_sign_of_life = session.clock.monotonic_ms();
            renew_lease(session, &shared.run)?;
        }
    }
    Ok(None)
}

/// One batch, tried again after deadlocks. `None` when a person asked to pause or cancel.
fn one_batch(
    session: &mut Session,
    shared: &Shared,
    plan: &Plan,
    partition: &mut Partition,
    size: u64,
) -> Result<Option<batch::BatchReport>, EngineError> {
    let context = BatchContext {
        run: &shared.run.id,
        system: &shared.run.system,
        plan,
        declared: shared.declared,
        released: plan.replays.is_some(),
    };
    let mut tries = 0;
    loop {
        let at_start = partition.clone();
        session.store.begin(Access::ReadWrite)?;
        let work = match run::fence(session.store.as_mut(), &shared.run.id, shared.run.epoch) {
            Ok(Some(_)) => {
                session.store.rollback()?;
                return Ok(None);
            }
            Ok(None) => passing(session, |session| batch::apply(session, &context, partition, size)),
            Err(error) => Err(error),
        };
        match settle(session, work) {
            Ok(report) => return Ok(Some(report)),
            Err(error) if error.class == Some(ErrorClass::Contention) && tries < CONTENTION_TRIES => {
                tries += 1;
                *partition = at_start;
                session.clock.sleep_ms(5 << tries);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes of a batch pass what keeps other writers out.
fn passing<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let Some(passage) = session.passage.clone() else { return work(session) };
    passage.enter(session.store.as_mut())?;
    let done = work(session)?;
    passage.leave(session.store.as_mut())?;
    Ok(done)
}

fn request_of(session: &mut Session, id: &Id) -> Result<Option<End>, EngineError> {
    let requested = run::load(session.store.as_mut(), id)?.requested;
    Ok(match requested.as_deref() {
        Some("cancel") => Some(End::Requested(RunEvent::Cancel)),
        _ => Some(End::Requested(RunEvent::Pause)),
    })
}

fn log_batch(shared: &Shared, partition: &Partition, report: &batch::BatchReport, took_ms: u64) {
    let tally = &report.tally;
    tracing::debug!(
        run.id = %shared.run.id, partition = partition.number, batch = partition.batches - 1,
        applied = tally.applied, noop = tally.noop, conflicted = tally.conflicted,
        quarantined = tally.quarantined, skipped = tally.skipped, attempts = report.attempts,
        duration_ms = took_ms, "batch committed"
    );
    for exception in report.exceptions.iter().filter(|e| !e.reason.is_empty()) {
        tracing::warn!(
            run.id = %shared.run.id, batch = partition.batches - 1, item = exception.item,
            outcome = %exception.outcome, class = exception.class, reason = exception.reason,
            "item not applied"
        );
    }
}

/// Adds a batch to the shared tally, reports progress, and says when the error budget is spent.
fn account(session: &Session, shared: &Shared, replayed: bool, report: &batch::BatchReport) -> Option<End> {
    let tally = {
        let mut tally = shared.tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if replayed {
            // These items were counted when they went into quarantine.
            tally.quarantined = tally.quarantined.saturating_sub(report.tally.ended());
        }
        tally.add(&report.tally);
        *tally
    };
    let elapsed = session.clock.monotonic_ms().saturating_sub(shared.started_ms);
    let (done, total) = (tally.ended(), tally.planned);
    let eta =
        eta_ms(done.saturating_sub(shared.done_before), total.saturating_sub(shared.done_before), elapsed);
    (session.progress)(&Progress { phase: "applying", done, total: Some(total), eta_ms: eta });
    let errors = tally.quarantined + tally.conflicted;
    let settings = &shared.run.settings;
    if let Some(most) = settings.max_errors.filter(|&most| errors > most) {
        return Some(End::Budget(format!(
            "{errors} items failed or conflicted, more than the {most} allowed"
        )));
    }
    (tally.ended() >= SHARE_AFTER && tally.error_share() > settings.max_error_share && done < total).then(
        || {
            End::Budget(format!(
                "{errors} of {done} items failed or conflicted, more than the {:.0} % allowed",
                settings.max_error_share * 100.0
            ))
        },
    )
}

/// Records how the loop ended, unless another process has taken the run over, and returns the run.
fn conclude(
    session: &mut Session,
    run: &Run,
    outcome: Result<Option<End>, EngineError>,
    elapsed_ms: u64,
) -> Result<Run, EngineError> {
    let (id, epoch) = (&run.id, Some(run.epoch));
    let error = match outcome {
        Ok(Some(End::Requested(requested))) => {
            transition(session, id, epoch, requested, None, elapsed_ms)?;
            None
        }
        Ok(Some(End::Budget(reason))) => {
            let message = format!(
                "{reason}\nhint: look at `plimsoll quarantine list`; `plimsoll resume` with a larger budget goes on, `plimsoll undo` takes it back"
            );
            let error = EngineError::new(ErrorKind::Stopped, message);
            transition(session, id, epoch, RunEvent::Stop, Some(("error_budget", &reason)), elapsed_ms)?;
            Some(error)
        }
        Ok(None) => {
            let left = run::partitions(session.store.as_mut(), id)?;
            if left.iter().all(|partition| partition.next_item == partition.end_item) {
                session.probe.reach("run.finishing")?;
                transition(session, id, epoch, RunEvent::Finish, None, elapsed_ms)?;
                session.probe.reach("run.finished")?;
            }
            None
        }
        Err(error) if error.kind == ErrorKind::Crash => return Err(error),
        Err(error) => {
            let class = error.class.map_or("engine", ErrorClass::as_str);
            // When even this cannot be written the run stays `running` without an owner; resume takes it over.
            let stop = Some((class, error.message.as_str()));
            let stopped = transition(session, id, epoch, RunEvent::Stop, stop, elapsed_ms);
            if let Err(second) = stopped {
                tracing::warn!(run.id = %id, error = %second, "the stop could not be recorded");
            }
            Some(error)
        }
    };
    match error {
        Some(error) => Err(error.during(&format!("run {} stopped", id.short()))),
        None => run::load(session.store.as_mut(), id),
    }
}

/// Moves a run to its next status and writes the event, in one transaction; with an `epoch` only while that
/// one still owns the run.
pub(crate) fn transition(
    session: &mut Session,
    id: &Id,
    epoch: Option<i64>,
    event: RunEvent,
    stop: Option<(&str, &str)>,
    elapsed_ms: u64,
) -> Result<RunStatus, EngineError> {
    in_write(session, |session| transition_within(session, id, epoch, event, stop, elapsed_ms))
}

/// As [`transition`], inside the caller's transaction.
pub(crate) fn transition_within(
    session: &mut Session,
    id: &Id,
    epoch: Option<i64>,
    event: RunEvent,
    stop: Option<(&str, &str)>,
    elapsed_ms: u64,
) -> Result<RunStatus, EngineError> {
    let run = run::load(session.store.as_mut(), id)?;
    if epoch.is_some_and(|epoch| epoch != run.epoch) {
        return Err(run::taken_over(id, run.status));
    }
    let status = run.status.next(event)?;
    let ended = matches!(status, RunStatus::Finished | RunStatus::Cancelled);
    if status == RunStatus::Finished && !run.tally.conserved() {
        return Err(EngineError::integrity(format!(
            "run {id} cannot finish: {} items planned, {} accounted for",
            run.tally.planned,
            run.tally.ended()
        )));
    }
    let tally = run.tally;
    let now = session.clock.now();
    let parameters = [
        Value::text(id.as_str()),
        Value::text(status.as_str()),
        Value::optional_text(ended.then_some(now)),
        number(elapsed_ms),
        Value::optional_text(stop.map(|(class, _)| class)),
        Value::optional_text(stop.map(|(_, reason)| reason)),
        number(tally.applied),
        number(tally.noop),
        number(tally.conflicted),
        number(tally.quarantined),
        number(tally.skipped),
        number(run.batches),
        number(run.rows_written),
        Value::Integer(run.epoch),
    ];
    let moved = session.store.execute(
            "UPDATE plimsoll_run SET status = $2, finished_at = $3, duration_ms = duration_ms + $4,
             stop_class = $5, stop_reason = $6, applied = $7, noop = $8, conflicted = $9, quarantined = $10,
             skipped = $11, batches = $12, rows_written = $13, requested = NULL, owner = NULL, lease_until = NULL
             WHERE id = $1 AND epoch = $14",
            &parameters,
        )?;
    if moved != 1 {
        return Err(run::taken_over(id, run.status));
    }
    let kind = format!("run.{status}");
    let reason = stop.map_or("", |(_, reason)| reason);
    event::record(session, &kind, id.as_str(), reason, &json!({ "tally": tally, "batches": run.batches }))?;
    Ok(status)
}

/// When a lease that begins now ends.
pub(crate) fn lease_end(session: &Session) -> Result<String, EngineError> {
    let now = session.clock.now();
    let end = now
        .parse::<jiff::Timestamp>()
        .and_then(|now| now.checked_add(jiff::SignedDuration::from_millis(owner::LEASE_MS)))
        .map_err(|error| EngineError::integrity(format!("the clock says `{now}`: {error}")))?;
    Ok(end.to_string())
}

fn renew_lease(session: &mut Session, run: &Run) -> Result<(), EngineError> {
    let until = lease_end(session)?;
    let parameters = [Value::text(run.id.as_str()), Value::Integer(run.epoch), Value::text(until)];
    session
        .store
        .execute("UPDATE plimsoll_run SET lease_until = $3 WHERE id = $1 AND epoch = $2", &parameters)?;
    Ok(())
}
