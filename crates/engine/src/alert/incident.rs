//! Incidents: one for each cause that holds.
//!
//! Owns their life: opened, counted, escalated, acknowledged, resolved, opened again. It does not send anything: it
//! leaves notices in the outbox, in the same transaction.
//!
//! A cause that comes back soon after it was resolved opens the same incident again. After [`FLAPS`] times it flaps:
//! from then on it is only resolved once it has stayed clear for [`SETTLE_MS`], and nobody is told in between.

use plimsoll_core::id::{Id, SHORTEST_PREFIX, is_prefix};
use plimsoll_core::value::Value;
use plimsoll_store::DatabaseKind;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::notice::{self, NoticeKind};
use super::policy::{FLAPS, REOPEN_MS, SETTLE_MS};
use super::{Severity, Signal};
use crate::change::cells::Cells;
use crate::clock::{between_ms, new_id};
use crate::error::EngineError;
use crate::session::{Session, in_transaction};

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It holds, and nobody took it yet.
    Open,
    /// Somebody works on it; reminders stop.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Status {
    /// All, in the order of an incident's life.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Resolved];

    /// The word used in the store and everywhere else.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    fn read(text: &str) -> Result<Self, EngineError> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| EngineError::integrity(format!("an incident has the status `{text}`")))
    }
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// Its id.
    pub id: Id,
    /// Its number, for people: the first is 1.
    pub number: i64,
    /// What is wrong, as the signal names it.
    pub cause: String,
    /// The system it is about; empty when it is about none.
    pub system: String,
    /// Where it stands.
    pub status: Status,
    /// The gravest severity that was signalled while it holds.
    pub severity: Severity,
    /// What is wrong, in one line, as it was last signalled.
    pub title: String,
    /// Figures and names, as they were last signalled.
    pub detail: String,
    /// Its runbook.
    pub runbook: String,
    /// How often it was signalled.
    pub occurrences: u64,
    /// How often it came back soon after it was resolved.
    pub reopened: u64,
    /// Notices so far that it opened, came back, got worse, or is still there.
    pub notices: u64,
    /// When it was first signalled.
    pub first_at: String,
    /// When it was last signalled.
    pub last_at: String,
    /// When the last of those notices was made.
    pub noticed_at: Option<String>,
    /// Since when it has been clear, while it waits to be resolved.
    pub clear_since: Option<String>,
    /// Who took it.
    pub acknowledged_by: Option<String>,
    /// When it was taken.
    pub acknowledged_at: Option<String>,
    /// Who ended it.
    pub resolved_by: Option<String>,
    /// When it ended.
    pub resolved_at: Option<String>,
    /// Why it is over.
    pub resolution: Option<String>,
}

impl Incident {
    /// Whether it comes and goes so often that it must stay clear for a while before it is resolved.
    pub fn flaps(&self) -> bool {
        self.reopened >= FLAPS
    }
}

/// What a signal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A new incident.
    Opened,
    /// An incident that was over holds again.
    Reopened,
    /// An incident that is known got graver.
    Escalated,
    /// An incident that is known was counted.
    Counted,
}

pub(super) const COLUMNS: &str = "id, number, cause, system, status, severity, title, detail, runbook, occurrences, reopened, \
     notices, first_at, last_at, noticed_at, clear_since, acknowledged_by, acknowledged_at, resolved_by, resolved_at, resolution";

pub(super) fn from_row(row: Vec<Value>) -> Result<Incident, EngineError> {
    let cells = Cells(row);
    let severity = cells.text(5)?;
    Ok(Incident {
        id: Id(cells.text(0)?),
        number: cells.integer(1)?,
        cause: cells.text(2)?,
        system: cells.text(3)?,
        status: Status::read(&cells.text(4)?)?,
        severity: Severity::read(&severity)
            .ok_or_else(|| EngineError::integrity(format!("an incident has the severity `{severity}`")))?,
        title: cells.text(6)?,
        detail: cells.text(7)?,
        runbook: cells.text(8)?,
        occurrences: cells.count(9)?,
        reopened: cells.count(10)?,
        notices: cells.count(11)?,
        first_at: cells.text(12)?,
        last_at: cells.text(13)?,
        noticed_at: cells.optional_text(14)?,
        clear_since: cells.optional_text(15)?,
        acknowledged_by: cells.optional_text(16)?,
        acknowledged_at: cells.optional_text(17)?,
        resolved_by: cells.optional_text(18)?,
        resolved_at: cells.optional_text(19)?,
        resolution: cells.optional_text(20)?,
    })
}

fn select(session: &mut Session, rest: &str, parameters: &[Value]) -> Result<Vec<Incident>, EngineError> {
    let rows = session.store.query(&format!("SELECT {COLUMNS} FROM plimsoll_incident {rest}"), parameters)?;
    rows.into_iter().map(from_row).collect()
}

