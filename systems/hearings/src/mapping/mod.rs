//! What a record means for the rows: one hearing with all its parts.
//!
//! Owns the comparison of a meeting with the current rows and the proposal of what differs. The parts are in modules of
//! their own: [`committees`], [`bills`], [`witnesses`], [`documents`], [`recordings`]. What a good record is, is
//! [`crate::rules`]'s.
//!
//! Invariants:
//! - Only what the record states is compared; a container that is there, even empty, states all its entries.
//! - Nothing stated differs: nothing is proposed. `update_date` alone is no difference, because congress.gov touches
//!   old meetings without changing them; neither are `created_at` and `updated_at`.
//! - Something differs: `update_date` and `updated_at` of the hearing move with it, in the same item.
//! - Rows are written parents first and deleted children first, so that foreign keys hold at every step.
//! - A hearing that the source no longer lists is left alone.

pub mod bills;
pub mod committees;
pub mod documents;
pub mod recordings;
pub mod witnesses;

use plimsoll_core::item::Refusal;
use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{CurrentRow, PlanContext, Proposal};
use plimsoll_engine::source::SourceRecord;

use crate::api::Statements;
use crate::rules::{self, Meeting};

/// A hearing while its parts are compared.
pub(crate) struct Hearing<'meeting> {
    /// Its key.
    id: i64,
    /// What the source states of it.
    meeting: &'meeting Meeting,
    /// True when this item inserts it, so that it has no parts yet.
    is_new: bool,
}

/// Proposes what a record changes.
///
/// # Errors
/// When current rows cannot be read. A bad record is a refusal.
pub fn propose(record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError> {
    let body = match &record.body {
        Ok(body) => body,
        Err(reason) => {
            let reason = format!(
                "{}: the source lists it but cannot show it: {reason}\nhint: nothing to repair here; the next update asks again",
                record.label
            );
            return Ok(Proposal::Refuse(Refusal::quarantined("source", reason)));
        }
    };
    let statements = Statements::of(body);
    let refuse = |problems: &[rules::Problem]| {
        let reason = rules::refusal(statements.event_id.as_deref(), problems);
        Ok(Proposal::Refuse(Refusal::quarantined("validation", reason)))
    };
    let meeting = match rules::accept(&statements) {
        Ok(meeting) => meeting,
        Err(problems) => return refuse(&problems),
    };
    let current =
        context.find("hearings", &[("event_id", Value::text(&meeting.event_id))])?.into_iter().next();
    let known_title = current.as_ref().and_then(|row| row.get("title").as_text());
    if let Some(problem) = known_title.and_then(|known| rules::erased_title(&meeting.title, known)) {
        return refuse(&[problem]);
    }
    match current {
        Some(row) => update(&row, &meeting, context)?,
        None => insert(&meeting, context)?,
    }
    Ok(Proposal::Change)
}

fn insert(meeting: &Meeting, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    let id = context.next_id("hearings")?;
    let now = now(context);
    let mut values = vec![
        ("hearing_id", Value::Integer(id)),
        ("event_id", Value::text(&meeting.event_id)),
        ("created_at", now.clone()),
        ("updated_at", now),
    ];
    values.extend(stated(meeting, None));
    values.extend(update_date(meeting));
    context.insert("hearings", &values)?;
    parts(&Hearing { id, meeting, is_new: true }, context)
}

fn update(row: &CurrentRow, meeting: &Meeting, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    let mut values = stated(meeting, Some(row));
    let differs = context.differs(row, &values)?;
    let id = key(row, "hearing_id")?;
    let before = context.changes().len();
    parts(&Hearing { id, meeting, is_new: false }, context)?;
    if differs || context.changes().len() > before {
        values.extend(update_date(meeting));
        values.push(("updated_at", now(context)));
        context.update(row, &values)?;
    }
    Ok(())
}

/// Everything that belongs to a hearing. Committees and bills come before the people, because they stand alone.
fn parts(hearing: &Hearing<'_>, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    committees::propose(hearing, context)?;
    bills::propose(hearing, context)?;
    let appearances = witnesses::propose(hearing, context)?;
    documents::propose(hearing, &appearances, context)
}

/// The columns of the hearing itself that the meeting states, without `update_date`.
fn stated(meeting: &Meeting, row: Option<&CurrentRow>) -> Vec<(&'static str, Value)> {
    let mut values = vec![
        ("congress", Value::Integer(meeting.congress)),
        ("chamber", Value::text(meeting.chamber)),
        ("title", Value::text(&meeting.title)),
    ];
    let texts = [
        ("hearing_type", &meeting.meeting_type),
        ("status", &meeting.status),
        ("location", &meeting.location),
        ("url", &meeting.url),
    ];
    values
        .extend(texts.into_iter().filter_map(|(column, text)| Some((column, Value::text(text.as_deref()?)))));
    if let Some(held) = &meeting.held {
        values.push(("hearing_date", Value::Date(held.day.clone())));
        values.push(("hearing_date_only", Value::Date(held.day.clone())));
        if let Some(time) = &held.time {
            values.push(("hearing_time", Value::text(time)));
        }
    }
    if let Some(transcripts) = &meeting.transcripts {
        let jacket = transcripts.first().and_then(|transcript| transcript.jacket_number.as_deref());
        values.push(("jacket_number", Value::optional_text(jacket)));
    }
    values.extend(recordings::stated(meeting, row));
    values
}

fn update_date(meeting: &Meeting) -> Option<(&'static str, Value)> {
    meeting.update_date.as_ref().map(|instant| ("update_date", Value::Timestamp(instant.clone())))
}

fn now(context: &PlanContext<'_>) -> Value {
    Value::Timestamp(context.now().to_owned())
}

/// The integer key of a current row.
fn key(row: &CurrentRow, column: &str) -> Result<i64, EngineError> {
    row.get(column).as_integer().ok_or_else(|| {
        EngineError::integrity(format!(
            "`{}.{column}` is {}, not an integer key\nhint: repair the row; it was not written by this program",
            row.table.name,
            row.get(column)
        ))
    })
}

/// The rows of `table` that belong to the hearing; none for one that is only being inserted.
fn children(
    hearing: &Hearing<'_>,
    table: &str,
    context: &mut PlanContext<'_>,
) -> Result<Vec<CurrentRow>, EngineError> {
    if hearing.is_new {
        return Ok(Vec::new());
    }
    context.find(table, &[("hearing_id", Value::Integer(hearing.id))])
}
