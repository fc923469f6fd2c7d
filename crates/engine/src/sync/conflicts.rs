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
use super::edit;
use super::record;
use super::take::{Because, Taken, advance, close, transact};
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
        ORDER BY opened_at, record_key, revision LIMIT $4";
    let parameters = [
        Value::text(link.name()),
        Value::Integer(filter.closed.into()),
        Value::text(filter.key.unwrap_or_default()),
        number(filter.limit),
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
    let actor = session.actor.clone();
    let text = serde_json::to_string(answer)?;
    transact(session, |store, now| {
        let because = Because { actor: &actor, why };
        let mut kept = record::lock(store, link, key, now)?;
        let event = Event::Answer(answer.clone());
        // Written before the planner closes it, so that the line tells who answered what.
        let open = kept.record.conflict.as_ref().is_some_and(|open| open.revision == answer.shown);
        if open {
            close(store, link, key, &actor, Some(&text), now)?;
        }
        let taken = advance(store, link, &mut kept, event, because, now)?;
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
    let mut done = Vec::with_capacity(shown.len());
    for line in shown {
        let answer = Answer { shown: line.revision, otherwise: pick.clone(), fields: BTreeMap::new() };
        let outcome = match resolve(session, link, &line.key, &answer, why) {
            Ok(_) => Ok(()),
            Err(error) if error.class.is_none() => Err(error.message),
            Err(error) => return Err(error),
        };
        done.push((line.key.clone(), outcome));
    }
    Ok(done)
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
    let opened = list(session, link, ConflictFilter { closed: true, key: Some(key), limit: 10_000 })?;
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
    let (id, _) = edit::draft(session, link, key, None, Some(&fields))?;
    edit::commit(session, link, &id)?;
    Ok(id)
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
    for line in list(session, link, ConflictFilter { closed: true, key: None, limit: 1_000_000 })? {
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
