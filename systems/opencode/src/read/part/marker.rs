//! Small parts that mark something: steps, patches, snapshots, compactions, sub-tasks, retries.
//!
//! Owns the rows of their tables. Except for retries they carry no time; their identifier is their clock.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::{Outline, Part, characters};
use crate::read::cells::push_row;
use crate::read::failures::{self, Failure, Origin, WriterError};
use crate::read::fields::Fields;
use crate::read::json::{Json, Kind};
use crate::read::leftovers::Leftovers;
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

/// The end of a request to the model.
#[derive(Debug, Default)]
pub(in crate::read) struct Finish<'a> {
    pub(in crate::read) snapshot: Option<Cow<'a, str>>,
    pub(in crate::read) reason: Option<Cow<'a, str>>,
    pub(in crate::read) cost: Option<i64>,
    pub(in crate::read) tokens: Tokens,
}

impl Finish<'_> {
    /// Adds the row of `step_events`.
    pub(in crate::read) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let moment = part.moment(None);
        push_row!(rows, STEP_EVENTS, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            event: "finish",
            snapshot: self.snapshot.as_deref(),
            reason: self.reason.as_deref(),
            cost: self.cost,
            tokens_input: self.tokens.input,
            tokens_output: self.tokens.output,
            tokens_reasoning: self.tokens.reasoning,
            tokens_cache_read: self.tokens.cache_read,
            tokens_cache_write: self.tokens.cache_write,
            tokens_total: self.tokens.total,
            time_created: moment.at,
            document_id: part.document,
        })?;
        Ok(Outline { moment, characters: None })
    }
}

pub(super) fn step_finish<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.step-finish");
    let finish = Finish {
        snapshot: fields.text("snapshot"),
        reason: fields.text("reason"),
        cost: fields.money("cost"),
        tokens: Tokens::take(fields, left),
    };
    finish.store(part, rows)
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

/// A point at which the conversation was summarized.
#[derive(Debug, Default)]
pub(in crate::read) struct Compaction<'a> {
    pub(in crate::read) automatic: Option<bool>,
    pub(in crate::read) overflow: Option<bool>,
    pub(in crate::read) tail: Option<Cow<'a, str>>,
    pub(in crate::read) status: Option<Cow<'a, str>>,
    pub(in crate::read) summary: Option<Cow<'a, str>>,
    pub(in crate::read) recent: Option<Json<'a>>,
}

impl Compaction<'_> {
    /// Adds the row of `compactions`.
    pub(in crate::read) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let moment = part.moment(None);
        push_row!(rows, COMPACTIONS, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            automatic: self.automatic,
            overflow: self.overflow,
            tail_start_id: self.tail.as_deref(),
            status: self.status.as_deref(),
            summary: self.summary.as_deref(),
            recent: self.recent.map(Json::raw),
            time_created: moment.at,
            document_id: part.document,
        })?;
        Ok(Outline { moment, characters: self.summary.as_deref().map(characters) })
    }
}

pub(super) fn compaction(
    part: &Part<'_>,
    fields: &mut Fields<'_>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.compaction");
    let compaction = Compaction {
        automatic: fields.boolean("auto"),
        overflow: fields.boolean("overflow"),
        tail: fields.text("tail_start_id"),
        ..Compaction::default()
    };
    compaction.store(part, rows)
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

/// A request that was tried again.
#[derive(Debug)]
pub(in crate::read) struct Retry<'a> {
    pub(in crate::read) attempt: Option<i64>,
    pub(in crate::read) error: Option<Json<'a>>,
    pub(in crate::read) created: Option<i64>,
}

impl<'a> Retry<'a> {
    /// Takes the fields `attempt` and `error`.
    pub(in crate::read) fn take(fields: &mut Fields<'a>, created: Option<i64>) -> Self {
        Self { attempt: fields.integer("attempt"), error: fields.json("error"), created }
    }

    /// Adds the rows of `retries` and `errors`.
    pub(in crate::read) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let moment = part.moment(self.created);
        push_row!(rows, RETRIES, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            attempt: self.attempt,
            error: self.error.map(Json::raw),
            time_created: moment.at,
            document_id: part.document,
        })?;
        if let Some(error) = self.error.map(WriterError::of) {
            let failure = Failure {
                id: &part.id,
                origin: Origin::Retry,
                part_id: Some(&part.id),
                message_id: part.message.as_deref(),
                session_id: part.session.as_deref(),
                created: moment.at,
                document_id: part.document,
                ..error.failure()
            };
            failures::store(&failure, rows)?;
        }
        Ok(Outline { moment, characters: None })
    }
}

pub(super) fn retry<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.retry");
    let mut time = fields.object("time");
    let created = time.as_mut().and_then(|time| time.moment("created"));
    left.add(time);
    Retry::take(fields, created).store(part, rows)
}
