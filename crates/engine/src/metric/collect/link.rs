//! Samples of a link: what waits, for how long, and what was sent and pulled.
//!
//! Owns the questions. Each finds by an index what is open, or reads the few lines of counts; none grows with what was
//! mirrored or is over.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;

use super::{double, seconds};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::metric::{
    SYNC_BREAKER, SYNC_CONFLICTS, SYNC_DEAD_LETTERS, SYNC_DUE, SYNC_EDITS, SYNC_GIVEN_UP, SYNC_HELD,
    SYNC_LAG, SYNC_LIMBO, SYNC_OUTCOMES, SYNC_PULL_LAST, SYNC_PULL_LAST_SECONDS, SYNC_PULL_ROWS,
    SYNC_PULL_SECONDS, SYNC_PULLS, SYNC_RATE, SYNC_READ_BACKS, SYNC_RETRIES, SYNC_RETRYING, SYNC_WRITES,
    Sample,
};
use crate::session::Session;
use crate::sync::now_ms;
use crate::sync::pace::{BREAKER_STATES, NOTED_BY};
use crate::sync::pull::COUNTED_BY;

/// States of edits that are not over.
const OPEN: [&str; 7] = ["draft", "committed", "queued", "syncing", "limbo", "conflict", "failed"];
/// How a request that writes may end.
const OUTCOMES: [&str; 5] = ["applied", "rejected", "refused", "postponed", "unknown"];

/// Every sample of one link. A store that was never prepared for links has none.
pub(super) fn collect(
    session: &mut Session,
    link: &str,
    samples: &mut Vec<Sample>,
) -> Result<(), EngineError> {
    if session.store.shape("plimsoll_sync_edit")?.is_none() {
        return Ok(());
    }
    open(session, link, samples)?;
    counts(session, link, samples)?;
    pulls(session, link, samples)
}

fn open(session: &mut Session, link: &str, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let now = now_ms(session);
    let name = [Value::text(link)];
    let sql = "SELECT state, count(*), coalesce(min(committed_ms), 0) FROM plimsoll_sync_edit
        WHERE link = $1 AND state IN ('draft', 'committed', 'queued', 'syncing', 'limbo', 'conflict', 'failed')
        GROUP BY state";
    let mut states: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in session.store.query(sql, &name)? {
        let cells = Cells(row);
        states.insert(cells.text(0)?, (cells.count(1)?, cells.count(2)?));
    }
    let of = |state: &str| states.get(state).copied().unwrap_or_default();
    for state in OPEN {
        samples.push(SYNC_EDITS.count(&[link, state], of(state).0));
    }
    let waiting = ["committed", "queued", "syncing", "limbo"].map(|state| of(state).1);
    let oldest = waiting.into_iter().filter(|ms| *ms > 0).min();
    let lag_ms = oldest.map_or(0, |oldest| now.saturating_sub(oldest));
    samples.push(SYNC_LAG.sample(&[link], in_seconds(lag_ms)));
    samples.push(SYNC_DEAD_LETTERS.count(&[link], of("failed").0));
    let one = |session: &mut Session, sql: &str| -> Result<u64, EngineError> {
        session.store.query(sql, &name)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
    };
    let sql = "SELECT count(*) FROM plimsoll_sync_conflict WHERE link = $1 AND closed_at IS NULL";
    samples.push(SYNC_CONFLICTS.count(&[link], one(session, sql)?));
    let sql =
        "SELECT count(*) FROM plimsoll_sync_record WHERE link = $1 AND badge <> 'synced' AND badge = 'limbo'";
    samples.push(SYNC_LIMBO.count(&[link], one(session, sql)?));
    let sql = "SELECT count(*) FROM plimsoll_sync_record WHERE link = $1 AND due_ms IS NOT NULL";
    samples.push(SYNC_DUE.count(&[link], one(session, sql)?));
    let sql =
        "SELECT count(*) FROM plimsoll_sync_record WHERE link = $1 AND due_ms IS NOT NULL AND failures > 0";
    samples.push(SYNC_RETRYING.count(&[link], one(session, sql)?));
    Ok(())
}

fn counts(session: &mut Session, link: &str, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let sql = "SELECT worker, name, amount FROM plimsoll_sync_count WHERE link = $1";
    let mut work: BTreeMap<String, u64> = BTreeMap::new();
    let mut pulled: BTreeMap<String, u64> = BTreeMap::new();
    let mut pace: BTreeMap<String, u64> = BTreeMap::new();
    for row in session.store.query(sql, &[Value::text(link)])? {
        let cells = Cells(row);
        let counts = match cells.text(0)?.as_str() {
            COUNTED_BY => &mut pulled,
            NOTED_BY => &mut pace,
            _ => &mut work,
        };
        *counts.entry(cells.text(1)?).or_default() += cells.count(2)?;
    }
    let of = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
    samples.push(SYNC_WRITES.count(&[link], of(&work, "sent")));
    for outcome in OUTCOMES {
        samples.push(SYNC_OUTCOMES.count(&[link, outcome], of(&work, outcome)));
    }
    samples.push(SYNC_RETRIES.count(&[link], of(&work, "postponed") + of(&work, "unknown")));
    samples.push(SYNC_READ_BACKS.count(&[link], of(&work, "read_back")));
    samples.push(SYNC_GIVEN_UP.count(&[link], of(&work, "given_up")));
    for outcome in ["done", "failed"] {
        samples.push(SYNC_PULLS.count(&[link, outcome], of(&pulled, outcome)));
    }
    samples.push(SYNC_PULL_SECONDS.sample(&[link], in_seconds(of(&pulled, "ms"))));
    if let Some(last_ms) = pulled.get("last_ms") {
        samples.push(SYNC_PULL_LAST_SECONDS.sample(&[link], in_seconds(*last_ms)));
    }
    if let Some(breaker) = pace.get("breaker") {
        for (state, figure) in BREAKER_STATES {
            samples.push(SYNC_BREAKER.count(&[link, state], u64::from(figure == *breaker)));
        }
    }
    if let Some(rate) = pace.get("rate").filter(|rate| **rate > 0) {
        samples.push(SYNC_RATE.sample(&[link], in_seconds(*rate)));
    }
    for outcome in ["seen", "changed"] {
        samples.push(SYNC_PULL_ROWS.count(&[link, outcome], of(&pulled, outcome)));
    }
    Ok(())
}

fn pulls(session: &mut Session, link: &str, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let sql = "SELECT min(changed_at), count(held) FROM plimsoll_sync_pull WHERE link = $1";
    for row in session.store.query(sql, &[Value::text(link)])? {
        let cells = Cells(row);
        if let Some(oldest) = cells.optional_text(0)? {
            samples.push(SYNC_PULL_LAST.sample(&[link], seconds(&oldest)?));
        }
        samples.push(SYNC_HELD.count(&[link], cells.count(1)?));
    }
    Ok(())
}

fn in_seconds(ms: u64) -> f64 {
    double(i64::try_from(ms).unwrap_or(i64::MAX)) / 1_000.0
}
