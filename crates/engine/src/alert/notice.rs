//! Notices: the outbox.
//!
//! Owns the table of messages that wait for their receiver or were taken by it. It does not decide when to send, and
//! does not send.

use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Severity;
use super::incident::{Incident, lock};
use crate::change::cells::Cells;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::session::{Session, in_transaction};

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// Something is wrong.
    Opened,
    /// It is wrong again.
    Reopened,
    /// It got worse.
    Escalated,
    /// It is still wrong, and nobody took it.
    Reminder,
    /// It is over.
    Resolved,
    /// What happened in a week.
    Digest,
    /// Whether the way to the receiver works.
    Test,
}

impl NoticeKind {
    const ALL: [Self; 7] = [
        Self::Opened,
        Self::Reopened,
        Self::Escalated,
        Self::Reminder,
        Self::Resolved,
        Self::Digest,
        Self::Test,
    ];

    /// The word used in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Escalated => "escalated",
            Self::Reminder => "reminder",
            Self::Resolved => "resolved",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }
}

/// Whether the receiver has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeStatus {
    /// It waits for its time or for the receiver.
    Waiting,
    /// The receiver took it.
    Sent,
    /// A later notice says all that it would have said.
    Withdrawn,
}

impl NoticeStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Withdrawn];

    /// The word used in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One message of the outbox.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Its id; the receiver gets it too, to recognise one that comes twice.
    pub id: Id,
    /// Its place in the outbox.
    pub number: i64,
    /// The incident that it tells of.
    pub incident: Option<Id>,
    /// What it tells.
    pub kind: NoticeKind,
    /// How grave; P0 goes through quiet hours.
    pub severity: Severity,
    /// What is sent.
    pub body: Json,
    /// Whether the receiver has it.
    pub status: NoticeStatus,
    /// When it may be tried next.
    pub not_before: String,
    /// How often it was tried.
    pub attempts: u64,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When the receiver took it.
    pub sent_at: Option<String>,
}

const COLUMNS: &str = "id, number, incident, kind, severity, body, status, not_before, attempts, last_error, created_at, sent_at";

fn from_row(row: Vec<Value>) -> Result<Notice, EngineError> {
    let cells = Cells(row);
    let (kind, severity, status) = (cells.text(3)?, cells.text(4)?, cells.text(6)?);
    let unknown = |what: &str| EngineError::integrity(format!("a notice has the {what}"));
    Ok(Notice {
        id: Id(cells.text(0)?),
        number: cells.integer(1)?,
        incident: cells.optional_text(2)?.map(Id),
        kind: NoticeKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| unknown(&format!("kind `{kind}`")))?,
        severity: Severity::read(&severity).ok_or_else(|| unknown(&format!("severity `{severity}`")))?,
        body: serde_json::from_str(&cells.text(5)?)?,
        status: NoticeStatus::ALL
            .into_iter()
            .find(|known| known.as_str() == status)
            .ok_or_else(|| unknown(&format!("status `{status}`")))?,
        not_before: cells.text(7)?,
        attempts: cells.count(8)?,
        last_error: cells.optional_text(9)?,
        created_at: cells.text(10)?,
        sent_at: cells.optional_text(11)?,
    })
}

fn select(session: &mut Session, rest: &str, parameters: &[Value]) -> Result<Vec<Notice>, EngineError> {
    let rows = session.store.query(&format!("SELECT {COLUMNS} FROM plimsoll_notice {rest}"), parameters)?;
    rows.into_iter().map(from_row).collect()
}