/// One writer of incidents and notices at a time, so that a cause has one incident; SQLite's write lock does the same.
pub(super) fn lock(session: &mut Session) -> Result<(), EngineError> {
    if session.store.kind() == DatabaseKind::Postgres {
        session
            .store
            .execute("LOCK TABLE plimsoll_incident, plimsoll_notice IN SHARE ROW EXCLUSIVE MODE", &[])?;
    }
    Ok(())
}

/// Says that something is wrong. Saying it again counts it in the incident that is there.
///
/// # Errors
/// When the control store fails; usage for a signal without a cause or title.
pub fn raise(session: &mut Session, signal: &Signal) -> Result<(Incident, Outcome), EngineError> {
    in_transaction(session, |session| raise_within(session, signal))
}

/// [`raise`] inside the caller's transaction. Call it before the transaction records an event of its own: everybody
/// locks incidents first and the chain of events last, so nobody waits for each other.
///
/// # Errors
/// As [`raise`].
pub fn raise_within(session: &mut Session, signal: &Signal) -> Result<(Incident, Outcome), EngineError> {
    if signal.cause.trim().is_empty() || signal.title.trim().is_empty() {
        return Err(EngineError::usage("a signal has a cause and a title, and one of them is empty"));
    }
    lock(session)?;
    let now = session.clock.now();
    let known = select(
        session,
        "WHERE cause = $1 ORDER BY CASE WHEN status = 'resolved' THEN 1 ELSE 0 END, number DESC LIMIT 1",
        &[Value::text(&signal.cause)],
    )?;
    match known.into_iter().next() {
        Some(mut incident) if incident.status != Status::Resolved => {
            let graver = signal.severity < incident.severity;
            refresh(&mut incident, signal, &now);
            incident.clear_since = None;
            if !graver {
                save(session, &incident)?;
                return Ok((incident, Outcome::Counted));
            }
            incident.severity = signal.severity;
            tell(session, &mut incident, NoticeKind::Escalated, &now)?;
            Ok((incident, Outcome::Escalated))
        }
        Some(mut incident) if came_back(&incident, &now)? => {
            refresh(&mut incident, signal, &now);
            incident.severity = signal.severity;
            incident.status = Status::Open;
            incident.reopened += 1;
            (incident.resolved_at, incident.resolved_by, incident.resolution) = (None, None, None);
            (incident.acknowledged_at, incident.acknowledged_by) = (None, None);
            tell(session, &mut incident, NoticeKind::Reopened, &now)?;
            Ok((incident, Outcome::Reopened))
        }
        _ => {
            let mut incident = opened(session, signal, &now)?;
            tell(session, &mut incident, NoticeKind::Opened, &now)?;
            Ok((incident, Outcome::Opened))
        }
    }
}

fn refresh(incident: &mut Incident, signal: &Signal, now: &str) {
    incident.occurrences += 1;
    now.clone_into(&mut incident.last_at);
    incident.title.clone_from(&signal.title);
    incident.detail.clone_from(&signal.detail);
    incident.runbook.clone_from(&signal.runbook);
}

fn came_back(incident: &Incident, now: &str) -> Result<bool, EngineError> {
    let Some(resolved_at) = &incident.resolved_at else { return Ok(false) };
    Ok(between_ms(resolved_at, now)? <= REOPEN_MS)
}

fn opened(session: &mut Session, signal: &Signal, now: &str) -> Result<Incident, EngineError> {
    let last = session.store.query("SELECT coalesce(max(number), 0) FROM plimsoll_incident", &[])?;
    let last = last.into_iter().next().map_or(Ok(0), |row| Cells(row).integer(0))?;
    let incident = Incident {
        id: new_id(),
        number: last + 1,
        cause: signal.cause.clone(),
        system: signal.system.clone(),
        status: Status::Open,
        severity: signal.severity,
        title: signal.title.clone(),
        detail: signal.detail.clone(),
        runbook: signal.runbook.clone(),
        occurrences: 1,
        reopened: 0,
        notices: 0,
        first_at: now.to_owned(),
        last_at: now.to_owned(),
        noticed_at: None,
        clear_since: None,
        acknowledged_by: None,
        acknowledged_at: None,
        resolved_by: None,
        resolved_at: None,
        resolution: None,
    };
    session.store.execute(
        "INSERT INTO plimsoll_incident (id, number, cause, system, status, severity, title, detail, runbook,
             occurrences, reopened, notices, first_at, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11, $12)",
        &[
            Value::text(incident.id.as_str()),
            Value::Integer(incident.number),
            Value::text(&incident.cause),
            Value::text(&incident.system),
            Value::text(incident.status.as_str()),
            Value::text(incident.severity.as_str()),
            Value::text(&incident.title),
            Value::text(&incident.detail),
            Value::text(&incident.runbook),
            Value::Integer(1),
            Value::text(now),
            Value::text(now),
        ],
    )?;
    Ok(incident)
}

