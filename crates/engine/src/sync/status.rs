//! What is told of a link: how far it is, what waits and for whom.
//!
//! Owns the figures of a link, its dead letters and what happened to a record. Every figure is counted when it is asked.

use std::collections::BTreeMap;

use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::{Operation, OperationId};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::declare::Link;
use super::edit::How;
use super::journal::happen;
use super::take::{Because, Taken, advance, perhaps};
use super::{now_ms, record};
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::Session;

/// The figures of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// Rows mirrored.
    pub mirrored: u64,
    /// Edits by their state.
    pub edits: BTreeMap<String, u64>,
    /// Open conflicts.
    pub conflicts: u64,
    /// Records that a worker has to look at.
    pub due: u64,
    /// How long the oldest committed edit has waited, in milliseconds.
    pub oldest_ms: Option<u64>,
    /// How long the edits of the last hour took from commit to settled, in milliseconds: median and p99.
    pub settled_ms: Option<(u64, u64)>,
    /// What workers did so far, by name: sent, applied, rejected, ..
    pub work: BTreeMap<String, u64>,
    /// Pulls, one for each scope.
    pub pulls: Vec<PullLine>,
}

/// Where the pull of a scope stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct PullLine {
    /// The scope.
    pub scope: String,
    /// When changes were last taken over.
    pub changed_at: Option<String>,
    /// When everything was last read.
    pub complete_at: Option<String>,
    /// Why missing rows are held.
    pub held: Option<String>,
    /// Missing and unknown fields, as JSON.
    pub drift: Option<String>,
}

/// Adds to a count that is kept.
pub(super) fn add(
    store: &mut dyn Store,
    link: &dyn Link,
    by: &str,
    what: &str,
    amount: u64,
) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_sync_count (link, worker, name, amount) VALUES ($1, $2, $3, $4)
        ON CONFLICT (link, worker, name) DO UPDATE
        SET amount = plimsoll_sync_count.amount + excluded.amount";
    let parameters = [Value::text(link.name()), Value::text(by), Value::text(what), number(amount)];
    store.execute(sql, &parameters)?;
    Ok(())
}

/// Sets a figure that is kept beside the counts.
pub(super) fn set(
    store: &mut dyn Store,
    link: &dyn Link,
    by: &str,
    what: &str,
    amount: u64,
) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_sync_count (link, worker, name, amount) VALUES ($1, $2, $3, $4)
        ON CONFLICT (link, worker, name) DO UPDATE SET amount = excluded.amount";
    let parameters = [Value::text(link.name()), Value::text(by), Value::text(what), number(amount)];
    store.execute(sql, &parameters)?;
    Ok(())
}

fn counted(store: &mut dyn Store, sql: &str, parameters: &[Value]) -> Result<u64, EngineError> {
    store.query(sql, parameters)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}

fn by_name(
    store: &mut dyn Store,
    sql: &str,
    parameters: &[Value],
) -> Result<BTreeMap<String, u64>, EngineError> {
    let rows = store.query(sql, parameters)?.into_iter();
    rows.map(|row| {
        let cells = Cells(row);
        Ok((cells.text(0)?, cells.count(1)?))
    })
    .collect()
}

