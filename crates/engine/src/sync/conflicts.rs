//! The inbox: what only a person can decide.
//!
//! Owns listing conflicts with all three values, answering one or many of them, rules that give the same answer again,
//! and taking an answer back. An answer counts for what was shown: if the remote moved meanwhile, the question is
//! another one and is asked again.
//!
//! Invariant: an answer goes through the planner; nothing here writes a record.

use std::collections::BTreeMap;

use plimsoll_core::sync::conflict::{Answer, Conflict, Pick};
use plimsoll_core::sync::merge::{Lost, Side};
use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;

use super::declare::Link;
use super::edit::{self, How, Wanted};
use super::journal::happen;
use super::record;
use super::take::{Because, Taken, advance, close, perhaps};
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::Session;

/// A conflict as it is listed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ConflictLine {
    /// The record.
    pub key: String,
    /// What it belongs to.
    pub scope: String,
    /// Which question it is.
    pub revision: u64,
    /// The question: kind, and each field with base, mine and theirs.
    pub question: Conflict,
    /// When it was asked.
    pub opened_at: String,
    /// When it was over, and by whom.
    pub closed_at: Option<String>,
    /// Who or what closed it.
    pub closed_by: Option<String>,
    /// The answer, where a person or a rule gave one.
    pub answer: Option<Answer>,
}

/// A record whose conflict was answered together with others, and why it was not.
pub type Decided = (String, Result<(), String>);

/// Which conflicts to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConflictFilter<'a> {
    /// Also those that are over.
    pub closed: bool,
    /// Of this record only.
    pub key: Option<&'a str>,
    /// At most so many.
    pub limit: u64,
    /// So many are left out before.
    pub offset: u64,
}

/// How many conflicts there are of those wanted; limit and offset do not count.
///
/// # Errors
/// When the store fails.
pub fn count(session: &mut Session, link: &dyn Link, filter: ConflictFilter<'_>) -> Result<u64, EngineError> {
    let sql = "SELECT count(*) FROM plimsoll_sync_conflict
        WHERE link = $1 AND ($2 = 1 OR closed_at IS NULL) AND ($3 = '' OR record_key = $3)";
    let parameters = [
        Value::text(link.name()),
        Value::Integer(filter.closed.into()),
        Value::text(filter.key.unwrap_or_default()),
    ];
    let rows = session.store.query(sql, &parameters)?;
    rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}

/// The conflicts of a link, oldest question first.
///
/// # Errors
/// When the store fails.
pub fn list(
    session: &mut Session,
    link: &dyn Link,
    filter: ConflictFilter<'_>,
) -> Result<Vec<ConflictLine>, EngineError> {
    let sql = "SELECT record_key, scope, revision, question, opened_at, closed_at, closed_by, answer
        FROM plimsoll_sync_conflict
        WHERE link = $1 AND ($2 = 1 OR closed_at IS NULL) AND ($3 = '' OR record_key = $3)
        ORDER BY opened_at, record_key, revision LIMIT $4 OFFSET $5";
    let parameters = [
        Value::text(link.name()),
        Value::Integer(filter.closed.into()),
        Value::text(filter.key.unwrap_or_default()),
        number(filter.limit),
        number(filter.offset),
    ];
    let rows = session.store.query(sql, &parameters)?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            let answer = cells.optional_text(7)?;
            Ok(ConflictLine {
                key: cells.text(0)?,
                scope: cells.text(1)?,
                revision: cells.count(2)?,
                question: serde_json::from_str(&cells.text(3)?)?,
                opened_at: cells.text(4)?,
                closed_at: cells.optional_text(5)?,
                closed_by: cells.optional_text(6)?,
                answer: answer.map(|answer| serde_json::from_str(&answer)).transpose()?,
            })
        })
        .collect()
}

/// The open conflict of a record.
///
/// # Errors
/// Usage when there is none.
pub fn open(session: &mut Session, link: &dyn Link, key: &str) -> Result<ConflictLine, EngineError> {
    let filter = ConflictFilter { key: Some(key), limit: 1, ..ConflictFilter::default() };
    list(session, link, filter)?.pop().ok_or_else(|| {
        let hint = format!("`plimsoll conflicts list {}` lists them", link.name());
        EngineError::usage(format!("`{key}` has no open conflict\nhint: {hint}"))
    })
}