/// Saves the incident, leaves a notice of this kind in the outbox, and records an event.
fn tell(
    session: &mut Session,
    incident: &mut Incident,
    kind: NoticeKind,
    now: &str,
) -> Result<(), EngineError> {
    incident.notices += 1;
    incident.noticed_at = Some(now.to_owned());
    save(session, incident)?;
    notice::leave(session, Some(incident), kind, &super::message::of_incident(incident, kind), now)?;
    if kind == NoticeKind::Reminder {
        // The ladder is declared; each of its rungs need not be in the log for ever.
        return Ok(());
    }
    record(session, incident, &format!("incident.{}", kind.as_str()), &incident.title)
}

/// Reminds of an incident that is still there, unless somebody took it or was faster since it was read with this
/// many notices, or an earlier notice of it still waits for its receiver.
pub(super) fn remind(session: &mut Session, id: &Id, notices: u64) -> Result<bool, EngineError> {
    in_transaction(session, |session| {
        lock(session)?;
        let found = select(session, "WHERE id = $1", &[Value::text(id.as_str())])?;
        let Some(mut incident) = found.into_iter().next() else { return Ok(false) };
        let unheard = notice::notices(session, Some(id))?
            .iter()
            .any(|notice| notice.status == notice::NoticeStatus::Waiting);
        if incident.status != Status::Open || incident.notices != notices || unheard {
            return Ok(false);
        }
        let now = session.clock.now();
        tell(session, &mut incident, NoticeKind::Reminder, &now)?;
        Ok(true)
    })
}

fn record(session: &mut Session, incident: &Incident, kind: &str, reason: &str) -> Result<(), EngineError> {
    let detail = json!({
        "number": incident.number,
        "cause": incident.cause,
        "severity": incident.severity,
        "occurrences": incident.occurrences,
        "system": incident.system,
    });
    crate::event::record(session, kind, incident.id.as_str(), reason, &detail)
}

fn save(session: &mut Session, incident: &Incident) -> Result<(), EngineError> {
    let text = |text: &Option<String>| Value::optional_text(text.as_deref());
    session.store.execute(
        "UPDATE plimsoll_incident SET status = $2, severity = $3, title = $4, detail = $5, runbook = $6,
             occurrences = $7, reopened = $8, notices = $9, last_at = $10, noticed_at = $11, clear_since = $12,
             acknowledged_by = $13, acknowledged_at = $14, resolved_by = $15, resolved_at = $16, resolution = $17
         WHERE id = $1",
        &[
            Value::text(incident.id.as_str()),
            Value::text(incident.status.as_str()),
            Value::text(incident.severity.as_str()),
            Value::text(&incident.title),
            Value::text(&incident.detail),
            Value::text(&incident.runbook),
            crate::change::cells::number(incident.occurrences),
            crate::change::cells::number(incident.reopened),
            crate::change::cells::number(incident.notices),
            Value::text(&incident.last_at),
            text(&incident.noticed_at),
            text(&incident.clear_since),
            text(&incident.acknowledged_by),
            text(&incident.acknowledged_at),
            text(&incident.resolved_by),
            text(&incident.resolved_at),
            text(&incident.resolution),
        ],
    )?;
    Ok(())
}

/// Says that what `cause` names is no longer wrong. Resolves the incident, or, while it flaps, lets it wait. Says
/// nothing when there is no such incident: callers clear whenever all is well.
///
/// # Errors
/// When the control store fails.
pub fn clear(session: &mut Session, cause: &str, reason: &str) -> Result<Option<Incident>, EngineError> {
    in_transaction(session, |session| clear_within(session, cause, reason))
}

/// [`clear`] inside the caller's transaction; as [`raise_within`], before the transaction records an event of its own.
///
/// # Errors
/// When the control store fails.
pub fn clear_within(
    session: &mut Session,
    cause: &str,
    reason: &str,
) -> Result<Option<Incident>, EngineError> {
    lock(session)?;
    let found = select(session, "WHERE cause = $1 AND status <> 'resolved'", &[Value::text(cause)])?;
    let Some(mut incident) = found.into_iter().next() else { return Ok(None) };
    if incident.flaps() {
        let now = session.clock.now();
        incident.clear_since.get_or_insert(now);
        incident.resolution = Some(reason.to_owned());
        save(session, &incident)?;
    } else {
        end(session, &mut incident, reason)?;
    }
    Ok(Some(incident))
}