/// Puts a message into the outbox, inside the caller's transaction.
pub(super) fn leave(
    session: &mut Session,
    incident: Option<&Incident>,
    kind: NoticeKind,
    body: &Json,
    now: &str,
) -> Result<Id, EngineError> {
    let last = session.store.query("SELECT coalesce(max(number), 0) FROM plimsoll_notice", &[])?;
    let last = last.into_iter().next().map_or(Ok(0), |row| Cells(row).integer(0))?;
    let id = new_id();
    let mut body = body.clone();
    body["attachments"][0]["footer"] = Json::String(format!("plimsoll, notice {}", id.short()));
    let severity = incident.map_or(Severity::P2, |incident| incident.severity);
    session.store.execute(
        "INSERT INTO plimsoll_notice (id, number, incident, kind, severity, body, status, not_before, attempts, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $8)",
        &[
            Value::text(id.as_str()),
            Value::Integer(last + 1),
            Value::optional_text(incident.map(|incident| incident.id.as_str())),
            Value::text(kind.as_str()),
            Value::text(severity.as_str()),
            Value::text(body.to_string()),
            Value::text(now),
            Value::text(now),
        ],
    )?;
    Ok(id)
}

/// Takes waiting notices of an incident back: those of one kind, or all.
pub(super) fn withdraw(
    session: &mut Session,
    incident: &Incident,
    kind: Option<NoticeKind>,
) -> Result<(), EngineError> {
    let mut sql =
        "UPDATE plimsoll_notice SET status = 'withdrawn' WHERE incident = $1 AND status = 'waiting'"
            .to_owned();
    let mut parameters = vec![Value::text(incident.id.as_str())];
    if let Some(kind) = kind {
        sql.push_str(" AND kind = $2");
        parameters.push(Value::text(kind.as_str()));
    }
    session.store.execute(&sql, &parameters)?;
    Ok(())
}

/// The outbox, oldest first: what waits, or all of one incident.
///
/// # Errors
/// When the control store fails.
pub fn notices(session: &mut Session, incident: Option<&Id>) -> Result<Vec<Notice>, EngineError> {
    match incident {
        Some(id) => select(session, "WHERE incident = $1 ORDER BY number", &[Value::text(id.as_str())]),
        None => select(session, "WHERE status = 'waiting' ORDER BY number", &[]),
    }
}

/// Notices that may be tried at this moment, oldest first.
pub(super) fn due(session: &mut Session, now: &str) -> Result<Vec<Notice>, EngineError> {
    select(session, "WHERE status = 'waiting' AND not_before <= $1 ORDER BY number", &[Value::text(now)])
}

/// Takes a notice for one try: nobody else tries it before `until`. False when somebody else has it.
pub(super) fn claim(session: &mut Session, notice: &Notice, until: &str) -> Result<bool, EngineError> {
    let changed = session.store.execute(
        "UPDATE plimsoll_notice SET attempts = attempts + 1, not_before = $3
         WHERE id = $1 AND attempts = $2 AND status = 'waiting'",
        &[Value::text(notice.id.as_str()), crate::change::cells::number(notice.attempts), Value::text(until)],
    )?;
    Ok(changed == 1)
}

/// The receiver took it.
pub(super) fn sent(session: &mut Session, id: &Id, now: &str) -> Result<(), EngineError> {
    session.store.execute(
        "UPDATE plimsoll_notice SET status = 'sent', sent_at = $2, last_error = NULL WHERE id = $1",
        &[Value::text(id.as_str()), Value::text(now)],
    )?;
    Ok(())
}

/// The receiver did not take it; it is tried again at `again`.
pub(super) fn failed(session: &mut Session, id: &Id, why: &str, again: &str) -> Result<(), EngineError> {
    session.store.execute(
        "UPDATE plimsoll_notice SET last_error = $2, not_before = $3 WHERE id = $1 AND status = 'waiting'",
        &[Value::text(id.as_str()), Value::text(why), Value::text(again)],
    )?;
    Ok(())
}

/// Puts a message into the outbox that only tells whether the way to the receiver works.
///
/// # Errors
/// When the control store fails.
pub fn send_test(session: &mut Session) -> Result<Id, EngineError> {
    in_transaction(session, |session| {
        lock(session)?;
        let now = session.clock.now();
        let body = super::message::of_test(&session.actor, &now);
        leave(session, None, NoticeKind::Test, &body, &now)
    })
}