/// An answer to a conflict: single fields, and one side for all that are not named.
///
/// # Errors
/// Usage when a field in question has no answer, or a field is named that is not in question.
pub fn answer(
    conflict: &ConflictLine,
    revision: Option<u64>,
    otherwise: Option<Pick>,
    fields: BTreeMap<String, Pick>,
) -> Result<Answer, EngineError> {
    let asked = &conflict.question.fields;
    if let Some(name) = fields.keys().find(|name| !asked.contains_key(*name)) {
        let names: Vec<&str> = asked.keys().map(String::as_str).collect();
        return Err(EngineError::usage(format!(
            "`{name}` is not in question\nhint: the fields in question are {}",
            names.join(", ")
        )));
    }
    if otherwise.is_none() && asked.keys().any(|name| !fields.contains_key(name)) {
        return Err(EngineError::usage(
            "some fields in question have no answer\nhint: --take mine|theirs (`take`) decides every field not named",
        ));
    }
    let otherwise = otherwise.unwrap_or(Pick::Theirs);
    Ok(Answer { shown: revision.unwrap_or(conflict.revision), otherwise, fields })
}

/// Answers the open conflict of a record.
///
/// # Errors
/// Refused when the question is not the one that was shown any more, or the answer leaves a rule broken.
pub fn resolve(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    answer: &Answer,
    why: &str,
) -> Result<Taken, EngineError> {
    resolve_how(session, link, key, answer, How { why, dry_run: false })
}

/// As [`resolve`], or only what it would make of the record.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_how(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    answer: &Answer,
    how: How<'_>,
) -> Result<Taken, EngineError> {
    let actor = session.actor.clone();
    let text = serde_json::to_string(answer)?;
    let why = if how.why.is_empty() { "a person decided" } else { how.why };
    perhaps(session, how.dry_run, |store, now| {
        let because = Because { actor: &actor, why };
        let mut kept = record::lock(store, link, key, now)?;
        let event = Event::Answer(answer.clone());
        // Written before the planner closes it, so that the line tells who answered what.
        let open = kept.record.conflict.as_ref().is_some_and(|open| open.revision == answer.shown);
        if open {
            close(store, link, key, &actor, Some(&text), now)?;
        }
        let taken = advance(store, link, &mut kept, event, because, now)?;
        happen(store, link, key, "decided", &format!("revision {}", answer.shown), because, now)?;
        record::keep(store, link, &kept, now)?;
        Ok(taken)
    })
}

/// Answers every open conflict of these with one side; those that moved or do not allow it are told with the reason.
///
/// # Errors
/// When the store fails.
pub fn resolve_all(
    session: &mut Session,
    link: &dyn Link,
    shown: &[ConflictLine],
    pick: &Pick,
    why: &str,
) -> Result<Vec<Decided>, EngineError> {
    let shown: Vec<(String, u64)> = shown.iter().map(|line| (line.key.clone(), line.revision)).collect();
    resolve_shown(session, link, &shown, pick, How { why, dry_run: false })
}

/// As [`resolve_all`], by keys and the revisions that were shown, or only which of them could be answered.
///
/// # Errors
/// When the store fails.
pub fn resolve_shown(
    session: &mut Session,
    link: &dyn Link,
    shown: &[(String, u64)],
    pick: &Pick,
    how: How<'_>,
) -> Result<Vec<Decided>, EngineError> {
    let mut done = Vec::with_capacity(shown.len());
    for (key, revision) in shown {
        let answer = Answer { shown: *revision, otherwise: pick.clone(), fields: BTreeMap::new() };
        let outcome = match resolve_how(session, link, key, &answer, how) {
            Ok(_) => Ok(()),
            Err(error) if error.class.is_none() => Err(error.message),
            Err(error) => return Err(error),
        };
        done.push((key.clone(), outcome));
    }
    Ok(done)
}

/// A rule that gives the same answer again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleLine {
    /// The field.
    pub field: String,
    /// The side that wins: `mine` or `theirs`.
    pub take: String,
    /// Who left it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: String,
    /// How often it answered.
    pub used: u64,
}

/// The rules of a link, by field.
///
/// # Errors
/// When the store fails.
pub fn rules(session: &mut Session, link: &dyn Link) -> Result<Vec<RuleLine>, EngineError> {
    let sql = "SELECT field, pick, author, reason, created_at, used FROM plimsoll_sync_rule
        WHERE link = $1 ORDER BY field";
    let rows = session.store.query(sql, &[Value::text(link.name())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(RuleLine {
                field: cells.text(0)?,
                take: cells.text(1)?,
                author: cells.text(2)?,
                reason: cells.text(3)?,
                created_at: cells.text(4)?,
                used: cells.count(5)?,
            })
        })
        .collect()
}