/// Resolves incidents that flapped and have been clear for long enough; returns how many.
pub(super) fn settle(session: &mut Session) -> Result<u64, EngineError> {
    // Asked every second, so it takes no lock while there is nothing to settle.
    if select(session, "WHERE status <> 'resolved' AND clear_since IS NOT NULL LIMIT 1", &[])?.is_empty() {
        return Ok(0);
    }
    in_transaction(session, |session| {
        lock(session)?;
        let now = session.clock.now();
        let mut settled = 0;
        for mut incident in select(session, "WHERE status <> 'resolved' AND clear_since IS NOT NULL", &[])? {
            let since = incident.clear_since.as_deref().unwrap_or(&now);
            if between_ms(since, &now)? >= SETTLE_MS {
                let reason = incident.resolution.clone().unwrap_or_default();
                end(session, &mut incident, &reason)?;
                settled += 1;
            }
        }
        Ok(settled)
    })
}

fn end(session: &mut Session, incident: &mut Incident, reason: &str) -> Result<(), EngineError> {
    let now = session.clock.now();
    incident.status = Status::Resolved;
    incident.clear_since = None;
    incident.resolved_by = Some(session.actor.clone());
    incident.resolved_at = Some(now.clone());
    incident.resolution = Some(reason.to_owned());
    save(session, incident)?;
    // The one notice that it is over tells the whole story to whoever did not hear of it yet.
    notice::withdraw(session, incident, None)?;
    let body = super::message::of_incident(incident, NoticeKind::Resolved);
    notice::leave(session, Some(incident), NoticeKind::Resolved, &body, &now)?;
    record(session, incident, "incident.resolved", reason)
}

/// A person takes the incident: reminders stop until it gets graver or is over.
///
/// # Errors
/// Usage for an unknown incident or one that is over.
pub fn acknowledge(session: &mut Session, which: &str, reason: &str) -> Result<Incident, EngineError> {
    in_transaction(session, |session| {
        lock(session)?;
        let mut incident = find(session, which)?;
        if incident.status == Status::Resolved {
            return Err(over(&incident));
        }
        incident.status = Status::Acknowledged;
        incident.acknowledged_by = Some(session.actor.clone());
        incident.acknowledged_at = Some(session.clock.now());
        save(session, &incident)?;
        notice::withdraw(session, &incident, Some(NoticeKind::Reminder))?;
        record(session, &incident, "incident.acknowledged", reason)?;
        Ok(incident)
    })
}

/// A person ends the incident. When its cause still holds, the next signal opens it again.
///
/// # Errors
/// Usage for an unknown incident, one that is over, or no reason.
pub fn resolve(session: &mut Session, which: &str, reason: &str) -> Result<Incident, EngineError> {
    if reason.trim().is_empty() {
        return Err(EngineError::usage("an incident is resolved with a reason\nhint: --reason TEXT"));
    }
    in_transaction(session, |session| {
        lock(session)?;
        let mut incident = find(session, which)?;
        if incident.status == Status::Resolved {
            return Err(over(&incident));
        }
        end(session, &mut incident, reason)?;
        Ok(incident)
    })
}

fn over(incident: &Incident) -> EngineError {
    let at = incident.resolved_at.as_deref().unwrap_or("some time ago");
    EngineError::usage(format!("incident {} was resolved at {at}", incident.number))
}

/// Incidents, the latest signal first: those that are not resolved, or `all`.
///
/// # Errors
/// When the control store fails.
pub fn list(session: &mut Session, all: bool) -> Result<Vec<Incident>, EngineError> {
    let rest = if all { "" } else { "WHERE status <> 'resolved'" };
    select(session, &format!("{rest} ORDER BY last_at DESC, number DESC"), &[])
}

/// The incident with this number, id, prefix of an id, or cause.
///
/// # Errors
/// Usage when there is none, or several.
pub fn find(session: &mut Session, which: &str) -> Result<Incident, EngineError> {
    let mut found = match which.strip_prefix('#').unwrap_or(which).parse::<i64>() {
        Ok(number) => select(session, "WHERE number = $1", &[Value::Integer(number)])?,
        Err(_) => Vec::new(),
    };
    if found.is_empty() && is_prefix(which) {
        // `g` sorts after every hexadecimal character.
        let range = [Value::text(which), Value::text(format!("{which}g"))];
        found = select(session, "WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2", &range)?;
    }
    if found.is_empty() {
        found = select(session, "WHERE cause = $1 ORDER BY number DESC LIMIT 1", &[Value::text(which)])?;
    }
    match <[Incident; 1]>::try_from(found) {
        Ok([incident]) => Ok(incident),
        Err(several) if several.is_empty() => Err(EngineError::usage(format!(
            "there is no incident `{which}`\nhint: `plimsoll alert list --all` lists them; name one by its number, its cause, or {SHORTEST_PREFIX} characters of its id"
        ))),
        Err(_) => Err(EngineError::usage(format!(
            "`{which}` stands for more than one incident\nhint: give more characters"
        ))),
    }
}
