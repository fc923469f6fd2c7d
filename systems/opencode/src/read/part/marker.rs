//! Small parts that mark something: steps, patches, snapshots, compactions, sub-tasks, retries.
//!
//! Owns the rows of their tables. Except for retries they carry no time; their identifier is their clock.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::{Outline, Part, characters};
use crate::read::cells::push_row;
use crate::read::failures::{self, Failure, WriterError};
use crate::read::fields::{Fields, Leftovers};
use crate::read::json::Kind;
use crate::read::usage::Tokens;
use crate::table::focused::{COMPACTIONS, PATCHES, RETRIES, SNAPSHOTS, STEP_EVENTS, SUBTASKS};

pub(super) fn step_start(
    part: &Part<'_>,
    fields: &mut Fields<'_>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.step-start");
    let moment = part.moment(None);
    let snapshot = fields.text("snapshot");
    push_row!(rows, STEP_EVENTS, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        event: "start",
        snapshot: snapshot.as_deref(),
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: None })
}

pub(super) fn step_finish<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.step-finish");
    let moment = part.moment(None);
    let snapshot = fields.text("snapshot");
    let reason = fields.text("reason");
    let cost = fields.money("cost");
    let tokens = Tokens::take(fields, left);
    push_row!(rows, STEP_EVENTS, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        event: "finish",
        snapshot: snapshot.as_deref(),
        reason: reason.as_deref(),
        cost: cost,
        tokens_input: tokens.input,
        tokens_output: tokens.output,
        tokens_reasoning: tokens.reasoning,
        tokens_cache_read: tokens.cache_read,
        tokens_cache_write: tokens.cache_write,
        tokens_total: tokens.total,
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: None })
}

pub(super) fn patch(part: &Part<'_>, fields: &mut Fields<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
    fields.is_a("part.patch");
    let moment = part.moment(None);
    let hash = fields.text("hash");
    let files = fields.json("files");
    let count = files
        .filter(|files| files.kind() == Kind::Array)
        .map(|files| i64::try_from(files.items().count()).unwrap_or(i64::MAX));
    push_row!(rows, PATCHES, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        tree_hash: hash.as_deref(),
        files: files.map(|files| files.raw()),
        file_count: count,
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: None })
}

pub(super) fn snapshot(
    part: &Part<'_>,
    fields: &mut Fields<'_>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.snapshot");
    let moment = part.moment(None);
    let snapshot = fields.text("snapshot");
    push_row!(rows, SNAPSHOTS, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        snapshot: snapshot.as_deref(),
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: None })
}

pub(super) fn compaction(
    part: &Part<'_>,
    fields: &mut Fields<'_>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.compaction");
    let moment = part.moment(None);
    let automatic = fields.boolean("auto");
    let overflow = fields.boolean("overflow");
    let tail = fields.text("tail_start_id");
    push_row!(rows, COMPACTIONS, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        automatic: automatic,
        overflow: overflow,
        tail_start_id: tail.as_deref(),
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: None })
}

pub(super) fn subtask<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.subtask");
    let moment = part.moment(None);
    let prompt = fields.text("prompt");
    let description = fields.text("description");
    let agent = fields.text("agent");
    let command = fields.text("command");
    let mut model = fields.object("model");
    let mut named = |key| model.as_mut().and_then(|model| model.text(key));
    let (provider, model_id) = (named("providerID"), named("modelID"));
    left.add(model);
    push_row!(rows, SUBTASKS, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        prompt: prompt.as_deref(),
        description: description.as_deref(),
        agent: agent.as_deref(),
        command: command.as_deref(),
        provider: provider.as_deref(),
        model: model_id.as_deref(),
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: prompt.as_deref().map(characters) })
}

pub(super) fn retry<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.retry");
    let attempt = fields.integer("attempt");
    let whole = fields.whole().get("error").filter(|error| !error.is_null());
    let error = WriterError::take(fields, left);
    let mut time = fields.object("time");
    let created = time.as_mut().and_then(|time| time.moment("created"));
    left.add(time);
    let moment = part.moment(created);
    push_row!(rows, RETRIES, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        attempt: attempt,
        error: whole.map(|error| error.raw()),
        time_created: moment.at,
        document_id: part.document,
    })?;
    if let Some(error) = error {
        let failure = Failure {
            id: &part.id,
            origin: "retry",
            part_id: Some(&part.id),
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            created: moment.at,
            document_id: part.document,
            ..Failure::of_writer(error.name.as_deref(), error.data)
        };
        failures::store(&failure, rows)?;
    }
    Ok(Outline { moment, characters: None })
}
