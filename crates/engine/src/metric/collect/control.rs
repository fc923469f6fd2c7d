//! Samples of the control store: incidents, notices, schedules.

use std::collections::BTreeMap;

use super::{decided, double, seconds};
use crate::alert::{NoticeStatus, Severity, Status};
use crate::change::cells::Cells;
use crate::clock::between_ms;
use crate::error::EngineError;
use crate::metric::{
    INCIDENT_OLDEST, INCIDENT_SIGNALS, INCIDENTS, INCIDENTS_OPENED, NOTICE_ATTEMPTS, NOTICE_OLDEST, NOTICES,
    SCHEDULE_ENABLED, SCHEDULE_LAG, SCHEDULE_LAST, SCHEDULE_LAST_OUTCOME, SCHEDULE_LAST_SECONDS,
    SCHEDULE_RUNS, Sample,
};
use crate::session::Session;

/// Every sample of the control store's components.
pub(super) fn collect(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    incidents(session, samples)?;
    notices(session, samples)?;
    schedules(session, samples)?;
    decided::flags(session, samples)?;
    decided::gates(session, samples)?;
    decided::facts(session, samples)
}

fn incidents(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let sql =
        "SELECT severity, status, count(*), CAST(coalesce(sum(occurrences), 0) AS bigint), min(first_at)
               FROM plimsoll_incident GROUP BY severity, status";
    let mut found: BTreeMap<(String, String), (u64, u64, String)> = BTreeMap::new();
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        let figures = (cells.count(2)?, cells.count(3)?, cells.text(4)?);
        found.insert((cells.text(0)?, cells.text(1)?), figures);
    }
    for severity in Severity::ALL.map(Severity::as_str) {
        let (mut opened, mut signals) = (0, 0);
        for status in Status::ALL {
            let figures = found.get(&(severity.to_owned(), status.as_str().to_owned()));
            let (count, signalled, oldest) =
                figures.map_or((0, 0, None), |(count, signalled, oldest)| (*count, *signalled, Some(oldest)));
            opened += count;
            signals += signalled;
            if status != Status::Resolved {
                samples.push(INCIDENTS.count(&[severity, status.as_str()], count));
            }
            if status == Status::Open
                && let Some(oldest) = oldest
            {
                samples.push(INCIDENT_OLDEST.sample(&[severity], seconds(oldest)?));
            }
        }
        samples.push(INCIDENTS_OPENED.count(&[severity], opened));
        samples.push(INCIDENT_SIGNALS.count(&[severity], signals));
    }
    Ok(())
}

fn notices(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in session.store.query("SELECT status, count(*) FROM plimsoll_notice GROUP BY status", &[])? {
        let cells = Cells(row);
        counts.insert(cells.text(0)?, cells.count(1)?);
    }
    for status in NoticeStatus::ALL.map(NoticeStatus::as_str) {
        samples.push(NOTICES.count(&[status], counts.get(status).copied().unwrap_or(0)));
    }
    let sql =
        "SELECT min(created_at), coalesce(max(attempts), 0) FROM plimsoll_notice WHERE status = 'waiting'";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        if let Some(oldest) = cells.optional_text(0)? {
            samples.push(NOTICE_OLDEST.sample(&[], seconds(&oldest)?));
        }
        samples.push(NOTICE_ATTEMPTS.count(&[], cells.count(1)?));
    }
    Ok(())
}

fn schedules(session: &mut Session, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let now = session.clock.now();
    for row in
        session.store.query("SELECT name, enabled, due_at FROM plimsoll_schedule ORDER BY name", &[])?
    {
        let cells = Cells(row);
        let name = cells.text(0)?;
        samples.push(SCHEDULE_ENABLED.count(&[&name], cells.count(1)?));
        if let Some(due_at) = cells.optional_text(2)? {
            let late = double(between_ms(&due_at, &now)?.max(0)) / 1_000.0;
            samples.push(SCHEDULE_LAG.sample(&[&name], late));
        }
    }
    let sql = "SELECT schedule, outcome, count(*) FROM plimsoll_schedule_run WHERE outcome <> 'running'
               GROUP BY schedule, outcome ORDER BY schedule, outcome";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        samples.push(SCHEDULE_RUNS.count(&[&cells.text(0)?, &cells.text(1)?], cells.count(2)?));
    }
    let sql =
        "SELECT r.schedule, r.started_at, r.outcome, coalesce(r.duration_ms, 0) FROM plimsoll_schedule_run r
               WHERE r.number = (SELECT max(o.number) FROM plimsoll_schedule_run o
                   WHERE o.schedule = r.schedule AND o.outcome NOT IN ('running', 'skipped'))
               ORDER BY r.schedule";
    for row in session.store.query(sql, &[])? {
        let cells = Cells(row);
        let name = cells.text(0)?;
        samples.push(SCHEDULE_LAST.sample(&[&name], seconds(&cells.text(1)?)?));
        samples.push(SCHEDULE_LAST_OUTCOME.sample(&[&name, &cells.text(2)?], 1.0));
        samples.push(SCHEDULE_LAST_SECONDS.sample(&[&name], double(cells.integer(3)?) / 1_000.0));
    }
    Ok(())
}