/// From now on, `side` wins for `field` whenever both sides edited it and every field in question has such a rule.
///
/// # Errors
/// Usage for a field that there is not.
pub fn set_rule(
    session: &mut Session,
    link: &dyn Link,
    field: &str,
    side: Option<Side>,
    reason: &str,
) -> Result<(), EngineError> {
    if !link.mirror().fields.contains(&field) {
        let hint = link.mirror().fields.join(", ");
        return Err(EngineError::usage(format!("there is no field `{field}`\nhint: the fields are {hint}")));
    }
    let (name, author, now) = (Value::text(link.name()), session.actor.clone(), session.clock.now());
    let Some(side) = side else {
        let sql = "DELETE FROM plimsoll_sync_rule WHERE link = $1 AND field = $2";
        session.store.execute(sql, &[name, Value::text(field)])?;
        return Ok(());
    };
    let sql = "INSERT INTO plimsoll_sync_rule (link, field, pick, author, reason, created_at, used)
        VALUES ($1, $2, $3, $4, $5, $6, 0)
        ON CONFLICT (link, field) DO UPDATE SET pick = excluded.pick, author = excluded.author,
            reason = excluded.reason, created_at = excluded.created_at";
    let pick = if side == Side::Mine { "mine" } else { "theirs" };
    let parameters = [
        name,
        Value::text(field),
        Value::text(pick),
        Value::text(author),
        Value::text(reason),
        Value::text(now),
    ];
    session.store.execute(sql, &parameters)?;
    Ok(())
}

/// Takes an answer back: the values that it gave up are edited again, against the row as it is now. Returns the edit.
///
/// # Errors
/// Usage when the record lost nothing here since that question; refused by the planner.
pub fn undo(session: &mut Session, link: &dyn Link, key: &str, revision: u64) -> Result<String, EngineError> {
    let fields = given_up(session, link, key, revision)?;
    let wanted = Wanted { key, scope: None, fields: Some(&fields) };
    Ok(edit::at_once(session, link, wanted, How { why: "a decision was taken back", dry_run: false })?.0)
}

/// The values that the answer to a conflict gave up.
///
/// # Errors
/// Usage when there was no such conflict, it is open, or nothing was given up.
pub fn given_up(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    revision: u64,
) -> Result<Fields, EngineError> {
    let opened =
        list(session, link, ConflictFilter { closed: true, key: Some(key), limit: 10_000, offset: 0 })?;
    let Some(line) = opened.into_iter().find(|line| line.revision == revision) else {
        return Err(EngineError::usage(format!(
            "`{key}` had no conflict {revision}\nhint: `plimsoll conflicts list {} --all` lists them",
            link.name()
        )));
    };
    let Some(closed_at) = line.closed_at else {
        return Err(EngineError::usage(format!("conflict {revision} of `{key}` is open\nhint: resolve it")));
    };
    let sql = "SELECT detail FROM plimsoll_sync_happening
        WHERE link = $1 AND record_key = $2 AND kind IN ('lost_mine', 'lost_theirs') AND at = $3 ORDER BY number";
    let parameters = [Value::text(link.name()), Value::text(key), Value::text(closed_at)];
    let mut fields = Fields::new();
    for row in session.store.query(sql, &parameters)? {
        let lost: Lost = serde_json::from_str(&Cells(row).text(0)?)?;
        fields.insert(lost.field, lost.value);
    }
    if fields.is_empty() {
        return Err(EngineError::usage(format!(
            "the answer to conflict {revision} of `{key}` gave nothing up"
        )));
    }
    Ok(fields)
}

/// What another policy would have made of the conflicts so far: for each field, how many were asked, and how many of
/// the answers would have been given by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct DryRun {
    /// Conflicts in which the field was in question.
    pub asked: u64,
    /// Of those that a person answered: answers that the policy would have given too.
    pub same: u64,
    /// Answers that it would not have given; the value named was lost then.
    pub other: u64,
    /// Values that would be lost: key and value.
    pub lost: Vec<(String, Value)>,
}

/// Tries `side` as the policy of `field` over the conflicts so far.
///
/// # Errors
/// When the store fails.
pub fn dry_run(
    session: &mut Session,
    link: &dyn Link,
    field: &str,
    side: Side,
) -> Result<DryRun, EngineError> {
    let mut dry_run = DryRun::default();
    for line in list(session, link, ConflictFilter { closed: true, key: None, limit: 1_000_000, offset: 0 })?
    {
        let Some(asked) = line.question.fields.get(field) else { continue };
        dry_run.asked += 1;
        let lost = if side == Side::Mine { asked.theirs.clone() } else { asked.mine.clone() };
        dry_run.lost.extend(lost.map(|value| (line.key.clone(), value)));
        let Some(answer) = line.answer else { continue };
        let pick = answer.fields.get(field).unwrap_or(&answer.otherwise);
        let same = matches!((pick, side), (Pick::Mine, Side::Mine) | (Pick::Theirs, Side::Theirs));
        if same { dry_run.same += 1 } else { dry_run.other += 1 }
    }
    Ok(dry_run)
}