/// The figures of a link now.
///
/// # Errors
/// When the store fails.
pub fn of(session: &mut Session, link: &dyn Link) -> Result<Status, EngineError> {
    let now = now_ms(session);
    let store = session.store.as_mut();
    let name = [Value::text(link.name())];
    let mirrored = counted(store, &format!("SELECT count(*) FROM {}", link.mirror().table), &[])?;
    let edits = by_name(
        store,
        "SELECT state, count(*) FROM plimsoll_sync_edit WHERE link = $1 GROUP BY state",
        &name,
    )?;
    let conflicts = counted(
        store,
        "SELECT count(*) FROM plimsoll_sync_conflict WHERE link = $1 AND closed_at IS NULL",
        &name,
    )?;
    let due = counted(
        store,
        "SELECT count(*) FROM plimsoll_sync_record WHERE link = $1 AND due_ms IS NOT NULL",
        &name,
    )?;
    let oldest = counted(
        store,
        "SELECT coalesce(min(committed_ms), 0) FROM plimsoll_sync_edit
         WHERE link = $1 AND state IN ('committed', 'queued', 'syncing', 'limbo')",
        &name,
    )?;
    // The clock of who committed may be ahead of that of the worker.
    let sql = "SELECT CASE WHEN settled_ms > committed_ms THEN settled_ms - committed_ms ELSE 0 END
        FROM plimsoll_sync_edit
        WHERE link = $1 AND state = 'synced' AND settled_ms >= $2 ORDER BY 1";
    let since = Value::Integer(i64::try_from(now.saturating_sub(3_600_000)).unwrap_or(i64::MAX));
    let times: Vec<u64> = store
        .query(sql, &[name[0].clone(), since])?
        .into_iter()
        .map(|row| Cells(row).count(0))
        .collect::<Result<_, _>>()?;
    let at =
        |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied();
    let work = by_name(
        store,
        "SELECT name, CAST(sum(amount) AS bigint) FROM plimsoll_sync_count
         WHERE link = $1 AND worker NOT IN ($2, $3) GROUP BY name",
        &[name[0].clone(), Value::text(super::pull::COUNTED_BY), Value::text(super::pace::NOTED_BY)],
    )?;
    let pulls = pulls(session, link)?;
    Ok(Status {
        mirrored,
        edits,
        conflicts,
        due,
        oldest_ms: (oldest > 0).then(|| now.saturating_sub(oldest)),
        settled_ms: at(50).zip(at(99)),
        work,
        pulls,
    })
}

/// Where the pull of each scope stands.
///
/// # Errors
/// When the store fails.
pub fn pulls(session: &mut Session, link: &dyn Link) -> Result<Vec<PullLine>, EngineError> {
    let sql = "SELECT scope, changed_at, complete_at, held, drift FROM plimsoll_sync_pull
        WHERE link = $1 ORDER BY scope";
    let rows = session.store.query(sql, &[Value::text(link.name())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(PullLine {
                scope: cells.text(0)?,
                changed_at: cells.optional_text(1)?,
                complete_at: cells.optional_text(2)?,
                held: cells.optional_text(3)?,
                drift: cells.optional_text(4)?,
            })
        })
        .collect()
}

/// An operation that waits for a person, or whose outcome is not known.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Waiting {
    /// The record.
    pub key: String,
    /// The operation.
    pub operation: Operation,
}

fn with_badge(session: &mut Session, link: &dyn Link) -> Result<Vec<record::Kept>, EngineError> {
    let sql = "SELECT record_key FROM plimsoll_sync_record WHERE link = $1 AND badge <> 'synced' ORDER BY record_key";
    let rows = session.store.query(sql, &[Value::text(link.name())])?;
    let keys: Vec<String> = rows.into_iter().map(|row| Cells(row).text(0)).collect::<Result<_, _>>()?;
    record::lines(session.store.as_mut(), link, &keys)
}

/// The operations that were refused or given up.
///
/// # Errors
/// When the store fails.
pub fn dead_letters(session: &mut Session, link: &dyn Link) -> Result<Vec<Waiting>, EngineError> {
    let kept = with_badge(session, link)?.into_iter();
    Ok(kept
        .flat_map(|kept| {
            let key = kept.key;
            kept.record.dead_letters.into_iter().map(move |operation| Waiting { key: key.clone(), operation })
        })
        .collect())
}

/// The operations that were sent and whose outcome is not known.
///
/// # Errors
/// When the store fails.
pub fn limbo(session: &mut Session, link: &dyn Link) -> Result<Vec<Waiting>, EngineError> {
    let kept = with_badge(session, link)?.into_iter();
    let sending =
        kept.filter_map(|kept| Some(Waiting { key: kept.key, operation: kept.record.overlay.sending? }));
    Ok(sending.filter(|waiting| waiting.operation.state == OutboxState::Limbo).collect())
}

/// Sends a dead letter again, or drops it.
///
/// # Errors
/// Usage when there is none; refused while something else of the record is on its way.
pub fn decide_dead_letter(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    operation: &OperationId,
    again: bool,
) -> Result<Taken, EngineError> {
    decide_dead_letter_how(session, link, key, operation, again, How::default())
}

