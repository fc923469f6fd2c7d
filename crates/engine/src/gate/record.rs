//! Evidence on record: what people and other programs saw, written down once.
//!
//! Owns adding it and finding the latest. A record holds what it was made from - a file's digest, a person, a run - so
//! that it can be looked up; it holds no verdict.
//!
//! Invariants: records are only added; a record whose digest is not that of its content is refused as evidence.

use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::change::cells::Cells;
use crate::change::number_alone;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session;
use crate::session::Session;

/// What is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person's sign-off; its name is the role.
    SignOff,
    /// A drill.
    Drill,
    /// A test report.
    TestReport,
    /// Facts of a build server, a bill, an audit: numbers by name.
    Facts,
    /// A trial's decision; its name is system and change.
    Trial,
}

impl Kind {
    /// The word used in the store, in events and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignOff => "sign-off",
            Self::Drill => "drill",
            Self::TestReport => "test-report",
            Self::Facts => "facts",
            Self::Trial => "trial",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::SignOff, Self::Drill, Self::TestReport, Self::Facts, Self::Trial]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// A piece of evidence on record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// What it is.
    pub kind: Kind,
    /// The name by which gates ask for it.
    pub name: String,
    /// When what it tells of happened.
    pub at: String,
    /// Until when it holds.
    pub expires_at: Option<String>,
    /// Who wrote it down.
    pub actor: String,
    /// Why, or what was said.
    pub reason: String,
    /// What it was made from: a file with its digest, a run, a person.
    pub source: String,
    /// What it says.
    pub body: Json,
}

impl Record {
    /// A record to be added.
    pub fn new(session: &Session, kind: Kind, name: &str, source: impl Into<String>, body: Json) -> Self {
        Self {
            id: new_id(),
            kind,
            name: name.to_owned(),
            at: session.clock.now(),
            expires_at: None,
            actor: session.actor.clone(),
            reason: String::new(),
            source: source.into(),
            body,
        }
    }

    fn digest(&self) -> String {
        let mut hashing = Hashing::new("gate evidence");
        let expires = self.expires_at.clone().unwrap_or_default();
        let body = self.body.to_string();
        for text in [
            self.id.as_str(),
            self.kind.as_str(),
            &self.name,
            &self.at,
            &expires,
            &self.actor,
            &self.reason,
            &self.source,
            &body,
        ] {
            hashing.part(text.as_bytes());
        }
        hashing.hex()
    }
}

/// Adds a record, with its event in the same transaction.
///
/// # Errors
/// Usage when a time cannot be read or it expires before it begins; otherwise when the store fails.
pub fn record(session: &mut Session, record: &Record) -> Result<(), EngineError> {
    for time in [Some(&record.at), record.expires_at.as_ref()].into_iter().flatten() {
        time.parse::<jiff::Timestamp>().map_err(|error| {
            EngineError::usage(format!("`{time}` is no time: {error}\nhint: 2026-01-31T00:00:00Z"))
        })?;
    }
    if record.expires_at.as_ref().is_some_and(|until| *until <= record.at) {
        return Err(EngineError::usage("it would have expired before it begins"));
    }
    session::in_transaction(session, |session| add(session, record))
}

fn add(session: &mut Session, record: &Record) -> Result<(), EngineError> {
    let digest = record.digest();
    let detail = json!({ "id": record.id, "source": record.source, "expires_at": record.expires_at, "digest": digest });
    let subject = format!("{} {}", record.kind.as_str(), record.name);
    event::record(session, "gate.evidence", &subject, &record.reason, &detail)?;
    let number = next_number(session.store.as_mut(), "plimsoll_gate_evidence")?;
    let row = vec![
        Value::text(record.id.as_str()),
        Value::Integer(number),
        Value::text(record.kind.as_str()),
        Value::text(&record.name),
        Value::text(&record.at),
        Value::optional_text(record.expires_at.as_deref()),
        Value::text(&record.actor),
        Value::text(&record.reason),
        Value::text(&record.source),
        Value::text(record.body.to_string()),
        Value::text(digest),
    ];
    let columns =
        ["id", "number", "kind", "name", "at", "expires_at", "actor", "reason", "source", "body", "digest"];
    session.store.append("plimsoll_gate_evidence", &columns, &[row])?;
    Ok(())
}

/// The next number of a table of gates, inside the caller's transaction.
pub(super) fn next_number(store: &mut dyn Store, table: &'static str) -> Result<i64, EngineError> {
    number_alone(store, table)?;
    let next = store.query(&format!("SELECT coalesce(max(number), 0) + 1 FROM {table}"), &[])?;
    next.into_iter().next().map_or(Ok(1), |row| Cells(row).integer(0))
}

const COLUMNS: &str = "id, kind, name, at, expires_at, actor, reason, source, body, digest";

/// The latest record of a kind and name.
///
/// # Errors
/// Integrity when it was changed after it was written.
pub fn latest(session: &mut Session, kind: Kind, name: &str) -> Result<Option<Record>, EngineError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plimsoll_gate_evidence WHERE kind = $1 AND name = $2 ORDER BY number DESC LIMIT 1"
    );
    let rows = session.store.query(&sql, &[Value::text(kind.as_str()), Value::text(name)])?;
    rows.into_iter().next().map(|row| read(&Cells(row))).transpose()
}

/// Every record, newest first.
///
/// # Errors
/// Integrity when one was changed after it was written.
pub fn list(session: &mut Session) -> Result<Vec<Record>, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_gate_evidence ORDER BY number DESC");
    let rows = in_transaction(session.store.as_mut(), Access::ReadOnly, |store| store.query(&sql, &[]))?;
    rows.into_iter().map(|row| read(&Cells(row))).collect()
}

/// Every record of a kind without what it says, newest first: `(id, name)`.
///
/// # Errors
/// When the store fails.
pub fn names(session: &mut Session, kind: Kind) -> Result<Vec<(Id, String)>, EngineError> {
    let sql = "SELECT id, name FROM plimsoll_gate_evidence WHERE kind = $1 ORDER BY number DESC";
    let rows = session.store.query(sql, &[Value::text(kind.as_str())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok((Id(cells.text(0)?), cells.text(1)?))
        })
        .collect()
}

/// One record of a kind.
///
/// # Errors
/// Usage when there is none of this id; integrity when it was changed after it was written.
pub fn find(session: &mut Session, kind: Kind, id: &Id) -> Result<Record, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_gate_evidence WHERE kind = $1 AND id = $2");
    let rows = session.store.query(&sql, &[Value::text(kind.as_str()), Value::text(id.as_str())])?;
    rows.into_iter().next().map(|row| read(&Cells(row))).transpose()?.ok_or_else(|| {
        EngineError::usage(format!(
            "no {} `{}` is on record\nhint: plimsoll gate evidence",
            kind.as_str(),
            id.short()
        ))
    })
}

fn read(cells: &Cells) -> Result<Record, EngineError> {
    let word = cells.text(1)?;
    let kind = Kind::read(&word)
        .ok_or_else(|| EngineError::integrity(format!("a record of evidence has the kind `{word}`")))?;
    let record = Record {
        id: Id(cells.text(0)?),
        kind,
        name: cells.text(2)?,
        at: cells.text(3)?,
        expires_at: cells.optional_text(4)?,
        actor: cells.text(5)?,
        reason: cells.text(6)?,
        source: cells.text(7)?,
        body: serde_json::from_str(&cells.text(8)?)?,
    };
    if record.digest() != cells.text(9)? {
        return Err(EngineError::integrity(format!(
            "the {word} `{}` of {} was changed after it was written",
            record.name, record.at
        )));
    }
    Ok(record)
}