/// As [`decide_dead_letter`], with the reason, or only what it would say.
///
/// # Errors
/// As [`decide_dead_letter`].
pub fn decide_dead_letter_how(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    operation: &OperationId,
    again: bool,
    how: How<'_>,
) -> Result<Taken, EngineError> {
    let actor = session.actor.clone();
    let id = operation.clone();
    let (event, otherwise, kind) = if again {
        (Event::Requeue { operation: id }, "send again", "requeued")
    } else {
        (Event::Dismiss { operation: id }, "drop", "dropped")
    };
    let because = Because { actor: &actor, why: if how.why.is_empty() { otherwise } else { how.why } };
    perhaps(session, how.dry_run, |store, now| {
        let mut kept = record::lock(store, link, key, now)?;
        let taken = advance(store, link, &mut kept, event.clone(), because, now)?;
        happen(store, link, key, kind, &format!("{operation}: {}", because.why), because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// A record that a worker has to look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Queued {
    /// The record.
    pub key: String,
    /// What it belongs to.
    pub scope: String,
    /// Where it stands: queued, syncing, limbo, ..
    pub state: String,
    /// When it is looked at, in milliseconds since 1970.
    pub due_ms: u64,
    /// Requests in a row that the remote could not take.
    pub failures: u64,
    /// The worker that has it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The request over HTTP that began the newest of its edits that are on their way.
    pub request: Option<String>,
}

/// What waits to be sent or read back, the next one first, and how many there are in all.
///
/// # Errors
/// When the store fails.
pub fn queue(
    session: &mut Session,
    link: &dyn Link,
    limit: u64,
    offset: u64,
) -> Result<(Vec<Queued>, u64), EngineError> {
    let now = now_ms(session);
    let name = Value::text(link.name());
    let sql = "SELECT record_key, scope, badge, due_ms, failures, lease_holder, lease_until_ms,
            (SELECT request FROM plimsoll_sync_edit AS e
             WHERE e.link = r.link AND e.record_key = r.record_key AND e.state NOT IN ('draft', 'synced', 'discarded')
             ORDER BY e.changed_at DESC, e.edit DESC LIMIT 1)
        FROM plimsoll_sync_record AS r WHERE link = $1 AND due_ms IS NOT NULL
        ORDER BY due_ms, record_key LIMIT $2 OFFSET $3";
    let rows = session.store.query(sql, &[name.clone(), number(limit), number(offset)])?;
    let rows = rows.into_iter().map(|row| {
        let cells = Cells(row);
        let held = cells.count(6)? > now;
        Ok(Queued {
            key: cells.text(0)?,
            scope: cells.text(1)?,
            state: cells.text(2)?,
            due_ms: cells.count(3)?,
            failures: cells.count(4)?,
            worker: if held { Some(cells.text(5)?) } else { None },
            request: cells.optional_text(7)?,
        })
    });
    let rows = rows.collect::<Result<_, EngineError>>()?;
    let sql = "SELECT count(*) FROM plimsoll_sync_record WHERE link = $1 AND due_ms IS NOT NULL";
    Ok((rows, counted(session.store.as_mut(), sql, &[name])?))
}

/// Something that happened to a record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Happening {
    /// When.
    pub at: String,
    /// Who let it happen.
    pub actor: String,
    /// What: `queued`, `sent`, `limbo`, `arrived`, `conflict`, `lost_mine`, ..
    pub kind: String,
    /// In detail.
    pub detail: String,
}

/// What happened to a record, oldest first.
///
/// # Errors
/// When the store fails.
pub fn happenings(session: &mut Session, link: &dyn Link, key: &str) -> Result<Vec<Happening>, EngineError> {
    let sql = "SELECT at, actor, kind, detail FROM plimsoll_sync_happening
        WHERE link = $1 AND record_key = $2 ORDER BY number";
    let rows = session.store.query(sql, &[Value::text(link.name()), Value::text(key)])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(Happening {
                at: cells.text(0)?,
                actor: cells.text(1)?,
                kind: cells.text(2)?,
                detail: cells.text(3)?,
            })
        })
        .collect()
}
